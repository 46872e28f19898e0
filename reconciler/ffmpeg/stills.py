"""Stills: one picture of a source, or a folder of them at intervals, whole or on sheets, with a list in WebVTT."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from reconciler.core.encode import Trim
from reconciler.core.packages import STILLS_LIST
from reconciler.core.parameters import Parameters, Video
from reconciler.core.still_fields import Stills
from reconciler.core.units import number
from reconciler.ffmpeg import geometry
from reconciler.ffmpeg.facts import MediaFacts, VideoTrack, wanted_span
from reconciler.ffmpeg.formats import PLAIN

_ENCODERS = {
    "jpg": ("mjpeg", ["-q:v", "3", "-pix_fmt", "yuvj420p"]),
    "png": ("png", ["-pix_fmt", "rgb24"]),
    "webp": ("libwebp", ["-quality", "85", "-pix_fmt", "yuv420p"]),
}
_DEMUXERS = {"jpg": "jpeg_pipe", "png": "png_pipe", "webp": "webp_pipe"}


@dataclass(frozen=True, slots=True)
class Series:
    """How many pictures there are, how large each is, and how many stand on a sheet across and down."""

    count: int
    size: tuple[int, int]
    grid: tuple[int, int]

    @property
    def sheets(self) -> int:
        """How many files hold them."""
        return math.ceil(self.count / (self.grid[0] * self.grid[1]))


def picture_of(stills: Stills) -> Video:
    """The picture as that of a video: brought down to SDR, and without the combs of fields."""
    return Video(width=stills.width, height=stills.height, deinterlace="auto", tonemap="hable")


def taken(stills: Stills, trim: Trim, facts: MediaFacts | None, track: VideoTrack | None) -> list[str]:
    """What takes the pictures out of a source; those of a series come to their time or the last one before it."""
    if stills.every is None:
        return [f"trim=start={number(_time(stills, trim, facts, track))}"]
    # The end of the last picture may lie behind that of a trim between two pictures.
    end = wanted_span(facts, track, trim)[1] if facts is not None and track is not None else math.inf
    last = [f"trim=end_frame={_count(stills.every, end)}"] if math.isfinite(end) else []
    return [f"fps=fps={1 / Fraction(str(stills.every))}:round=up:start_time=0", *last, "settb=AVTB"]


def sheets(stills: Stills) -> list[str]:
    """What puts finished pictures on sheets."""
    return [f"tile={stills.grid}"] if stills.grid is not None else []


def arguments(wanted: Parameters, path: str) -> list[str]:
    """The encoder of the pictures, and where they go: a file, or a folder."""
    encoder, options = _ENCODERS[wanted.container or "jpg"]
    words = ["-c:v", encoder, *options, "-an", *PLAIN, "-f", "image2"]
    if wanted.stills is not None and wanted.stills.every is None:
        return ["-frames:v", "1", *words, "-update", "1", f"file:{path}"]
    folder = path.replace("%", "%%")
    return ["-fps_mode", "passthrough", *words, f"file:{folder}/%05d.{wanted.container}"]


def encoder_of(wanted: Parameters) -> str:
    """The encoder's name in ffmpeg."""
    return _ENCODERS[wanted.container or "jpg"][0]


def impossible(wanted: Parameters, facts: MediaFacts, trim: Trim) -> str | None:
    """Why stills cannot be taken of a source; None if they can."""
    stills = wanted.stills
    if stills is None:
        return None
    if not facts.video:
        return "the source has no picture"
    end = wanted_span(facts, facts.video[0], trim)[1]
    if stills.at is not None and not isinstance(stills.at, str) and stills.at >= end:
        return f"there is no picture at {stills.at} s: the source ends at {end:.2f} s"
    if not math.isfinite(end) and not isinstance(stills.at, (int, float)):
        return "nobody knows how long the source is: give it a trim with an end"
    cut = facts.truncated is not None and (trim.end is None or trim.end > facts.end)
    return f"the source is cut off: {facts.truncated}" if cut and not isinstance(stills.at, (int, float)) else None


