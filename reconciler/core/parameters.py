"""What an output may be asked to look like: the models behind `presets:` and `outputs:`.

Every field is optional: absent and null mean "not asked for", and what is asked for is canonical (bits a
second, hertz, seconds, exact frame rates) as soon as it is validated. Whether a set of values makes sense
together is decided in `combinations`; what they mean to ffmpeg in `ffmpeg/arguments`.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from reconciler.core import units
from reconciler.core.quality_fields import Quality
from reconciler.core.sound_fields import CopyIf, Loudness, Tracks
from reconciler.core.still_fields import Stills
from reconciler.core.strict import Strict
from reconciler.core.subtitle_fields import Subtitles
from reconciler.core.watermark_fields import Watermark

Container = Literal[
    "mp4", "mov", "mkv", "webm", "m4a", "mp3", "ogg", "flac", "hls", "dash", "cmaf", "jpg", "png", "webp", "vtt", "srt"
]
VideoCodec = Literal["h264", "hevc", "vp9", "av1", "none"]
AudioCodec = Literal["aac", "opus", "mp3", "flac", "copy", "none"]
Encoder = Literal["libx264", "libx265", "libvpx-vp9", "libsvtav1", "libaom-av1"]
PixelFormat = Literal["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"]


_WORD = r"^[A-Za-z0-9._-]{1,40}$"

# A level, or the idc that x264 knows it by.
_LEVEL = re.compile(r"^(\d)(?:\.?(\d))?$")


def _codec(value: object) -> object:
    """`h265` is what many people call hevc."""
    return "hevc" if value == "h265" else value


def _word(value: object) -> object:
    """Profiles and presets are words, even where YAML reads a number (`preset: 8`)."""
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _level(value: object) -> object:
    """`4`, `4.0` and `40` are one level, `4.0`; `41` is `4.1`."""
    text = _word(value)
    match = _LEVEL.match(text) if isinstance(text, str) else None
    return text if match is None else f"{match[1]}.{match[2] or 0}"


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic turns only ValueError into a problem with a place
    return units.number(value)


_CHANNELS = {"mono": 1, "stereo": 2, "2.0": 2, "2.1": 3, "5.1": 6, "7.1": 8}


def _channels(value: object) -> object:
    """`mono`, `stereo` and `5.1` are how people count channels."""
    return _CHANNELS.get(str(value), value) if isinstance(value, (str, float)) else value


def _degrees(value: object) -> object:
    """Python takes false for 0."""
    if isinstance(value, bool):
        raise ValueError("must be 0, 90, 180 or 270")  # noqa: TRY004 - as _number
    return value


def _whole(value: object) -> object:
    """As _degrees, for a true that is taken for 1."""
    if isinstance(value, bool):
        raise ValueError("must be 1 or 2")  # noqa: TRY004 - as _number
    return value


def _switch(value: object) -> object:
    """Some parsers read on and off as truths."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


def _colour(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _limit_or_rate(value: object) -> str:
    return "limit" if isinstance(value, (dict, BaseModel)) else "rate"


def _unit(kind: str, number: dict[str, object], text: str, *examples: str) -> WithJsonSchema:
    """What an editor is told of a value with a unit: a number, or text that may say the unit."""
    written: dict[str, object] = {"type": "string", "pattern": text, "maxLength": units.LONGEST}
    return WithJsonSchema({"anyOf": [number, written], "description": kind, "examples": list(examples)})


def _time(bounds: dict[str, object]) -> WithJsonSchema:
    kind = "A duration: 2s, 1m30s, 00:01:30 or seconds."
    return _unit(kind, {"type": "number", **bounds}, units.DURATION_TEXT, "2s", "00:01:30")


# The most that ffmpeg takes for a buffer, which is the narrowest of the rates.
_MOST_BITS = 2_000_000_000
_BITS: dict[str, object] = {"type": "integer", "minimum": 1, "maximum": _MOST_BITS}
_SPEED: dict[str, object] = {"type": "number", "exclusiveMinimum": 0, "maximum": 1000}

Bitrate = Annotated[
    int,
    BeforeValidator(units.bitrate),
    Field(gt=0, le=_MOST_BITS),
    _unit("Bits a second: 4500k, 4.5M or 4500000.", _BITS, units.BITRATE_TEXT, "4500k", "4.5M"),
]
Bits = Annotated[
    int,
    BeforeValidator(units.bitrate),
    Field(gt=0, le=_MOST_BITS),
    _unit("Bits: 9000k, 9M or 9000000.", _BITS, units.BITRATE_TEXT, "9000k", "9M"),
]
SampleRate = Annotated[
    int,
    BeforeValidator(units.sample_rate),
    Field(ge=8_000, le=192_000),
    _unit(
        "Hertz: 48k or 48000.",
        {"type": "integer", "minimum": 8_000, "maximum": 192_000},
        units.SAMPLE_RATE_TEXT,
        "48k",
    ),
]
Seconds = Annotated[int | float, BeforeValidator(units.duration), _time({"minimum": 0, "maximum": 1_000_000_000})]
KeyframeInterval = Annotated[
    int | float,
    BeforeValidator(units.duration),
    Field(gt=0, le=3600),
    _time({"exclusiveMinimum": 0, "maximum": 3600}),
]
FrameRate = Annotated[
    str,
    BeforeValidator(units.frame_rate),
    _unit("Frames a second: 25, 29.97 or 30000/1001.", _SPEED, units.FRAME_RATE_TEXT, "25", "30000/1001"),
]
Aspect = Annotated[
    str,
    BeforeValidator(units.aspect),
    _unit("A shape: 16:9 or 2.39:1.", {"type": "number", "minimum": 0.1, "maximum": 10}, units.ASPECT_TEXT, "16:9"),
]
Crf = Annotated[
    int | float,
    BeforeValidator(_number),
    Field(ge=0, le=63),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 63}),
]
Word = Annotated[
    str,
    BeforeValidator(_word),
    Field(pattern=_WORD),
    WithJsonSchema({"type": ["string", "number"], "pattern": _WORD}),
]
Level = Annotated[
    str,
    BeforeValidator(_level),
    Field(pattern=_WORD),
    WithJsonSchema({"type": ["string", "number"], "pattern": _WORD}),
]
Channels = Annotated[
    int,
    BeforeValidator(_channels),
    Field(ge=1, le=8, strict=True),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 8},
                {"enum": [*_CHANNELS, 2.1, 5.1, 7.1]},
            ]
        }
    ),
]
VideoCodecName = Annotated[
    VideoCodec, BeforeValidator(_codec), WithJsonSchema({"enum": ["h264", "hevc", "h265", "vp9", "av1", "none"]})
]
Pixels = Annotated[int, Field(ge=2, le=16_384, strict=True)]
Edge = Annotated[int, Field(ge=0, le=16_384, strict=True)]
Truth = Annotated[bool, Field(strict=True)]


