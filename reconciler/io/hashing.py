"""Digests of files."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256(path: Path) -> str:
    """The sha256 of a file in hex; streamed, so that its size does not matter."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
