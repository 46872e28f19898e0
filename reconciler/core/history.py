"""What became of every attempt at an address: the last of them are kept, however many there were."""

from __future__ import annotations

from msgspec.structs import replace

from reconciler.core.state import EndedAs, EndedAttempt, Record

KEPT = 20

# How much is kept of the words of a failure.
_WORDS = 200


def with_end(record: Record, status: EndedAs, now: str, error: str | None = None) -> Record:
    """The record with its present attempt in its history: it ended like this. One without a job was no attempt."""
    job = record.job
    if job is None:
        return record
    entry = EndedAttempt(
        attempt=record.attempt,
        at=job.finished_at or now,
        status=status,
        why=job.why,
        provider=record.provider,
        job=job.id,
        cost=job.cost,
        seconds=job.seconds,
        duration=record.output.duration if record.output is not None else None,
        error=error[:_WORDS] if error is not None else None,
        allowed=job.allowed,
    )
    return replace(record, history=(*record.history, entry)[-KEPT:])


def with_override(record: Record, status: EndedAs, why: str, now: str, allowed: tuple[str, ...]) -> Record:
    """The record with a line about what was done to its file without a job, if that had to be `allowed` by name."""
    if not allowed:
        return record
    entry = EndedAttempt(
        attempt=record.attempt, at=now, status=status, why=why, provider=record.provider, allowed=allowed
    )
    return replace(record, history=(*record.history, entry)[-KEPT:])


def with_verdict(record: Record, now: str) -> Record:
    """The record with a line that its finished file turned out suspect later; no job was paid or waited for."""
    error = record.error[:_WORDS] if record.error is not None else None
    entry = EndedAttempt(record.attempt, now, "suspect", why="checks", provider=record.provider, error=error)
    return replace(record, history=(*record.history, entry)[-KEPT:])


def with_cancelled(record: Record, now: str) -> Record:
    """As `with_end`, for a job that was started and is given up: what it had cost by then is not known."""
    if record.status in {"submitted", "running"} and record.job is not None and record.job.phase == "started":
        return with_end(record, "cancelled", now)
    return record
