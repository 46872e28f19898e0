"""The JSON of the ByteNite API, typed: the legacy dialect of 2023 and the current one of 2025 alike.

Reading is lenient, since little of the API is documented exactly: unknown fields and states are no errors.
What is sent stands in `bodies`, errors in `complaints`, the comparison of an echo in `echo`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, get_args

from reconciler.bytenite import values
from reconciler.bytenite.bodies import (
    BucketKind,
    Generation,
    Wrapper,
    bucket_destination,
    bucket_source,
    create_body,
    data_source_body,
    file_source,
    params_body,
    temporary_destination,
    url_source,
)
from reconciler.bytenite.complaints import ApiError, error_of
from reconciler.bytenite.echo import echo_differences
from reconciler.bytenite.values import WireError

__all__ = [
    "STATES", "ApiError", "Balance", "BucketKind", "Generation", "Job", "JobState", "Page", "Result", "Token",
    "WireError", "Wrapper", "bucket_destination", "bucket_source", "create_body", "data_source_body",
    "echo_differences", "error_of", "file_source", "has_ended", "is_draft", "params_body", "read_balance",
    "read_estimation", "read_job", "read_page", "read_results", "read_token", "temporary_destination", "url_source",
]  # fmt: skip

# In the order of a job's life; any of them may turn into FAILED.
JobState = Literal[
    "NEW", "STARTED", "UPLOADING", "PARTITIONING", "PARTITIONED", "TASKS_COMPLETED",
    "MERGING", "MERGED", "DOWNLOADING", "COMPLETE", "FAILED",
]  # fmt: skip
STATES: tuple[JobState, ...] = get_args(JobState)
_TOKEN_LIFE = 3600  # seconds: what the documentation promises


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the server tells it.

    A state that nobody knows is `RUNNING` here, and as it came in `raw_state`. `payment` is in ByteChips.
    Sources and destinations may hold credentials, so they stand in no text of a job.
    """

    id: str
    name: str = ""
    description: str = ""
    template_id: str = ""
    state: JobState | Literal["RUNNING"] = "NEW"
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    deleted: bool = False
    data_source: Mapping[str, object] | None = field(default=None, repr=False)
    data_destination: Mapping[str, object] | None = field(default=None, repr=False)
    params: Mapping[str, object] | None = field(default=None, repr=False)
    payment: Decimal | None = None
    error: str = ""
    raw_state: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A file of an ended job, and the signed link that it can be had from for some hours."""

    name: str
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the list of jobs; `total` counts all of them where the server says so."""

    jobs: tuple[Job, ...]
    has_next: bool = False
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and how many seconds it lives."""

    token: str = field(repr=False)
    lifetime_seconds: int = _TOKEN_LIFE


@dataclass(frozen=True, slots=True)
class Balance:
    """A wallet in ByteChips; what is not available is reserved for jobs that run."""

    total: Decimal | None
    available: Decimal | None


def read_job(body: object) -> Job:
    """A job, bare or under `job`.

    Raises:
        WireError: if there is none in it.
    """
    outer = values.mapping(body, "the job")
    job = values.mapping(outer["job"], "the job") if "job" in outer else outer
    name = values.text(values.field(job, "id"))
    if not name:
        raise WireError("the job has no id")
    raw_state = values.text(job.get("state"))
    return Job(
        id=name,
        name=values.text(job.get("name")),
        description=values.text(job.get("description")),
        template_id=values.text(values.field(job, "templateId")),
        state=_state(raw_state),
        created_at=values.time(values.field(job, "createdAt")),
        started_at=values.time(values.field(job, "startedAt")),
        ended_at=values.time(values.field(job, "endedAt")) or values.time(values.field(job, "completedAt")),
        deleted=values.time(values.field(job, "deletedAt")) is not None,
        data_source=values.optional_mapping(values.field(job, "dataSource")),
        data_destination=values.optional_mapping(values.field(job, "dataDestination")),
        params=values.optional_mapping(job.get("params")),
        payment=values.decimal(values.field(job, "paymentAmount")),
        error=values.text(values.field(job, "errorMessage")),
        raw_state=raw_state,
    )


def _state(raw: str) -> JobState | Literal["RUNNING"]:
    word = raw.upper().removeprefix("JOB_STATE_")
    return next((state for state in STATES if state == word), "RUNNING")


def is_draft(job: Job) -> bool:
    """Whether a job was never started: it has cost nothing."""
    return job.state == "NEW" and job.started_at is None and not job.deleted


def has_ended(job: Job) -> bool:
    """Whether nothing will happen to a job any more."""
    return job.state in {"COMPLETE", "FAILED"} or job.deleted


def read_results(body: object) -> list[Result]:
    """The files of a job; none where the server has none yet, in whatever way it says so."""
    listed = body.get("results") if isinstance(body, Mapping) else body
    found = [_result(one) for one in listed] if isinstance(listed, list) else []
    return [result for result in found if result.link]


def _result(one: object) -> Result:
    entry = values.optional_mapping(one) or {}
    return Result(values.text(entry.get("name")), values.text(entry.get("link")) or values.text(entry.get("url")))


def read_page(body: object) -> Page:
    """A page of the list of jobs; what is no job in it is left out."""
    page = values.mapping(body, "the list of jobs")
    listed = page.get("data")
    pagination = values.optional_mapping(page.get("pagination")) or {}
    jobs = [_job_or_none(one) for one in listed] if isinstance(listed, list) else []
    return Page(
        jobs=tuple(job for job in jobs if job is not None),
        has_next=values.truth(values.field(pagination, "hasNext")) is True,
        total=values.whole(pagination.get("total")),
    )


def _job_or_none(one: object) -> Job | None:
    try:
        return read_job(one)
    except WireError:
        return None


def read_token(body: object) -> Token:
    """The answer of the token exchange; a lifetime that cannot be read is an hour.

    Raises:
        WireError: if there is no token in it.
    """
    answer = values.mapping(body, "the answer of the token exchange")
    token = values.text(answer.get("token")).strip()
    if not token:
        raise WireError("the answer of the token exchange has no token")
    lifetime = values.whole(values.field(answer, "expiresIn"))
    return Token(token, lifetime if lifetime is not None and lifetime > 0 else _TOKEN_LIFE)


def read_balance(body: object) -> Balance:
    """A wallet's balance; amounts that cannot be read are None."""
    answer = values.optional_mapping(body) or {}
    total = values.decimal(values.field(answer, "totalBalance"))
    return Balance(total, values.decimal(values.field(answer, "availableBalance")))


def read_estimation(body: object) -> Decimal | None:
    """What a job is estimated to cost, in ByteChips; None if the answer does not say."""
    answer = values.optional_mapping(body) or {}
    estimation = values.optional_mapping(answer.get("estimation")) or answer
    return values.decimal(values.field(estimation, "totalEstimation"))
