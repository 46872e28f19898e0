"""What an output cannot be made of, since the output that it is made from does not hold it."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.encode import Output
from reconciler.core.errors import Problem
from reconciler.core.parameters import Audio, Parameters, Video
from reconciler.core.renditions import Rendition
from reconciler.core.subtitle_fields import is_file


def lacking(rendition: Rendition, upstream: Output | None) -> Iterator[Problem]:
    """A problem for each thing that an output asks of another one that is known to be without it."""
    if upstream is None:
        return
    wanted, written, name = rendition.parameters, rendition.written, upstream.address
    subtitles = _subtitles(wanted)
    if subtitles is not None:
        hint = "Take them from the source that it is made from, or burn in a file of the project."
        yield written.problem(
            f"{name} has no subtitles: outputs keep none of their source's", subtitles, hint, value=True
        )
    made = upstream.parameters
    # What a document of a provider's own makes is not known in our words, nor what cannot be read at all.
    if upstream.native is not None or made.container is None:
        return
    picture = _picture(wanted)
    if picture is not None and not _is_made(made.video):
        yield written.problem(f"{name} has no picture", picture, "Name an output with a picture.", value=True)
    elif picture is None and not _is_made(made.audio) and _needs_sound(wanted):
        yield written.problem(f"{name} has no sound", "audio.codec", "Name an output with sound.", value=True)


def _subtitles(wanted: Parameters) -> str | None:
    """The field that asks for a track of subtitles, if one does."""
    asked = wanted.subtitles
    if asked is None:
        return None
    if asked.track is not None:
        return "subtitles.track"
    return "subtitles.burn_in" if asked.burn_in is not None and not is_file(asked.burn_in) else None


def _picture(wanted: Parameters) -> str | None:
    """The field that asks for a picture, if one does."""
    if wanted.stills is not None:
        return "stills"
    if any(_is_made(variant.video) for variant in (wanted.variants or {}).values() if variant is not None):
        return "variants"
    return "video.codec" if _is_made(wanted.video) else None


def _needs_sound(wanted: Parameters) -> bool:
    """Whether nothing would be left of it without: silence is not made up where there is none."""
    return wanted.audio is not None and _is_made(wanted.audio) and wanted.audio.missing != "silence"


def _is_made(track: Video | Audio | None) -> bool:
    return track is not None and track.codec not in {None, "none"}
