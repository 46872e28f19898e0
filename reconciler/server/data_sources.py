"""Data sources and destinations: read in every spelling, told in ByteNite's, and turned into sources of ours."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from reconciler.core.encode import Source
from reconciler.io.addresses import is_public
from reconciler.io.redact import shown
from reconciler.server.bodies import camel, field, mapping, text
from reconciler.server.errors import invalid, unmet

_TYPE = "type.googleapis.com/bytenite.data_source."
_TYPES = {
    "url": "HttpDataSource",
    "file": "LocalFileDataSource",
    "local": "LocalFileDataSource",
    "storj": "StorjDataSource",
}
_STORES = ("aws", "s3", "gcp", "storj")
_SOURCES = ("url", "file", "local", *_STORES, "bypass")
_DESTINATIONS = ("bucket", *_STORES, "bypass")
_HTTP_FIELDS = ("name", "url", "username", "password")
_STORE_FIELDS = ("name", "access_key", "secret_key", "bucket_name", "cloud_region")


@dataclass(frozen=True, slots=True)
class Given:
    """A source or destination as it is told, and the password that it came with."""

    told: dict[str, Any] | None
    password: str = ""


def read_source(value: object, *, keep_secrets: bool, allow_private: bool) -> Given:
    """A data source of a request. `keep_secrets`: secrets are told as they came. Raises ApiError."""
    given = _read(value, "dataSource", _SOURCES, keep_secrets=keep_secrets)
    if given.told is not None and given.told["dataSourceDescriptor"] == "url":
        _check_url(given.told["params"]["url"], allow_private=allow_private)
    return given


def read_destination(value: object, *, keep_secrets: bool) -> Given:
    """A data destination of a request. Raises ApiError."""
    return _read(value, "dataDestination", _DESTINATIONS, keep_secrets=keep_secrets)


def check_runnable(source: Mapping[str, Any] | None, destination: Mapping[str, Any] | None, *, uploaded: bool) -> None:
    """Raise ApiError unless a job with these can be run here."""
    if source is None:
        raise unmet("dataSource is not set")
    kind = source["dataSourceDescriptor"]
    if kind not in {"url", "file", "local"}:
        raise unmet(
            f"dataSource.dataSourceDescriptor: this server reads url and file, not {kind}; "
            "sign an https URL for the object and give that as a url"
        )
    if kind != "url" and not uploaded:
        raise unmet("dataSource: nothing was uploaded yet; PUT the file to dataSource.params.tempUrl first")
    target = "bucket" if destination is None else destination["dataSourceDescriptor"]
    if target != "bucket":
        raise unmet(
            f"dataDestination.dataSourceDescriptor: this server writes to its own bucket, not to {target}; "
            'send {"dataSourceDescriptor": "bucket"} and fetch the results'
        )


def is_upload(source: Mapping[str, Any] | None) -> bool:
    """Whether a source is a file that the client uploads."""
    return source is not None and source["dataSourceDescriptor"] in {"file", "local"}


def to_source(job_id: str, told: Mapping[str, Any], password: str) -> Source:
    """The source that an encoder reads. Two jobs share what was fetched only if they came with the same credentials."""
    if is_upload(told):
        return Source("file", f"upload of {job_id}", f"uploads/{job_id}")
    params = told["params"]
    url = _with_user(params["url"], params["username"], password)
    key = hashlib.sha256(url.encode()).hexdigest()[:16]
    return Source("http", f"{shown(url)}?{key}", url)


def _read(value: object, where: str, known: tuple[str, ...], *, keep_secrets: bool) -> Given:
    if value is None:
        return Given(None)
    body = mapping(value, where)
    kind = text(body, "data_source_descriptor", f"{where}.")
    if kind not in known:
        raise invalid(f"{where}.dataSourceDescriptor: {kind[:40]!r} is not known; it is one of {', '.join(known)}")
    given = field(body, "params")
    params = mapping(given, f"{where}.params")
    names = _HTTP_FIELDS if kind == "url" else _STORE_FIELDS if kind in _STORES else ("name",)
    if kind in {"bucket", "bypass"}:
        # These have no fields; what came is told as it came, and nothing where nothing came.
        return Given({"dataSourceDescriptor": kind, "params": {} if isinstance(given, dict) else None})
    told: dict[str, Any] = {"@type": str(params.get("@type") or _TYPE + _TYPES.get(kind, "S3DataSource"))}
    told.update({camel(name): text(params, name, f"{where}.params.") for name in names})
    if secret_id := text(params, "secret_id", f"{where}.params."):
        told["secretId"] = secret_id
    if kind != "url":
        told["tempUrl"] = ""
    password = told.get("password", "")
    if not keep_secrets:
        told.update({name: "" for name in ("password", "secretKey") if name in told})
    return Given({"dataSourceDescriptor": kind, "params": told}, password)


def _check_url(url: str, *, allow_private: bool) -> None:
    """Raise ApiError for what cannot be fetched; names are only resolved, and checked again, when it is."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme.lower() not in {"http", "https"} or not host:
        raise invalid("dataSource.params.url must be an http or https URL")
    if not allow_private and _is_private(host):
        raise invalid(
            f"dataSource.params.url: {host} is not a public address; "
            "the server fetches from those only with --allow-private-sources"
        )


def _is_private(host: str) -> bool:
    try:
        return not is_public(str(ip_address(host)))
    except ValueError:
        return host.lower().rstrip(".") == "localhost" or host.lower().rstrip(".").endswith(".localhost")


def _with_user(url: str, username: str, password: str) -> str:
    """A URL with the credentials that came beside it."""
    if not username and not password:
        return url
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(username, safe='')}:{quote(password, safe='')}@{host}"))
