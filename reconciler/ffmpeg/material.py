"""What a job works with: what all jobs of a provider share, and a source that is ready to be encoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.encode import Source
from reconciler.core.ports import Fetch, SourceSeen
from reconciler.ffmpeg.binary import Build
from reconciler.ffmpeg.encode import Machine
from reconciler.ffmpeg.facts import MediaFacts
from reconciler.ffmpeg.reading import Reading
from reconciler.ffmpeg.slots import Slots


@dataclass(frozen=True, slots=True)
class Shop:
    """What all jobs of a provider share."""

    project: Path
    machine: Machine
    build: Build
    fetch: Fetch
    threads: int | None
    slots: Slots
    cpus: int


@dataclass(frozen=True, slots=True)
class Material:
    """A source that is ready to be encoded. `path` is empty for a generated one."""

    path: str
    seen: SourceSeen
    facts: MediaFacts


def unlike_its_pin(source: Source, reading: Reading, told: Callable[[], None]) -> str | None:
    """Why a source is not the one that the spec pins; None if it is, or if none is pinned. `told` as for a reading."""
    digest = reading.digest(told) if source.sha256 is not None else None
    if source.sha256 is None or digest is None or digest == source.sha256.lower():
        return None
    if source.address:
        what = f"the file of {source.address} is not the one that was recorded: its sha256 is {digest:.12}"
        return f"{what}, not {source.sha256:.12}; to make it again: --rerun {source.address}"
    return f"the source is not the one that is pinned: its sha256 is {digest}, the spec says {source.sha256}"
