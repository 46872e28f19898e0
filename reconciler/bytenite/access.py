"""Where a ByteNite server is and how it is spoken to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from reconciler.core.errors import RejectedError
from reconciler.io.redact import shown

AuthForm = Literal["raw", "bearer"]

_VERSION = re.compile(r"/v\d+$")
_SEGMENTS = re.compile(r"/(customer|computing)$")


@dataclass(frozen=True, slots=True)
class Access:
    """A server: `root` is its URL up to the version (`https://api.bytenite.com/v1`), `segment` that of the jobs."""

    name: str
    root: str
    api_key: SecretStr
    segment: Literal["customer", "computing"] = "customer"
    auth: AuthForm = "raw"

    @property
    def host(self) -> str:
        """The name of the host."""
        return urlsplit(self.root).hostname or ""

    @property
    def loopback(self) -> bool:
        """Whether the server is on this machine."""
        return is_loopback(self.host)


def read_root(name: str, api_url: str) -> str:
    """The root of an API from what a user wrote: with or without a slash, a version, or `/customer`.

    Raises RejectedError for what is no URL, and for a host that would be sent credentials in clear text.
    """
    try:
        parts = urlsplit(api_url.strip())
        _ = parts.port
    except ValueError as error:
        raise RejectedError(f"{name}: api_url is no URL") from error
    _check(name, parts, api_url)
    path = _SEGMENTS.sub("", parts.path.rstrip("/"))
    path = path if _VERSION.search(path) else f"{path}/v1"
    return f"{parts.scheme.lower()}://{parts.netloc}{path}"


def is_loopback(host: str) -> bool:
    """Whether a name or address is of this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _check(name: str, parts: SplitResult, api_url: str) -> None:
    host = parts.hostname or ""
    if parts.scheme.lower() not in {"http", "https"} or not host:
        raise RejectedError(f"{name}: api_url is {shown(api_url)}; write for example https://api.bytenite.com/v1")
    if parts.username is not None or parts.query or parts.fragment:
        raise RejectedError(f"{name}: api_url holds more than scheme, host and path; the key belongs into api_key")
    if parts.scheme.lower() == "http" and not is_loopback(host):
        raise RejectedError(f"{name}: {shown(api_url)} would be sent the API key in clear text; write https://")
