"""How a record changes: one pure function a happening. The only place that moves a record's status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec.structs import replace

from reconciler.core.checks import CheckResult, asked_of
from reconciler.core.copies import DeliveredCopy
from reconciler.core.encode import Output
from reconciler.core.evidence import Content
from reconciler.core.history import with_cancelled, with_end, with_verdict
from reconciler.core.jobs import PlannedJob, attempt_of
from reconciler.core.mezzanines import remade
from reconciler.core.pins import kept
from reconciler.core.ports import Done, Held, Sighting, Suspect, Verified
from reconciler.core.state import Attempt, Delivered, Evidence, JobRecord, OutputRecord, Phase, Record, SourceRecord
from reconciler.core.steps import Create, EncodeStep, Resume, Retry
from reconciler.core.targets import Target
from reconciler.core.urls import without_query
from reconciler.core.world import expired


def looked_at(record: Record, content: Content | None, seen: Sighting | None = None) -> Record:
    """The record of a job about to be prepared, with what the server of its source says of it now, or a look at it.

    A job that cannot even read its source fails for that content, and for no other.
    """
    source = record.source
    if content is not None:
        source = replace(source, content=content)
    if seen is not None and seen.exists and source.evidence.size is None:
        source = replace(source, evidence=Evidence(seen.size, seen.mtime_ns), sha256=seen.sha256)
    return replace(record, source=source)


def intended(
    step: EncodeStep,
    job: PlannedJob,
    known: Record | None,
    *,
    rev: int,
    now: str,
    allowed: tuple[str, ...] = (),
    made_by: str | None = None,
) -> Record:
    """A job is about to be prepared for this address; `allowed` names the refusals that were lifted for it.

    `made_by` is the content of the output that it is made from, if it is made from one (see `mezzanines`). `known` is
    the record of now, if any (a Create may follow a retired one). Whatever file lives is kept as an earlier attempt
    until the new one is published.
    """
    if isinstance(step, Resume):
        source = replace(step.record.source, made_by=made_by) if made_by is not None else step.record.source
        return replace(step.record, rev=rev, source=source, updated_at=now)
    output = step.output
    return Record(
        rev=rev,
        status="submitted",
        fingerprint=output.fingerprint,
        manifest=dict(output.manifest),
        source=SourceRecord(identity=output.source.identity, pin=output.source.sha256, made_by=made_by),
        provider=output.provider,
        attempt=_attempt(step, known),
        failures=step.record.failures if isinstance(step, Retry) else 0,
        job=JobRecord(
            id=job.request.job_id,
            name=job.request.name,
            created_at=now,
            why=step.reason.code,
            allowed=allowed,
            remakes=remade(step),
        ),
        history=with_cancelled(known, now).history if known is not None else (),
        delivered=known.delivered if known is not None else None,
        previous=earlier_attempts(known),
        labels=dict(output.labels),
        protect=output.protect,
        on_remove=output.on_remove,
        updated_at=now,
        pins=kept(known, output.manifest),
    )


def earlier_attempts(record: Record | None) -> tuple[Attempt, ...]:
    """The attempts whose files may live on while a new one is made: the record's own, then its earlier ones."""
    if record is None:
        return ()
    own = own_attempt(record)
    return (own, *record.previous) if own is not None else record.previous


def older_attempts(record: Record) -> tuple[Attempt, ...]:
    """The earlier attempts that another job made than the present one: not the file that is suspect itself."""
    job = record.job.id if record.job is not None else ""
    return tuple(attempt for attempt in record.previous if attempt.job is None or attempt.job.id != job)


def own_attempt(record: Record) -> Attempt | None:
    """The record's finished file as an attempt; None if it has none."""
    if record.output is None or record.output.temp is not None:
        return None
    return Attempt(
        fingerprint=record.fingerprint,
        manifest=record.manifest,
        source=record.source,
        output=record.output,
        provider=record.provider,
        job=record.job,
        checks=record.checks,
        checked=record.checked,
    )


