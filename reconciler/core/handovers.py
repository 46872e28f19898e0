"""How a record changes with a step that encodes nothing: one pure function a kind of step."""

from __future__ import annotations

from msgspec.structs import replace

from reconciler.core.encode import Output
from reconciler.core.history import with_cancelled
from reconciler.core.state import Attempt, Evidence, Record
from reconciler.core.steps import Move, Reuse, ReuseTwin, Update
from reconciler.core.transitions import earlier_attempts


def retired(record: Record, rev: int, now: str) -> Record:
    """No longer declared; nothing is deleted, so declaring it again is free."""
    job = None if record.output is None else record.job
    history = with_cancelled(record, now).history
    return replace(record, rev=rev, status="retired", job=job, history=history, updated_at=now)


def updated(step: Update, evidence: Evidence | None, rev: int, now: str) -> Record:
    """Labels, protection, provider, or the name of an unchanged source."""
    output = step.output
    source = replace(step.record.source, identity=output.source.identity)
    if evidence is not None:
        source = replace(source, evidence=evidence)
    return replace(
        step.record,
        rev=rev,
        fingerprint=output.fingerprint,
        manifest=dict(output.manifest),
        source=source,
        provider=output.provider,
        labels=dict(output.labels),
        protect=output.protect,
        on_remove=output.on_remove,
        updated_at=now,
    )


def moved(step: Move, rev: int, now: str, *, temp: str | None) -> Record:
    """The record under its new address; `temp` is where its file waits for its new name, None if it keeps its own."""
    record, output = step.record, step.output
    assert record.output is not None, "only a finished output is moved"
    file = replace(record.output, name=output.name)
    if temp is not None:
        file = replace(file, path=output.path, temp=temp)
    # The same content may have a new name, too.
    wanted = replace(
        record,
        fingerprint=output.fingerprint,
        manifest=dict(output.manifest),
        source=replace(record.source, identity=output.source.identity),
    )
    return _declared(replace(wanted, output=file, status="running" if file.temp else "complete"), output, rev, now)


def reused(
    step: Reuse | ReuseTwin, attempt: Attempt, known: Record | None, *, temp: str | None, rev: int, now: str
) -> Record:
    """An output that takes a living file. `temp` is its own copy, not yet named; None if it already has its place."""
    output = step.output
    path = output.path if temp is not None else attempt.output.path
    stays = attempt.output.path is None
    record = Record(
        rev=rev,
        status="running" if temp is not None else "complete",
        fingerprint=attempt.fingerprint,
        manifest=attempt.manifest,
        source=attempt.source,
        provider=attempt.provider,
        attempt=known.attempt if known is not None else 1,
        job=attempt.job if stays else None,
        output=replace(attempt.output, name=output.name, path=path, temp=temp),
        delivered=known.delivered if known is not None else None,
        checks=attempt.checks,
        checked=attempt.checked,
        previous=_kept(known, attempt) if stays or temp is not None else (),
        history=with_cancelled(known, now).history if known is not None else (),
    )
    return _declared(record, output, rev, now)


def _kept(known: Record | None, taken: Attempt) -> tuple[Attempt, ...]:
    """Earlier attempts that live on beside the one that is taken."""
    return tuple(attempt for attempt in earlier_attempts(known) if attempt.output != taken.output)


def _declared(record: Record, output: Output, rev: int, now: str) -> Record:
    return replace(
        record,
        rev=rev,
        labels=dict(output.labels),
        protect=output.protect,
        on_remove=output.on_remove,
        failures=0,
        error=None,
        updated_at=now,
    )
