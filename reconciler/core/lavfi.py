"""Which generated sources (`lavfi:...`) are allowed, and how long they are. Pure.

ffmpeg's filters can read files, load plug-ins and open sockets (`movie`, `subtitles`, `drawtext`, `lut3d`,
`zmq` ...), so a graph may use only the filters named here, and only plain characters: no quotes, no
backslashes, so that there is one way to read it. All of them keep time as it is, so the length of a graph is
that of its sources.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reconciler.core.encode import Trim
from reconciler.core.units import duration

_VIDEO_SOURCES = frozenset((
    "allrgb", "allyuv", "color", "colorchart", "colorspectrum", "gradients", "haldclutsrc", "mandelbrot",
    "nullsrc", "pal100bars", "pal75bars", "rgbtestsrc", "sierpinski", "smptebars", "smptehdbars", "testsrc",
    "testsrc2", "yuvtestsrc", "zoneplate",
))  # fmt: skip
_AUDIO_SOURCES = frozenset(("aevalsrc", "anoisesrc", "anullsrc", "sine"))
_FILTERS = frozenset((
    "acopy", "afade", "aformat", "amerge", "amix", "anull", "aresample", "asplit", "boxblur", "channelmap",
    "channelsplit", "colorbalance", "colorchannelmixer", "copy", "crop", "drawbox", "drawgrid", "eq", "fade",
    "format", "fps", "gblur", "hflip", "highpass", "hstack", "hue", "interlace", "join", "lowpass", "negate",
    "noise", "null", "overlay", "pad", "pan", "rotate", "scale", "setdar", "setfield", "setparams", "setrange",
    "setsar", "split", "transpose", "tremolo", "vflip", "vibrato", "vignette", "volume", "vstack", "xstack",
))  # fmt: skip

_PLAIN = re.compile(r"[A-Za-z0-9_ .,:;=\[\]()+*/@#|<>^%!&~-]*")
_FILTER = re.compile(
    r"\s*(?:\[[A-Za-z0-9_:]*\]\s*)*(?P<name>[a-z0-9_]+)(?:=(?P<options>[^\[]*))?(?:\[[A-Za-z0-9_:]*\]\s*)*"
)
_OPTION = re.compile(r"\s*[A-Za-z_][A-Za-z0-9_]*\s*=.*")


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long a graph's pictures and sounds are, in seconds; None where there are none or they differ."""

    video: float | None
    audio: float | None


def check(graph: str, trim: Trim) -> Lengths:
    """The lengths of a graph that is allowed; ValueError says why it is not, or that it never ends."""
    if not _PLAIN.fullmatch(graph):
        raise ValueError("a generated source is written without quotes, backslashes and other special characters")
    video: list[float | None] = []
    audio: list[float | None] = []
    for part in re.split(r"[,;]", graph):
        name, options = _filter(part)
        if name in _VIDEO_SOURCES:
            video.append(_length(options))
        elif name in _AUDIO_SOURCES:
            audio.append(_length(options))
    if not video and not audio:
        raise ValueError("a generated source begins with a filter that makes a picture or sound, such as testsrc2")
    if trim.end is None and None in (*video, *audio):
        raise ValueError("a generated source needs an end: give each of its sources a duration, or trim it")
    return Lengths(_common(video), _common(audio))


def _filter(part: str) -> tuple[str, list[str]]:
    match = _FILTER.fullmatch(part)
    if match is None:
        raise ValueError(f'"{part.strip()}" cannot be read as a filter')
    name, options = match["name"], [option for option in (match["options"] or "").split(":") if option.strip()]
    if name not in _VIDEO_SOURCES | _AUDIO_SOURCES | _FILTERS:
        raise ValueError(f'the filter "{name}" is not one of those that a generated source may use')
    for option in options:
        if "=" in option and not _OPTION.fullmatch(option):
            raise ValueError(f'"{option.strip()}" cannot be read as an option of {name}')
    return name, options


def _length(options: list[str]) -> float | None:
    """The duration among a source's options; None if it has none, or an endless one."""
    for option in options:
        name, _, value = option.partition("=")
        if name.strip() in {"duration", "d"}:
            try:
                return float(duration(value)) or None
            except ValueError:
                return None
    return None


def _common(lengths: list[float | None]) -> float | None:
    """The one length that all sources of a kind have."""
    return lengths[0] if len(set(lengths)) == 1 else None
