"""The folder of a server: whose it is, and the key that it signs with."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from reconciler.core.errors import LockedError, StateError
from reconciler.io import atomic

_KEY_BYTES = 32


class Folder:
    """A data folder that is ours alone until `release`; the kernel gives it back when we end, however we end."""

    def __init__(self, path: Path) -> None:
        """Take it. Raises LockedError if another server has it, StateError if it cannot be used."""
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._handle = os.open(path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(f"{path} cannot be used as a data folder: {error.strerror or error}") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._handle, 100, 0).decode(errors="replace").strip()
            os.close(self._handle)
            whose = f", pid {holder}" if holder else ""
            raise LockedError(
                f"{path} is served by another process{whose}: give each server a folder of its own"
            ) from error
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Give it back."""
        os.close(self._handle)

    def key(self) -> bytes:
        """The key that tokens and links are signed with; made at the first start. Raises OSError."""
        path = self.path / "signing.key"
        if not path.exists():
            atomic.write_bytes(path, secrets.token_bytes(_KEY_BYTES), mode=0o600)
        key = path.read_bytes()
        if len(key) != _KEY_BYTES:
            raise StateError(f"{path} is broken: remove it, and all links and tokens of now end")
        return key
