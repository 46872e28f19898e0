"""What this machine recorded of a shared state and could not bring there: kept in the project until it could.

`state/shared/KEY/` holds the state that a writer began with (`base.json`), its journal, the id of the lock that it
holds there, and the live links. The journal is there only while a writer works, or after one that could not finish.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from reconciler.core.errors import StateError
from reconciler.core.merge import Conflict, merge
from reconciler.core.state import Event, Snapshot, empty, fold
from reconciler.io import atomic
from reconciler.store import journal, snapshot
from reconciler.store.outside import DEFAULT, refuse_links_out

FOLDER = "shared"


@dataclass(frozen=True, slots=True)
class Unsent:
    """Events that the store may not have, and the state that they followed on."""

    base: Snapshot
    events: tuple[Event, ...]

    def here(self) -> Snapshot:
        """The state as this machine has it."""
        return fold(self.base, self.events)

    def joined(self, shared: Snapshot) -> tuple[Snapshot, tuple[Conflict, ...]]:
        """The shared state of now with these events; where both told differently it stays as it is."""
        named = shared if shared.project else replace(shared, project=self.base.project)
        # A store that holds nothing any more has lost its state; nobody has removed all of it.
        merged = merge(self.base if shared.records else None, named, self.here())
        return merged.snapshot, merged.conflicts


class WorkFolder:
    """The folder of one shared state on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = folder / "journal.jsonl"
        self.lock = folder / ".lock"
        self.links = folder / "encodes.json"  # links.json stands beside it
        self._base = folder / "base.json"
        self._held = folder / "held"

    def check(self) -> None:
        """Raise StateError if a link leads it out of the project folder."""
        refuse_links_out(DEFAULT)
        if not Path(os.path.realpath(self.folder)).is_relative_to(os.path.realpath(Path.cwd())):
            raise StateError(f"{self.folder} leads out of the project folder. Nothing was read or written there.")

    def held(self) -> list[str]:
        """The ids of the locks that earlier writers of this folder may have left in the store.

        A copy of another folder has none: whoever holds a lock of that one may be alive.
        """
        try:
            place, *identifiers = self._held.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            return []
        return identifiers if place == self._place() else []

    def hold(self, *identifiers: str) -> None:
        """Remember the ids of locks that are ours, before one is taken: after a crash it is known for ours."""
        lines = (self._place(), *identifiers)
        try:
            atomic.write_bytes(self._held, "".join(f"{each}\n" for each in lines).encode())
        except OSError as error:
            raise _cannot_write(self._held, error) from error

    def _place(self) -> str:
        """This folder and no copy of it."""
        return ascii(f"{socket.gethostname()} {os.path.realpath(self.folder)} {self.folder.stat().st_ino}")

    def begin(self, base: Snapshot) -> None:
        """Keep the state that the journal will follow on. Raises StateError."""
        try:
            atomic.sweep(self._base)
            atomic.write_bytes(self._base, snapshot.encode(base))
        except OSError as error:
            raise _cannot_write(self._base, error) from error

    def unsent(self, project: str) -> Unsent | None:
        """What a writer before could not send; None if there is nothing. Raises StateError."""
        return self.followed(journal.read(self.journal, project), project)

    def followed(self, found: journal.Read, project: str) -> Unsent | None:
        """The events of a journal of ours with what they followed on; None if there are none. Raises StateError."""
        if not found.events:
            return None
        base = snapshot.read(self._base, project)
        return Unsent(base if base.project else empty(found.project), found.events)

    def sent(self) -> None:
        """Forget the journal: the store has all of it."""
        with suppress(OSError):  # one that stays is joined again, which changes nothing
            self.journal.unlink(missing_ok=True)
            self._base.unlink(missing_ok=True)

    def keep(self, state: Snapshot) -> Path:
        """Keep a state that could not be joined wholly, for a person to look at. Raises StateError."""
        number = 1
        while (path := self.folder / f"kept.{number:04}.json").exists():
            number += 1
        try:
            atomic.write_bytes(path, snapshot.encode(state))
        except OSError as error:
            raise _cannot_write(path, error) from error
        return path


def _cannot_write(path: Path, error: OSError) -> StateError:
    return StateError(f"{path}: cannot be written: {error.strerror}.\nNothing was started. Make room, then try again.")
