"""Fetched sources, kept by identity in a bounded folder that several processes share."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from reconciler.io import atomic
from reconciler.io.download import Validators
from reconciler.io.hashing import sha256


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
        """Mark the entry as in use until `release`."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._handle = os.open(self.folder / "use.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def release(self) -> None:
        """Let others remove the entry."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """One process at a time fetches an entry; the others wait, and find it fetched."""
        handle = os.open(self.folder / "fetch.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def kept(self) -> Kept | None:
        """What is kept, if its file is there with the size that was noted."""
        try:
            note = json.loads((self.folder / "kept.json").read_text())
            kept = Kept(**{**note, "validators": Validators(**note["validators"])})
            return kept if (self.folder / kept.file).stat().st_size == kept.size else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def keep(self, fetched: Path, size: int, digest: str, validators: Validators) -> Kept:
        """Give a whole download its place, under a name of its content's: a reader of the old one is not disturbed."""
        kept = Kept(file=f"{digest[:16]}.media", size=size, sha256=digest, validators=validators)
        atomic.publish(fetched, self.folder / kept.file)
        atomic.write_bytes(self.folder / "kept.json", json.dumps(asdict(kept)).encode(), mode=0o600)
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

    def digest(self, path: Path) -> str:
        """The sha256 of a local file; computed once for the same inode, size and modification time."""
        stat = path.stat()
        key = f"{stat.st_dev}:{stat.st_ino}:{stat.st_size}:{stat.st_mtime_ns}"
        note = self.folder / "digests" / hashlib.sha256(key.encode()).hexdigest()[:40]
        try:
            noted = note.read_text()
            if len(noted) == 64:
                return noted
        except OSError:
            pass
        digest = sha256(path)
        try:
            self._make(self.folder)
            self._make(note.parent)
            atomic.write_bytes(note, digest.encode(), mode=0o600)
        except OSError:
            return digest
        return digest

    def evict(self) -> None:
        """Remove entries, the longest unused first, until the rest is within the limit; those in use stay."""
        root = self.folder / "sources"
        entries = sorted((each for each in root.iterdir() if each.is_dir()), key=lambda each: each.stat().st_mtime)
        sizes = {each: sum(file.stat().st_size for file in each.iterdir()) for each in entries}
        total = sum(sizes.values())
        for each in entries:
            if total <= self.limit:
                return
            if _unused(each):
                shutil.rmtree(each, ignore_errors=True)
                total -= sizes[each]

    def _make(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder


def _unused(entry: Path) -> bool:
    try:
        handle = os.open(entry / "use.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True
