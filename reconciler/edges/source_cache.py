"""Fetched sources, kept by identity in a bounded folder that several processes share."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reconciler.edges.digests import Digests
from reconciler.io import atomic
from reconciler.io.answers import Validators

_IN_USE, _FETCHING, _NOTE = "use.lock", "fetch.lock", "kept.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """A fetched source: the file's name inside its entry, its size and digest, and the version it is."""

    file: str
    size: int
    sha256: str
    validators: Validators


class Entry:
    """What is kept of one identity. While `use` is held, no other process removes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._handle: int | None = None

    def use(self) -> None:
        """Mark the entry as in use until `release`. Raises OSError."""
        while self._handle is None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._handle = _locked(self.folder / _IN_USE, fcntl.LOCK_SH)
            except FileNotFoundError:
                # Removed since it was made: others may do that as long as nothing is locked.
                continue
            except FileExistsError:
                if self.folder.is_file() or self.folder.is_symlink():
                    raise

    def release(self) -> None:
        """Let others remove the entry."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    @contextmanager
    def fetching(self, wait: Callable[[], None]) -> Iterator[None]:
        """One process at a time fetches an entry; the others wait, and find it fetched.

        `wait` is called between two looks; what it raises ends the waiting.
        """
        handle = _opened(self.folder / _FETCHING)
        try:
            while not _taken(handle, fcntl.LOCK_EX):
                wait()
            yield
        finally:
            os.close(handle)

    def kept(self) -> Kept | None:
        """What is kept, if its file is there with the size that was noted."""
        try:
            kept = msgspec.json.decode((self.folder / _NOTE).read_bytes(), type=Kept)
            return kept if (self.folder / kept.file).stat().st_size == kept.size else None
        except (OSError, ValueError):
            return None

    def keep(self, fetched: Path, size: int, digest: str, validators: Validators) -> Kept:
        """Give a whole download its place, under a name of its content's: a reader of the old one is not disturbed."""
        kept = Kept(file=f"{digest[:16]}.media", size=size, sha256=digest, validators=validators)
        atomic.publish(fetched, self.folder / kept.file)
        atomic.write_bytes(self.folder / _NOTE, msgspec.json.encode(kept), mode=0o600)
        return kept

    def touch(self) -> None:
        """Note that the entry was used now."""
        os.utime(self.folder)


class SourceCache:
    """The folder of fetched sources, and of digests of local ones."""

    def __init__(self, folder: Path, limit: int) -> None:
        """`limit` is what fetched sources may take together, in bytes."""
        self.folder, self.limit = folder, limit

    def entry(self, identity: str) -> Entry:
        """The entry of an identity."""
        self._make(self.folder)
        return Entry(self._make(self.folder / "sources") / hashlib.sha256(identity.encode()).hexdigest()[:40])

    def digest(self, path: Path, told: Callable[[int], None] = lambda _: None) -> str:
        """The sha256 of a local file, from the digests that are kept beside the sources. As `Digests.digest`."""
        return Digests(self.folder).digest(path, told)

    def evict(self) -> None:
        """Remove entries, the longest unused first, until the rest is within the limit; those in use stay.

        Of entries that stay and are not in use, what newer downloads replaced is removed.
        """
        entries = sorted(_entries(self.folder / "sources"))
        total = sum(size for _, _, size in entries)
        for _, folder, size in entries:
            # What cannot be removed now is removed another time; the source that was just fetched is not to blame.
            with suppress(OSError), _unused(folder) as unused:
                if unused and total > self.limit:
                    _remove(folder)
                    total -= size
                elif unused:
                    total -= _remove_replaced(folder)

    def _make(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder


def _entries(root: Path) -> Iterator[tuple[float, Path, int]]:
    """When each entry was last used, its folder and its size. Others may remove entries meanwhile."""
    for folder in root.iterdir() if root.is_dir() else ():
        with suppress(OSError):
            yield folder.stat().st_mtime, folder, sum(file.stat().st_size for file in folder.iterdir())


def _remove_replaced(folder: Path) -> int:
    """Remove files that are no longer what an entry keeps; how many bytes that gave."""
    kept, freed = Entry(folder).kept(), 0
    for file in folder.glob("*.media"):
        if kept is None or file.name != kept.file:
            freed += file.stat().st_size
            file.unlink()
    return freed


def _remove(folder: Path) -> None:
    """Remove an entry whose `use.lock` is held: that file goes last, since others look at it to see us."""
    for file in folder.iterdir():
        if file.name != _IN_USE:
            file.unlink(missing_ok=True)
    (folder / _IN_USE).unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


@contextmanager
def _unused(folder: Path) -> Iterator[bool]:
    """Whether nobody uses an entry; while this is held nobody begins to."""
    try:
        handle = _opened(folder / _IN_USE)
    except OSError:
        yield False
        return
    try:
        yield _taken(handle, fcntl.LOCK_EX)
    finally:
        os.close(handle)


def _locked(path: Path, kind: int) -> int | None:
    """An open lock file, locked; None if its name was taken from it meanwhile. Raises OSError."""
    handle = _opened(path)
    try:
        fcntl.flock(handle, kind)
        if os.fstat(handle).st_ino == path.stat().st_ino:
            return handle
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    return None


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _taken(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
