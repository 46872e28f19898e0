"""`links.json`: live links with their signatures, beside the state and never in git.

Whoever holds such a link can read the file behind it, so only its owner may read this one. It may be lost
without harm: every link in it can be renewed.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from reconciler.core.errors import StateError
from reconciler.io import atomic

FORMAT = "encode-reconciler-links"
VERSION = 1
_PRIVATE = 0o600


class _File(msgspec.Struct, frozen=True):
    """The file as it stands on disk: links by address."""

    format: str
    version: int
    links: dict[str, str] = {}


def links_path(state: Path) -> Path:
    """Where the links of a state are kept."""
    return state.with_name("links.json")


def read(state: Path) -> dict[str, str]:
    """The links by address; none where there is no file, or one that cannot be used. Raises StateError.

    A file of a newer version is refused, since it would be rewritten.
    """
    path = links_path(state)
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
    except (FileNotFoundError, msgspec.MsgspecError):
        return {}
    except OSError as error:
        raise StateError(f"{path}: cannot be read: {error.strerror}\n  Mend its permissions, or delete it.") from error
    if found.format == FORMAT and found.version > VERSION:
        raise StateError(f"{path}: version {found.version} is newer than this reconciler\n  Update reconciler.")
    return found.links if found.format == FORMAT else {}


class Links:
    """The links that one writer of the state keeps."""

    def __init__(self, state: Path) -> None:
        """Raises StateError for a file that must not be rewritten."""
        self._path = links_path(state)
        self._links = read(state)
        self._changed = False

    def keep(self, address: str, link: str) -> None:
        """Keep the live link of an address."""
        self._changed = self._changed or self._links.get(address) != link
        self._links[address] = link

    def write(self, known: Collection[str]) -> None:
        """Bring what changed to disk, without addresses that nobody knows any more. Raises OSError."""
        gone = [address for address in self._links if address not in known]
        for address in gone:
            del self._links[address]
        if self._changed or gone:
            content = _File(FORMAT, VERSION, dict(sorted(self._links.items())))
            text = msgspec.json.format(msgspec.json.encode(content), indent=2)
            atomic.write_bytes(self._path, text + b"\n", mode=_PRIVATE)
            self._changed = False
