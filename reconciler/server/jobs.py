"""A job and what may become of it. Nothing here touches the outside world."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from reconciler.server import states
from reconciler.server.errors import invalid, taken, unmet

SHORTEST_NAME = 4
LONGEST_NAME = 200
LONGEST_DESCRIPTION = 16_000
TEMPLATE = "video-transcoding@v0.2"
ABORTED = "aborted"

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_TEMPLATE = re.compile(r"video-transcoding(@\S{0,20})?")


class Result(msgspec.Struct, frozen=True):
    """A file that a job made, under its own name; `master` is what opens a folder of files."""

    name: str
    size: int
    master: str = ""


class Config(msgspec.Struct, frozen=True):
    """How a job is run; times in seconds, 0: without end."""

    task_timeout: int = 0
    job_timeout: int = 0
    is_test_job: bool = False
    max_task_retries: int = 0


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job. Sources and destinations are as they are told, `params` as they were sent.

    `dialect` is the generation that its client speaks, empty while that is not known. Money is a decimal text in
    ByteChips, times are RFC 3339. `password` opens the source, and is forgotten when the job ends. `runs` counts how
    often it was taken up by a server that did not live to its end.
    """

    id: str
    name: str
    template_id: str
    created_at: str
    description: str = ""
    dialect: str = ""
    state: str = states.NEW
    state_times: dict[str, str]
    started_at: str | None = None
    ended_at: str | None = None
    data_source: dict[str, Any] | None = None
    data_destination: dict[str, Any] | None = None
    password: str = ""
    params: dict[str, Any] | None = None
    config: Config = Config()
    uploaded: bool = False
    estimate: str | None = None
    payment: str = "0"
    units: int = 0
    tasks: int = 0
    progress: float = 0.0
    seconds: float | None = None
    error: str = ""
    results: tuple[Result, ...] = ()
    files_gone: bool = False
    runs: int = 0


def new_job(job_id: str, name: str, template_id: str, now: str) -> Job:
    """A draft. Raises ApiError for an id, a name or a template that cannot be."""
    if not _ID.fullmatch(job_id):
        raise invalid("jobId must be 1 to 64 letters, digits, - and _; leave it out and the server makes one")
    if not template_id:
        raise invalid(f"templateId is missing: {TEMPLATE}")
    if not _TEMPLATE.fullmatch(template_id):
        raise invalid(f"templateId: there is no template {template_id[:60]!r} here; this server has {TEMPLATE}")
    return Job(
        id=job_id,
        name=checked_name(name),
        template_id=template_id,
        created_at=now,
        state_times={states.wire(states.NEW): now},
    )


def checked_name(name: str) -> str:
    """A job's name. Raises ApiError for one that is too short or too long."""
    if len(name) < SHORTEST_NAME:
        raise invalid(f"name: {name!r} is too short; a job's name has at least {SHORTEST_NAME} characters")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise invalid(f"name: a job's name has at most {LONGEST_NAME} printable characters")
    return name


def edited(job: Job, **changes: Any) -> Job:  # noqa: ANN401 - the fields of a job
    """A draft with changes. Raises ApiError for a job that is no draft any more."""
    if job.state != states.NEW:
        raise unmet(f"job {job.id} is {states.wire(job.state)}: only a job that was not started can be changed")
    return msgspec.structs.replace(job, **changes)


def renamed(old: Job, new: Job) -> Job:
    """A draft that is created again under its own id. Raises ApiError for a job that was started."""
    if old.state != states.NEW:
        raise taken(f"job {old.id} exists and was already started: it is {states.wire(old.state)}")
    return msgspec.structs.replace(old, name=new.name, template_id=new.template_id)


def started(job: Job, now: str) -> Job:
    """A draft that was told to run. Raises ApiError if it was told before."""
    if job.state != states.NEW:
        raise taken(f"job {job.id} was already started: it is {states.wire(job.state)}")
    return msgspec.structs.replace(_at(job, states.STARTED, now), started_at=now)


def taken_up(job: Job) -> Job:
    """A started job that somebody runs, once more if it was run before."""
    return msgspec.structs.replace(job, runs=job.runs + 1)


def laid_down(job: Job) -> Job:
    """A running job whose server stops: that it was taken up does not count."""
    return msgspec.structs.replace(job, runs=max(job.runs - 1, 0))


def advanced(job: Job, state: str, now: str, *, progress: float | None = None, tasks: int | None = None) -> Job:
    """A running job further on; it never goes back, not even when a restarted server runs it again."""
    for each in states.passed(job.state, state):
        job = _at(job, each, now)
    return msgspec.structs.replace(
        job,
        progress=job.progress if progress is None else round(progress, 4),
        tasks=job.tasks if tasks is None else tasks,
    )


def completed(job: Job, results: tuple[Result, ...], now: str, *, payment: str, units: int, seconds: float) -> Job:
    """A job that made all that was asked for."""
    job = advanced(job, states.COMPLETE, now, progress=1.0)
    return msgspec.structs.replace(
        job,
        ended_at=now,
        results=results,
        payment=payment,
        units=units,
        seconds=round(seconds, 3),
        password="",
    )


def failed(job: Job, error: str, now: str) -> Job:
    """A job that ended without its outputs; it costs nothing."""
    times = {**job.state_times, states.wire(states.FAILED): now}
    return msgspec.structs.replace(
        job,
        state=states.FAILED,
        state_times=times,
        ended_at=now,
        error=error,
        password="",
    )


def _at(job: Job, state: str, now: str) -> Job:
    return msgspec.structs.replace(job, state=state, state_times={**job.state_times, states.wire(state): now})
