"""Runs jobs through the provider and keeps where they stand; after a restart it runs again what had not ended."""

from __future__ import annotations

import logging
import math
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.core.errors import ProviderError
from reconciler.core.ports import (
    Done,
    Draft,
    Failed,
    JobRequest,
    Lost,
    NotMade,
    OutputResult,
    Provider,
    Running,
    Suspect,
    Verified,
)
from reconciler.ffmpeg.probe import probe
from reconciler.server import data_sources, encoding, states
from reconciler.server.clock import moment
from reconciler.server.database import Database
from reconciler.server.errors import ApiError, missing
from reconciler.server.files import Files
from reconciler.server.jobs import Job, Result, advanced, completed, failed
from reconciler.server.ports import Sources
from reconciler.server.wallet import Wallet

_LOOKING = 0.1
_STOPPING = 5.0

log = logging.getLogger("reconciler.server")


class GoneError(Exception):
    """The job of an attempt was aborted, deleted or replaced: whatever comes of it is not wanted."""


@dataclass(slots=True)
class Attempt:
    """One try at a job by one worker. `run` names it among the files."""

    job_id: str
    run: str
    cancelled: bool = False
    started_at: str | None = None
    began: float = 0.0
    encoding_since: float | None = None
    told: tuple[str, float] = ("", 0.0)
    request: JobRequest | None = field(default=None)


