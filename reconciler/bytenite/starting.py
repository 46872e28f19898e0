"""The one call that costs money: made once, and never again without a look at what became of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from reconciler.bytenite.api import Api
from reconciler.bytenite.client import Clocks
from reconciler.bytenite.failures import AnsweredError
from reconciler.bytenite.known import KnownJob
from reconciler.bytenite.wire import Job, is_draft
from reconciler.core.errors import RejectedError, UnavailableError

# The server may still digest what it was told last; then it is asked again after so long, in seconds.
_SETTLE = 0.5
_BAD_REQUEST = 400
_VALIDATION = ("valid", "param", "template", "source", "schema", "missing", "required", "output")


@dataclass(frozen=True, slots=True)
class Starter:
    """Starts drafts. Safe in threads, for different jobs."""

    api: Api
    clocks: Clocks

    def start(self, known: KnownJob) -> None:
        """See core.ports.Provider.start. Nothing is sent for a job that is known to have been started."""
        if known.job is None or known.doubtful:
            # Not prepared by this process, or started by it without an answer: perhaps it runs already.
            self._told(known, there(self.api, known.id))
        if known.started:
            return
        try:
            self._run(known)
        except AnsweredError as error:
            self._settle(known, error)
        if known.draft and known.job is not None:
            self._told(known, dataclasses.replace(known.job, state="STARTED", started_at=self.clocks.now()))

    def _run(self, known: KnownJob) -> None:
        """Any doubt is left to whoever observes."""
        try:
            self.api.run(known.id)
        except UnavailableError:
            known.doubtful = True
            raise

    def _settle(self, known: KnownJob, error: AnsweredError) -> None:
        """After a refusal: a job that was started after all is no failure, one that is still digested gets a moment."""
        if not self._is_draft(known):
            return
        if not _hasty(error):
            raise error
        self.clocks.sleep(_SETTLE + _SETTLE * self.clocks.dice.random())
        if not self._is_draft(known):
            return
        try:
            self._run(known)
        except AnsweredError:
            if self._is_draft(known):
                raise

    def _is_draft(self, known: KnownJob) -> bool:
        """Whether a job is one after all. UnavailableError means that nobody knows."""
        try:
            job = there(self.api, known.id)
        except UnavailableError:
            known.doubtful = True
            raise
        self._told(known, job)
        return is_draft(job)

    def _told(self, known: KnownJob, job: Job) -> None:
        known.told(job, self.clocks.monotonic())


def there(api: Api, job_id: str) -> Job:
    """A job as it stands. Raises RejectedError if it is not there, and as Api.get."""
    job = api.get(job_id)
    if job is None:
        raise RejectedError(f"job {job_id} is not there any more")
    return job


def _hasty(error: AnsweredError) -> bool:
    """Whether a refusal may only mean that the server still digests what it was told: a 400 that names no fault."""
    words = str(error).rpartition("answered 400:")[2].lower()
    return error.status == _BAD_REQUEST and not any(word in words for word in _VALIDATION)
