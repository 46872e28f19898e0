"""What may be said of an output's sound beyond its codec: loudness, tracks, and when a track is copied."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from reconciler.core import units
from reconciler.core.languages import language
from reconciler.core.strict import Strict

ALL = "all"
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}")
_MOST_TRACKS = 255
_LEVEL = re.compile(r"^\s*([+-]?\d+(?:\.\d+)?)\s*(?:lufs|lkfs|dbtp|dbfs|db|lu)?\s*$", re.IGNORECASE)
_LEVEL_TEXT = r"^\s*[+-]?[0-9]+(\.[0-9]+)?\s*([Ll][UuKk]([Ff][Ss])?|[Dd][Bb]([Tt][Pp]|[Ff][Ss])?)?\s*$"


def _level(value: object) -> int | float:
    """`-16`, `-16 LUFS`, `-1.5 dBTP`."""
    if isinstance(value, str) and (match := _LEVEL.match(value)) is not None:
        value = float(match[1])
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f'"{value}" is not a level; write for example -16')  # noqa: TRY004 - pydantic wants ValueError
    return units.number(value)


def _level_schema(lowest: int, highest: int, *examples: str) -> WithJsonSchema:
    number = {"type": "number", "minimum": lowest, "maximum": highest}
    written = {"type": "string", "pattern": _LEVEL_TEXT, "maxLength": units.LONGEST}
    return WithJsonSchema({"anyOf": [number, written], "examples": list(examples)})


def _tracks(value: object) -> str:
    """`all`, or what is listed, as one text: `0,2`, `eng,nld`."""
    named = [track(item) for item in (value if isinstance(value, list) else [value])]
    if not named:
        raise ValueError("tracks names none; write for example [eng, nld], [0, 2] or all")
    twice = next((each for number, each in enumerate(named) if each in named[:number]), None)
    if twice is not None:
        raise ValueError(f'"{twice}" is named twice; name each track once')
    return ",".join(named)


def track(item: object) -> str:
    """One track: a number, or a language by its one code. Raises ValueError."""
    if isinstance(item, str) and _LANGUAGE.fullmatch(item):
        return language(item)
    if isinstance(item, int) and not isinstance(item, bool) and 0 <= item <= _MOST_TRACKS:
        return str(item)
    raise ValueError(f'"{item}" is no track; write a number, counted from 0, or a language such as eng')


TRACK: list[dict[str, object]] = [
    {"type": "integer", "minimum": 0, "maximum": _MOST_TRACKS},
    {"type": "string", "pattern": "^[A-Za-z]{2,3}$"},
]
Tracks = Annotated[
    str,
    BeforeValidator(_tracks),
    WithJsonSchema(
        {
            "anyOf": [*TRACK, {"type": "array", "items": {"anyOf": TRACK}, "minItems": 1, "uniqueItems": True}],
            "examples": ["all", ["eng", "nld"], [0, 2]],
        }
    ),
]
Target = Annotated[
    int | float, BeforeValidator(_level), Field(ge=-40, le=-5), _level_schema(-40, -5, "-16", "-23 LUFS")
]
Peak = Annotated[int | float, BeforeValidator(_level), Field(ge=-9, le=0), _level_schema(-9, 0, "-1.5", "-1 dBTP")]
Range = Annotated[int | float, BeforeValidator(_level), Field(ge=1, le=50), _level_schema(1, 50, "11", "11 LU")]
CopiedBitrate = Annotated[
    int,
    BeforeValidator(units.bitrate),
    Field(gt=0, le=10_000_000),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 10_000_000},
                {"type": "string", "pattern": units.BITRATE_TEXT, "maxLength": units.LONGEST},
            ],
            "examples": ["192k"],
        }
    ),
]


class Loudness(Strict):
    """EBU R128: how loud the whole is (LUFS), the highest true peak (dBTP), the most range (LU; None: as it is)."""

    target: Target | None = None
    true_peak: Peak | None = None
    range: Range | None = None


class CopyIf(Strict):
    """When a track of the source is good enough to be taken as it is: its codec, and the most bits a second."""

    codec: Literal["aac", "mp3", "opus", "flac", "ac3", "eac3"] | None = None
    max_bitrate: CopiedBitrate | None = None
