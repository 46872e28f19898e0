"""Every step by itself, in the wording of OpenTofu's plans, which tools and people already read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.core.manifest import NEUTRAL
from reconciler.views.cells import columns_of, pad, visible
from reconciler.views.document import ChangedField, ResourceChange
from reconciler.views.plan_rows import where
from reconciler.views.words import count, value

_SYMBOLS = {
    "+": "+   encode, not made before",
    "+/-": "+/- encode again, then replace",
    "~": "~   record, free",
    "<=": "<=  go on with a job in flight",
    ".": ".   retire, delete nothing",
}


def detail_lines(changes: Sequence[ResourceChange]) -> list[str]:
    """A block for each step, after the meaning of the symbols in use."""
    used = {change.symbol for change in changes}
    lines = ["Resource actions are indicated with the following symbols:"]
    lines += [f"  {words}" for symbol, words in _SYMBOLS.items() if symbol in used]
    for change in changes:
        lines += ["", *_block(change)]
    return lines


def _block(change: ResourceChange) -> Iterator[str]:
    yield f"  # {_title(change)}"
    yield f"  # ({visible(change.reason)})"
    yield f'  {pad(change.symbol, 3)} output "{visible(change.address)}" {{'
    yield from _fields(change)
    yield "    }"


def _title(change: ResourceChange) -> str:
    address = visible(change.address)
    if change.previous_address is not None:
        return f"{visible(change.previous_address)} has moved to {address}"
    return f"{address} {visible(change.phrase)}"


def _fields(change: ResourceChange) -> Iterator[str]:
    facts = {"path": change.path, "reuse_of": change.reuse_of}
    manifest = dict(change.change.after or {}) if change.step_class == "encode" else {}
    names = [*manifest, *(each.field for each in change.changes), *(name for name, fact in facts.items() if fact)]
    wide = columns_of(map(visible, names))
    for each in change.changes:
        yield f"      {_sign(each)} {pad(visible(each.field), wide)} = {_both(each)}{where(each)}"
    if not change.changes:
        before = change.change.before or {}
        for name, canonical in manifest.items():
            sign = " " if before.get(name) == canonical else "+"
            yield f"      {sign} {pad(visible(name), wide)} = {value(name, canonical)}"
    for name, fact in facts.items():
        if fact:
            yield f"        {pad(name, wide)} = {visible(fact)}"
    hidden = len(manifest.keys() - {each.field for each in change.changes})
    if change.changes and hidden > 0:
        yield f"        # ({count(hidden, 'unchanged field')} hidden)"


def _sign(change: ChangedField) -> str:
    if change.before is None and change.field not in NEUTRAL:
        return "+"
    if change.after is None and change.field not in NEUTRAL:
        return "-"
    return "~"


def _both(change: ChangedField) -> str:
    before, after = change.before, change.after
    if before is None and change.field not in NEUTRAL:
        return value(change.field, after)
    return f"{value(change.field, before)} -> {value(change.field, after)}"
