"""Files beside the specs whose content becomes part of an output: an image laid over its picture, subtitles.

A spec holds a path, a manifest the digest of what lies there: other content is another output, another name is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.core.errors import Problem
from reconciler.core.packages import variants_of
from reconciler.core.parameters import Parameters, Video
from reconciler.core.subtitle_fields import is_file
from reconciler.core.written import Written

# Logos and subtitles are small; what is larger was not meant.
LARGEST = 64_000_000
ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".srt", ".vtt", ".ass", ".ssa"})

INSIDE = "Files lie in the project folder, or in a folder given with --media-root DIR."


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at a file gave: the sha256 of its content, or what is `wrong` with it, and hints."""

    sha256: str = ""
    wrong: str = ""
    hints: tuple[str, ...] = ()


# Looks at a path, which is relative to the project folder.
Look = Callable[[str], Seen]


def nobody_looks(path: str) -> Seen:
    """Where no file can be looked at."""
    return Seen(wrong=f"{path} cannot be looked at here")


def named(parameters: Parameters) -> Iterator[tuple[str, str]]:
    """The side files of an output, as fields of a manifest with the paths that they hold."""
    burnt_in = parameters.subtitles.burn_in if parameters.subtitles is not None else None
    if burnt_in is not None and is_file(burnt_in):
        yield "subtitles.burn_in", burnt_in
    if parameters.stills is not None and parameters.stills.watermark is not None:
        yield from _image("stills.", parameters.stills.watermark.image)
    if not parameters.variants:
        yield from _of(parameters.video, "video.")
        return
    for name, variant in variants_of(parameters).items():
        yield from _of(variant.video, f"variants.{name}.video.")


def digests(parameters: Parameters, written: Written, look: Look, problems: list[Problem]) -> Mapping[str, str]:
    """What stands in a manifest in the places of the paths; problems for what is not there."""
    found: dict[str, str] = {}
    told: set[str] = set()
    for field, path in named(parameters):
        seen = look(path)
        found[field] = f"sha256:{seen.sha256}"
        if seen.wrong and path not in told:
            told.add(path)
            problems.append(written.problem(seen.wrong, field, *seen.hints, value=True))
    return found


def _of(video: Video | None, begin: str) -> Iterator[tuple[str, str]]:
    if video is not None and video.watermark is not None:
        yield from _image(begin, video.watermark.image)


def _image(begin: str, path: str | None) -> Iterator[tuple[str, str]]:
    if path is not None:
        yield f"{begin}watermark.image", path
