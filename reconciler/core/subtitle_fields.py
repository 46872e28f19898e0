"""What may be said of subtitles: in a file of their own, or burnt into the picture."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from reconciler.core.names import normal
from reconciler.core.sound_fields import TRACK, track
from reconciler.core.strict import Strict

KINDS = ("vtt", "srt")

_FILE = re.compile(r".+\.(srt|vtt|ass|ssa)", re.IGNORECASE)
_FILE_TEXT = r"^.+\.([Ss][Rr][Tt]|[Vv][Tt][Tt]|[Aa][Ss][Ss]|[Ss][Ss][Aa])$"


def is_file(burn_in: str) -> bool:
    """Whether subtitles come from a file of the project, not from a track of the source."""
    return _FILE.fullmatch(burn_in) is not None


def _burn_in(value: object) -> str:
    if isinstance(value, str) and is_file(value) and value.isprintable():
        return normal(value)
    try:
        return track(value)
    except ValueError as error:
        raise ValueError(f"{error}, or the path of an .srt, .vtt or .ass file in the project") from None


SubtitleTrack = Annotated[str, BeforeValidator(track), WithJsonSchema({"anyOf": [*TRACK], "examples": ["eng", 0]})]
BurnIn = Annotated[
    str,
    BeforeValidator(_burn_in),
    Field(max_length=1024),
    WithJsonSchema(
        {
            "anyOf": [*TRACK, {"type": "string", "pattern": _FILE_TEXT, "maxLength": 1024}],
            "examples": ["eng", 0, "subtitles/talk.nl.srt"],
        }
    ),
]


class Subtitles(Strict):
    """One track of the source's subtitles, by its number (from 0) or its language.

    `track` is what a file of subtitles is made of; `burn_in` is drawn into a picture, and may be a file.
    """

    track: SubtitleTrack | None = None
    burn_in: BurnIn | None = None
