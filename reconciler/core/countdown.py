"""How long finished outputs live on: what has a copy stays, what only its provider holds is deleted some day.

Judged from what is recorded, from a look at this machine, and from the clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.core.state import Record
from reconciler.core.world import World, copy_state, expired

# How far ahead somebody who does not say otherwise wants to be told, in seconds.
SOON = 24 * 3600.0

_STAMP = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Dying:
    """A file that its provider deletes in `seconds`; before now if that is negative. Nobody has a copy of it."""

    address: str
    record: Record
    seconds: float


def has_copy(record: Record, world: World) -> bool:
    """Whether a copy of just this attempt was made, and nothing that was seen speaks against its being there."""
    return record.delivered is not None and copy_state(record, record.delivered.where, world) is None


def is_gone(record: Record, world: World) -> bool:
    """Whether a finished output is nowhere any more: its provider deleted the file, and there is no copy."""
    return record.output is not None and expired(record.output, world.now) and not has_copy(record, world)


def dying(records: Mapping[str, Record], world: World, within: float = SOON) -> list[Dying]:
    """The finished outputs without a copy whose files are deleted in so many seconds, the first of them first."""
    found = [each for each in _ending(records, world) if 0 < each.seconds <= within]
    return sorted(found, key=lambda each: (each.seconds, each.address))


def _ending(records: Mapping[str, Record], world: World) -> Iterator[Dying]:
    for address, record in records.items():
        if record.status != "complete" or record.output is None or record.output.expires_at is None:
            continue
        left = seconds_between(world.now, record.output.expires_at)
        if left is not None and not has_copy(record, world):
            yield Dying(address, record, left)


def seconds_between(since: str, until: str) -> float | None:
    """Seconds from one time of the state to another; None if one of them is no time."""
    try:
        ends = [datetime.strptime(text, _STAMP).replace(tzinfo=UTC) for text in (since, until)]
    except ValueError:
        return None
    return (ends[1] - ends[0]).total_seconds()
