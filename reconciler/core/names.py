"""Names, addresses and the globs that choose them."""

from __future__ import annotations

from fnmatch import fnmatchcase


def matches(glob: str, address: str) -> bool:
    """Whether a glob chooses an address: fnmatch over the whole address, or the name of an encode above it."""
    return fnmatchcase(address, glob) or address.startswith(f"{glob}/")
