"""Packages in an object store: many objects that count as one copy.

A note beside them, written last, names every one with its version. By it a package is known to be whole, and what
was made is told from what somebody else put there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from reconciler.core.copies import DeliveredCopy, Presence
from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.core.packages import OPENERS
from reconciler.io import trees
from reconciler.io.stores import Object, Store

NOTE = ".reconciler.json"
_PLAYLISTS = (".m3u8", ".mpd", ".vtt")
ALTERED = "altered"


class Member(msgspec.Struct, frozen=True):
    """One object of a package."""

    size: int
    sha256: str
    etag: str | None = None

    def is_object(self, found: Object | None) -> bool:
        """Whether it is there as it was made."""
        return found is not None and found.size == self.size and found.etag == self.etag


class _Note(msgspec.Struct, frozen=True):
    """What was delivered, by name below the package."""

    files: dict[str, Member]


def files_of(folder: Path) -> tuple[list[str], list[str]]:
    """The files of a package on this machine: what playlists lead to, and the playlists, the one that opens it last.

    Raises RejectedError.
    """
    try:
        names = trees.members(folder)
    except OSError as error:
        raise RejectedError(f"{folder.name} cannot be read: {error.strerror or error}") from error
    playlists = [name for name in names if name.endswith(_PLAYLISTS)]
    return [name for name in names if name not in playlists], sorted(
        playlists, key=lambda name: (name in OPENERS, name)
    )


class StoredPackage:
    """The package whose objects lie below `key`."""

    def __init__(self, store: Store, key: str) -> None:
        self._store, self._key = store, key
        self._files: dict[str, Member] = {}

    def put(self, name: str, pieces: Iterable[bytes], size: int | None, media_type: str | None) -> None:
        """Make one of its objects."""
        self._store.put(f"{self._key}/{name}", pieces, size, media_type)

    def note(self, name: str, size: int, digest: str) -> None:
        """Remember what one of its objects holds, or will hold."""
        self._files[name] = Member(size, digest)

    @property
    def size(self) -> int:
        """The size of all that was noted, in bytes."""
        return sum(member.size for member in self._files.values())

    @property
    def digest(self) -> str:
        """The digest over all that was noted, as `io.trees` computes it."""
        lines = sorted(f"{member.sha256} {name}\n" for name, member in self._files.items())
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def complete(self, where: str) -> DeliveredCopy:
        """Write the note, and take away what an earlier copy had and this one has not."""
        found = self._store.list(self._key)
        for name, member in self._files.items():
            there = found.get(name)
            if there is None or there.size != member.size:
                raise UnavailableError(f"{where}/{name} is not there as it was sent. Try again.")
            self._files[name] = Member(member.size, member.sha256, there.etag)
        before = self._noted()
        content = msgspec.json.encode(_Note(dict(sorted(self._files.items()))))
        self._store.put(f"{self._key}/{NOTE}", [content], len(content), "application/json")
        for name, member in before.items():
            if name not in self._files and member.is_object(found.get(name)):
                self._store.remove(f"{self._key}/{name}")
        return DeliveredCopy(where, self.size, self.digest, _etag(self._files))

    def look(self) -> Presence | None:
        """What is there of it; None without its note."""
        noted = self._noted()
        if not noted:
            return None
        found = self._store.list(self._key)
        whole = all(member.is_object(found.get(name)) for name, member in noted.items())
        size = sum(there.size for name, there in found.items() if name in noted)
        return Presence(size, _etag(noted) if whole else ALTERED)

    def remove(self, copy: DeliveredCopy) -> None:
        """Take away what was made; what somebody else put beside it stays. Raises RejectedError if it was altered."""
        noted, found = self._noted(), self._store.list(self._key)
        if not noted:
            return
        intact = all(member.is_object(found[name]) for name, member in noted.items() if name in found)
        if not intact or copy.etag != _etag(noted):
            raise RejectedError(f"{copy.where} is not the copy that was made: it is left alone")
        # The playlists first: what they lead to must not be missing while they are there.
        for name in sorted(noted, key=lambda name: (not name.endswith(_PLAYLISTS), name)):
            self._store.remove(f"{self._key}/{name}")
        self._store.remove(f"{self._key}/{NOTE}")

    def _noted(self) -> Mapping[str, Member]:
        content = self._store.read(f"{self._key}/{NOTE}")
        try:
            return msgspec.json.decode(content, type=_Note).files if content is not None else {}
        except msgspec.MsgspecError:
            return {}


def _etag(files: Mapping[str, Member]) -> str:
    """The version of a package: that of all its objects."""
    content = msgspec.json.encode(dict(sorted(files.items())))
    return hashlib.sha256(content).hexdigest()[:32]
