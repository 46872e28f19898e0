"""The lock of the state: one writer at a time, free as soon as its process is gone."""

from __future__ import annotations

import fcntl
import getpass
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from reconciler.core.errors import LockedError

_RETRY_SECONDS = 0.2


class Lock:
    """An flock on `state/.lock`. The file's text says who holds it; only the lock itself counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def acquire(self, timeout: float = 0.0, sleep: Callable[[float], None] | None = None) -> None:
        """Take the lock, waiting up to `timeout` seconds. Raises LockedError that names the holder."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        waited = 0.0
        while not _taken(handle):
            if waited >= timeout or sleep is None:
                holder = os.pread(handle, 500, 0).decode(errors="replace").strip()
                os.close(handle)
                raise LockedError(f"state is locked by {holder or 'another process'}")
            sleep(_RETRY_SECONDS)
            waited += _RETRY_SECONDS
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{_me()}, since {_now()}\n".encode(), 0)
        self._handle = handle

    def release(self) -> None:
        """Give the lock back; the file stays, since removing it would let two processes lock two files."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None


def who() -> str:
    """This process as others read it: user@host, pid."""
    return _me()


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _me() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}, pid {os.getpid()}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
