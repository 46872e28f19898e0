"""Digests of files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

_PIECE = 1 << 22


def sha256(path: Path, told: Callable[[int], None] = lambda _: None) -> str:
    """The sha256 of a file in hex; streamed, so that its size does not matter. Raises OSError.

    `told` hears how many bytes were read so far; what it raises ends the reading.
    """
    digest, done = hashlib.sha256(), 0
    buffer = memoryview(bytearray(_PIECE))
    with path.open("rb", buffering=0) as file:
        while got := file.readinto(buffer):
            digest.update(buffer[:got])
            done += got
            told(done)
    return digest.hexdigest()
