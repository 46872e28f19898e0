"""What makes an output's bits: the manifest, its fingerprint, and the difference of two manifests.

One walk over the parameters yields the fields; the hash, the diff and `explain` all read its result, so what
decides and what explains cannot drift apart. A field that is absent means its neutral value, and neutral
values are never written: a field added later changes no old fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring

from pydantic import BaseModel

from reconciler.core.parameters import Parameters

Canonical = str | int | float | bool
Manifest = Mapping[str, Canonical]

SCHEME = 1

# What a field means where nobody set it. Setting it to just that is no change.
NEUTRAL: Mapping[str, Canonical] = {
    "faststart": True,
    "video.avoid_upscaling": True,
    "video.mode": "vbr",
    "video.passes": 1,
    "video.rotate": 0,
    "video.deinterlace": "off",
    "video.autocrop": False,
    "video.crop.top": 0,
    "video.crop.bottom": 0,
    "video.crop.left": 0,
    "video.crop.right": 0,
    "video.pad.color": "black",
    "video.pixel_format": "yuv420p",
    "audio.missing": "skip",
    "audio.track": 0,
    "audio.loudness.true_peak": -1.5,
    "source.trim.start": 0,
    "subtitles.track": "0",
    **{
        f"{of}.watermark.{name}": value
        for of in ("video", "stills")
        for name, value in (("position", "top_right"), ("margin", "2%"), ("width", "10%"), ("opacity", 1), ("start", 0))
    },
    "segment.type": "fmp4",
    "segment.duration": 6,
}

# A variant's fields mean what they mean for an output.
_VARIANT = re.compile(r"variants\..+?\.(?=video\.|audio\.)")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field whose value differs; None stands for "not set"."""

    field: str
    before: Canonical | None
    after: Canonical | None


def neutral(name: str) -> Canonical | None:
    """What a field means where nobody set it; None if it means nothing then."""
    return NEUTRAL.get(_VARIANT.sub("", name, count=1) if name.startswith("variants.") else name)


def parameter_fields(parameters: Parameters) -> dict[str, Canonical]:
    """The fields that `parameters` contribute to a manifest: those that are set and not neutral."""
    return {name: value for name, value in _walk("", parameters) if neutral(name) != value}


class Prepared:
    """A manifest that only lacks its source: thousands of outputs may share all the rest of it."""

    __slots__ = ("_after", "_before", "_hashed", "_tail")

    def __init__(self, parameters: Parameters, extras: Manifest | None = None) -> None:
        """`extras` are fields that have no name of ours, from a provider's own document, and digests for paths."""
        fields = dict(sorted({"scheme": SCHEME, **parameter_fields(parameters), **(extras or {})}.items()))
        self._before = {name: value for name, value in fields.items() if name < "source"}
        self._after = {name: value for name, value in fields.items() if name > "source"}
        self._hashed = hashlib.sha256("".join(lines(self._before)).encode())
        self._tail = "".join(lines(self._after)).encode()

    def of(self, source: PreparedSource) -> tuple[Manifest, str]:
        """The manifest of an output of `source`, and its fingerprint."""
        digest = self._hashed.copy()
        digest.update(source.line + self._tail)
        return {**self._before, **source.fields, **self._after}, digest.hexdigest()


@dataclass(frozen=True, slots=True)
class PreparedSource:
    """What a source contributes to manifests, and to what is hashed."""

    fields: Manifest
    line: bytes


def prepared_source(identity: str, start: float, end: float | None) -> PreparedSource:
    """The fields of a source, ready for any number of outputs."""
    if not start and end is None:
        return PreparedSource({"source": identity}, f"source={_json(identity)}\n".encode())
    fields = dict(sorted(source_fields(identity, start, end).items()))
    return PreparedSource(fields, "".join(lines(fields)).encode())


def source_fields(identity: str, start: float, end: float | None) -> dict[str, Canonical]:
    """The fields that a source contributes: its identity and its trim, never its content."""
    fields: dict[str, Canonical] = {"source": identity}
    if start:
        fields["source.trim.start"] = start
    if end is not None:
        fields["source.trim.end"] = end
    return fields


def manifest(source: Manifest, parameters: Manifest) -> dict[str, Canonical]:
    """The manifest of one output, sorted by field."""
    return dict(sorted({"scheme": SCHEME, **source, **parameters}.items()))


def lines(fields: Manifest) -> list[str]:
    """`field=<JSON value>` lines, one a field; what is hashed."""
    return [f"{name}={_json(value)}\n" for name, value in fields.items()]


def _json(value: Canonical) -> str:
    """As json.dumps without escapes, whose parts for text and numbers are much quicker alone."""
    return encode_basestring(value) if isinstance(value, str) else json.dumps(value)


def fingerprint(sorted_lines: list[str]) -> str:
    """The sha256 over a manifest's sorted lines, in hex."""
    return hashlib.sha256("".join(sorted_lines).encode()).hexdigest()


def difference(before: Manifest, after: Manifest) -> tuple[Difference, ...]:
    """The fields in which two manifests differ, sorted; an absent field means its neutral value."""
    return tuple(_differences(before, after))


def _differences(before: Manifest, after: Manifest) -> Iterator[Difference]:
    for name in sorted({*before, *after}):
        unset = neutral(name)
        old, new = before.get(name, unset), after.get(name, unset)
        if old != new:
            yield Difference(name, before.get(name), after.get(name))


def _walk(prefix: str, model: BaseModel) -> Iterator[tuple[str, Canonical]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _walk(f"{prefix}{name}.", value)
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                yield from _walk(f"{prefix}{name}.{key}.", inner)
        elif value is not None:
            yield prefix + name, value
