"""The steps that encode nothing: move, reuse, update, retire. They come first and cost nothing.

Files change hands in three stages, so that outputs may swap their files and a crash loses none: first every
file that somebody else's name needs is duplicated under a work name, then all new records are written down in
one line, then the files get their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from reconciler.apply.hands import Hands
from reconciler.apply.settle import publish_or_fail
from reconciler.core import handovers
from reconciler.core.history import with_override
from reconciler.core.ports import Sighting
from reconciler.core.state import Attempt, Evidence, Record
from reconciler.core.steps import Move, Retire, Reuse, ReuseTwin, Update

# By address, what `--allow` had to lift for a step.
Lifted = Mapping[str, tuple[str, ...]]


def hand_over(hands: Hands, steps: Sequence[Move | Reuse], lifted: Lifted) -> list[str]:
    """Carry out all moves and reuses together; the addresses whose files could not be named."""
    if not steps:
        return []
    written = {step.output.path for step in steps}
    records: dict[str, Record] = {}
    removed: dict[str, int] = {}
    for step in steps:
        if isinstance(step, Move):
            records[step.address] = _moved(hands, step, written)
            removed[step.of] = hands.state.next_rev(step.of)
        else:
            records[step.address] = _reused(hands, step, step.attempt, lifted)
    removed = {address: rev for address, rev in removed.items() if address not in records}
    hands.state.record("handed over", records=records, removed=removed)
    return [address for address in records if not _named(hands, address, records[address])]


def take(hands: Hands, step: ReuseTwin, attempt: Attempt, lifted: Lifted) -> bool:
    """Let a twin have the file that this apply made; whether that worked."""
    record = _reused(hands, step, attempt, lifted)
    hands.record("reused", record, step.address)
    return _named(hands, step.address, record)


def note(
    hands: Hands, step: Update | Retire, sightings: Mapping[str, Sighting], shared: frozenset[str], lifted: Lifted
) -> None:
    """Carry out a step that only records. `shared` are ids of jobs that others go on with: they are not cancelled."""
    rev, now = hands.state.next_rev(step.address), hands.stamp()
    if isinstance(step, Update):
        seen = sightings.get(step.output.source.identity)
        evidence = Evidence(size=seen.size, mtime_ns=seen.mtime_ns) if seen is not None and seen.exists else None
        hands.record("updated", handovers.updated(step, evidence, rev, now), step.address)
    else:
        cancel(hands, step.record, shared)
        record = handovers.retired(step.record, rev, now)
        allowed = lifted.get(step.address, ())
        hands.record("retired", with_override(record, "retired", step.reason.code, now, allowed), step.address)


def cancel(hands: Hands, record: Record, shared: frozenset[str]) -> None:
    """End a job in flight whose result nobody wants."""
    provider = hands.providers.get(record.provider)
    if record.status not in {"submitted", "running"} or record.job is None or provider is None:
        return
    if record.job.id not in shared:
        provider.cancel(record.job.id)


def _moved(hands: Hands, step: Move, written: set[str]) -> Record:
    """A file that is here is renamed; one whose old name another step needs is duplicated first."""
    file = step.record.output
    assert file is not None, "only a finished output is moved"
    temp = None
    if file.path is not None and file.is_on(hands.host) and file.path != step.output.path:
        temp = file.path
        if file.path in written:
            temp = _work_name(step.output.path, step.output.fingerprint)
            hands.files.duplicate(file.path, temp)
    return handovers.moved(step, hands.state.next_rev(step.address), hands.stamp(), temp=temp)


def _reused(hands: Hands, step: Reuse | ReuseTwin, attempt: Attempt, lifted: Lifted) -> Record:
    """The file under the output's own name stays as it is, another one is linked or copied."""
    known = hands.state.snapshot.records.get(step.address)
    if known is not None:
        cancel(hands, known, frozenset())
    temp, path = None, attempt.output.path
    if path is not None and path != step.output.path and step.of != step.address:
        temp = _work_name(step.output.path, step.output.fingerprint)
        hands.files.duplicate(path, temp)
    rev, now = hands.state.next_rev(step.address), hands.stamp()
    record = handovers.reused(step, attempt, known, temp=temp, rev=rev, now=now)
    return with_override(record, "replaced", step.reason.code, now, lifted.get(step.address, ()))


def _named(hands: Hands, address: str, record: Record) -> bool:
    if record.output is None or record.output.temp is None:
        return True
    return publish_or_fail(hands, address, record).status == "complete"


def _work_name(path: str, fingerprint: str) -> str:
    """A work file beside `path`, of the kind that the next apply sweeps away."""
    final = PurePosixPath(path)
    return str(final.with_name(f".{final.stem}.{fingerprint[:8]}.part"))
