"""Where the finished files are."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.state import OutputRecord, Record
from reconciler.views.cells import columns_of, table, visible
from reconciler.views.words import moment, size


def output_text(
    records: Mapping[str, Record], host: str, links: Mapping[str, str] | None = None, *, columns: int = 80
) -> str:
    """Address, place and size of every finished output, one a line; those made elsewhere say where.

    `links` are live links by address, to be shown with their signatures.
    """
    rows = [
        (
            visible(address),
            visible(_shown(record, (links or {}).get(address))),
            size(record.output.size),
            _place(record, record.output, host),
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


def _shown(record: Record, link: str | None) -> str:
    """Where to get a finished output: its public copy first, then a link that opens, then where its copy or file is."""
    assert record.output is not None, "a finished output has a file"
    copy = record.delivered
    if copy is not None and (copy.fingerprint, copy.attempt) == (record.fingerprint, record.attempt):
        return copy.url or copy.where
    return link or record.output.where


def _place(record: Record, output: OutputRecord, host: str) -> str:
    """Where a file is, if not here; and until when a provider keeps it."""
    copy = record.delivered
    if copy is not None and (copy.fingerprint, copy.attempt) == (record.fingerprint, record.attempt):
        return f"on {visible(copy.host)}" if copy.host not in {"", host} else ""
    if output.path is not None:
        return "" if output.host == host else f"on {visible(output.host)}"
    until = f" until {moment(output.expires_at)}" if output.expires_at is not None else ""
    return f"at {visible(record.provider)}{until}"
