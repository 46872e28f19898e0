"""Averages that two passes have missed: the second pass is made again, with another average asked of the encoder.

Over a short source encoders miss by more than anybody would call an average: libvpx and libaom by 5 to 15 %, either
way, whatever their own limits are set to. What the first pass saw holds for every rate, so only the second is made
again, at most three times, and the nearest of all is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import av

from reconciler.core.packages import ALONE, is_package
from reconciler.core.parameters import Parameters, Video
from reconciler.core.units import bitrate_text
from reconciler.ffmpeg.facts import MediaFacts
from reconciler.ffmpeg.media import open_media, read_packets
from reconciler.ffmpeg.packages import layout
from reconciler.ffmpeg.probe import is_cover
from reconciler.ffmpeg.segments import Joined, files_of

NEAR = 0.03
# A picture that comes to less than this share of its average needs no more bits, whatever is asked for.
_HOPELESS = 0.5
# Seconds. Up to here three more tries are cheap, and needed; a long source is seldom missed, and by little.
_SHORT = 60.0
# Rates that are so near to each other are the same to an encoder.
_SAME = 0.002

Rates = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Try:
    """The bits a second that were asked of an encoder, and those that came of it."""

    asked: float
    got: float


@dataclass(slots=True)
class Tries:
    """All tries at the pictures of one output, by the names of its variants; `nearest` are the rates of the best."""

    wanted: Parameters
    pictures: dict[str, list[Try]] = field(default_factory=dict)
    nearest: Rates | None = None

    @property
    def missed(self) -> float:
        """The largest miss of the best try: 0.05 is five percent too much."""
        return max(misses(self.wanted, self.nearest or {}).values(), key=abs, default=0.0)

    def add(self, asked: Parameters, got: Rates) -> bool:
        """Take one more; whether it is nearer, all in all, than those before."""
        videos = in_two_passes(asked)
        for name, rate in got.items():
            self.pictures.setdefault(name, []).append(Try(videos[name].bitrate or 0, rate))
        if self.nearest is not None and self._off(got) >= self._off(self.nearest):
            return False
        self.nearest = got
        return True

    def _off(self, got: Rates) -> float:
        return sum(abs(miss) for miss in misses(self.wanted, got).values())

    def next(self) -> Parameters | None:
        """What to ask for now; None if all are near, or nothing helps."""
        videos = in_two_passes(self.wanted)
        rates = {name: another(videos[name], tries) for name, tries in self.pictures.items()}
        if all(rate == self.pictures[name][-1].asked for name, rate in rates.items()):
            return None
        return with_rates(self.wanted, rates)


def another(video: Video, tries: Sequence[Try]) -> int:
    """The rate to be asked for next to that a picture comes to the rate it wants; the last one, if nothing helps."""
    wanted, last = video.bitrate or 0, round(tries[-1].asked)
    nearest = min(tries, key=lambda each: abs(each.got - wanted))
    if abs(nearest.got - wanted) <= NEAR * wanted:
        return round(nearest.asked)
    if nearest.got < _HOPELESS * wanted:
        return last
    rate = _between(wanted, tries) or nearest.asked * wanted / nearest.got
    rate = max(min(rate, video.max_bitrate or rate), video.min_bitrate or 0)
    return last if any(abs(rate - each.asked) <= _SAME * each.asked for each in tries) else round(rate)


def _between(wanted: float, tries: Sequence[Try]) -> float | None:
    """Where the line between the nearest tries on both sides meets the wish; None if all are on one side."""
    below = max((each for each in tries if each.got < wanted), key=lambda each: each.got, default=None)
    above = min((each for each in tries if each.got >= wanted), key=lambda each: each.got, default=None)
    if below is None or above is None:
        return None
    return below.asked + (above.asked - below.asked) * (wanted - below.got) / (above.got - below.got)


def in_two_passes(wanted: Parameters) -> dict[str, Video]:
    """The pictures of an output that are made in two passes, by variant; those of a file have the name of none."""
    if not is_package(wanted) or not wanted.variants:
        name = ALONE if is_package(wanted) else ""
        return {name: wanted.video} if wanted.video is not None and wanted.video.passes == 2 else {}
    videos = {name: variant.video for name, variant in wanted.variants.items() if variant is not None}
    return {name: video for name, video in videos.items() if video is not None and video.passes == 2}


def with_rates(wanted: Parameters, rates: Mapping[str, int]) -> Parameters:
    """The same output with other averages, by variant."""
    if not is_package(wanted) or not wanted.variants:
        (rate,) = rates.values()
        assert wanted.video is not None, "an output with a picture"
        return wanted.model_copy(update={"video": wanted.video.model_copy(update={"bitrate": rate})})
    variants = dict(wanted.variants)
    for name, rate in rates.items():
        variant = variants[name]
        assert variant is not None, "a variant with a picture"
        assert variant.video is not None, "a variant with a picture"
        video = variant.video.model_copy(update={"bitrate": rate})
        variants[name] = variant.model_copy(update={"video": video})
    return wanted.model_copy(update={"variants": variants})


def misses(wanted: Parameters, got: Rates) -> dict[str, float]:
    """By how much each average is missed: 0.05 is five percent too much."""
    videos = in_two_passes(wanted)
    return {name: rate / (videos[name].bitrate or rate) - 1 for name, rate in got.items()}


def rates_of(path: Path, wanted: Parameters, facts: MediaFacts) -> dict[str, float]:
    """The bits a second of each picture in two passes, without its container; nothing for what cannot be read."""
    two = in_two_passes(wanted)
    if not two or not is_package(wanted):
        found = {"": _rate(str(path))} if two else {}
    else:
        streams = [stream.name for stream in layout(wanted, facts).streams if stream.name in two]
        found = {name: _rate_of_stream(path / name) for name in streams}
    return {name: rate for name, rate in found.items() if rate is not None}


def notes(wanted: Parameters, got: Rates) -> Iterator[str]:
    """Which averages have been missed in the end."""
    for name, miss in misses(wanted, got).items():
        if abs(miss) > NEAR:
            asked = bitrate_text(in_two_passes(wanted)[name].bitrate or 0)
            who = f"the picture of variant {name}" if name not in {"", ALONE} else "the picture"
            yield f"{who} came out at {_short(got[name])} instead of {asked} ({miss:+.1%})"


def tries_for(seconds: float) -> int:
    """How often the second pass of a source may be made again."""
    return 3 if seconds <= _SHORT else 1


def _rate_of_stream(folder: Path) -> float | None:
    try:
        with Joined(files_of(folder)) as joined:
            return _rate(cast("BinaryIO", joined))
    except OSError:
        return None


def _rate(source: str | BinaryIO) -> float | None:
    try:
        with open_media(source) as container:
            pictures = [stream.index for stream in container.streams.video if not is_cover(stream)]
            packets = read_packets(container)
    except (av.FFmpegError, OSError):
        return None
    found = packets.get(pictures[0]) if pictures else None
    return 8 * found.size / (found.end - found.start) if found is not None and found.end > found.start else None


def _short(rate: float) -> str:
    """`1.23M`, `381k`."""
    return f"{rate / 1_000_000:.2f}M" if rate >= 1_000_000 else f"{rate / 1_000:.0f}k"
