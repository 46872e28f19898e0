"""Events on their way: into the journal on disk, then into memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from reconciler.core.state import Approval, Event, Folding, Record, Snapshot
from reconciler.store import journal
from reconciler.store.lock import who


class Recorder:
    """What one writer records: each event is in the journal before it counts."""

    def __init__(self, path: Path, snapshot: Snapshot, found: journal.Read, now: Callable[[], datetime]) -> None:
        """`found` is what the journal at `path` holds already; it goes on behind that."""
        self._path, self._found, self._now = path, found, now
        self._mutex = threading.RLock()
        self._appender: journal.Appender | None = None
        self._in_doubt = self._closed = False
        self._folding = Folding(snapshot)
        self._fold(found)

    @property
    def snapshot(self) -> Snapshot:
        """The state as of the last recorded event; it changes with the next one."""
        return self._folding.snapshot

    def sorted(self) -> Snapshot:
        """The same, sorted by address; later events do not change it."""
        with self._mutex:
            self._settle_doubt()
            return self._folding.sorted()

    def next_rev(self, address: str) -> int:
        """The rev that the next record or removal of this address takes; it grows over removals too."""
        return self._folding.rev(address) + 1

    def line(
        self,
        event: str,
        records: Mapping[str, Record] | None = None,
        removed: Mapping[str, int] | None = None,
        approved: Mapping[str, Approval] | None = None,
    ) -> Event:
        """One event of now, still to be recorded.

        Every rev must be newer than what is known of its address: `next_rev` gives it.
        """
        line = Event(
            event=event,
            at=self.stamp(),
            records=dict(records or {}),
            removed=dict(removed or {}),
            approved=dict(approved or {}),
        )
        self._check_revs(line)
        return line

    def record(self, line: Event) -> None:
        """Write one event to the journal, then fold it in. Raises StateError if the disk does not take it."""
        with self._mutex:
            self._settle_doubt()
            self._check_revs(line)
            appender = self._open()
            self._in_doubt = True
            appender.append(line)
            self._folding.add(line)
            self._in_doubt = False

    def close(self) -> None:
        """Take no more events, and let go of the journal; it stays."""
        with self._mutex:
            self._closed = True
            if self._appender is not None:
                self._appender.close()
                self._appender = None

    def stamp(self) -> str:
        """The time of now as the state writes it."""
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def _settle_doubt(self) -> None:
        """After an error or an interrupt between the journal and the memory, the journal is right."""
        if self._in_doubt:
            self._fold(journal.read(self._path, self.snapshot.project))
            self._in_doubt = False

    def _open(self) -> journal.Appender:
        if self._closed:
            raise ValueError("this state was closed")
        if self._appender is None:
            header = journal.new_header(self.snapshot.project, who(), self.stamp())
            self._appender = journal.Appender(self._path, header, self._found.whole)
        return self._appender

    def _check_revs(self, line: Event) -> None:
        """An event that fold would skip is a mistake in this program, and would be lost without a word."""
        revs = {**{address: record.rev for address, record in line.records.items()}, **line.removed}
        old = [address for address, rev in revs.items() if rev <= self._folding.rev(address)]
        if old:
            raise ValueError(f"event {line.event}: no new rev for {', '.join(old)}")

    def _fold(self, found: journal.Read) -> None:
        for event in found.events:
            self._folding.add(event)
