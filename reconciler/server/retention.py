"""Removes files that were kept long enough; their jobs stay in the list."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from reconciler.server import states
from reconciler.server.clock import moment
from reconciler.server.database import Database
from reconciler.server.files import Files
from reconciler.server.jobs import Job

_LOOKING = 30.0
_AT_ONCE = 200

log = logging.getLogger("reconciler.server")


class Retention:
    """The sweeper. `seconds` is how long the files of a finished job, and uploads that nobody runs, are kept."""

    def __init__(self, database: Database, files: Files, *, seconds: int, clock: Callable[[], datetime]) -> None:
        self._database, self._files, self._seconds, self._clock = database, files, seconds, clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="retention", daemon=True)

    def start(self) -> None:
        """Sweep now and then until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Sweep no more."""
        self._stop.set()
        self._thread.join()

    def sweep(self) -> int:
        """Remove what is due; how many jobs lost their files."""
        before = moment(self._clock() - timedelta(seconds=self._seconds))
        due = self._database.jobs("WHERE files AND ended_at <= ? LIMIT ?", (before, _AT_ONCE))
        for job in due:
            self._forget_results(job)
        for draft in self._database.jobs("WHERE state = ? AND created_at <= ?", (states.NEW, before)):
            if draft.uploaded:
                self._forget_upload(draft)
        return len(due)

    def _forget_results(self, job: Job) -> None:
        with self._database.transaction():
            if self._database.find(job.id) == job:
                self._database.put(msgspec.structs.replace(job, results=(), files_gone=True))
                self._files.remove_results(job.id)

    def _forget_upload(self, job: Job) -> None:
        """Unless the draft was touched meanwhile."""
        with self._database.transaction():
            if self._database.find(job.id) == job:
                self._database.put(msgspec.structs.replace(job, uploaded=False))
                self._files.remove_upload(job.id)

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                while self.sweep() == _AT_ONCE:
                    pass
            except Exception:
                log.exception("the sweeper of old files met an error, and goes on")
            self._stop.wait(_LOOKING)
