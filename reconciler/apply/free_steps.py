"""The steps that encode nothing: move, reuse, update, retire. They come first and cost nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import assert_never

from reconciler.apply.hands import Hands
from reconciler.apply.settle import publish
from reconciler.core import transitions
from reconciler.core.ports import Sighting
from reconciler.core.state import Attempt, Evidence, Record
from reconciler.core.steps import Move, Retire, Reuse, ReuseTwin, Update


def carry_out(
    hands: Hands, step: Move | Reuse | Update | Retire, sightings: Mapping[str, Sighting], shared: frozenset[str]
) -> None:
    """Carry out one free step. `shared` are the ids of jobs that other steps go on with: they are not cancelled."""
    match step:
        case Move():
            _move(hands, step)
        case Reuse():
            take(hands, step, step.attempt)
        case Update():
            seen = sightings.get(step.output.source.identity)
            evidence = Evidence(size=seen.size, mtime_ns=seen.mtime_ns) if seen is not None and seen.exists else None
            rev = hands.state.next_rev(step.address)
            hands.record("updated", transitions.updated(step, evidence, rev, hands.stamp()), step.address)
        case Retire():
            cancel(hands, step.record, shared)
            rev = hands.state.next_rev(step.address)
            hands.record("retired", transitions.retired(step.record, rev, hands.stamp()), step.address)
        case _:
            assert_never(step)


def take(hands: Hands, step: Reuse | ReuseTwin, attempt: Attempt) -> None:
    """Let an output have a living file: the one under its own name as it is, another one as a link or copy."""
    known = hands.state.snapshot.records.get(step.address)
    if known is not None and known.status in {"submitted", "running"}:
        cancel(hands, known, frozenset())
    temp = None
    if attempt.output.path != step.output.path and step.of != step.address:
        temp = _copy_name(step.output.path, step.output.fingerprint)
        hands.files.duplicate(attempt.output.path, temp)
    rev = hands.state.next_rev(step.address)
    record = transitions.reused(step, attempt, known, temp=temp, rev=rev, now=hands.stamp())
    hands.record("reused", record, step.address)
    if temp is not None:
        publish(hands, step.address, record)


def cancel(hands: Hands, record: Record, shared: frozenset[str]) -> None:
    """End a job in flight whose result nobody wants."""
    provider = hands.providers.get(record.provider)
    if record.status not in {"submitted", "running"} or record.job is None or provider is None:
        return
    if record.job.id not in shared:
        provider.cancel(record.job.id)


def _move(hands: Hands, step: Move) -> None:
    assert step.record.output is not None, "only a finished output is moved"
    here = step.record.output.host == hands.host
    record = transitions.moved(step, hands.state.next_rev(step.address), hands.stamp(), here=here)
    removed = {step.of: hands.state.next_rev(step.of)}
    hands.state.record("moved", records={step.address: record}, removed=removed)
    if record.output is not None and record.output.temp is not None:
        publish(hands, step.address, record)


def _copy_name(path: str, fingerprint: str) -> str:
    """A work file beside `path`, of the kind that the next apply sweeps away."""
    final = PurePosixPath(path)
    return str(final.with_name(f".{final.stem}.{fingerprint[:8]}.part"))
