"""A state that several machines share: in an object store, under a lock that is an object too.

What is recorded goes to this machine's disk at once, event by event. Before a job is started, the one call that
costs money, everything so far is also in the store: a machine that burns leaves the id of every job it started.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import msgspec

from reconciler.core.errors import ProviderError, StateError
from reconciler.core.merge import Conflict
from reconciler.core.sharing import difference, next_revs, says_nothing, together
from reconciler.core.state import Approval, Event, Record, Snapshot
from reconciler.store import journal
from reconciler.store.links import Links
from reconciler.store.lock import Lock, who
from reconciler.store.objects import Seen, SharedObjects, taken
from reconciler.store.recorder import Recorder
from reconciler.store.store import Loaded
from reconciler.store.store_lock import StoreLock
from reconciler.store.unsent import Unsent, WorkFolder

# How long events that start nothing wait for company, in seconds.
RESTING = 30.0

# From this size on, in bytes, it is cheaper to write the snapshot and begin the journal anew.
LARGE = 512_000

_READS = 20


def read(shared: SharedObjects, work: WorkFolder, project: str) -> Loaded:
    """The shared state as of now, without the lock, with what this machine could not send yet.

    An empty `project` takes that of any project. Raises StateError, CredentialsError.
    """
    work.check()
    for _ in range(_READS):
        with journal.OpenJournal(work.journal) as opened:
            seen = shared.read(project)
            unsent = work.followed(opened.read(seen.snapshot.project), seen.snapshot.project)
            if not opened.in_place():
                continue
        if unsent is None:
            return Loaded(seen.state)
        state, _ = unsent.joined(seen.state)
        return Loaded(state, (f"{work.folder} holds {_not_yet(seen.state, state)}",) if state != seen.state else ())
    raise StateError(f"{shared.url}: the state changes faster than it can be read; try again")


def _not_yet(shared: Snapshot, state: Snapshot) -> str:
    event = difference(shared, state, {}, event="", at="")
    count = len(event.records) + len(event.removed)
    what = "1 change that is" if count == 1 else f"{count:,} changes that are"
    return f"{what} not in the store yet; the next apply here brings that there"


class SharedWriter:
    """The locked shared state. What `record` is given is on this disk when it returns, and a start in the store too.

    `close` makes a snapshot of it all. What cannot be brought to the store stays on this disk, and is joined to the
    shared state by the next writer here.
    """

    warnings: tuple[str, ...] = ()
    _seen: Seen
    _pending: Event | None
    _recorder: Recorder
    _links: Links
    _tried: float

    def __init__(
        self,
        shared: SharedObjects,
        work: WorkFolder,
        project: str,
        *,
        identifier: str,
        timeout: float = 0.0,
        sleep: Callable[[float], None] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the lock, read the state, and join to it what an earlier writer here could not send.

        `identifier` becomes the id of the lock. Raises LockedError after `timeout` seconds, StateError,
        CredentialsError.
        """
        work.check()
        self._shared, self._work, self._now, self._clock = shared, work, now, clock
        self._mutex = threading.RLock()
        self._closed = self._begun = self._backed_up = False
        self._here = Lock(work.lock, now)
        self._there = StoreLock(shared, identifier, now)
        self._here.acquire(timeout, sleep)
        try:
            self._take(timeout, sleep)
            self._open(project)
        except BaseException:
            self._let_go()
            raise

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
        """Write one event to this disk, that of a start to the store before. Raises StateError where that fails.

        Every rev must be newer than what is known of its address: `next_rev` gives it.
        """
        with self._mutex:
            if not self._begun:
                self._work.begin(self._recorder.sorted())
                self._begun = True
            line = self._recorder.line(event, records, removed, approved)
            if any(record.job is not None and record.job.phase == "starting" for record in line.records.values()):
                # The store comes first: what it does not take was never begun, and nobody has to wonder later.
                self._send(line)
                self._recorder.record(line)
                return
            self._recorder.record(line)
            self._pending = together(self._pending, line)
            if self._clock() - self._tried >= RESTING:
                with suppress(StateError):  # nothing depends on it yet; a start will say so
                    self._send()

    def keep_link(self, address: str, link: str) -> None:
        """Keep a live link with its signature, on this machine alone; it is on disk once the state is closed."""
        with self._mutex:
            self._links.keep(address, link)

    def close(self) -> None:
        """Bring everything to the store, then let the lock go; closing again does nothing.

        Raises StateError if the store does not take it; then it stays on this disk.
        """
        with self._mutex:
            if self._closed:
                return
            self._closed = True
            try:
                self._recorder.close()
                self._finish()
                with suppress(OSError):  # lost links are renewed for free
                    self._links.write(self.snapshot.records)
                self._there.release()
            finally:
                self._let_go()

    def __enter__(self) -> SharedWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What was recorded is true, also after an error."""
        self.close()

    def _take(self, timeout: float, sleep: Callable[[float], None] | None) -> None:
        """Take the lock of the store. One that this folder held before is of a process that is dead: it held ours."""
        own = self._work.held()
        self._work.hold(*own, self._there.id)
        self._there.acquire(timeout, sleep, own)
        self._work.hold(self._there.id)

    def _open(self, project: str) -> None:
        self._seen = self._shared.read(project)
        self._pending, self._tried = self._seen.pending, self._clock()
        self._project = self._seen.snapshot.project
        unsent = self._work.unsent(self._project)
        if unsent is not None:
            self._join(unsent)
        self._links = Links(self._work.links)
        state = msgspec.structs.replace(self._seen.state, project=self._project)
        self._recorder = Recorder(self._work.journal, state, journal.Read(), self._now)

    def _join(self, unsent: Unsent) -> None:
        """Join what was left here to the shared state; it is in the store before this disk forgets it."""
        shared = self._seen.state
        state, conflicts = unsent.joined(shared)
        self._project = state.project
        if conflicts:
            self.warnings = (_conflicting(conflicts, self._work.keep(unsent.here())),)
        event = difference(shared, state, next_revs(shared), event="joined", at=_stamp(self._now()))
        if not says_nothing(event):
            self._write_journal(together(self._pending, event))
        self._work.sent()

    def _send(self, line: Event | None = None) -> None:
        """Bring to the store what it has not yet, and this event. Raises StateError."""
        self._tried = self._clock()
        if self._pending is not None and len(msgspec.json.encode(self._pending)) > LARGE:
            self._check_in()
        self._write_journal(together(self._pending, line))

    def _write_journal(self, pending: Event | None) -> None:
        header = journal.new_header(self._project, who(), _stamp(self._now()))
        header = msgspec.structs.replace(header, generation=self._seen.generation, lock=self._there.id)
        self._seen = self._shared.write_journal(self._seen, header, pending)
        self._pending = pending

    def _check_in(self) -> None:
        """Make a snapshot of everything in the store, and begin the journal anew. Raises StateError."""
        if not self._backed_up:
            self._shared.back_up()
            self._backed_up = True
        self._seen = self._shared.write_snapshot(self._seen, self._recorder.sorted())
        self._pending = None
        with suppress(StateError):  # one that stays is folded in again, which changes nothing
            self._write_journal(None)

    def _finish(self) -> None:
        if self._pending is not None or self._recorder.sorted() != self._seen.snapshot:
            try:
                if not self._there.holds():
                    raise taken(self._shared.url, "the lock of this apply")
                self._check_in()
            except StateError as error:
                if isinstance(error.__cause__, ProviderError):
                    self._there.leave()
                kept = f"  What was recorded is kept in {self._work.folder}; the next apply here brings it there."
                raise StateError(f"{error}\n{kept}") from error
        self._work.sent()

    def _let_go(self) -> None:
        try:
            with suppress(StateError):  # whatever is told already matters more
                self._there.release()
        finally:
            self._here.release()


def _conflicting(conflicts: tuple[Conflict, ...], kept: Path) -> str:
    names = ", ".join(conflict.address for conflict in conflicts[:5])
    more = f" and {len(conflicts) - 5:,} more" if len(conflicts) > 5 else ""
    return f"recorded differently here and in the shared state, which stays: {names}{more}; ours is in {kept}"


def _stamp(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
