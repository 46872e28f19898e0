"""Where the finished files are."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.state import Record
from reconciler.views.cells import columns_of, table, visible
from reconciler.views.words import size


def output_text(records: Mapping[str, Record], host: str, *, columns: int = 80) -> str:
    """Address, path and size of every finished output, one a line; those made elsewhere say where."""
    rows = [
        (
            visible(address),
            visible(record.output.path),
            size(record.output.size),
            "" if record.output.host == host else f"on {visible(record.output.host)}",
        )
        for address, record in records.items()
        if record.status == "complete" and record.output is not None
    ]
    if not rows:
        return "No outputs are finished.\n"
    lines = table(rows, numbers={2})
    if columns_of(lines) > columns:
        lines = ["\n  ".join([row[0], row[1], "  ".join(filter(None, row[2:]))]) for row in rows]
    return "\n".join(lines) + "\n"
