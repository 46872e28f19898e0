"""The list of all jobs, looked through for those that this project may have left there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from reconciler.bytenite.api import Api
from reconciler.bytenite.known import slim
from reconciler.bytenite.wire import Job, is_draft

# On a server that takes no ids from us the list is the only way to find a job; older than this it is read again.
_FRESH = 5.0
_OURS = "rc-"
_NEVER = datetime.max.replace(tzinfo=UTC)


class Listing:
    """The jobs of a server as they were listed last. Safe in threads: one reads, the others wait for that.

    `ids_ignored` is set as soon as the server is known to give jobs ids of its own.
    """

    def __init__(self, api: Api, clock: Callable[[], float]) -> None:
        self._api, self._clock = api, clock
        self._by_id: dict[str, Job] = {}
        self._by_name: dict[str, list[Job]] = {}
        self._read_at: float | None = None
        self._lock = threading.Lock()
        self.ids_ignored = False

    def find(self, job_id: str, name: str, *, fresh: bool = False) -> list[Job]:
        """The job of this id, else those of this name: started ones first, then the oldest."""
        with self._lock:
            if fresh or self._stale():
                self._read()
            found = self._by_id.get(job_id)
            if found is not None:
                return [found]
            return sorted(self._by_name.get(name, []), key=_first)

    def _stale(self) -> bool:
        if self._read_at is None:
            return True
        return self.ids_ignored and self._clock() - self._read_at > _FRESH

    def _read(self) -> None:
        began = self._clock()
        by_id: dict[str, Job] = {}
        for page in self._api.pages():
            by_id.update({job.id: slim(job) for job in page.jobs if job.name.startswith(_OURS) and not job.deleted})
        by_name: dict[str, list[Job]] = {}
        for job in by_id.values():
            by_name.setdefault(job.name, []).append(job)
        self._by_id, self._by_name, self._read_at = by_id, by_name, began


def _first(job: Job) -> tuple[bool, datetime]:
    return is_draft(job), job.created_at or _NEVER
