"""What subtitles cannot mean: a file of their own has a track, a picture has them burnt in."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.errors import Problem
from reconciler.core.packages import variants_of
from reconciler.core.parameters import Parameters
from reconciler.core.subtitle_fields import KINDS
from reconciler.core.written import Written


def subtitle_problems(parameters: Parameters, written: Written) -> Iterator[Problem]:
    """What is wrong with saying something of subtitles."""
    container, said = parameters.container, parameters.subtitles
    if container is None or said is None:
        return
    if container not in KINDS and said.track is not None:
        kinds = ", ".join(KINDS)
        hints = (*written.source_of("container"), f"It is for {kinds}, files of their own. In a picture:  burn_in: eng")
        yield written.problem(f'"track" says nothing for {container}', "subtitles.track", *hints)
    if said.burn_in is not None and container in KINDS:
        hints = (*written.source_of("container"), f"For a file of subtitles write  track: {said.burn_in}")
        yield written.problem(f"{container} has no picture to burn into", "subtitles.burn_in", *hints)
    elif said.burn_in is not None and not _has_picture(parameters):
        hints = (*written.source_of("container"), "Leave it out, or give video a codec.")
        yield written.problem("there is no picture to burn subtitles into", "subtitles.burn_in", *hints)


def _has_picture(parameters: Parameters) -> bool:
    if parameters.stills is not None:
        return True
    videos = [variant.video for variant in variants_of(parameters).values()]
    return any(video is not None and video.codec not in {None, "none"} for video in videos)
