"""Object stores as a spec writes them (`s3://bucket/folder/file`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reconciler.bytenite.bodies import BucketKind

# What ByteNite calls a store, by its scheme.
DESCRIPTORS: dict[str, BucketKind] = {"s3": "aws", "gs": "gcp", "storj": "storj"}

_LOCATION = re.compile(
    r"(?P<scheme>s3|gs|storj)://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{1,221})(?:/(?P<key>[^?#\x00-\x1f]*))?"
)


@dataclass(frozen=True, slots=True)
class Place:
    """An object or a folder in a bucket; `key` is its path, without a slash before it."""

    scheme: str
    bucket: str
    key: str


def read_place(location: str) -> Place | None:
    """The place that a location names; None if it names none."""
    match = _LOCATION.fullmatch(location)
    return None if match is None else Place(match["scheme"], match["bucket"], (match["key"] or "").lstrip("/"))