def in_phase(record: Record, phase: Phase, rev: int, now: str, job_id: str | None = None) -> Record:
    """The job went a step further: prepared, starting, started. `job_id` is the provider's own, where it differs."""
    job = record.job or JobRecord(id=job_id or "")
    job = replace(job, phase=phase, id=job_id or job.id, pid=None, pid_started=None)
    if phase == "started":
        job = replace(job, started_at=now)
    return replace(record, rev=rev, status="running" if phase == "started" else "submitted", job=job, updated_at=now)


def with_process(record: Record, process: tuple[int, float], rev: int, now: str) -> Record:
    """A local job has a process; a later apply ends it if this one is killed."""
    assert record.job is not None, "only a started job has a process"
    job = replace(record.job, pid=process[0], pid_started=process[1])
    return replace(record, rev=rev, job=job, updated_at=now)


def verified(record: Record, result: Verified, output: Output, *, rev: int, now: str, host: str) -> Record:
    """A whole file that only lacks its final name; after a crash it is published, never encoded again."""
    whole = replace(
        record,
        rev=rev,
        output=OutputRecord(
            name=output.name,
            path=output.path,
            size=result.size,
            sha256=result.sha256,
            host=host,
            duration=result.duration,
            summary=result.summary,
            temp=result.path,
        ),
        checks=result.checks,
        checked=asked_of(output.checks),
        notes=result.notes,
        error=None,
        updated_at=now,
        pins=result.pins,
    )
    return with_end(whole, "complete", now)


def _held_file(result: Held, output: Output) -> OutputRecord:
    return OutputRecord(
        name=output.name,
        size=result.size,
        link=without_query(result.link),
        link_expires_at=result.link_expires_at,
        expires_at=result.expires_at,
        duration=result.duration,
        summary=result.summary,
    )


def held(record: Record, result: Held, output: Output, rev: int, now: str) -> Record:
    """A whole file that stays with its provider: complete at once. What it replaces lives as long as it lives."""
    file = _held_file(result, output)
    whole = replace(
        record,
        rev=rev,
        status="complete",
        output=file,
        previous=tuple(attempt for attempt in record.previous if not expired(attempt.output, now)),
        checks=result.checks,
        # What could not be reached was not measured either.
        checked=asked_of(output.checks) if result.checks else {},
        notes=result.notes,
        failures=0,
        error=None,
        updated_at=now,
    )
    return with_end(whole, "complete", now)


def relinked(record: Record, fresh: Held, rev: int, now: str) -> Record:
    """The same file under a link that was signed anew."""
    assert record.output is not None, "only a held output has a link"
    output = replace(record.output, link=without_query(fresh.link), link_expires_at=fresh.link_expires_at)
    return replace(record, rev=rev, output=output, updated_at=now)


def delivered(record: Record, copy: DeliveredCopy, target: Target, *, host: str, rev: int, now: str) -> Record:
    """The file was copied to where it is to be; `host` is this machine if that is one of its folders."""
    made = Delivered(
        where=copy.where,
        size=copy.size,
        sha256=copy.sha256,
        fingerprint=record.fingerprint,
        attempt=record.attempt,
        at=now,
        host=host,
        url=target.public_url,
        package=target.package,
        etag=copy.etag,
    )
    output = record.output
    if output is not None and output.path is None:
        output = replace(output, size=copy.size, sha256=copy.sha256)
    return replace(record, rev=rev, delivered=made, output=output, updated_at=now)


def quoted(record: Record, quote: str, rev: int, now: str) -> Record:
    """The provider said what the job will cost."""
    return replace(record, rev=rev, job=record.job and replace(record.job, quote=quote), updated_at=now)


def read_from(record: Record, done: Done, now: str) -> Record:
    """What the job read and what it took; the rev is that of the happening it goes with."""
    job = record.job and replace(
        record.job,
        finished_at=done.finished_at or now,
        pid=None,
        pid_started=None,
        seconds=done.seconds,
        cost=done.cost,
    )
    source = SourceRecord(
        identity=record.source.identity,
        evidence=Evidence(size=done.source.size, mtime_ns=done.source.mtime_ns),
        sha256=done.source.sha256,
        pin=record.source.pin,
        content=record.source.content,
        made_by=record.source.made_by,
    )
    return replace(record, source=source, encoder=done.encoder, job=job)


