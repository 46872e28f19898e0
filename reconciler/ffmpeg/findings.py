"""What earlier passes over a source have found, and the encode itself goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.core.sound_fields import Loudness
from reconciler.ffmpeg.loudness import Measured


@dataclass(frozen=True, slots=True)
class Heard:
    """One sound before its loudness is changed: a track, what is done to it until then, and what is wished."""

    stream: str
    filters: tuple[str, ...]
    wish: Loudness | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """Nothing, before any pass was made."""

    loudness: Mapping[Heard, Measured] = field(default_factory=dict)


NOTHING = Findings()
