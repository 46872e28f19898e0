"""What may be said of stills: pictures taken out of a source, one by one or on sheets."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from reconciler.core import units
from reconciler.core.strict import Strict
from reconciler.core.watermark_fields import Watermark

KINDS = ("jpg", "png", "webp")

_PERCENT = re.compile(r"^\s*(\d{1,3}(?:\.\d{1,3})?)\s*%\s*$")
_PERCENT_TEXT = r"^\s*[0-9]{1,3}(\.[0-9]{1,3})?\s*%\s*$"
_GRID = r"^([1-9]|1[0-9]|20)x([1-9]|1[0-9]|20)$"


def _at(value: object) -> str | int | float:
    """`10%`, or a duration from the start."""
    match = _PERCENT.match(value) if isinstance(value, str) else None
    if match is None:
        return units.duration(value)
    if float(match[1]) > 100:
        raise ValueError(f'"{value}" is behind the end; write a share from 0% to 100%')
    return f"{units.number(float(match[1]))}%"


_TIME: dict[str, Any] = {"type": "number", "minimum": 0, "maximum": 1_000_000_000}
_TIME_TEXT = {"type": "string", "pattern": units.DURATION_TEXT, "maxLength": units.LONGEST}
At = Annotated[
    str | int | float,
    BeforeValidator(_at),
    WithJsonSchema(
        {"anyOf": [_TIME, _TIME_TEXT, {"type": "string", "pattern": _PERCENT_TEXT}], "examples": ["10%", "30s"]}
    ),
]
Every = Annotated[
    int | float,
    BeforeValidator(units.duration),
    Field(gt=0, le=86_400),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": 86_400}, _TIME_TEXT], "examples": ["10s"]}
    ),
]
Side = Annotated[int, Field(ge=2, le=16_384, strict=True)]


class Stills(Strict):
    """One picture `at` a time or a share of the length, or one `every` so often, on sheets with a `grid`.

    `width` and `height` are a box, as those of a video; smaller sources stay small.
    """

    at: At | None = None
    every: Every | None = None
    grid: Annotated[str, Field(pattern=_GRID)] | None = None
    width: Side | None = None
    height: Side | None = None
    watermark: Watermark | None = None