def published(record: Record, rev: int, now: str) -> Record:
    """The file has its final name: the output is complete, and what it replaced is gone."""
    assert record.output is not None, "only a verified output is published"
    return replace(
        record,
        rev=rev,
        status="complete",
        output=replace(record.output, temp=None),
        previous=tuple(a for a in record.previous if a.output.path is None and not expired(a.output, now)),
        failures=0,
        error=None,
        updated_at=now,
    )


def unpublished(record: Record, rev: int, now: str) -> Record:
    """The verified file is not there any more: the job has to run again."""
    return replace(record, rev=rev, status="submitted", output=None, updated_at=now)


def left_in_place(record: Record, rev: int, now: str) -> Record:
    """A file that could not be renamed stays under the name it has."""
    assert record.output is not None, "only a file that waits for its name is left where it is"
    assert record.output.temp is not None, "only a file that waits for its name is left where it is"
    file = replace(record.output, path=record.output.temp, temp=None)
    return replace(record, rev=rev, status="complete", output=file, updated_at=now)


def failed(
    record: Record,
    error: str,
    rev: int,
    now: str,
    *,
    tried: bool = True,
    status: Literal["failed", "suspect", "lost"] = "failed",
) -> Record:
    """A try that made nothing, or none. The living file of an earlier attempt stays in `previous`."""
    job = record.job and replace(record.job, finished_at=now, pid=None, pid_started=None)
    over = replace(
        record,
        rev=rev,
        status=status,
        failures=record.failures + (1 if tried else 0),
        job=job,
        output=None,
        notes=(),
        error=error,
        updated_at=now,
    )
    return with_end(over, status, now, error) if tried else over


def waiting(record: Record, error: str, rev: int, now: str) -> Record:
    """Nobody could be reached: the job stays as it is, and the next apply goes on with it. No attempt is used."""
    return replace(record, rev=rev, error=error, updated_at=now)


def suspect(record: Record, result: Suspect, output: Output, rev: int, now: str) -> Record:
    """A file that does not prove whole; it is kept for a look and never called complete.

    One that is whole and stays with its provider lives on as an earlier attempt: asking less of it costs nothing.
    """
    kept = f"{result.error} (kept for a look: {result.path})"
    over = replace(failed(record, kept, rev, now, status="suspect"), notes=result.notes, checks=result.checks)
    if result.held is None:
        return over
    file = own_attempt(replace(record, output=_held_file(result.held, output), checks=(), checked={}))
    assert file is not None, "it has a file"
    return replace(over, previous=(file, *over.previous), checked=asked_of(output.checks))


def checked(record: Record, results: tuple[CheckResult, ...], output: Output, rev: int, now: str) -> Record:
    """A finished file was measured once more, for checks that it was not made under, and met them."""
    return replace(record, rev=rev, checks=results, checked=asked_of(output.checks), error=None, updated_at=now)


def not_met(
    record: Record, error: str, results: tuple[CheckResult, ...], output: Output, *, rev: int, now: str
) -> Record:
    """A finished file does not meet a check that came later. It lives on as an earlier attempt: asking less is free."""
    assert record.output is not None, "only a finished file is measured"
    over = replace(
        record,
        rev=rev,
        status="suspect",
        output=None,
        previous=earlier_attempts(record),
        checks=results,
        checked=asked_of(output.checks),
        error=f"{error} (kept for a look: {record.output.where})",
        updated_at=now,
    )
    return with_verdict(over, now)


def lost(record: Record, rev: int, now: str) -> Record:
    """The provider does not know the job any more."""
    return failed(record, "the provider does not know the job any more", rev, now, status="lost")


def newest_attempts(records: Mapping[str, Record]) -> dict[str, int]:
    """The number of the last try at every address."""
    return {address: record.attempt for address, record in records.items()}


def _attempt(step: EncodeStep, known: Record | None) -> int:
    if isinstance(step, Create) and known is not None:
        return known.attempt + 1
    return attempt_of(step)
