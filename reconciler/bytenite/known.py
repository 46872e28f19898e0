"""What this process knows of each job: who wants it, how the server told it last, and what came of it."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.bytenite.wire import Job, has_ended, is_draft
from reconciler.core.ports import Done, Failed, JobRequest, SourceSeen

_SOON = 1.0  # seconds


@dataclass(slots=True)
class KnownJob:
    """One job. Times are on the monotonic clock, in seconds.

    `job` is None as long as it was never seen. `doubtful`: it may have been started without our hearing of it.
    `since` is when it was first seen running, `next_look` when it is looked at again,
    `collect_at` when its results may be asked for. `seen` is what was learnt of a
    source that we uploaded. `found`: it had been started when it was prepared here.
    """

    id: str
    request: JobRequest | None = None
    job: Job | None = None
    lost: bool = False
    doubtful: bool = False
    ending: bool = False
    since: float | None = None
    next_look: float = 0.0
    collecting: bool = False
    collect_at: float = 0.0
    outcome: Done | Failed | None = None
    seen: SourceSeen | None = None
    found: bool = False

    @property
    def draft(self) -> bool:
        """Whether it was a draft when it was last seen."""
        return self.job is not None and is_draft(self.job)

    @property
    def started(self) -> bool:
        """Whether it is known to have been started."""
        return self.job is not None and not is_draft(self.job)

    @property
    def running(self) -> bool:
        """Whether it was started and is not known to have ended."""
        return self.job is not None and self.started and not has_ended(self.job) and not self.lost

    def told(self, job: Job | None, now: float) -> None:
        """Take what the server says of it; None: it is not there. It is not looked at again at once."""
        self.next_look = now + _SOON
        if job is None:
            self.lost = True
            return
        self.lost = False
        self.job = slim(job)
        if self.started:
            self.doubtful = False
            self.since = now if self.since is None else self.since


class KnownJobs:
    """All of them, by the provider's id, and by the id of the request where that differs."""

    def __init__(self) -> None:
        self._jobs: dict[str, KnownJob] = {}
        self._of_requests: dict[str, str] = {}
        self._lock = threading.Lock()

    def of(self, job_id: str) -> KnownJob:
        """A job, made known if it is not."""
        with self._lock:
            return self._jobs.setdefault(job_id, KnownJob(job_id))

    def of_request(self, request: JobRequest) -> KnownJob | None:
        """The job that was prepared for a request by this process, if it is still there."""
        with self._lock:
            known = self._jobs.get(self._of_requests.get(request.job_id, ""))
            return known if known is not None and not known.lost else None

    def wanted(self, job_id: str, request: JobRequest) -> KnownJob:
        """A job, and the request that it answers."""
        known = self.of(job_id)
        with self._lock:
            known.request = request
            self._of_requests[request.job_id] = job_id
        return known

    def forget(self, job_id: str) -> None:
        """Forget a job."""
        with self._lock:
            self._jobs.pop(job_id, None)
            self._of_requests = {key: value for key, value in self._of_requests.items() if value != job_id}

    def running(self, job_ids: Iterable[str]) -> list[KnownJob]:
        """Those of `job_ids` that run, as far as is known."""
        return [known for job_id in job_ids if (known := self.of(job_id)).running]


def slim(job: Job) -> Job:
    """A job without its documents, of which thousands would fill the memory."""
    return dataclasses.replace(job, params=None, data_source=None, data_destination=None)
