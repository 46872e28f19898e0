"""HTTP that connects only where it may.

Every name is resolved by us, every address of it checked, and the connection made to the address that was
checked, so that no second answer of a name server can lead elsewhere. Redirects come through the same door.
"""

from __future__ import annotations

import socket
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


def session(*, allow_private: bool) -> requests.Session:
    """A session that checks addresses unless `allow_private`.

    Proxies and other settings of the environment are not used: behind a proxy no address could be checked.
    """
    made = requests.Session()
    made.trust_env = False
    made.max_redirects = MAX_REDIRECTS
    made.headers["User-Agent"] = f"encode-reconciler/{__version__}"
    # Bytes as they are stored: a length and a range mean nothing once a server compresses on the way.
    made.headers["Accept-Encoding"] = "identity"
    made.hooks["response"].append(_drop_body_of_redirect)
    if not allow_private:
        made.mount("http://", _CheckedAdapter())
        made.mount("https://", _CheckedAdapter())
    return made


def _drop_body_of_redirect(response: requests.Response, **_: object) -> None:
    """Close a redirect before requests reads its body, whole and into memory, however large it is."""
    if response.is_redirect:
        response.raw.close()


class _CheckedHTTPConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _CheckedHTTPSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _CheckedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _CheckedHTTPConnection


class _CheckedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _CheckedHTTPSConnection


class _CheckedAdapter(HTTPAdapter):
    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:  # noqa: ANN401, FBT001, FBT002 - the signature that requests calls
        """Make pools whose connections check where they lead."""
        manager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **options)
        manager.pool_classes_by_scheme = {"http": _CheckedHTTPPool, "https": _CheckedHTTPSPool}
        self.poolmanager = manager


def _connect(connection: HTTPConnection) -> socket.socket:
    """Connect to the first address that answers, after all of them were checked."""
    host, port = connection.host.strip("[]"), connection.port or connection.default_port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        name_error = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
        raise NameResolutionError(host, connection, name_error) from error
    addresses = [str(entry[4][0]) for entry in found]
    refused = [address for address in addresses if not is_public(address)]
    if refused:
        raise AddressRefusedError(f"{host} is {refused[0]}, which is not a public address")
    failure: OSError | None = None
    for address in addresses:
        try:
            return create_connection((address, port), CONNECT_SECONDS, socket_options=connection.socket_options)
        except OSError as error:
            failure = error
    raise NewConnectionError(connection, f"cannot connect to {host}: {failure}") from failure
