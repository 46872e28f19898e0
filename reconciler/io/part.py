"""The part of a file that is here: kept with a note of its version, so that a later process can go on with it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from reconciler.core.errors import UnavailableError
from reconciler.io import atomic
from reconciler.io.answers import Validators

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class _Note:
    """Which version a part is of, and since which start of the machine it is being written."""

    validators: Validators
    boot: str


@dataclass(slots=True)
class Part:
    """A file that is being fetched: its path, its digest so far, and the version that it is of.

    All methods raise UnavailableError where the disk refuses.
    """

    path: Path
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    validators: Validators = field(default_factory=Validators)

    @property
    def note(self) -> Path:
        """The file that says which version the part is of."""
        return self.path.with_name(self.path.name + ".json")

    def load(self) -> None:
        """Take up what an earlier run left, if its version is known.

        After a restart of the machine it is not taken up: a part is not fsynced, and may have holes then.
        """
        try:
            note = msgspec.json.decode(self.note.read_bytes(), type=_Note)
            known = note.boot == _boot()
            if known:
                with self.path.open("rb") as file:
                    self.digest = hashlib.file_digest(file, "sha256")
                    self.size = file.tell()
                self.validators = note.validators
        except (OSError, ValueError):
            known = False
        if not known:
            self.restart(Validators())

    def restart(self, validators: Validators) -> None:
        """Begin again with a known version."""
        self.size, self.digest, self.validators = 0, hashlib.sha256(), validators
        with self._disk():
            self.path.write_bytes(b"")
            self.note.write_bytes(msgspec.json.encode(_Note(validators, _boot())))

    def append(self, chunks: Iterator[bytes]) -> Generator[int]:
        """Add bytes as they come, and yield the size after each of them."""
        with self._disk():
            file = self.path.open("ab", buffering=0)
        with file:
            for chunk in chunks:
                rest = memoryview(chunk)
                while rest:
                    with self._disk():
                        rest = rest[file.write(rest) :]
                self.digest.update(chunk)
                self.size += len(chunk)
                yield self.size

    def free(self) -> int:
        """How many bytes its disk still takes."""
        with self._disk():
            return shutil.disk_usage(self.path.parent).free

    def finish(self, target: Path) -> None:
        """Give the whole file its final name."""
        with self._disk():
            atomic.fsync_file(self.path)
            atomic.publish(self.path, target)
            self.note.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove what nobody will go on with."""
        with self._disk():
            self.path.unlink(missing_ok=True)
            self.note.unlink(missing_ok=True)

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UnavailableError(f"{self.path.parent} cannot be written: {error.strerror or error}") from error


def _boot() -> str:
    """What tells one start of the machine from the next; empty where the system does not say."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
