"""What the state knows of one address, or of all, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.core.state import Record
from reconciler.views.asked import asked
from reconciler.views.cells import columns_of, fold, pad, table, visible
from reconciler.views.words import count, moment, size, span, value


def record_text(address: str, record: Record, *, columns: int = 80) -> str:
    """Everything recorded of one address."""
    facts = list(_facts(record))
    wide = columns_of(name for name, _ in facts)
    lines = [f"{visible(address)}: {record.status}"]
    for name, text in facts:
        lines += fold(text, columns, first=f"  {pad(name, wide)}  ", rest="    ")
    names = columns_of(map(visible, record.manifest))
    lines += ["", "  Encoded from these fields" if record.output else "  Asked for with these fields"]
    for name, canonical in record.manifest.items():
        lines.append(f"    {pad(visible(name), names)}  {value(name, canonical)}")
    return "\n".join(lines) + "\n"


def record_list(records: Mapping[str, Record], *, columns: int = 80) -> str:
    """One line an address: its status and what was asked of it."""
    rows = [(visible(address), record.status, asked(record.manifest).words()) for address, record in records.items()]
    if not rows:
        return "The state holds no records.\n"
    lines = table(rows)
    if columns_of(lines) > columns:
        lines = [f"{row[0]}\n  {row[1]}  {row[2]}" for row in rows]
    return "\n".join(lines) + "\n"


def _facts(record: Record) -> Iterator[tuple[str, str]]:
    yield from _file_facts(record)
    if record.error is not None:
        yield "error", visible(record.error)
    yield "source", value("source", record.source.identity)
    if record.source.sha256 is not None:
        yield "source sha256", visible(record.source.sha256)
    yield "fingerprint", visible(record.fingerprint)
    yield "provider", visible(record.provider)
    yield from _job_facts(record)
    failures = f", {count(record.failures, 'failure')} since the last change" if record.failures else ""
    yield "attempt", f"{record.attempt}{failures}"
    for note in record.notes:
        yield "note", visible(note)
    for attempt in record.previous:
        yield "earlier file", f"{visible(attempt.output.where)} ({size(attempt.output.size)})"
    if record.labels:
        yield "labels", ", ".join(f"{visible(name)}={visible(text)}" for name, text in sorted(record.labels.items()))
    if record.protect:
        yield "protect", "true"
    if record.updated_at is not None:
        yield "updated", moment(record.updated_at)


def _file_facts(record: Record) -> Iterator[tuple[str, str]]:
    output = record.output
    if output is None:
        return
    yield ("file" if output.path is not None else "link"), visible(output.where)
    if output.size is not None:
        yield "size", f"{size(output.size)} ({output.size:,} bytes)"
    if output.sha256:
        yield "sha256", visible(output.sha256)
    if output.summary:
        yield "content", visible(output.summary)
    if output.host:
        yield "made on", visible(output.host)
    for name, stamp in (("link dies", output.link_expires_at), ("file deleted", output.expires_at)):
        if stamp is not None:
            yield name, moment(stamp)
    if record.encoder:
        yield "encoder", visible(record.encoder)


def _job_facts(record: Record) -> Iterator[tuple[str, str]]:
    job = record.job
    if job is None:
        return
    took = "" if job.seconds is None else f", took {span(job.seconds)}"
    yield "job", f"{visible(job.id)}, {job.phase}{took}"
    for name, amount in (("quoted", job.quote), ("paid", job.cost)):
        if amount is not None:
            yield name, visible(amount)
    for name, stamp in (("started", job.started_at), ("finished", job.finished_at)):
        if stamp is not None:
            yield name, moment(stamp)
