"""The steps of a large plan, one line a cause: whatever changed once in the specs is said once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from reconciler.views.cells import columns_of, fold, pad, visible
from reconciler.views.document import ResourceChange
from reconciler.views.plan_rows import changed_words, where
from reconciler.views.words import count, sequence

CAUSES_AT_MOST = 10

# What a reason says when it stands for many outputs, whose own sentences name files and sizes.
_SENTENCES: Mapping[str, str] = {
    "declared_again": "declared again",
    "in_flight": "begun by an earlier apply, to be finished",
    "moved": "the same encodes under new names",
    "output_altered": "the file is not the one that was made",
    "output_missing": "the file is gone",
    "retry": "failed before, tried again",
    "reuse": "the same encode as a file that is here",
    "source_changed": "the source's content changed",
    "superseded": "in flight, but something else is wanted now",
    "upstream": "what they are made from is encoded anew, and comes first",
    "twin": "the same encode as another output of this plan, made once",
}

Key = Callable[[ResourceChange], tuple[str, ...]]


def cause_lines(changes: Sequence[ResourceChange], columns: int) -> list[str]:
    """The causes, with how many outputs each touches and the first addresses of them."""
    groups = causes(changes)
    symbol = columns_of(group[0].symbol for group in groups)
    number = columns_of(count(len(group), "output") for group in groups)
    lines: list[str] = []
    for group in groups:
        lines += _cause(group, symbol, number, columns)
    return lines


def causes(changes: Sequence[ResourceChange]) -> list[list[ResourceChange]]:
    """The steps by what caused them, the largest group first; said more roughly where that would be many."""
    groups = _grouped(changes, _exactly)
    return groups if len(groups) <= CAUSES_AT_MOST else _grouped(changes, _by_fields)


def changed_alike(group: Sequence[ResourceChange]) -> bool:
    """Whether the same fields changed, from and to the same values, at the same places."""
    return bool(group[0].told) and all(_exactly(change) == _exactly(group[0]) for change in group)


def _cause(group: Sequence[ResourceChange], symbol: int, number: int, columns: int) -> list[str]:
    indent = " " * (2 + symbol + 1 + 2)
    head = f"  {pad(group[0].symbol, symbol)} {pad(count(len(group), 'output'), number)}  "
    first, *more = _said(group)
    lines = fold(first, columns, first=head, rest=indent)
    for line in more:
        lines += fold(line, columns, first=indent, rest=indent + "  ")
    addresses = [visible(change.address) for change in group]
    return [*lines, *fold(sequence(addresses), columns, first=indent)]


def _said(group: Sequence[ResourceChange]) -> list[str]:
    """What happened to all outputs of a group, one line a changed field."""
    first = group[0]
    after = ["each after what it is made from"] if first.upstream and first.action_reason != "upstream" else []
    if changed_alike(group):
        return [*changed_words(first.told), *after]
    if first.told:
        fields = ", ".join(visible(change.field) for change in first.told)
        return [f"{fields} changed, not to the same everywhere", *after]
    return [visible(reason(group)), *after]


def reason(group: Sequence[ResourceChange]) -> str:
    """Why the steps of a group are there, in one sentence for all of them."""
    first = group[0]
    if first.action_reason == "new":
        return f"new, in {count(len({change.encode for change in group}), 'encode')}"
    if all(change.reason == first.reason for change in group):
        return first.reason
    return _SENTENCES.get(first.action_reason, first.action_reason)


def _grouped(changes: Sequence[ResourceChange], key: Key) -> list[list[ResourceChange]]:
    groups: dict[tuple[str, ...], list[ResourceChange]] = {}
    for change in changes:
        groups.setdefault(key(change), []).append(change)
    return sorted(groups.values(), key=lambda group: -len(group))


def _exactly(change: ResourceChange) -> tuple[str, ...]:
    """The same fields, from and to the same values, by the same lines of the same files."""
    fields = (f"{each.field} {each.before!r} {each.after!r}{where(each)}" for each in change.told)
    return (*_kind(change), *fields)


def _by_fields(change: ResourceChange) -> tuple[str, ...]:
    return (*_kind(change), *(each.field for each in change.told))


def _kind(change: ResourceChange) -> tuple[str, ...]:
    """The step and its reason, apart for what has to wait for something else."""
    return (change.step, change.action_reason, *(["after"] if change.upstream is not None else []))
