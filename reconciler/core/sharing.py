"""A state that several machines share: what one of them has to tell the others, as events that change nothing twice."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from reconciler.core.state import Approval, Event, Record, Snapshot


def together(earlier: Event | None, later: Event | None) -> Event | None:
    """Two events as one: of every address what the later one says, else what the earlier one says."""
    if earlier is None or later is None:
        return earlier or later
    records = {address: record for address, record in earlier.records.items() if address not in later.removed}
    removed = {address: rev for address, rev in earlier.removed.items() if address not in later.records}
    approved = {key: value for key, value in earlier.approved.items() if key not in later.approved}
    return replace(
        later,
        records={**records, **later.records},
        removed={**removed, **later.removed},
        approved={**approved, **later.approved},
    )


def difference(known: Snapshot, wanted: Snapshot, revs: Mapping[str, int], *, event: str, at: str) -> Event:
    """The event that makes the state `wanted` out of `known`; `revs` are the revs that addresses may take at least.

    An address that is not in `revs` may take any rev.
    """
    records = {
        address: _newer(record, revs.get(address, 1))
        for address, record in wanted.records.items()
        if known.records.get(address) != record
    }
    removed = {address: revs.get(address, 1) for address in known.records if address not in wanted.records}
    approved = {key: value for key, value in wanted.approved.items() if known.approved.get(key) != value}
    forgotten = {key: Approval(at=at, lines=()) for key in known.approved if key not in wanted.approved}
    return Event(event=event, at=at, records=records, removed=removed, approved={**approved, **forgotten})


def says_nothing(event: Event) -> bool:
    """Whether an event changes no state."""
    return not (event.records or event.removed or event.approved)


def next_revs(snapshot: Snapshot) -> dict[str, int]:
    """The rev that each address of a state takes next."""
    return {address: record.rev + 1 for address, record in snapshot.records.items()}


def left_behind(known: Snapshot, pushed: Snapshot) -> list[str]:
    """The addresses of which `known` tells what `pushed` does not know yet: a newer rev, or a record at all."""
    theirs = pushed.records
    return sorted(
        address
        for address, record in known.records.items()
        if address not in theirs or record.rev > theirs[address].rev or _differ(record, theirs[address])
    )


def _differ(one: Record, other: Record) -> bool:
    """Whether two records of one rev tell different things, so that neither followed from the other."""
    return one.rev == other.rev and one != other


def _newer(record: Record, rev: int) -> Record:
    return record if record.rev >= rev else replace(record, rev=rev)
