"""Delivered copies in folders of this machine, seen for a plan; nothing is contacted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reconciler.core.delivery import Presence
from reconciler.core.state import Record
from reconciler.io import trees


def copies_here(project: Path, records: Mapping[str, Record], host: str) -> dict[str, Presence | None]:
    """What stands where copies were made in folders of this machine, by place (None: nothing)."""
    copies = {record.delivered.where: record.delivered for record in records.values() if record.delivered is not None}
    return {where: _seen(project / where) for where, copy in copies.items() if copy.host == host}


def _seen(path: Path) -> Presence | None:
    try:
        if not path.is_dir():
            return Presence(path.stat().st_size)
        size = trees.size(path)
    except OSError:
        return None
    return None if size is None else Presence(size)
