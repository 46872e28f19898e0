"""Serves an application on a socket, in a thread of its own, until it is told to stop."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from reconciler.core.errors import ReconcilerError

# How long answers may take that are under way when the server stops, in seconds.
_LAST_ANSWERS = 3
_BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Listening:
    """A server that answers. `wait` returns when it ends by itself, or after some seconds."""

    host: str
    port: int
    alive: Callable[[], bool]

    @property
    def url(self) -> str:
        """How it is reached from this machine."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{shown}:{self.port}"


def bound(host: str, port: int) -> socket.socket:
    """A socket that nobody else listens at; port 0 is any free one. Raises ReconcilerError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ReconcilerError(
            f"cannot listen at {host} port {port}: {reason}; give others with --host and --port"
        ) from error


@contextmanager
def listening(app: ASGIApp, sock: socket.socket) -> Iterator[Listening]:
    """Answer at a socket until the end of the block; what is being answered then has three seconds."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=_LAST_ANSWERS,
        timeout_keep_alive=60,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([sock],), name="listening", daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            thread.join(0.01)
        host, port, *_ = sock.getsockname()
        yield Listening(host, port, thread.is_alive)
    finally:
        server.should_exit = True
        thread.join()
        sock.close()
