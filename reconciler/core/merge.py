r"""Two states with a common ancestor as one: three-way, by address and rev, for a git merge driver.

| ours \ theirs | as the ancestor | changed                                        | removed  |
|----------------|-----------------|------------------------------------------------|----------|
| as the ancestor| it              | theirs                                         | removed  |
| changed        | ours            | the later one if it follows from the other, else a conflict | ours |
| removed        | removed         | theirs                                         | removed  |

A record that was changed is never lost to one that was removed. One record follows from another if it tells of the
same job, or holds the other's file among its earlier attempts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from msgspec.structs import replace

from reconciler.core.errors import StateError
from reconciler.core.plan import IN_FLIGHT
from reconciler.core.state import Approval, Record, Snapshot

Value = TypeVar("Value", Record, Approval)


@dataclass(frozen=True, slots=True)
class Conflict:
    """An address that both sides recorded differently, neither following from the other."""

    address: str
    ours: Record
    theirs: Record


@dataclass(frozen=True, slots=True)
class Merged:
    """The state of both sides together; where they conflict it holds ours."""

    snapshot: Snapshot
    conflicts: tuple[Conflict, ...]


def merge(ancestor: Snapshot | None, ours: Snapshot, theirs: Snapshot) -> Merged:
    """Both states as one. Raises StateError for states of different projects."""
    if ours.project != theirs.project:
        message = f'one side is the state of project "{ours.project}", the other of "{theirs.project}"'
        raise StateError(f"{message}.\nStates of two projects cannot be merged. Nothing was changed.")
    conflicts: list[Conflict] = []

    def later(address: str, our: Record, their: Record) -> Record:
        found = _later(our, their)
        if found is None:
            conflicts.append(Conflict(address, our, their))
        return found or our

    before = ancestor.records if ancestor is not None else {}
    records = _three_way(before, ours.records, theirs.records, later)
    asked = ancestor.approved if ancestor is not None else {}
    approved = _three_way(asked, ours.approved, theirs.approved, lambda _, our, their: max(our, their, key=_time))
    return Merged(replace(ours, records=records, approved=approved), tuple(conflicts))


def _three_way(
    ancestor: Mapping[str, Value],
    ours: Mapping[str, Value],
    theirs: Mapping[str, Value],
    later: Callable[[str, Value, Value], Value],
) -> dict[str, Value]:
    """The table above, for values of any kind; `later` decides between two that were both changed."""
    merged: dict[str, Value] = {}
    for key in sorted({*ours, *theirs}):
        before, our, their = ancestor.get(key), ours.get(key), theirs.get(key)
        if our is not None and their is not None:
            if their in (our, before):
                merged[key] = our
            else:
                merged[key] = their if our == before else later(key, our, their)
        elif (kept := our if our is not None else their) is not None and kept != before:
            merged[key] = kept
    return merged


def _later(one: Record, other: Record) -> Record | None:
    """The record that follows from the other; None if neither does."""
    if _same_job(one, other):
        return max(one, other, key=lambda record: (record.status not in IN_FLIGHT, record.rev, record.updated_at or ""))
    if _holds(one, other):
        return one
    return other if _holds(other, one) else None


def _same_job(one: Record, other: Record) -> bool:
    same = one.job is not None and other.job is not None and one.job.id == other.job.id
    return same and one.fingerprint == other.fingerprint


def _holds(newer: Record, older: Record) -> bool:
    """Whether the newer record keeps the older one's file as an earlier attempt."""
    return newer.rev > older.rev and older.output in [attempt.output for attempt in newer.previous]


def _time(approval: Approval) -> str:
    return approval.at
