"""Digests of local files, kept between runs so that an unchanged master is read once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from reconciler.io import atomic
from reconciler.io.hashing import sha256

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Digests:
    """The digests that a cache folder holds."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def digest(self, path: Path, told: Callable[[int], None] = lambda _: None) -> str:
        """The sha256 of a local file; computed once for the same inode, size and times. Raises OSError.

        `told` hears how many bytes were read, where any must be; what it raises ends the reading.
        """
        key = _version(path)
        note = self._cache / "digests" / hashlib.sha256(key.encode()).hexdigest()[:40]
        with suppress(OSError, ValueError):
            noted = note.read_text()
            if _DIGEST.fullmatch(noted):
                return noted
        digest = sha256(path, told)
        # A file that changed while it was read has no digest to remember; a cache that cannot be written is no loss.
        with suppress(OSError):
            if _version(path) == key:
                for folder in (self._cache, note.parent):
                    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                atomic.write_bytes(note, digest.encode(), mode=0o600)
        return digest


def _version(path: Path) -> str:
    """What changes when a file's content does. ctime also tells content that came with its old mtime."""
    stat = path.stat()
    return f"{stat.st_dev}:{stat.st_ino}:{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}"
