"""Sources in object stores: known by their object, opened through a link that is signed when it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from reconciler.core.encode import Source
from reconciler.core.errors import RejectedError
from reconciler.core.evidence import Content
from reconciler.io.stores import Kind, Store

# How long a link of ours lives, in seconds: longer than any queue, shorter than what most stores allow.
LIFETIME = 24 * 3600

_KINDS: Mapping[str, Kind] = {"s3": "s3", "gs": "gs", "gcs": "gs", "az": "az", "azure": "az"}


def signed(source: Source, environment: Mapping[str, str], seconds: int = LIFETIME) -> Source:
    """The same source, of the same identity, behind an http(s) link that lives so long.

    Raises RejectedError, CredentialsError. The link is a secret: it is never recorded.
    """
    store, key = _object(source, environment)
    return replace(source, kind="http", location=store.signed(key, seconds))


def content(source: Source, environment: Mapping[str, str]) -> Content:
    """What its store says of an object now: size and ETag. Raises ProviderError."""
    store, key = _object(source, environment)
    found = store.look(key)
    if found is None:
        raise RejectedError(f"{source.location} is not there")
    return Content(size=found.size, etag=f'"{found.etag}"' if found.etag else None)


def _object(source: Source, environment: Mapping[str, str]) -> tuple[Store, str]:
    parts = urlsplit(source.location)
    kind = _KINDS.get(parts.scheme.lower())
    if kind is None:
        raise RejectedError(f"{parts.scheme}:// sources cannot be read here; s3:// gs:// and az:// can")
    key = source.location.partition("://")[2].partition("/")[2]
    return Store(kind, parts.netloc, environment), key
