"""What may be said of an image that is laid over a picture."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from reconciler.core import units
from reconciler.core.names import normal
from reconciler.core.strict import Strict

_MOST = 16_384
_LENGTH = re.compile(r"^\s*(\d{1,5}(?:\.\d{1,3})?)\s*(%|px)?\s*$")
_LENGTH_TEXT = r"^\s*[0-9]{1,5}(\.[0-9]{1,3})?\s*(%|px)?\s*$"
_PERCENT = re.compile(r"^\s*(\d{1,3}(?:\.\d{1,3})?)\s*%\s*$")
_PERCENT_TEXT = r"^\s*[0-9]{1,3}(\.[0-9]{1,3})?\s*%\s*$"
_IMAGE = re.compile(r".+\.(png|jpe?g|webp)", re.IGNORECASE)
_IMAGE_TEXT = r"^.+\.([Pp][Nn][Gg]|[Jj][Pp][Ee]?[Gg]|[Ww][Ee][Bb][Pp])$"


def _length(value: object) -> str | int:
    """`2%` of the picture's width, or pixels."""
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    match = _LENGTH.match(text)
    if match is None or (match[2] != "%" and "." in match[1]):
        raise ValueError(f'"{value}" is no length; write for example 2% of the width, or pixels: 24')
    if match[2] == "%":
        if float(match[1]) > 100:
            raise ValueError(f'"{value}" is more than the picture is wide; write at most 100%')
        return f"{units.number(float(match[1]))}%"
    if int(match[1]) > _MOST:
        raise ValueError(f'"{value}" is too much; write at most {_MOST}')
    return int(match[1])


def _opacity(value: object) -> int | float:
    """`0.8` or `80%`."""
    match = _PERCENT.match(value) if isinstance(value, str) else None
    share = float(match[1]) / 100 if match is not None else value
    if isinstance(share, bool) or not isinstance(share, (int, float)):
        raise ValueError(f'"{value}" is no opacity; write for example 0.8 or 80%')  # noqa: TRY004 - pydantic wants it
    return units.number(round(share, 6))


def _image(value: object) -> str:
    if not isinstance(value, str) or _IMAGE.fullmatch(value) is None or not value.isprintable():
        raise ValueError(f'"{value}" is no image; write the path of a .png, .jpg or .webp file in the project')
    return normal(value)


def _lengths(*examples: str | int) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": _MOST},
                {"type": "string", "pattern": _LENGTH_TEXT},
            ],
            "examples": list(examples),
        }
    )


Length = Annotated[str | int, BeforeValidator(_length), _lengths("2%", 24)]
Opacity = Annotated[
    int | float,
    BeforeValidator(_opacity),
    Field(gt=0, le=1),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
                {"type": "string", "pattern": _PERCENT_TEXT},
            ],
            "examples": [0.8, "80%"],
        }
    ),
]
Moment = Annotated[
    int | float,
    BeforeValidator(units.duration),
    Field(ge=0, le=1_000_000_000),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1_000_000_000},
                {"type": "string", "pattern": units.DURATION_TEXT, "maxLength": units.LONGEST},
            ],
            "examples": ["2s", "00:01:30"],
        }
    ),
]
Position = Literal["top_left", "top_right", "bottom_left", "bottom_right", "center"]


class Watermark(Strict):
    """An image of the project over the finished picture, bars included.

    `margin` and `width` are shares of the picture's width, or pixels; `start` and `end` are seconds from the start
    of the output.
    """

    image: (
        Annotated[
            str,
            BeforeValidator(_image),
            Field(max_length=1024),
            WithJsonSchema({"type": "string", "pattern": _IMAGE_TEXT, "maxLength": 1024}),
        ]
        | None
    ) = None
    position: Position | None = None
    margin: Length | None = None
    width: Length | None = None
    opacity: Opacity | None = None
    start: Moment | None = None
    end: Moment | None = None
