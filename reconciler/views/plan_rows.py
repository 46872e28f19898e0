"""The steps of a small plan, one line each, with what changed below the line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from reconciler.views.asked import aligned, asked
from reconciler.views.cells import columns_of, fold, pad, visible, width
from reconciler.views.document import ChangedField, ResourceChange
from reconciler.views.words import count, value

FIELDS_AT_MOST = 6
_DIGITS = re.compile(r"(\d+)")


def row_lines(changes: Sequence[ResourceChange], columns: int) -> list[str]:
    """Symbols, addresses and what is asked stand under each other; what does not fit goes below, whole."""
    changes = sorted(changes, key=lambda change: naturally(change.address))
    symbol = columns_of(change.symbol for change in changes)
    address = columns_of(visible(change.address) for change in changes)
    encoded = [change for change in changes if is_encoded(change)]
    words = dict(
        zip(
            (change.address for change in encoded),
            aligned([asked(change.change.after or {}) for change in encoded]),
            strict=True,
        )
    )
    paths = {change.address: _place(change) for change in encoded}
    start = 2 + symbol + 1
    said_columns = columns_of(words.values())
    beside = start + address + 2 + said_columns
    room = beside + 3 + columns_of(paths.values()) <= columns
    lines: list[str] = []
    for change in changes:
        lead = f"  {pad(change.symbol, symbol)} {pad(visible(change.address), address)}  "
        said = words.get(change.address) or visible(change.reason)
        path = paths.get(change.address, "")
        if path and room:
            lines.append(f"{lead}{pad(said, said_columns)}   {path}")
        else:
            lines += _row(lead, said, path, columns, below=start + 2, fits=beside <= columns)
        lines += below_lines(change, columns, " " * (start + 2))
    return lines


def _place(change: ResourceChange) -> str:
    """Where the finished file will be: its path, or the provider that keeps it."""
    return f"to {visible(change.path)}" if change.path is not None else f"at {visible(change.provider_name)}"


def naturally(address: str) -> list[tuple[int, str]]:
    """A sort key by which `480p` comes before `1080p`."""
    parts = _DIGITS.split(address)  # text and digits by turns, so that only like is compared with like
    return [(int(part), "") if place % 2 else (0, part) for place, part in enumerate(parts)]


def is_encoded(change: ResourceChange) -> bool:
    """Whether the step makes a file by encoding, so that what is asked of it is what to say."""
    return change.step_class == "encode" and change.step != "resume"


def _row(lead: str, said: str, path: str, columns: int, *, below: int, fits: bool) -> Iterator[str]:
    """One output where not everything fits on its line: the words beside or below the address, then the path."""
    indent = " " * below
    if width(lead) + width(said) <= columns and (fits or not path):
        yield f"{lead}{said}"
    else:
        yield lead.rstrip()
        yield from fold(said, columns, first=indent)
    if path:
        yield f"{indent}{path}"


def below_lines(change: ResourceChange, columns: int, indent: str) -> list[str]:
    """What changed, or the reason where it says more than the symbol does."""
    lines: list[str] = []
    if change.told:
        lines = changed_lines(change.told, columns, indent)
    elif is_encoded(change) and change.action_reason != "new":
        lines = fold(visible(change.reason), columns, first=indent)
    if change.upstream is not None and change.action_reason != "upstream":
        lines += fold(f"after {visible(change.upstream)}", columns, first=indent)
    return lines


def changed_lines(changes: Sequence[ChangedField], columns: int, indent: str) -> list[str]:
    """The changed fields below a line, folded."""
    return [line for words in changed_words(changes) for line in fold(words, columns, first=indent, rest=indent + "  ")]


def changed_words(changes: Sequence[ChangedField]) -> list[str]:
    """`video.crf: 23 -> 21 (web-720p at specs/presets.yaml:12)` for each of the first six, and how many more."""
    more = len(changes) - FIELDS_AT_MOST
    words = [changed(change) for change in changes[:FIELDS_AT_MOST]]
    words += [f"and {count(more, 'more field')}: --detail"] if more > 0 else []
    of_variants = any(change.field.startswith("variants.") for change in changes)
    return [*words, "the whole package is encoded again"] if of_variants else words


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
