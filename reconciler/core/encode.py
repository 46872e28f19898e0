"""The nouns that a spec resolves to: sources, outputs and the whole of what is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from reconciler.core.errors import Place
from reconciler.core.manifest import Manifest
from reconciler.core.parameters import Parameters

SourceKind = Literal["http", "file", "lavfi"]


@dataclass(frozen=True, slots=True)
class Trim:
    """The part of a source that is encoded, in seconds from its start; `end` None is its end."""

    start: int | float = 0
    end: int | float | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where an encode's media comes from.

    `identity` is what the manifest and the state know (no signature, no credential); `location` is what is
    opened: a URL, a path, or the lavfi text. A location that is exactly `${env.NAME}` is read from the
    environment at apply, never before. `sha256` is a pin that the content must meet.
    """

    kind: SourceKind
    identity: str
    location: str
    trim: Trim = Trim()
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a field's value was written, and in which preset if not in the output itself.

    `variable` is what stands in the field's place (`var.quality`, `each.value.crf`), if the value was written
    elsewhere. A built-in preset has no place, nor has a value given with `--var`.
    """

    place: Place | None
    preset: str | None = None
    variable: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """One rendition that somebody wants; the unit of reconciliation.

    `path` is where it is published, relative to the project folder; `origins` says for each manifest field
    where it was set (fields that nobody set are absent).
    """

    address: str
    encode: str
    name: str
    source: Source
    parameters: Parameters
    manifest: Manifest
    fingerprint: str
    provider: str
    path: str
    place: Place
    enabled: bool = True
    protect: bool = False
    attempts: int = 2
    labels: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FfmpegSettings:
    """A provider of type ffmpeg: encodes on this machine, costs nothing.

    `parallelism` is how many jobs run at once, `threads` what each encoder is given (None: ffmpeg decides).
    """

    name: str
    parallelism: int | None = None
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Desired:
    """All that the specs want, sorted by address; `empty` names fan-outs that matched nothing."""

    project: str
    outputs: tuple[Output, ...]
    providers: Mapping[str, FfmpegSettings]
    files: tuple[str, ...]
    empty: tuple[str, ...] = ()
