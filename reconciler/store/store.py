"""Reading the state without the lock, and writing it with the lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from reconciler.core.errors import StateError
from reconciler.core.state import Approval, Event, Folding, Record, Snapshot, fold
from reconciler.store import journal, snapshot
from reconciler.store.lock import Lock, who

_READS = 50


@dataclass(frozen=True, slots=True)
class Loaded:
    """A state, with warnings about what a crash left in its journal."""

    snapshot: Snapshot
    warnings: tuple[str, ...] = ()


def journal_path(state: Path) -> Path:
    """The journal beside a state file."""
    return state.with_name(f"{state.stem}.journal.jsonl")


def read(state: Path, project: str) -> Loaded:
    """The state as of now, without the lock.

    The journal is read first, then the snapshot; if the journal changed meanwhile both are read again, so a
    writer that finishes in between cannot make an event or a removal disappear. `project` empty takes any.
    Raises StateError.
    """
    path = journal_path(state)
    for _ in range(_READS):
        before = _mark(path)
        events = journal.read(path, project)
        found = snapshot.read(state, project)
        if _mark(path) == before:
            return Loaded(fold(found, events.events), _warnings(path, events))
    raise StateError(f"{state}: the state changes faster than it can be read; try again")


class Writer:
    """The locked state. What `record` is given is on disk when it returns; `close` makes a snapshot of it all."""

    def __init__(
        self,
        state: Path,
        project: str,
        *,
        timeout: float = 0.0,
        sleep: Callable[[float], None] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take the lock and read the state, with whatever a killed apply left in the journal.

        Raises LockedError after `timeout` seconds, StateError for a state that cannot be read.
        """
        self._state, self._journal = state, journal_path(state)
        self._now, self._mutex = now, threading.RLock()
        self._lock = Lock(state.with_name(".lock"))
        self._lock.acquire(timeout, sleep)
        try:
            self._on_disk = snapshot.read(state, project)
            self._read = journal.read(self._journal, project)
        except BaseException:
            self._lock.release()
            raise
        self._appender: journal.Appender | None = None
        self._folding = Folding(self._on_disk)
        for event in self._read.events:
            self._folding.add(event)
        self.warnings = _warnings(self._journal, self._read)

    @property
    def snapshot(self) -> Snapshot:
        """The state as of the last recorded event; it changes with the next one."""
        return self._folding.snapshot

    def next_rev(self, address: str) -> int:
        """The rev that the next record or removal of this address takes; it grows over removals too."""
        return self._folding.rev(address) + 1

    def record(
        self,
        event: str,
        *,
        records: Mapping[str, Record] | None = None,
        removed: Mapping[str, int] | None = None,
        approved: Mapping[str, Approval] | None = None,
    ) -> None:
        """Write one event to the journal, then fold it in. Raises StateError if the disk does not take it."""
        at = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        line = Event(
            event=event, at=at, records=dict(records or {}), removed=dict(removed or {}), approved=dict(approved or {})
        )
        with self._mutex:
            self._open().append(line)
            self._folding.add(line)

    def close(self) -> None:
        """Write the snapshot if anything changed, then let the journal and the lock go."""
        with self._mutex:
            if self._folding.snapshot != self._on_disk:
                snapshot.write(self._state, self._folding.sorted())
            self.abandon()
            self._journal.unlink(missing_ok=True)
            self._lock.release()

    def abandon(self) -> None:
        """Let go of the journal's file and leave it there: the next command folds it in."""
        if self._appender is not None:
            self._appender.close()
            self._appender = None

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What was recorded is true, also after an error. If the snapshot cannot be written the journal stays."""
        self.close()

    def _open(self) -> journal.Appender:
        if self._appender is None:
            at = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
            header = journal.new_header(self._on_disk.project, who(), at)
            self._appender = journal.Appender(self._journal, header, self._read.whole)
        return self._appender


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_size


def _warnings(path: Path, found: journal.Read) -> tuple[str, ...]:
    if found.torn:
        return (f"{path}: the last line is cut off, as a crash leaves it; it is ignored and was never acted on",)
    return ()
