"""Where requests about jobs are decided: what is asked, checked and kept in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from reconciler.core.errors import ProviderError
from reconciler.ffmpeg.probe import probe
from reconciler.server import data_sources, encoding, states
from reconciler.server.bodies import Plain, field, has_snake, mapping, text, truth, whole
from reconciler.server.clock import moment
from reconciler.server.database import Database, marks
from reconciler.server.errors import ApiError, invalid, taken, unmet
from reconciler.server.files import Files
from reconciler.server.jobs import (
    ABORTED,
    LONGEST_DESCRIPTION,
    Config,
    Job,
    checked_name,
    edited,
    failed,
    new_job,
    renamed,
    started,
)
from reconciler.server.ports import Sources
from reconciler.server.runner import Runner
from reconciler.server.settings import Dialect, Settings
from reconciler.server.wallet import Wallet

# How long a request for an estimate may fetch, in seconds; what came is kept for the next one.
_ESTIMATE_SECONDS = 30.0
_FULL_RETRY = 10


@dataclass(frozen=True, slots=True)
class Desk:
    """What requests about jobs need."""

    settings: Settings
    database: Database
    files: Files
    wallet: Wallet
    runner: Runner
    sources: Sources
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    new_id: Callable[[], str]

    def create(self, body: Plain) -> Job:
        """Make a draft, or change the one of the given id. Raises ApiError."""
        job_id = text(body, "job_id") or self.new_id()
        drafted = new_job(job_id, text(body, "name") or f"Job {job_id}", text(body, "template_id"), self.now())
        with self.database.transaction():
            old = self.database.find(job_id)
            job = drafted if old is None else renamed(old, drafted)
            if field(body, "description") is not None:
                job = edited(job, description=_description(body))
            if has_snake(body, "data_source", "data_destination"):
                job = edited(job, dialect="legacy")
            job = self._with_source(job, body)
            if field(body, "params") is not None:
                job = self._with_params(job, mapping(field(body, "params"), "params"))
            if field(body, "config") is not None:
                job = edited(job, config=_config(mapping(field(body, "config"), "config")), dialect="current")
            self.database.put(job)
        return job

    def set_source(self, job_id: str, body: Plain, dialect: Dialect) -> Job:
        """Set source and destination; one that is left out stays. Raises ApiError."""
        return self._edit(job_id, dialect, lambda job: self._with_source(job, body))

    def set_params(self, job_id: str, body: Plain, dialect: Dialect) -> Job:
        """Set the encoding document, bare or wrapped in `params`. Raises ApiError."""
        inner = field(body, "params") if not {"data", "app"} & body.keys() else None
        document = body if inner is None else mapping(inner, "params")
        return self._edit(job_id, dialect, lambda job: self._with_params(job, document))

    def set_config(self, job_id: str, body: Plain) -> Job:
        """Set how the job is run. Raises ApiError."""
        inner = field(body, "config")
        config = _config(body if inner is None else mapping(inner, "config"))
        return self._edit(job_id, "current", lambda job: edited(job, config=config))

    def set_name(self, job_id: str, body: object) -> Job:
        """Rename: a bare JSON text, or `{"name": ...}`. Raises ApiError."""
        name = body if isinstance(body, str) else text(mapping(body), "name")
        return self._edit(job_id, "current", lambda job: edited(job, name=checked_name(name)))

    def upload_completed(self, job_id: str, dialect: Dialect) -> Job:
        """Note that the client has sent its file. Raises ApiError if it has not."""
        job = self._edit(job_id, dialect, edited)
        if not (data_sources.is_upload(job.data_source) and job.uploaded):
            raise unmet("nothing was uploaded; PUT the file to dataSource.params.tempUrl first")
        return job

    def check_upload(self, job_id: str) -> None:
        """Raise ApiError unless the job waits for a file."""
        if not data_sources.is_upload(edited(self.database.job(job_id)).data_source):
            raise unmet(f"the data source of job {job_id} is not a file")

    def keep_upload(self, job_id: str, part: Path) -> None:
        """Take a whole upload. Raises ApiError if its job is no draft any more, OSError."""
        with self.database.transaction():
            job = edited(self.database.job(job_id), uploaded=True)
            self.files.keep_upload(part, job_id)
            self.database.put(job)

    def run(self, job_id: str, body: Plain) -> None:
        """Start a draft; once this returns, the job will run whatever happens to this process. Raises ApiError."""
        config = field(body, "config")
        with self.database.transaction():
            job = self.database.job(job_id)
            if job.state != states.NEW:
                raise taken(f"job {job_id} was already started: it is {states.wire(job.state)}")
            if config:
                job = edited(job, config=_config(mapping(config, "config")))
            self._check_runnable(job)
            now = self.now()
            self.database.put(started(job, now))
            self.database.note_start(job_id, now)
        self.runner.submit(job_id)

    def abort(self, job_id: str) -> None:
        """End a running job, delete a draft. Raises ApiError for a job that has ended."""
        with self.database.transaction():
            job = self.database.job(job_id)
            if job.state == states.NEW:
                self.database.remove(job_id)
            elif job.state not in states.ENDED:
                self.database.put(failed(job, ABORTED, self.now()))
            elif job.error != ABORTED:
                raise taken(f"job {job_id} has ended: it is {states.wire(job.state)}")
        self.runner.cancel(job_id)
        if job.state == states.NEW:
            self.files.remove(job_id)

    def delete(self, job_id: str) -> None:
        """Forget a job and remove its files; one that runs is ended. Raises ApiError."""
        with self.database.transaction():
            self.database.job(job_id)
            self.database.remove(job_id)
        self.runner.cancel(job_id)
        self.files.remove(job_id)

    def estimate(self, job_id: str) -> str:
        """What a job will cost, in ByteChips, by the length of its source. Raises ApiError."""
        job = self.database.job(job_id)
        if job.estimate is not None:
            return job.estimate
        self._check_complete(job)
        if not self.wallet.rate:
            return "0"
        assert job.params is not None, "it is complete"
        outputs = len(encoding.renditions(job.params, job.name))
        estimate = f"{self.wallet.price([self._source_seconds(job)] * outputs):f}"
        with suppress(ApiError):
            self.database.change(job_id, lambda now: edited(now, estimate=estimate) if _same(now, job) else now)
        return estimate

    def source_size(self, body: Plain) -> tuple[str, int | None]:
        """The name and the size of what a source leads to. Raises ApiError if it cannot be reached."""
        given = data_sources.read_source(
            field(body, "data_source"), keep_secrets=False, allow_private=self.settings.allow_private
        )
        if given.told is None or given.told["dataSourceDescriptor"] != "url":
            raise unmet("dataSource.dataSourceDescriptor: only a url can be tested here")
        source = data_sources.to_source("test", given.told, given.password)
        try:
            return source.identity.rpartition("?")[0].rpartition("/")[2], self.sources.size(source)
        except ProviderError as error:
            raise unmet(f"dataSource: {error}") from error

    def now(self) -> str:
        """The time, as it is told."""
        return moment(self.clock())

    def _edit(self, job_id: str, dialect: Dialect | Literal[""], change: Callable[[Job], Job]) -> Job:
        return self.database.change(job_id, lambda job: edited(change(edited(job)), dialect=dialect))

    def _with_source(self, job: Job, body: Plain) -> Job:
        keep = self.settings.dialect == "legacy"
        source = data_sources.read_source(
            field(body, "data_source"), keep_secrets=keep, allow_private=self.settings.allow_private
        )
        destination = data_sources.read_destination(field(body, "data_destination"), keep_secrets=keep)
        if source.told is not None:
            job = edited(job, data_source=source.told, password=source.password, estimate=None)
        return edited(job, data_destination=destination.told) if destination.told is not None else job

    def _with_params(self, job: Job, document: Mapping[str, Any]) -> Job:
        if not encoding.is_empty(document):
            encoding.renditions(document, job.name)
        return edited(job, params=dict(document), estimate=None)

    def _check_runnable(self, job: Job) -> None:
        self._check_complete(job)
        data_sources.check_runnable(job.data_source, job.data_destination, uploaded=job.uploaded)
        self.wallet.check(job)
        waiting = self.database.count(f"WHERE state IN ({marks(states.ACTIVE)})", states.ACTIVE)
        if waiting >= self.settings.queue:
            raise ApiError(
                429, f"{waiting} jobs are waiting or running, the most that there may be", retry_after=_FULL_RETRY
            )

    def _check_complete(self, job: Job) -> None:
        if job.data_source is None:
            raise unmet("dataSource is not set")
        if job.params is None or encoding.is_empty(job.params):
            raise unmet("params is not set: send the encoding document")
        encoding.renditions(job.params, job.name)

    def _source_seconds(self, job: Job) -> float:
        assert job.data_source is not None, "it is complete"
        data_sources.check_runnable(job.data_source, None, uploaded=job.uploaded)
        until = self.monotonic() + _ESTIMATE_SECONDS
        source = data_sources.to_source(job.id, job.data_source, job.password)
        try:
            fetched = self.sources.fetch(source, lambda *_: None, lambda: self.monotonic() > until)
            return probe(fetched.path).end
        except ProviderError as error:
            raise unmet(f"no estimate: {error}") from error
        finally:
            self.sources.release(source)


def _same(one: Job, other: Job) -> bool:
    """Whether nothing that decides the price has changed."""
    return (one.state, one.data_source, one.params) == (other.state, other.data_source, other.params)


def _description(body: Plain) -> str:
    description = text(body, "description")
    if len(description) > LONGEST_DESCRIPTION:
        raise invalid(f"description: at most {LONGEST_DESCRIPTION} characters")
    return description


def _config(body: Plain) -> Config:
    return Config(
        task_timeout=whole(field(body, "task_timeout"), "config.taskTimeout"),
        job_timeout=whole(field(body, "job_timeout"), "config.jobTimeout"),
        is_test_job=truth(field(body, "is_test_job"), "config.isTestJob"),
        max_task_retries=whole(field(body, "max_task_retries"), "config.maxTaskRetries"),
    )
