"""Two clocks: a link dies after hours and is renewed for nothing, the file behind it is deleted after days.

Both are judged from the state and the clock alone. Times are RFC 3339 in UTC with whole seconds, as the state
writes them, so that they compare as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.core.ports import Held
from reconciler.core.state import OutputRecord, Record
from reconciler.core.urls import without_query
from reconciler.core.world import expired


def link_is_dead(output: OutputRecord, now: str) -> bool:
    """Whether a file that its provider holds lives on, but its link does not."""
    if output.link is None or expired(output, now):
        return False
    return output.link_expires_at is not None and output.link_expires_at <= now


def dead_links(records: Mapping[str, Record], now: str, *, live: Mapping[str, str] | None = None) -> dict[str, Record]:
    """Complete outputs whose link is dead; with `live`, the links at hand by address, also those that lack one."""
    return {
        address: record
        for address, record in records.items()
        if record.status == "complete" and record.output is not None and _needs_link(record.output, now, address, live)
    }


def _needs_link(output: OutputRecord, now: str, address: str, live: Mapping[str, str] | None) -> bool:
    if output.link is None or expired(output, now):
        return False
    return link_is_dead(output, now) or (live is not None and address not in live)


def is_copied(record: Record) -> bool:
    """Whether a copy of just this attempt was made, whatever became of it."""
    copy = record.delivered
    return copy is not None and (copy.fingerprint, copy.attempt) == (record.fingerprint, record.attempt)


def renewed(output: OutputRecord, fresh: Iterable[Held]) -> Held | None:
    """The fresh link of the same file: the same but for its query, else one to a file of the same name."""
    candidates = list(fresh)
    for held in candidates:
        if without_query(held.link) == output.link:
            return held
    named = [held for held in candidates if _file_name(held.link) == _file_name(output.link or "")]
    return named[0] if len(named) == 1 else None


def _file_name(link: str) -> str:
    return without_query(link).rpartition("/")[2]
