"""Reading the state without the lock, and writing it with the lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import msgspec

from reconciler.core.errors import StateError
from reconciler.core.state import Approval, Record, Snapshot, fold
from reconciler.store import journal, links, snapshot
from reconciler.store.links import Links
from reconciler.store.lock import Lock
from reconciler.store.outside import refuse_links_out
from reconciler.store.recorder import Recorder

# A reader meets a writer that just finishes; so often in a row only by a mistake.
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
    """The state as of now, without the lock. An empty `project` takes that of any project. Raises StateError.

    The journal is opened, the snapshot read, then the journal read. If the journal is still in its place after
    that, its writer has not finished, or had finished writing it before the snapshot was read: either way the
    two together are a state that was true. If it is gone, another writer may have removed what it tells of, and
    both are read again.
    """
    refuse_links_out(state)
    path = journal_path(state)
    for _ in range(_READS):
        with journal.OpenJournal(path) as opened:
            found = snapshot.read(state, project)
            events = opened.read(found.project)
            if opened.in_place():
                return Loaded(fold(_named(found, events), events.events), _warnings(path, events))
    raise StateError(f"{state}: the state changes faster than it can be read; try again")


def live_links(state: Path) -> dict[str, str]:
    """The links with their signatures that are kept beside a state, by address. Raises StateError."""
    refuse_links_out(state)
    return links.read(state)


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

        An empty `project` takes the state of any project. Raises LockedError after `timeout` seconds, StateError
        for a state that cannot be read.
        """
        refuse_links_out(state)
        self._state, self._journal = state, journal_path(state)
        self._mutex = threading.RLock()
        self._closed = False
        self._lock = Lock(state.with_name(".lock"), now)
        self._lock.acquire(timeout, sleep)
        try:
            self._on_disk = snapshot.read(state, project)
            found = journal.read(self._journal, self._on_disk.project)
            self._links = Links(state)
        except BaseException:
            self._lock.release()
            raise
        self._recorder = Recorder(self._journal, _named(self._on_disk, found), found, now)
        self.warnings = _warnings(self._journal, found)

    @property
    def snapshot(self) -> Snapshot:
        """The state as of the last recorded event; it changes with the next one."""
        return self._recorder.snapshot

    def next_rev(self, address: str) -> int:
        """The rev that the next record or removal of this address takes; it grows over removals too."""
        return self._recorder.next_rev(address)

    def record(
        self,
        event: str,
        *,
        records: Mapping[str, Record] | None = None,
        removed: Mapping[str, int] | None = None,
        approved: Mapping[str, Approval] | None = None,
    ) -> None:
        """Write one event to the journal, then fold it in. Raises StateError if the disk does not take it.

        Every rev must be newer than what is known of its address: `next_rev` gives it.
        """
        with self._mutex:
            self._recorder.record(self._recorder.line(event, records, removed, approved))

    def keep_link(self, address: str, link: str) -> None:
        """Keep a live link with its signature, apart from the state; it is on disk once the state is closed."""
        with self._mutex:
            self._links.keep(address, link)

    def close(self) -> None:
        """Write the snapshot if anything changed, then let the journal and the lock go; closing again does nothing.

        Raises StateError if the snapshot cannot be written; the journal stays then, and so does what it holds.
        """
        with self._mutex:
            if self._closed:
                return
            self._closed = True
            try:
                self._recorder.close()
                self._write_snapshot()
                with suppress(OSError):  # lost links are renewed for free
                    self._links.write(self.snapshot.records)
            finally:
                self._lock.release()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What was recorded is true, also after an error."""
        self.close()

    def _write_snapshot(self) -> None:
        found = self._recorder.sorted()
        if found != self._on_disk:
            snapshot.write(self._state, found)
        with suppress(OSError):  # one that stays is folded in again, which changes nothing
            self._journal.unlink(missing_ok=True)


def _named(found: Snapshot, events: journal.Read) -> Snapshot:
    """The snapshot; where there is none yet, of the project that the journal was begun for."""
    return found if found.project else msgspec.structs.replace(found, project=events.project)


def _warnings(path: Path, found: journal.Read) -> tuple[str, ...]:
    if found.torn:
        return (f"{path}: the last line is cut off, as a crash leaves it; it is ignored and was never acted on",)
    return ()
