"""Looking at jobs: often while they are new, seldom later, all at once where there are many, and never for long.

Whoever observes gets what is known. A look runs in a thread of its own and is waited for only as long as a job's
standing is not known at all.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field

from reconciler.bytenite.api import Api
from reconciler.bytenite.client import TRIES
from reconciler.bytenite.known import KnownJob, KnownJobs
from reconciler.bytenite.wire import Job
from reconciler.bytenite.workers import Workers
from reconciler.core.errors import CredentialsError, ProviderError, UnavailableError

# Seconds: the first and the longest pause between two looks, and by how much of its age a job's pause grows.
SOONEST, LATEST, GROWTH = 1.0, 30.0, 0.3
# Where more jobs run, the list is read instead of each of them.
FEW = 5
# The most calls a second for each job that runs.
_CALLS_PER_JOB = 0.2
# How long an observation waits for a look though something is known, in seconds.
_PATIENCE = 1.0
# And how long though nothing is.
_LONG_PATIENCE = 20.0
_WHILE_ENDING = 0.3

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Lookout:
    """Looks at jobs when it is time to; `lost_sight` is how many seconds in vain are too many."""

    api: Api
    known: KnownJobs
    workers: Workers
    clock: Callable[[], float]
    lost_sight: float
    _trouble_since: float | None = None
    _trouble: ProviderError | None = None
    _quiet_until: float = 0.0
    _next_sweep: float = 0.0
    _pages: int = 1
    _going: Future[None] | None = None
    _unknown_states: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, job_ids: Sequence[str]) -> None:
        """Look at what is due of these jobs.

        Raises CredentialsError; UnavailableError if there is nothing known that could be told instead, or if the
        server was not reached for `lost_sight`.
        """
        jobs = [self.known.of(job_id) for job_id in job_ids]
        urgent, due = [one for one in jobs if self._urgent(one)], self._due(jobs)
        if urgent:
            if not _waited(self._begin(urgent + due, tries=TRIES, wait=True), _LONG_PATIENCE):
                self._not_in_time(jobs)
        elif due:
            _waited(self._begin(due, tries=1, wait=False), _PATIENCE)
        self._despair(jobs)

    def _begin(self, jobs: list[KnownJob], *, tries: int, wait: bool) -> Future[None]:
        """Start a look, or join the one that goes on."""
        with self._lock:
            going = self._going
            if going is not None and not going.done() and not wait:
                return going
            self._going = self.workers.submit(lambda: self._look(jobs, tries))
            return self._going

    def _due(self, jobs: list[KnownJob]) -> list[KnownJob]:
        now = self.clock()
        if now < self._quiet_until:
            return []
        running = [one for one in jobs if one.running]
        due = [one for one in running if now >= one.next_look]
        if len(running) > FEW and due:
            # All of them are in the list; it is read only as often as there are calls for.
            return running if now >= self._next_sweep else []
        return due

    def _look(self, jobs: list[KnownJob], tries: int) -> None:
        began, single = self.clock(), jobs
        try:
            if len(jobs) > FEW and self._pages <= len(jobs):
                single = self._sweep(jobs, tries)
            for one in single:
                self._told(one, self.api.get(one.id, tries=tries))
        except CredentialsError:
            raise
        except ProviderError as error:
            self.in_trouble(error)
        else:
            self._trouble_since = self._trouble = None
        calls = len(single) + (self._pages if single is not jobs else 0)
        self._next_sweep = began + max(SOONEST, calls / (_CALLS_PER_JOB * len(jobs)))

    def _sweep(self, jobs: list[KnownJob], tries: int) -> list[KnownJob]:
        """Read the list until all of `jobs` were in it; those that were not, whose absence proves nothing."""
        wanted, pages = {one.id: one for one in jobs}, 0
        for page in self.api.pages(tries=tries):
            pages += 1
            for job in page.jobs:
                if job.id in wanted:
                    self._told(wanted.pop(job.id), None if job.deleted else job)
            if not wanted:
                break
        self._pages = max(1, pages)
        return list(wanted.values())

    def _told(self, known: KnownJob, job: Job | None) -> None:
        now = self.clock()
        known.told(job, now)
        age = now - (known.since if known.since is not None else now)
        known.next_look = now + (_WHILE_ENDING if known.ending else min(LATEST, max(SOONEST, GROWTH * age)))
        if job is not None and job.state == "RUNNING" and job.raw_state not in self._unknown_states:
            self._unknown_states.add(job.raw_state)
            _log.info("job %s is in a state that nobody knows: %s; it is taken for running", job.id, job.raw_state)

    def in_trouble(self, error: ProviderError) -> None:
        """Take note that the server could not be asked; the next successful look ends the trouble."""
        now = self.clock()
        self._trouble = error
        self._trouble_since = now if self._trouble_since is None else self._trouble_since
        self._quiet_until = now + min(LATEST, max(SOONEST, GROWTH * (now - self._trouble_since)))
        _log.debug("looking at jobs failed: %s", error)

    def _despair(self, jobs: list[KnownJob]) -> None:
        """Raise if nothing can be told, or nothing was heard for too long."""
        trouble, since = self._trouble, self._trouble_since
        if trouble is None or since is None:
            return
        if _nothing_to_tell(jobs):
            raise UnavailableError(str(trouble)) from trouble
        if self.clock() - since >= self.lost_sight:
            raise UnavailableError(f"{trouble} Nothing was heard for {self.lost_sight / 60:.0f} minutes.") from trouble

    def _not_in_time(self, jobs: list[KnownJob]) -> None:
        if _nothing_to_tell(jobs):
            raise UnavailableError(f"{self.api.client.access.name}: no answer in {_LONG_PATIENCE:.0f} s")

    def _urgent(self, known: KnownJob) -> bool:
        """Whether nothing sure is known of a job, or of a draft not lately."""
        return _unknown(known) or (known.draft and not known.lost and self.clock() >= known.next_look)


def _waited(look: Future[None], seconds: float) -> bool:
    """Whether a look ended in time. Raises what it raised."""
    try:
        look.result(timeout=seconds)
    except FutureTimeoutError:
        return False
    return True


def _nothing_to_tell(jobs: list[KnownJob]) -> bool:
    """Whether guessing would be all that is left: no job was ever seen, or one may have been started."""
    unknown = [one for one in jobs if _unknown(one)]
    return bool(unknown) and (len(unknown) == len(jobs) or any(one.doubtful for one in unknown))


def _unknown(known: KnownJob) -> bool:
    return not known.lost and (known.job is None or known.doubtful)