def series(stills: Stills, facts: MediaFacts, trim: Trim) -> Series:
    """The pictures that there will be."""
    track = facts.video[0]
    size = geometry.output_size(picture_of(stills), track).canvas
    end = wanted_span(facts, track, trim)[1]
    across, _, down = (stills.grid or "1x1").partition("x")
    count = 1 if stills.every is None else _count(stills.every, end)
    return Series(count, size, (int(across), int(down)))


def _count(every: float, end: float) -> int:
    """How many pictures there are of a length, one `every` so many seconds, the first at its start."""
    return max(1, math.ceil(round(end / every, 6)))


def wrong(part: Path, wanted: Parameters, expected: Series) -> list[str]:
    """What is wrong with the pictures that were made: every one is opened and decoded."""
    assert wanted.stills is not None, "an output of stills"
    alone = wanted.stills.every is None
    files = [part] if alone else sorted(part.glob(f"*.{wanted.container}"))
    said = [] if len(files) == expected.sheets else [f"there are {len(files)} pictures instead of {expected.sheets}"]
    width, height = (size * tiles for size, tiles in zip(expected.size, expected.grid, strict=True))
    for file in files:
        found = _size(file, wanted.container or "jpg")
        if found != (width, height):
            shown = f"is {found[0]}x{found[1]} instead of {width}x{height}" if found else "cannot be decoded"
            said.append(f"{'the picture' if alone else file.name} {shown}")
    return said


def write_list(folder: Path, wanted: Parameters, expected: Series, end: float) -> None:
    """A list of the pictures by the time that each of them stands for, as players take it."""
    assert wanted.stills is not None, "an output of stills"
    every = wanted.stills.every or end
    across, down = expected.grid
    lines = ["WEBVTT", ""]
    for place in range(expected.count):
        sheet, tile = divmod(place, across * down)
        spot = ""
        if wanted.stills.grid is not None:
            left, top = tile % across * expected.size[0], tile // across * expected.size[1]
            spot = f"#xywh={left},{top},{expected.size[0]},{expected.size[1]}"
        until = max(min((place + 1) * every, end), place * every + 0.001)
        lines += [f"{_clock(place * every)} --> {_clock(until)}", f"{sheet + 1:05}.{wanted.container}{spot}", ""]
    (folder / STILLS_LIST).write_text("\n".join(lines), encoding="utf-8")


def summary(wanted: Parameters, expected: Series) -> str:
    """`1280x720 jpg`; `160x90 jpg, 64 stills on 1 sheet`."""
    size = "{}x{}".format(*expected.size)
    if wanted.stills is None or wanted.stills.every is None:
        return f"{size} {wanted.container}"
    sheets = f" on {expected.sheets} sheet{'s' if expected.sheets > 1 else ''}" if wanted.stills.grid else ""
    return f"{size} {wanted.container}, {expected.count} still{'s' if expected.count > 1 else ''}{sheets}"


def _time(stills: Stills, trim: Trim, facts: MediaFacts | None, track: VideoTrack | None) -> float:
    """When the one picture is taken; the last one at the latest. Shares of a length that is not known begin at 0."""
    if not isinstance(stills.at, str):
        asked = float(stills.at or 0)
        return max(0.0, asked - 0.001)
    if facts is None or track is None:
        return 0.0
    end = wanted_span(facts, track, trim)[1]
    return round(max(0.0, min(end * float(stills.at[:-1]) / 100, end - 1.5 * track.frame)), 6)


def _size(file: Path, kind: str) -> tuple[int, int] | None:
    options = {"protocol_whitelist": "file,pipe", "format_whitelist": _DEMUXERS[kind]}
    try:
        with av.open(f"file:{file}", "r", format=_DEMUXERS[kind], options=options) as container:
            frame = next(container.decode(video=0))
    except (av.FFmpegError, OSError, StopIteration):
        return None
    return frame.width, frame.height


def _clock(seconds: float) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}.{whole % 1000:03}"