class Runner:
    """A worker for each place at the encoder, and one more, so that the next source is there in time."""

    def __init__(
        self,
        database: Database,
        files: Files,
        wallet: Wallet,
        provider: Provider,
        sources: Sources,
        *,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
        new_id: Callable[[], str],
    ) -> None:
        self._database, self._files, self._wallet = database, files, wallet
        self._provider, self._sources = provider, sources
        self._clock, self._monotonic, self._sleep, self._new_id = clock, monotonic, sleep, new_id
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._attempts: dict[str, Attempt] = {}
        self._lock = threading.Lock()
        self._stopping = False
        self._workers: list[threading.Thread] = []

    def start(self) -> None:
        """Line up what had not ended, and begin."""
        for job in self._database.active():
            self._queue.put(job.id)
        for number in range(self._provider.parallelism + 1):
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
        self._provider.close()
        for worker in self._workers:
            worker.join(_STOPPING)

    def _work(self) -> None:
        while (job_id := self._queue.get()) is not None and not self._stopping:
            attempt = Attempt(job_id, self._new_id().replace("-", ""))
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
                    self._fail(attempt, "internal error of the server; its log says more")
            finally:
                self._clear(attempt)

    def _clear(self, attempt: Attempt) -> None:
        with self._lock:
            if self._attempts.get(attempt.job_id) is attempt:
                del self._attempts[attempt.job_id]
        if attempt.request is not None:
            # While the provider is being closed it may be ending the job by itself.
            with suppress(ProviderError, KeyError):
                self._provider.cancel(attempt.run)
            self._sources.release(attempt.request.source)
        self._files.remove_run(attempt.run)
        job = self._database.find(attempt.job_id)
        if job is None or job.state in states.ENDED:
            self._files.remove_upload(attempt.job_id)

    def _attend(self, attempt: Attempt) -> None:
        job = self._database.find(attempt.job_id)
        if job is None or job.state not in states.ACTIVE:
            return
        attempt.started_at, attempt.began = job.started_at, self._monotonic()
        request = attempt.request = self._request(job, attempt.run)
        log.info("job %s: run with %d outputs", job.id, len(request.outputs))
        try:
            self._provider.prepare(request)
            self._provider.start(attempt.run)
        except ProviderError as error:
            self._fail(attempt, str(error))
            return
        while not self._ended(attempt, job):
            self._sleep(_LOOKING)

    def _request(self, job: Job, run: str) -> JobRequest:
        assert job.params is not None, "only complete jobs are started"
        assert job.data_source is not None, "only complete jobs are started"
        source = data_sources.to_source(job.id, job.data_source, job.password)
        return encoding.request_for(job.id, run, job.name, source, encoding.renditions(job.params, job.name))

    def _ended(self, attempt: Attempt, job: Job) -> bool:
        """Look once at a running job, and keep what is seen; whether there is nothing more to see."""
        seen = self._provider.observe([attempt.run])[attempt.run]
        if self._stopping:
            return True
        if attempt.cancelled:
            raise GoneError
        self._keep_messages(attempt.job_id, getattr(seen, "messages", ()))
        match seen:
            case Running():
                return self._goes_on(attempt, job, seen)
            case Done():
                self._finish(attempt, seen)
            case Failed(error):
                self._fail(attempt, error)
            case Draft() | Lost():
                self._fail(attempt, "the encoder lost the job")
        return True

    def _goes_on(self, attempt: Attempt, job: Job, seen: Running) -> bool:
        now = self._monotonic()
        if seen.stage == "encoding" and attempt.encoding_since is None:
            attempt.encoding_since = now
        limits = (
            ("jobTimeout", attempt.began, job.config.job_timeout),
            ("taskTimeout", attempt.encoding_since, job.config.task_timeout),
        )
        for name, since, limit in limits:
            if limit and since is not None and now - since >= limit:
                self._fail(attempt, f"stopped after {limit} s: {name}")
                return True
        self._tell(attempt, seen)
        return False

    def _tell(self, attempt: Attempt, seen: Running) -> None:
        """Keep where a job stands, where that is another place than before."""
        progress = (seen.fraction or 0.0) if seen.stage == "encoding" else 0.0
        if (told := (seen.stage, round(progress, 3))) == attempt.told:
            return
        attempt.told = told
        assert attempt.request is not None, "it runs"
        tasks = len(attempt.request.outputs) if seen.stage in {"encoding", "verifying"} else None

        def further(job: Job) -> Job:
            fraction = progress if seen.stage != "verifying" else None
            return advanced(job, states.of(seen, job.state), self._now(), progress=fraction, tasks=tasks)

        self._change(attempt, further)

    def _finish(self, attempt: Attempt, done: Done) -> None:
        assert attempt.request is not None, "it ran"
        files = {output.name: output.path.rpartition("/")[2] for output in attempt.request.outputs}
        wrong = [
            f"{files[name]}: {_reason(result)}"
            for name, result in done.outputs.items()
            if not isinstance(result, Verified)
        ]
        if wrong:
            self._fail(attempt, "; ".join(sorted(wrong)))
            return
        self._change(attempt, lambda job: advanced(job, states.DOWNLOADING, self._now(), progress=1.0))
        try:
            results = self._publish(attempt, done.outputs, files)
        except OSError as error:
            self._files.remove_results(attempt.job_id)
            self._fail(attempt, f"the results cannot be kept: {error.strerror or error}")
            return
        self._complete(attempt, results, done.seconds or 0.0)

    def _publish(
        self, attempt: Attempt, outputs: Mapping[str, OutputResult], files: Mapping[str, str]
    ) -> tuple[Result, ...]:
        made = [
            self._files.publish(result.path, attempt.job_id, files[name])
            for name, result in outputs.items()
            if isinstance(result, Verified)
        ]
        return tuple(sorted(made, key=lambda result: result.name))

    def _complete(self, attempt: Attempt, results: Sequence[Result], seconds: float) -> None:
        lengths = [self._length(attempt.job_id, result) for result in results]
        price, units = f"{self._wallet.price(lengths):f}", math.ceil(max(lengths, default=0.0) / 60)

        def ended(job: Job) -> Job:
            return completed(job, tuple(results), self._now(), payment=price, units=units, seconds=seconds)

        try:
            with self._database.transaction():
                job = self._change(attempt, ended)
                self._wallet.book(job, self._new_id(), self._now())
        except GoneError:
            self._files.remove_results(attempt.job_id)
            raise
        self._keep_messages(
            attempt.job_id, [f"made {result.name}, {result.size:,} bytes" for result in results], "ASSEMBLER"
        )
        log.info("job %s: complete", attempt.job_id)

    def _length(self, job_id: str, result: Result) -> float:
        """How long an output is, in seconds; 0 where that cannot be said."""
        path = self._files.result(job_id, result.name)
        if path is None:
            return 0.0
        try:
            seconds = probe(str(path)).end
        except ProviderError:
            return 0.0
        return seconds if math.isfinite(seconds) else 0.0

    def _fail(self, attempt: Attempt, error: str) -> None:
        if self._stopping:
            return
        log.info("job %s: failed", attempt.job_id)
        self._keep_messages(attempt.job_id, [error], "TASKRUNNER", "ERROR")
        self._change(attempt, lambda job: failed(job, error, self._now()))

    def _change(self, attempt: Attempt, change: Callable[[Job], Job]) -> Job:
        """Change the job that is being run. Raises GoneError if that is not the one of this attempt any more."""

        def checked(job: Job) -> Job:
            if job.state not in states.ACTIVE or job.started_at != attempt.started_at:
                raise missing(job.id)
            return change(job)

        try:
            return self._database.change(attempt.job_id, checked)
        except ApiError as error:
            raise GoneError from error

    def _keep_messages(
        self, job_id: str, texts: Sequence[str], service: str = "PARTITIONER", level: str = "INFO"
    ) -> None:
        if texts:
            self._database.log(job_id, service, level, self._now(), texts)

    def _now(self) -> str:
        return moment(self._clock())


def _reason(result: OutputResult) -> str:
    return result.error if isinstance(result, NotMade | Suspect) else "it was not made here"
