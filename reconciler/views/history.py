"""The attempts at an output: when each ended and as what, why it was made, what it cost and how long it took."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.cost import read_money
from reconciler.core.state import EndedAttempt, Record
from reconciler.views.cells import fold, table, visible
from reconciler.views.money import paid
from reconciler.views.words import moment, span


def history_lines(record: Record | None, columns: int) -> list[str]:
    """A line an attempt, the newest last; below it the words of a failure and what was allowed for it."""
    if record is None or not record.history:
        return []
    rows = table([_row(entry) for entry in record.history], numbers={0})
    lines = ["", "  Attempts"]
    for entry, row in zip(record.history, rows, strict=True):
        lines += fold(row.replace(" ", "\u00a0"), columns, first="    ")
        for sentence in _remarks(entry):
            lines += fold(sentence, columns, first="       ")
    return lines


def _row(entry: EndedAttempt) -> tuple[str, ...]:
    return (
        str(entry.attempt),
        moment(entry.at),
        entry.status,
        visible(entry.why) or "-",
        visible(entry.provider),
        span(entry.seconds) if entry.seconds is not None else "-",
        _cost(entry.cost),
    )


def _cost(cost: str | None) -> str:
    """`28 BYC`, `$2.10`; a dash where the provider said nothing."""
    try:
        return "-" if cost is None else paid([read_money(cost)])
    except ValueError:
        return visible(cost or "-")


def _remarks(entry: EndedAttempt) -> Iterator[str]:
    if entry.error is not None:
        yield visible(entry.error)
    if entry.allowed:
        yield f"let through with {' '.join(f'--allow {visible(name)}' for name in entry.allowed)}"
