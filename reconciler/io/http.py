"""HTTP that connects only where it may.

Every name is resolved by us, every address of it checked, and the connection made to an address that was
checked, so that no second answer of a name server can lead elsewhere. What the server must prove, and what it is
asked for, is still the name. Redirects come through the same door.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from reconciler import __version__
from reconciler.io.addresses import is_public

CONNECT_SECONDS, READ_SECONDS = 5.0, 10.0
MAX_REDIRECTS = 5


class AddressRefusedError(OSError):
    """A name leads to an address that sources may not be fetched from."""


def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, from the system's resolver. Raises socket.gaierror."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        # A label that no name may have, for which the resolver is not even asked.
        raise socket.gaierror(str(error)) from error
    return [str(entry[4][0]) for entry in found]


@dataclass(frozen=True, slots=True)
class Door:
    """How names become addresses, and which of them may be connected to."""

    look_up: Callable[[str, int], Sequence[str]] = look_up
    allowed: Callable[[str], bool] = is_public


def session(*, allow_private: bool, authorities: str | None = None, door: Door = Door()) -> requests.Session:
    """A session that checks addresses at the `door`, unless `allow_private`.

    `authorities` is a file of certificates to trust instead of the usual ones. Proxies and other settings of the
    environment are not used: behind a proxy no address could be checked.
    """
    made = requests.Session()
    made.trust_env = False
    made.verify = authorities or True
    made.max_redirects = MAX_REDIRECTS
    made.headers["User-Agent"] = f"encode-reconciler/{__version__}"
    # Bytes as they are stored: a length and a range mean nothing once a server compresses on the way.
    made.headers["Accept-Encoding"] = "identity"
    made.hooks["response"].append(_drop_body_of_redirect)
    if not allow_private:
        made.mount("http://", _CheckedAdapter(door))
        made.mount("https://", _CheckedAdapter(door))
    return made


def _drop_body_of_redirect(response: requests.Response, **_: object) -> None:
    """Close a redirect before requests reads its body, whole and into memory, however large it is."""
    if response.is_redirect:
        response.raw.close()


class _CheckedAdapter(HTTPAdapter):
    def __init__(self, door: Door) -> None:
        self._door = door
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:  # noqa: ANN401, FBT001, FBT002 - the signature that requests calls
        """Make pools whose connections go through the door."""
        manager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **options)
        manager.pool_classes_by_scheme = _pools(self._door)
        self.poolmanager = manager


def _pools(door: Door) -> dict[str, type[HTTPConnectionPool]]:
    """The classes that urllib3 makes connections with, by scheme."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connect(self, door)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _connect(self, door)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _connect(connection: HTTPConnection, door: Door) -> socket.socket:
    """Connect to the first address that answers, after all of them were checked."""
    host, port = connection.host.strip("[]"), connection.port or connection.default_port
    try:
        addresses = door.look_up(host, port)
    except socket.gaierror as error:
        raise NameResolutionError(host, connection, error) from error
    refused = [address for address in addresses if not door.allowed(address)]
    if refused:
        named = host if host == refused[0] else f"{host} ({refused[0]})"
        raise AddressRefusedError(f"{named} is not a public address")
    failure: OSError | None = None
    for address in addresses:
        try:
            return create_connection((address, port), connection.timeout, socket_options=connection.socket_options)
        except OSError as error:
            failure = error
    raise NewConnectionError(connection, f"cannot connect to {host}: {failure}") from failure
