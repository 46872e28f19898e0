"""What may be said of a file of subtitles, and what it cannot mean."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from reconciler.core.sound_fields import TRACK, track
from reconciler.core.strict import Strict

KINDS = ("vtt", "srt")

SubtitleTrack = Annotated[str, BeforeValidator(track), WithJsonSchema({"anyOf": [*TRACK], "examples": ["eng", 0]})]


class Subtitles(Strict):
    """One track of the source's subtitles, by its number (from 0) or its language."""

    track: SubtitleTrack | None = None
