"""The steps of a small plan, one line each, with what changed below the line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.views.asked import aligned, asked
from reconciler.views.cells import columns_of, fold, pad, visible, width
from reconciler.views.document import ChangedField, ResourceChange
from reconciler.views.words import count, value

FIELDS_AT_MOST = 6


def row_lines(changes: Sequence[ResourceChange], columns: int) -> list[str]:
    """Symbols, addresses and what is asked stand under each other; what does not fit goes below, whole."""
    symbol = columns_of(change.symbol for change in changes)
    address = columns_of(visible(change.address) for change in changes)
    encoded = [change for change in changes if is_encoded(change)]
    words = dict(zip((change.address for change in encoded), aligned([asked(change.change.after or {}) for change in encoded]), strict=True))
    paths = {change.address: f"to {visible(change.path)}" for change in encoded if change.path is not None}
    start = 2 + symbol + 1
    beside = start + address + 2 + columns_of(words.values())
    room = beside + 3 + columns_of(paths.values()) <= columns
    lines: list[str] = []
    for change in changes:
        lead = f"  {pad(change.symbol, symbol)} {pad(visible(change.address), address)}  "
        said = words.get(change.address) or visible(change.reason)
        path = paths.get(change.address, "")
        lines += _row(lead, said, path, columns, below=start + 2, room=room, fits=beside <= columns)
        lines += below_lines(change, columns, " " * (start + 2))
    return lines


def is_encoded(change: ResourceChange) -> bool:
    """Whether the step makes a file by encoding, so that what is asked of it is what to say."""
    return change.step_class == "encode" and change.step != "resume"


def _row(lead: str, said: str, path: str, columns: int, *, below: int, room: bool, fits: bool) -> Iterator[str]:
    """One output: on one line where all rows of the table fit, else address, words and path under each other."""
    indent = " " * below
    if path and room:
        yield f"{lead}{said}   {path}"
    elif path and fits:
        yield f"{lead}{said}"
        yield f"{indent}{path}"
    elif path:
        yield lead.rstrip()
        yield from fold(said, columns, first=indent)
        yield f"{indent}{path}"
    elif width(lead) + width(said) <= columns:
        yield f"{lead}{said}"
    else:
        yield lead.rstrip()
        yield from fold(said, columns, first=indent)


def below_lines(change: ResourceChange, columns: int, indent: str) -> list[str]:
    """What changed, or the reason where it says more than the symbol does."""
    if change.changes:
        return changed_lines(change.changes, columns, indent)
    if is_encoded(change) and change.action_reason != "new":
        return fold(visible(change.reason), columns, first=indent)
    return []


def changed_lines(changes: Sequence[ChangedField], columns: int, indent: str) -> list[str]:
    """`video.crf: 23 -> 21  (web-720p at specs/presets.yaml:12)`, at most six of them."""
    lines = []
    for change in changes[:FIELDS_AT_MOST]:
        lines += fold(changed(change), columns, first=indent, rest=indent + "  ")
    more = len(changes) - FIELDS_AT_MOST
    if more > 0:
        lines.append(f"{indent}and {count(more, 'more field')}: --detail")
    return lines


def changed(change: ChangedField) -> str:
    """One changed field in the units of the specs, and where it is written."""
    return f"{values(change)}{where(change)}"


def values(change: ChangedField) -> str:
    """`video.crf: 23 -> 21`."""
    name = visible(change.field)
    return f"{name}: {value(change.field, change.before)} -> {value(change.field, change.after)}"


def where(change: ChangedField) -> str:
    """`  (web-720p at specs/presets.yaml:12)`; nothing for what no file sets."""
    preset, place = change.preset, change.place
    if preset is not None and place is not None:
        return f" ({visible(preset)} at {visible(place)})"
    if preset is not None:
        return f" (built-in {visible(preset)})"
    return f" ({visible(place)})" if place is not None else ""
