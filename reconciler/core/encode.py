"""The nouns that a spec resolves to: sources, outputs and the whole of what is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel

from reconciler.core.checks import NO_CHECKS, Checks
from reconciler.core.cost import Money
from reconciler.core.delivery import Deliver, OnExpiry, OnRemove
from reconciler.core.errors import Place
from reconciler.core.limits import NO_LIMITS, Limits
from reconciler.core.manifest import Canonical, Manifest
from reconciler.core.parameters import Parameters

SourceKind = Literal["http", "file", "lavfi", "store", "encode"]


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
    environment at apply, never before, and so is a password. `sha256` is a pin that the content must meet. A
    source of kind `store` is an object that only a provider with credentials for its store can read. Of a
    remote source with `watch`, a change of content encodes again.

    One of kind `encode` is the file of another output, `upstream`, whose address is the location; its identity is
    that output's fingerprint. It is read as a source of another kind once that file is there, and then `address` is
    that output's. `private` is whether a link may lead to private addresses, since its provider has one by the user's
    word.
    """

    kind: SourceKind
    identity: str
    location: str
    trim: Trim = Trim()
    sha256: str | None = None
    watch: bool = False
    username: str = ""
    password: str = ""
    upstream: Output | None = field(default=None, repr=False)
    address: str = ""
    private: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Native:
    """An output in the words of a provider's own document (ByteNite's parameter JSON).

    `document` is all of it and `output` the entry that this output was read from, both as they were written;
    `extras` are the fields that have no name of ours, by dotted path.
    """

    document: Mapping[str, object]
    output: Mapping[str, object]
    extras: Mapping[str, Canonical] = field(default_factory=dict)


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
    where it was set (fields that nobody set are absent). `pins` are values that were found when it was made before.
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
    native: Native | None = None
    deliver: Deliver | None = None
    checks: Checks = NO_CHECKS
    on_expiry: OnExpiry = "keep"
    on_remove: OnRemove = "keep"
    pins: Mapping[str, Canonical] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """A declared provider; `options` is the model of its type.

    `paid` is whether its jobs cost money, `price` what a minute of one output costs by the user's own rate card,
    `holds` whether finished files stay with it. `place` is where it is declared, if anywhere.
    """

    name: str
    type: str
    options: BaseModel
    paid: bool = False
    holds: bool = False
    price: Money | None = None
    parallelism: int | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Desired:
    """All that the specs want, sorted by address; `empty` names fan-outs that matched nothing."""

    project: str
    outputs: tuple[Output, ...]
    providers: Mapping[str, ProviderSettings]
    files: tuple[str, ...]
    empty: tuple[str, ...] = ()
    limits: Limits = NO_LIMITS
