"""The jobs of a project at a server, for a state that is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

from reconciler.bytenite import describing
from reconciler.bytenite.api import Api
from reconciler.bytenite.standing import stamp
from reconciler.bytenite.wire import Job, is_draft
from reconciler.core.jobs import job_name
from reconciler.core.ports import FoundJob, MadeOutput

# A key as long as those that end the names of jobs.
_ANY_KEY = "0" * 8
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def jobs_of(api: Api, project: str) -> Iterator[FoundJob]:
    """See core.ports.FindsJobs. Names hold only the beginning of a project's; descriptions, where kept, all of it."""
    prefix = job_name(project, _ANY_KEY).removesuffix(_ANY_KEY)
    jobs = [job for page in api.pages() for job in page.jobs if job.name.startswith(prefix) and not job.deleted]
    for job in sorted(jobs, key=lambda job: job.created_at or _LONG_AGO):
        described = describing.read_description(job.description)
        if described is None or described[0] == project:
            yield FoundJob(
                job_id=job.id,
                name=job.name,
                status=_status(job),
                makes=_makes(api, job),
                created_at=stamp(job.created_at),
                finished_at=stamp(job.ended_at),
            )


def _status(job: Job) -> Literal["draft", "running", "complete", "failed"]:
    if is_draft(job):
        return "draft"
    return "complete" if job.state == "COMPLETE" else "failed" if job.state == "FAILED" else "running"


def _makes(api: Api, job: Job) -> tuple[MadeOutput, ...]:
    """What a job makes: by its description, else by the names in its document."""
    described = describing.read_description(job.description)
    if described is None:
        whole = job if job.params is not None else api.get(job.id) or job
        return tuple(MadeOutput(name) for name in describing.names_in(whole.params or {}))
    return tuple(
        MadeOutput(f"{address.rpartition('/')[2]}-{mark[:8]}", address, mark) for address, mark in described[1].items()
    )
