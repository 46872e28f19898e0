"""Outputs whose wishes have become settings: the crf that a quality comes to, searched for once and then pinned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from reconciler.core import pins
from reconciler.core.encode import Output
from reconciler.core.errors import RejectedError
from reconciler.core.pins import Pins
from reconciler.core.ports import NotMade
from reconciler.core.units import number
from reconciler.ffmpeg import bars
from reconciler.ffmpeg.passes import Passes
from reconciler.ffmpeg.quality import Checker


def resolved(output: Output, found: Pins) -> Output:
    """The output with what was found in the places of what was wished for."""
    return replace(output, parameters=pins.resolved(output.parameters, found), pins=found)


def searched(
    output: Output, passes: Passes, checker: Checker, part: Path, *, folder: Path, say: Callable[[str], None]
) -> Output | NotMade:
    """The output without its bars and with a crf for each quality; samples lie in `folder`. Raises UnavailableError."""
    found = dict(output.pins)
    for begin in pins.uncropped(output.parameters, found):
        try:
            crop = passes.bars(part)
        except RejectedError as error:
            return NotMade(str(error))
        found |= pins.crop_pins(begin, crop)
        say(f"black bars: {bars.words(crop)}")
    output = resolved(output, found)
    for name, video in pins.unresolved(output.parameters, found).items():
        assert video.quality is not None, "a picture with a quality"
        try:
            best = passes.crf_of(video, video.quality.vmaf or 0, checker, part, folder)
        except (ValueError, RejectedError) as error:
            return NotMade(str(error))
        found[f"{name}crf"] = number(best.crf)
        variant = name.removesuffix("video.").removeprefix("variants.").removesuffix(".")
        who = f"{output.name}, variant {variant}" if variant else output.name
        say(f"{who}: crf {best.crf:g} gives VMAF {best.score:.1f}")
    return resolved(output, found)
