"""One try at one job: handed to the provider, watched, and kept as it ends."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.errors import ProviderError
from reconciler.core.ports import (
    Done,
    Draft,
    Failed,
    Forgets,
    JobRequest,
    Lost,
    NotMade,
    Observation,
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
from reconciler.server.jobs import Job, Result, advanced, completed, failed, laid_down, taken_up
from reconciler.server.ports import Sources
from reconciler.server.wallet import Wallet

# A job that was running each time when its server died so often is taken for the cause.
MOST_RUNS = 5

log = logging.getLogger("reconciler.server")


class GoneError(Exception):
    """The job of an attempt was aborted, deleted or replaced: whatever comes of it is not wanted."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What every attempt works with. `monotonic` gives seconds, `new_id` an id that nobody has."""

    database: Database
    files: Files
    wallet: Wallet
    provider: Provider
    sources: Sources
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    new_id: Callable[[], str]

    def now(self) -> str:
        """The time, as it is kept."""
        return moment(self.clock())


class Attempt:
    """One try. `begin` it, `look` until that says that it has ended, and `clear` up in any case."""

    def __init__(self, job_id: str, tools: Tools, stopping: Callable[[], bool]) -> None:
        """`stopping` says whether the server stops, so that nothing which fails now is the job's fault."""
        self.job_id = job_id
        # Set by whoever ends the job; heeded at the next look.
        self.cancelled = False
        self._tools, self._stopping = tools, stopping
        self._run = tools.new_id().replace("-", "")
        self._began = tools.monotonic()
        self._encoding_since: float | None = None
        self._started_at: str | None = None
        self._request: JobRequest | None = None
        self._job: Job | None = None
        self._progress = 0.0
        self._told = ("", -1.0)

    def begin(self) -> bool:
        """Hand the job to the provider; False if there is nothing to look at. Raises GoneError."""
        job = self._tools.database.find(self.job_id)
        if job is None or job.state not in states.ACTIVE:
            return False
        self._started_at = job.started_at
        if job.runs >= MOST_RUNS:
            self.fail(f"the server died {job.runs} times while it ran this job")
            return False
        self._job = self._change(taken_up)
        self._request = _request(self._job, self._run)
        log.info("job %s: run with %d outputs", job.id, len(self._request.outputs))
        try:
            self._tools.provider.prepare(self._request)
            self._tools.provider.start(self._run)
        except ProviderError as error:
            self.fail(str(error))
            return False
        return True

    def look(self) -> bool:
        """Keep what is seen of the job now; whether there is nothing more to see. Raises GoneError."""
        seen: Observation = self._tools.provider.observe([self._run])[self._run]
        if self.cancelled:
            raise GoneError
        self._keep(getattr(seen, "messages", ()))
        match seen:
            case Running():
                return self._goes_on(seen)
            case Done():
                self._finish(seen)
            case Failed(error):
                self.fail(error)
            case Draft() | Lost():
                self.fail("the encoder lost the job")
        return True

    def lay_down(self) -> None:
        """Leave the job to the next start of the server."""
        with suppress(GoneError):
            self._change(laid_down)

    def fail(self, error: str) -> None:
        """End the job without its outputs. Raises GoneError."""
        if self._stopping():
            self.lay_down()
            return
        log.info("job %s: failed", self.job_id)
        self._change(lambda job: failed(job, error, self._tools.now()))
        self._keep([error], "TASKRUNNER", "ERROR")

    def clear(self) -> None:
        """Remove what the attempt left, and the upload of a job that has ended."""
        tools = self._tools
        if self._request is not None:
            # While the provider is being closed it may be ending the job by itself.
            with suppress(ProviderError, KeyError):
                tools.provider.cancel(self._run)
            if isinstance(tools.provider, Forgets):
                tools.provider.forget(self._run)
            tools.sources.release(self._request.source)
        tools.files.remove_run(self._run)
        job = tools.database.find(self.job_id)
        if job is None or job.state in states.ENDED:
            tools.files.remove_upload(self.job_id)

    def _goes_on(self, seen: Running) -> bool:
        late = self._late(seen)
        if late is not None:
            self.fail(late)
            return True
        if seen.stage == "encoding" and seen.fraction is not None:
            # What failed beside others is encoded again alone: that is no step back.
            self._progress = max(self._progress, seen.fraction)
        told = (seen.stage, round(self._progress, 3))
        if told != self._told:
            self._told = told
            self._change(lambda job: self._further(job, seen))
        return False

    def _late(self, seen: Running) -> str | None:
        """Why the job may not go on, if its client gave it only so much time."""
        assert self._job is not None, "it runs"
        now, config = self._tools.monotonic(), self._job.config
        if seen.stage == "encoding" and self._encoding_since is None:
            self._encoding_since = now
        since = self._encoding_since
        if config.job_timeout and now - self._began >= config.job_timeout:
            return f"stopped after {config.job_timeout} s, its jobTimeout"
        if config.task_timeout and since is not None and now - since >= config.task_timeout:
            return f"stopped after {config.task_timeout} s of encoding, its taskTimeout"
        return None

    def _further(self, job: Job, seen: Running) -> Job:
        assert self._request is not None, "it runs"
        tasks = len(self._request.outputs) if seen.stage in {"encoding", "verifying"} else None
        state = states.of(seen, job.state)
        return advanced(job, state, self._tools.now(), progress=self._progress, tasks=tasks)

    def _finish(self, done: Done) -> None:
        assert self._request is not None, "it ran"
        names = {output.name: output.path.rpartition("/")[2] for output in self._request.outputs}
        results = done.outputs.items()
        wrong = [f"{names[name]}: {_reason(each)}" for name, each in results if not isinstance(each, Verified)]
        if wrong:
            self.fail("; ".join(sorted(wrong)))
            return
        self._change(lambda job: advanced(job, states.DOWNLOADING, self._tools.now(), progress=1.0))
        try:
            kept = self._publish(done.outputs, names)
        except OSError as error:
            self._tools.files.remove_results(self.job_id)
            self.fail(f"the results cannot be kept: {error.strerror or error}")
            return
        self._complete(kept, self._lengths(done.outputs, names), done.seconds or 0.0)

    def _publish(self, outputs: Mapping[str, OutputResult], names: Mapping[str, str]) -> tuple[Result, ...]:
        made = [
            self._tools.files.publish(result.path, self.job_id, names[name])
            for name, result in outputs.items()
            if isinstance(result, Verified)
        ]
        return tuple(sorted(made, key=lambda result: result.name))

    def _lengths(self, outputs: Mapping[str, OutputResult], names: Mapping[str, str]) -> list[float]:
        """How long each output is, in seconds, as its encoder says or as its file does."""
        found = [
            result.duration if result.duration is not None else _length(self._tools.files, self.job_id, names[name])
            for name, result in outputs.items()
            if isinstance(result, Verified)
        ]
        return [seconds if math.isfinite(seconds) else 0.0 for seconds in found]

    def _complete(self, results: tuple[Result, ...], lengths: Sequence[float], seconds: float) -> None:
        tools = self._tools
        price, units = f"{tools.wallet.price(lengths):f}", math.ceil(max(lengths, default=0.0) / 60)
        try:
            with tools.database.transaction():
                job = self._change(
                    lambda job: completed(job, results, tools.now(), payment=price, units=units, seconds=seconds)
                )
                tools.wallet.book(job, tools.new_id(), tools.now())
        except GoneError:
            tools.files.remove_results(self.job_id)
            raise
        self._keep([f"made {result.name}, {result.size:,} bytes" for result in results], "ASSEMBLER")
        log.info("job %s: complete", self.job_id)

    def _change(self, change: Callable[[Job], Job]) -> Job:
        """Change the job that is being run. Raises GoneError if that is not the one of this attempt any more."""

        def checked(job: Job) -> Job:
            if job.state not in states.ACTIVE or job.started_at != self._started_at:
                raise missing(job.id)
            return change(job)

        try:
            return self._tools.database.change(self.job_id, checked)
        except ApiError as error:
            raise GoneError from error

    def _keep(self, texts: Sequence[str], service: str = "PARTITIONER", level: str = "INFO") -> None:
        if texts:
            self._tools.database.log(self.job_id, service, level, self._tools.now(), texts)


def _request(job: Job, run: str) -> JobRequest:
    assert job.params is not None, "only complete jobs are started"
    assert job.data_source is not None, "only complete jobs are started"
    source = data_sources.to_source(job.id, job.data_source, job.password)
    return encoding.request_for(job.id, run, job.name, source, encoding.renditions(job.params, job.name))


def _length(files: Files, job_id: str, name: str) -> float:
    """How long a file is, in seconds; 0 where that cannot be said."""
    path = files.result(job_id, name)
    if path is None:
        return 0.0
    try:
        return probe(str(path)).end
    except ProviderError:
        return 0.0


def _reason(result: OutputResult) -> str:
    return result.error if isinstance(result, NotMade | Suspect) else "it was not made here"
