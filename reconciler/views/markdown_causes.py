"""What caused the steps of a plan, as a table, and every output, folded away below its cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.views.asked import asked
from reconciler.views.document import ChangedField, ResourceChange
from reconciler.views.markdown_budget import Section
from reconciler.views.markdown_text import code, prose, tagged
from reconciler.views.plan_causes import changed_alike, reason
from reconciler.views.plan_rows import is_encoded
from reconciler.views.words import count, value

LISTED_AT_MOST = 10
FIELDS_AT_MOST = 6

# What steps are called in tables, and the kinds of steps that go by that name.
KINDS = {
    "new": ("create",),
    "rerun": ("rerun", "supersede"),
    "retry": ("retry",),
    "resumed": ("resume",),
    "moved": ("move",),
    "reused": ("reuse", "reusetwin"),
    "updated": ("update",),
    "retired": ("retire",),
}
_KIND_OF = {step: kind for kind, steps in KINDS.items() for step in steps}


def cause_table(groups: Sequence[Sequence[ResourceChange]]) -> Section | None:
    """A row for each cause: what changed, what it does, and where it is written."""
    if not groups:
        return None
    rows = [_cause_row(group) for group in groups[:LISTED_AT_MOST]]
    if len(groups) > LISTED_AT_MOST:
        others = sum(len(group) for group in groups[LISTED_AT_MOST:])
        causes_left = count(len(groups) - LISTED_AT_MOST, "more cause")
        rows.append(f"| and {causes_left} | {count(others, 'output')} | |\n")
    return Section(
        "| cause | effect | where |\n|---|---|---|\n", rows, "\n", lambda number: f"| and {number:,} more | | |\n"
    )


def _cause_row(group: Sequence[ResourceChange]) -> str:
    first = group[0]
    providers = sorted({change.provider_name for change in group if is_encoded(change)})
    where = f" on {', '.join(map(code, providers[:3]))}" if providers else ""
    kind = _KIND_OF.get(first.step, first.step)
    noun = count(len(group), "rerun") if kind == "rerun" else f"{len(group):,} {kind}"
    return f"| {_cause(group)} | **{noun}**{where} | {_places(group)} |\n"


def _cause(group: Sequence[ResourceChange]) -> str:
    first = group[0]
    if not first.told:
        return prose(reason(group))
    if not changed_alike(group):
        fields = ", ".join(code(change.field) for change in first.told[:FIELDS_AT_MOST])
        return f"{fields} changed, not to the same everywhere"
    return "<br>".join(map(_changed_with_preset, first.told[:FIELDS_AT_MOST])) + _more_fields(first.told)


def _changed_with_preset(change: ChangedField) -> str:
    preset = f"preset {code(change.preset)}: " if change.preset is not None else ""
    return f"{preset}{_changed(change)}"


def _changed(change: ChangedField) -> str:
    before, after = (prose(value(change.field, each)) for each in (change.before, change.after))
    return f"{code(change.field)} **{before} → {after}**"


def _more_fields(changes: Sequence[ChangedField]) -> str:
    more = len(changes) - FIELDS_AT_MOST
    return f"<br>and {count(more, 'more field')}" if more > 0 else ""


def _places(group: Sequence[ResourceChange]) -> str:
    """Where it was written, else which encodes it is about."""
    alike = changed_alike(group)
    places = list(dict.fromkeys(change.place for change in group[0].told if change.place)) if alike else []
    named = places or list(dict.fromkeys(change.encode for change in group))
    more = f" and {len(named) - 3:,} more" if len(named) > 3 else ""
    return ", ".join(map(code, named[:3])) + more


def outputs(groups: Sequence[Sequence[ResourceChange]], total: int) -> Iterator[Section]:
    """Every output, folded away, a fold for each cause."""
    for group in groups[:LISTED_AT_MOST]:
        one = len(group) == total
        all_of_them = "The output" if total == 1 else f"The {total:,} outputs"
        title = all_of_them if one else f"{count(len(group), 'output')}: {_cause_in_tags(group)}"
        yield _fold(title, group)
    others = [change for group in groups[LISTED_AT_MOST:] for change in group]
    if others:
        yield _fold(f"The other {count(len(others), 'output')}", others)


def _cause_in_tags(group: Sequence[ResourceChange]) -> str:
    """The cause for a summary, which is HTML and never Markdown."""
    first = group[0]
    if not first.told:
        return prose(reason(group), name=tagged)
    fields = ", ".join(tagged(change.field) for change in first.told[:FIELDS_AT_MOST])
    presets = {change.preset for change in first.told if change.preset is not None}
    return f"{', '.join(map(tagged, sorted(presets)[:3]))} {fields}".strip()


def _fold(title: str, changes: Sequence[ResourceChange]) -> Section:
    head = "| | output | what |\n|---|---|---|\n"
    return Section(
        f"<details><summary>{title}</summary>\n\n{head}",
        [_output_row(change) for change in changes],
        "\n</details>\n\n",
        lambda number: f"| | and {number:,} more: see the plan in the log | |\n",
    )


def _output_row(change: ResourceChange) -> str:
    if change.told:
        fields = [_changed(each) for each in change.told[:FIELDS_AT_MOST]]
        said = "<br>".join(fields) + _more_fields(change.told)
    elif is_encoded(change):
        said = prose(asked(change.change.after or {}).words())
        said += "" if change.action_reason == "new" else f"<br>{prose(change.reason)}"
    else:
        said = prose(change.reason)
    if change.upstream is not None and change.action_reason != "upstream":
        said += f"<br>after {code(change.upstream)}"
    return f"| {code(change.symbol)} | {code(change.address)} | {said} |\n"
