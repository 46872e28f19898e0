"""Runs jobs in the order in which they were started; after a restart it runs again what had not ended."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from contextlib import suppress

from reconciler.server.attempt import Attempt, GoneError, Tools

_LOOKING = 0.1
_STOPPING = 5.0

log = logging.getLogger("reconciler.server")


class Runner:
    """A worker for each place at the encoder, and one more, so that the next source is there in time."""

    def __init__(self, tools: Tools, *, sleep: Callable[[float], None]) -> None:
        self._tools, self._sleep = tools, sleep
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._attempts: dict[str, Attempt] = {}
        self._lock = threading.Lock()
        self._stopping = False
        self._workers: list[threading.Thread] = []

    def start(self) -> None:
        """Line up what had not ended, and begin."""
        for job in self._tools.database.active():
            self._queue.put(job.id)
        for number in range(self._tools.provider.parallelism + 1):
            worker = threading.Thread(target=self._work, name=f"runner {number}", daemon=True)
            self._workers.append(worker)
            worker.start()

    def submit(self, job_id: str) -> None:
        """Line up a job that was started."""
        self._queue.put(job_id)

    def cancel(self, job_id: str) -> None:
        """End a job if it is being run; its worker does so soon."""
        with self._lock:
            attempt = self._attempts.get(job_id)
            if attempt is not None:
                attempt.cancelled = True

    def stop(self) -> None:
        """End what runs, in seconds, and leave it to the next start."""
        self._stopping = True
        for _ in self._workers:
            self._queue.put(None)
        self._tools.provider.close()
        for worker in self._workers:
            worker.join(_STOPPING)

    def _work(self) -> None:
        while (job_id := self._queue.get()) is not None and not self._stopping:
            attempt = Attempt(job_id, self._tools, lambda: self._stopping)
            with self._lock:
                self._attempts[job_id] = attempt
            try:
                self._attend(attempt)
            except GoneError:
                log.info("job %s: not wanted any more", job_id)
            except Exception:
                # A mistake in here must not end the worker, nor leave a job that never ends.
                log.exception("job %s: internal error", job_id)
                with suppress(GoneError):
                    attempt.fail("internal error of the server; its log says more")
            finally:
                self._part_with(attempt)

    def _attend(self, attempt: Attempt) -> None:
        if not attempt.begin():
            return
        while not self._stopping:
            if attempt.look():
                return
            self._sleep(_LOOKING)
        attempt.lay_down()

    def _part_with(self, attempt: Attempt) -> None:
        with self._lock:
            if self._attempts.get(attempt.job_id) is attempt:
                del self._attempts[attempt.job_id]
        attempt.clear()
