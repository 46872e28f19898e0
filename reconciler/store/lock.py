"""The lock of the state: one writer at a time, free as soon as its process is gone."""

from __future__ import annotations

import fcntl
import getpass
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from reconciler.core.errors import LockedError, StateError

_RETRY_SECONDS = 0.2


class Lock:
    """An flock on `state/.lock`. The file's text says who holds it; only the lock itself counts.

    The kernel gives the lock back when its process ends, however it ends, so what a killed writer left in the
    file means nothing.
    """

    def __init__(self, path: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = path
        self._now = now
        self._handle: int | None = None

    def acquire(self, timeout: float = 0.0, sleep: Callable[[float], None] | None = None) -> None:
        """Take the lock, waiting up to `timeout` seconds if `sleep` is given.

        Raises LockedError that names the holder, StateError where no lock can be made.
        """
        handle = _open(self.path)
        try:
            self._wait(handle, timeout, sleep)
            _write(handle, f"{who()}, since {self._now().strftime('%Y-%m-%dT%H:%M:%SZ')}\n")
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle

    def release(self) -> None:
        """Give the lock back; the file stays, since removing it would let two processes lock two files."""
        if self._handle is not None:
            _write(self._handle, "")
            os.close(self._handle)
            self._handle = None

    def _wait(self, handle: int, timeout: float, sleep: Callable[[float], None] | None) -> None:
        waited = 0.0
        while not _taken(handle, self.path):
            if waited >= timeout or sleep is None:
                holder = os.pread(handle, 500, 0).decode(errors="replace").strip()
                raise LockedError(f"state is locked by {holder or 'another process'}")
            sleep(_RETRY_SECONDS)
            waited += _RETRY_SECONDS


def who() -> str:
    """This process as others read it: user@host, pid."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}, pid {os.getpid()}"


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Closed on exec, so that an ffmpeg that outlives its parent does not hold the lock on.
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StateError(f"{path}: the state cannot be locked: {error.strerror}.\nNothing was changed.") from error


def _taken(handle: int, path: Path) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise StateError(f"{path}: the state cannot be locked: {error.strerror}.\nNothing was changed.") from error
    return True


def _write(handle: int, text: str) -> None:
    """Say who holds the lock. A full disk keeps nobody from holding it."""
    with suppress(OSError):
        os.ftruncate(handle, 0)
        os.pwrite(handle, text.encode(), 0)