class Crop(Strict):
    """Pixels taken off each edge of the (upright) source picture, before scaling."""

    top: Edge | None = None
    bottom: Edge | None = None
    left: Edge | None = None
    right: Edge | None = None


class Pad(Strict):
    """Bars that bring the picture to a shape, after scaling."""

    aspect: Aspect | None = None
    color: (
        Annotated[
            str,
            BeforeValidator(_colour),
            Field(pattern=r"^([a-z]{3,20}|#[0-9a-f]{6})$"),
            WithJsonSchema({"type": "string", "pattern": r"^([A-Za-z]{3,20}|#[0-9A-Fa-f]{6})$"}),
        ]
        | None
    ) = None


class FrameRateLimit(Strict):
    """A ceiling: faster sources are brought down to it, slower ones keep their rate."""

    max: FrameRate


class Video(Strict):
    """The picture of an output."""

    codec: VideoCodecName | None = None
    encoder: Encoder | None = None
    crf: Crf | None = None
    quality: Quality | None = None
    bitrate: Bitrate | None = None
    min_bitrate: Bitrate | None = None
    max_bitrate: Bitrate | None = None
    buffer_size: Bits | None = None
    mode: Literal["vbr", "cbr"] | None = None
    passes: Annotated[Literal[1, 2], BeforeValidator(_whole)] | None = None
    preset: Word | None = None
    tune: Word | None = None
    profile: Word | None = None
    level: Level | None = None
    pixel_format: PixelFormat | None = None
    width: Pixels | None = None
    height: Pixels | None = None
    avoid_upscaling: Truth | None = None
    crop: Crop | None = None
    autocrop: Truth | None = None
    pad: Pad | None = None
    deinterlace: (
        Annotated[
            Literal["auto", "on", "off"],
            BeforeValidator(_switch),
            WithJsonSchema({"enum": ["auto", "on", "off", True, False]}),
        ]
        | None
    ) = None
    tonemap: Literal["hable", "mobius", "reinhard"] | None = None
    rotate: Annotated[Literal[0, 90, 180, 270], BeforeValidator(_degrees)] | None = None
    flip: Literal["horizontal", "vertical", "both"] | None = None
    fps: (
        Annotated[
            Annotated[FrameRate, Tag("rate")] | Annotated[FrameRateLimit, Tag("limit")], Discriminator(_limit_or_rate)
        ]
        | None
    ) = None
    keyframe_interval: KeyframeInterval | None = None
    watermark: Watermark | None = None


class Audio(Strict):
    """The sound of an output. `track` counts the source's audio tracks from 0; `tracks` takes several."""

    codec: AudioCodec | None = None
    bitrate: Bitrate | None = None
    channels: Channels | None = None
    sample_rate: SampleRate | None = None
    track: Annotated[int, Field(ge=0, le=255, strict=True)] | None = None
    tracks: Tracks | None = None
    missing: Literal["skip", "silence", "error"] | None = None
    loudness: Loudness | None = None
    copy_if: CopyIf | None = None


class Segment(Strict):
    """How a package is cut up; `duration` is in seconds, and a whole number of keyframe intervals."""

    type: Literal["fmp4", "ts"] | None = None
    duration: Annotated[Seconds, Field(gt=0, le=60)] | None = None


class Variant(Strict):
    """One of the renditions of a package."""

    video: Video | None = None
    audio: Audio | None = None


class Parameters(Strict):
    """Everything that decides an output's bits, but for its source.

    A package (`packages.is_package`) that has `variants` is these and nothing else; `video` and `audio` are then
    unset, since every variant says all of itself. A null removes a variant that a preset has.
    """

    container: Container | None = None
    video: Video | None = None
    audio: Audio | None = None
    faststart: Truth | None = None
    segment: Segment | None = None
    variants: dict[str, Variant | None] | None = None
    stills: Stills | None = None
    subtitles: Subtitles | None = None
