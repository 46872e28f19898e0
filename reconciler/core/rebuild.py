"""A lost state, made anew from what providers still know of this project's jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.core.encode import Output
from reconciler.core.jobs import job_id
from reconciler.core.ports import FoundJob, MadeOutput
from reconciler.core.state import JobRecord, Record, SourceRecord

# So many tries of one job are told apart by its id; beyond them the number of jobs that were found counts.
_MOST_ATTEMPTS = 50


@dataclass(frozen=True, slots=True)
class Found:
    """A job of a provider, and the declared outputs that it makes as they are declared now."""

    provider: str
    job: FoundJob
    outputs: tuple[Output, ...]


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild comes to: records by address, jobs whose outputs nobody declares like that, and drafts."""

    records: dict[str, Record] = field(default_factory=dict)
    finished: list[str] = field(default_factory=list)
    unwanted: list[Found] = field(default_factory=list)
    drafts: list[Found] = field(default_factory=list)


def rebuild(
    project: str,
    outputs: Sequence[Output],
    jobs: Mapping[str, Sequence[FoundJob]],
    known: Mapping[str, Record],
    now: str,
) -> Rebuilt:
    """Records for declared outputs that the state does not know, from `jobs` by provider, oldest first.

    The newest job of an output counts, but a finished one before any that failed. Drafts were never started, so
    they need no record: the next apply finds and takes them.
    """
    building = _Building(project, known, now)
    for provider, found_jobs in sorted(jobs.items()):
        wanted = [output for output in outputs if output.provider == provider]
        for job in found_jobs:
            building.add(Found(provider, job, tuple(_made_by(job, wanted))))
    building.rebuilt.finished = [address for address in building.finished if address in building.rebuilt.records]
    return building.rebuilt


def attached(output: Output, job: str, known: Record | None, *, rev: int, now: str) -> Record:
    """The record of an output whose job was started by somebody else: the next apply brings in what it made."""
    return Record(
        rev=rev,
        status="running",
        fingerprint=output.fingerprint,
        manifest=dict(output.manifest),
        source=SourceRecord(identity=output.source.identity, pin=output.source.sha256),
        provider=output.provider,
        attempt=known.attempt + 1 if known is not None else 1,
        job=JobRecord(id=job, phase="started", created_at=now, started_at=now),
        labels=dict(output.labels),
        protect=output.protect,
        updated_at=now,
    )


@dataclass(slots=True)
class _Building:
    """One walk over all jobs."""

    project: str
    known: Mapping[str, Record]
    now: str
    rebuilt: Rebuilt = field(default_factory=Rebuilt)
    finished: list[str] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)

    def add(self, found: Found) -> None:
        """Take in one job."""
        if not found.outputs:
            self.rebuilt.unwanted.append(found)
            return
        self.tries.update(output.address for output in found.outputs)
        if found.job.status == "draft":
            self.rebuilt.drafts.append(found)
            return
        attempt = _attempt(self.project, found)
        for output in found.outputs:
            before = self.rebuilt.records.get(output.address)
            if output.address in self.known or (before is not None and found.job.status == "failed"):
                continue
            number = attempt or self.tries[output.address]
            self.rebuilt.records[output.address] = _record(output, found, number, self.now)
            if found.job.status == "complete":
                self.finished.append(output.address)


def _record(output: Output, found: Found, attempt: int, now: str) -> Record:
    job, failed = found.job, found.job.status == "failed"
    return Record(
        rev=1,
        status="failed" if failed else "running",
        fingerprint=output.fingerprint,
        manifest=dict(output.manifest),
        source=SourceRecord(identity=output.source.identity, pin=output.source.sha256),
        provider=found.provider,
        attempt=attempt,
        failures=1 if failed else 0,
        job=JobRecord(
            id=job.job_id,
            name=job.name,
            phase="started",
            created_at=job.created_at,
            finished_at=job.finished_at,
        ),
        labels=dict(output.labels),
        protect=output.protect,
        error="its job failed before the state was lost" if failed else None,
        updated_at=now,
    )


def _made_by(job: FoundJob, outputs: Sequence[Output]) -> Iterator[Output]:
    """The outputs that a job makes just as they are declared: by address and fingerprint, else by name."""
    taken: set[str] = set()
    for made in job.makes:
        for output in outputs:
            if output.address not in taken and _is_of(made, output):
                taken.add(output.address)
                yield output
                break


def _is_of(made: MadeOutput, output: Output) -> bool:
    if made.address is not None and made.fingerprint is not None:
        return (made.address, made.fingerprint) == (output.address, output.fingerprint)
    return made.name == f"{output.name}-{output.fingerprint[:8]}"


def _attempt(project: str, found: Found) -> int | None:
    """Which try a job was, told by its id; None for the id of a server that gives its own."""
    for attempt in range(1, _MOST_ATTEMPTS + 1):
        parts = [(output.address, output.fingerprint, attempt) for output in found.outputs]
        if job_id(project, parts) == found.job.job_id:
            return attempt
    return None
