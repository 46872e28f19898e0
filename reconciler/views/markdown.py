"""The plan as a comment on a pull request: what it costs and what it ends first, then causes, outputs folded away.

Every name from outside goes through `code` or `prose`; every section closes what it opens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from reconciler.core.errors import Problem, ReconcilerError, SpecError
from reconciler.views.asked import asked
from reconciler.views.document import ChangedField, PlanDocument, ResourceChange
from reconciler.views.limits import limit_words
from reconciler.views.markdown_budget import Section, fitted
from reconciler.views.markdown_text import code, prose, tagged
from reconciler.views.money import amount, expected
from reconciler.views.plan_causes import causes, changed_alike, reason
from reconciler.views.plan_rows import is_encoded
from reconciler.views.plan_text import no_changes
from reconciler.views.words import count, span, value

# GitHub refuses a comment of more than 65,536 characters and drops a step summary of more than 1 MiB.
COMMENT_BYTES = 65_000
SUMMARY_BYTES = 1_000_000

LISTED_AT_MOST = 10
FIELDS_AT_MOST = 6

# The rows of the table of numbers: what a step is called there, and the kinds of steps that are counted.
_KINDS = {
    "new": ("create",),
    "rerun": ("rerun", "supersede"),
    "retry": ("retry",),
    "resumed": ("resume",),
    "moved": ("move",),
    "reused": ("reuse", "reusetwin"),
    "updated": ("update",),
    "retired": ("retire",),
}
_KIND_OF = {step: kind for kind, steps in _KINDS.items() for step in steps}


def marker(environment: str) -> str:
    """The line by which the comment of an environment is found again."""
    return f"<!-- reconciler:plan:{re.sub('-{2,}', '-', environment)} -->"


def plan_id_line(plan_id: str) -> str:
    """The second line of a comment: which plan it shows, for `apply --expect`."""
    return f"<!-- reconciler:plan-id:{plan_id} -->"


def plan_markdown(
    document: PlanDocument, *, environment: str, commit: str = "", options: str = "", budget: int = COMMENT_BYTES
) -> str:
    """The comment of a plan, in at most `budget` bytes of UTF-8.

    `environment` is a name (letters, digits and `_.-`), `commit` what was planned, `options` the flags that
    an apply has to repeat to mean the same plan.
    """
    head = f"{marker(environment)}\n{plan_id_line(document.plan_id)}\n"
    base = document.basis.base
    about = f"Plan for {code(environment)}" if base is None else f"Specs of {code(environment)} since {code(base)}"
    title = f"### {about}: {_headline(document)}\n\n"
    changes = document.resource_changes
    groups = causes(changes)
    sections = [
        Section(head + title, needed=True),
        _refused(document),
        Section(_sentences(document), needed=True),
        _cause_table(groups),
        Section(_numbers(document), needed=True),
        Section(_limits(document) + _safety(document), needed=True),
        _warnings(document),
        *_outputs(groups, len(changes)),
        Section(_footer(document, commit, options), needed=True),
    ]
    return fitted([section for section in sections if section is not None], budget)


def failed_markdown(error: ReconcilerError, *, environment: str, commit: str = "", budget: int = COMMENT_BYTES) -> str:
    """The comment of a plan that could not be made, with every problem and its place."""
    problems = error.problems if isinstance(error, SpecError) else _as_problems(error)
    of = f" of {code(commit)}" if commit else ""
    sections = [
        Section(f"{marker(environment)}\n### Plan for {code(environment)}: failed\n\n", needed=True),
        Section(
            f"**{count(len(problems), 'error')}.** Nothing was planned; the state was not touched.\n\n",
            [_problem(problem) for problem in problems],
            "\n",
            _more_items,
            needed=True,
        ),
        Section(f"<sub>Plan{of}, offline.</sub>\n", needed=True),
    ]
    return fitted(sections, budget)


def _as_problems(error: ReconcilerError) -> Sequence[Problem]:
    first, *hints = str(error).split("\n")
    return (Problem(first, hints=tuple(hints)),)


def _problem(problem: Problem) -> str:
    place = f"{code(str(problem.place))} " if problem.place is not None else ""
    hints = "".join(f"<br>{prose(hint.strip())}" for hint in problem.hints if hint.strip())
    return f"- {place}{prose(problem.message)}{hints}\n"


def _headline(document: PlanDocument) -> str:
    """What is done and what it costs, in one line."""
    summary = document.summary
    if not document.resource_changes:
        return "no changes"
    parts = [
        f"{count(summary.new, 'new output')}" if summary.new else "",
        f"{count(summary.rerun + summary.retry, 'output')} encoded again" if summary.rerun + summary.retry else "",
        f"{count(summary.retire, 'output')} retired" if summary.retire else "",
    ]
    said = ", ".join(filter(None, parts)) or "nothing is encoded"
    return f"{said}, {_cost(document)}"


def _cost(document: PlanDocument) -> str:
    known, total = expected(document.cost), document.cost
    unknown = total.unknown_price + total.unknown_duration
    if unknown:
        beside = f"{known} and " if known else ""
        return f"{beside}a cost that is not known for {count(unknown, 'output')}"
    return known or "nothing to pay"


def _refused(document: PlanDocument) -> Section | None:
    """What forbids the apply, before everything else."""
    rows = [f"- {prose(each.sentence)}:\n  {prose(each.lift)}\n" for each in document.refusals]
    rows += [
        f"- {code(limit.key)} is lifted by {code('--allow')}: {limit_words(limit)}\n"
        for limit in document.limits
        if limit.breached and limit.lifted
    ]
    if not rows:
        return None
    head = "🛑 **Apply refuses this plan as it is.**\n\n" if document.refusals else "⚠️ **A limit is lifted.**\n\n"
    return Section(head, rows, "\n", _more_items, needed=True, most=LISTED_AT_MOST)


def _more_items(number: int) -> str:
    return f"- and {number:,} more\n"


def _sentences(document: PlanDocument) -> str:
    """What changed in the specs, and what of the worst is not done."""
    if not document.resource_changes:
        return f"{prose(no_changes(document))}\n\n"
    summary = document.summary
    presets = {each.preset for change in document.resource_changes for each in change.changes if each.preset}
    changed = f"**{count(len(presets), 'preset')} changed.** " if presets else ""
    cancelled = sum(change.step == "supersede" for change in document.resource_changes)
    done = {"created": summary.new, "retired": summary.retire, "cancelled": cancelled, "deleted": 0}
    worst = [
        f"**{count(summary.retire, 'output')} retired:** no longer declared; records are kept, no file is deleted.\n\n"
        if summary.retire
        else "",
        f"**{count(cancelled, 'job')} in flight cancelled:** what was spent on them is spent.\n\n" if cancelled else "",
    ]
    nothing = [word for word, number in done.items() if not number]
    last = f" or {nothing[-1]}" if len(nothing) > 1 else nothing[-1]
    return f"{''.join(worst)}{changed}Nothing is {', '.join(nothing[:-1])}{last}.\n\n"


def _cause_table(groups: Sequence[Sequence[ResourceChange]]) -> Section | None:
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
    if not first.changes:
        return prose(reason(group))
    if not changed_alike(group):
        fields = ", ".join(code(change.field) for change in first.changes[:FIELDS_AT_MOST])
        return f"{fields} changed, not to the same everywhere"
    return "<br>".join(map(_changed_with_preset, first.changes[:FIELDS_AT_MOST])) + _more_fields(first.changes)


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
    places = list(dict.fromkeys(change.place for change in group[0].changes if change.place)) if alike else []
    named = places or list(dict.fromkeys(change.encode for change in group))
    more = f" and {len(named) - 3:,} more" if len(named) > 3 else ""
    return ", ".join(map(code, named[:3])) + more


def _numbers(document: PlanDocument) -> str:
    """How many outputs of each kind, and what they cost."""
    rows = []
    for kind, steps in _KINDS.items():
        members = [change for change in document.resource_changes if change.step in steps]
        if members:
            rows.append(f"| {kind} | {len(members):,} | {_cost_of(members)} |\n")
    kept = {"unchanged": document.summary.unchanged, "paused": document.summary.paused}
    rows += [f"| {words} | {number:,} | - |\n" for words, number in kept.items() if number]
    if not rows:
        return ""
    return "".join(["| | outputs | cost |\n|---|---:|---:|\n", *rows, "\n"])


def _cost_of(members: Sequence[ResourceChange]) -> str:
    sums: dict[str, Decimal] = {}
    for change in members:
        if change.cost.expected is not None and change.cost.currency is not None:
            spent = sums.get(change.cost.currency, Decimal(0))
            sums[change.cost.currency] = spent + Decimal(change.cost.expected)
    known = [f"≈ {amount(f'{spent:.2f}', currency)}" for currency, spent in sorted(sums.items())]
    unknown = sum(change.cost.unknown is not None for change in members)
    said = " and ".join([*known, *([f"not known for {unknown:,}"] if unknown else [])])
    return f"{said}, your rate card" if known else said or "free"


def _limits(document: PlanDocument) -> str:
    if not document.limits:
        return ""
    words = " · ".join(map(limit_words, document.limits))
    beyond = sum(limit.breached for limit in document.limits)
    return f"Limits: {words}. {f'**{beyond} exceeded.**' if beyond else 'Within all.'}\n\n"


def _safety(document: PlanDocument) -> str:
    """What is encoded, how long it took last time, and that the old files stay until then."""
    known = [job.seconds for job in document.jobs if job.seconds is not None]
    video = f"{span(document.cost.minutes * 60)} of video. " if document.cost.minutes else ""
    took = f"About {span(sum(known))}, as last time. " if known and len(known) == len(document.jobs) else ""
    old = "The old files stay live until each new one is verified. " if document.summary.rerun else ""
    said = f"{video}{took}{old}".strip()
    return f"{said}\n\n" if said else ""


def _warnings(document: PlanDocument) -> Section | None:
    """What only a person can decide about: it is no part of what is approved."""
    if not document.warnings:
        return None
    rows = [f"- {code(notice.address)}: {prose(notice.sentence)}\n" for notice in document.warnings]
    head = f"⚠️ **{count(len(rows), 'warning')}.** Not part of this approval:\n\n"
    return Section(head, rows, "\n", _more_items, needed=True, most=LISTED_AT_MOST)


def _outputs(groups: Sequence[Sequence[ResourceChange]], total: int) -> Iterator[Section]:
    """Every output, folded away, a fold for each cause."""
    for group in groups[:LISTED_AT_MOST]:
        one = len(group) == total
        title = f"The {count(total, 'output')}" if one else f"{count(len(group), 'output')}: {_cause_in_tags(group)}"
        yield _fold(title, group)
    others = [change for group in groups[LISTED_AT_MOST:] for change in group]
    if others:
        yield _fold(f"The other {count(len(others), 'output')}", others)


def _cause_in_tags(group: Sequence[ResourceChange]) -> str:
    """The cause for a summary, which is HTML and never Markdown."""
    first = group[0]
    if not first.changes:
        return prose(reason(group), name=tagged)
    fields = ", ".join(tagged(change.field) for change in first.changes[:FIELDS_AT_MOST])
    presets = {change.preset for change in first.changes if change.preset is not None}
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
    if change.changes:
        fields = [_changed(each) for each in change.changes[:FIELDS_AT_MOST]]
        said = "<br>".join(fields) + _more_fields(change.changes)
    elif is_encoded(change):
        said = prose(asked(change.change.after or {}).words())
        said += "" if change.action_reason == "new" else f"<br>{prose(change.reason)}"
    else:
        said = prose(change.reason)
    return f"| {code(change.symbol)} | {code(change.address)} | {said} |\n"


def _footer(document: PlanDocument, commit: str, options: str) -> str:
    of = f" of {code(commit)}" if commit else ""
    offline = "" if document.findings else ", offline"
    if document.basis.base is not None:
        return f"<sub>Specs{of} against those of {code(document.basis.base)}, without any state.</sub>\n"
    if not document.resource_changes:
        return f"<sub>Plan {code(document.plan_id)}{of}{offline}.</sub>\n"
    apply = code(f"reconciler apply --expect {document.plan_id}{options}")
    return (
        f"<sub>Plan {code(document.plan_id)}{of}{offline}. Merging runs {apply}: this work or less, never more.</sub>\n"
    )
