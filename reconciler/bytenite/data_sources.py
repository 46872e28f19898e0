"""Where a job reads and writes, as ByteNite is told: a URL, an upload, or an object in a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from reconciler.bytenite.kind import TEMPORARY, ByteniteOptions
from reconciler.bytenite.stores import DESCRIPTORS, read_place
from reconciler.bytenite.wire import (
    BucketKind,
    bucket_destination,
    bucket_source,
    data_source_body,
    file_source,
    temporary_destination,
    url_source,
)
from reconciler.core.encode import Source
from reconciler.core.errors import RejectedError
from reconciler.core.provider_types import from_environment
from reconciler.core.sources import scheme_of

_Body = dict[str, object]
Sign = Callable[[Source], Source]
_Made = Callable[[BucketKind, str, str, str, str], _Body]


def data_source(
    source: Source, options: ByteniteOptions, environment: Mapping[str, str], amazon: BucketKind, sign: Sign
) -> dict[str, object]:
    """The body of the call; `amazon` is what the host calls S3.

    An object in a store is opened with the secret that the provider keeps for it; where none is named, with a link
    that `sign` makes. Raises RejectedError, and CredentialsError for a variable that is not set.
    """
    if source.kind == "store" and scheme_of(source) not in options.stores:
        source = sign(source)
    if options.destination == TEMPORARY:
        destination = temporary_destination()
    else:
        destination = _bucket(options.destination, options, amazon, bucket_destination)
    return data_source_body(_source(source, options, environment, amazon), destination)


def _source(source: Source, options: ByteniteOptions, environment: Mapping[str, str], amazon: BucketKind) -> _Body:
    match source.kind:
        case "http":
            said = (source.location, source.username, source.password)
            url, username, password = (from_environment(text, environment, source.identity) for text in said)
            return url_source(url, "", username, password)
        case "file":
            return file_source(PurePosixPath(source.identity).name)
        case "store":
            return _bucket(source.location, options, amazon, bucket_source)
        case _:
            raise RejectedError(f"ByteNite cannot read {source.identity}")


def _bucket(location: str, options: ByteniteOptions, amazon: BucketKind, made: _Made) -> _Body:
    place = read_place(location)
    stores = {str(scheme): store for scheme, store in options.stores.items()}
    if place is None or place.scheme not in stores:
        raise RejectedError("no secret is named with which ByteNite opens the store; see `stores:` of the provider")
    kind = amazon if place.scheme == "s3" else DESCRIPTORS[place.scheme]
    store = stores[place.scheme]
    return made(kind, place.bucket, place.key, store.region, store.secret_id)
