"""The plan as a comment on a pull request: what it costs and what it ends first, then causes, outputs folded away.

Every name from outside goes through `code` or `prose`; every section closes what it opens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from reconciler.core.errors import Problem, ReconcilerError, SpecError
from reconciler.views.document import PlanDocument, ResourceChange
from reconciler.views.keeping import kept_sentences
from reconciler.views.limits import limit_words
from reconciler.views.markdown_budget import Section, fitted
from reconciler.views.markdown_causes import KINDS, LISTED_AT_MOST, cause_table, outputs
from reconciler.views.markdown_text import code, prose
from reconciler.views.money import FARNESS, amount, expected, going_by, time_basis
from reconciler.views.plan_causes import causes
from reconciler.views.plan_text import no_changes
from reconciler.views.words import count, span

# GitHub refuses a comment of more than 65,536 characters and drops a step summary of more than 1 MiB.
COMMENT_BYTES = 65_000
SUMMARY_BYTES = 1_000_000


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
    base = document.basis.base
    head = f"{marker(environment)}\n" if base else f"{marker(environment)}\n{plan_id_line(document.plan_id)}\n"
    about = f"Plan for {code(environment)}" if base is None else f"Specs of {code(environment)} since {code(base)}"
    title = f"### {about}: {_headline(document)}\n\n"
    changes = document.resource_changes
    groups = causes(changes)
    sections = [
        Section(head + title, needed=True),
        _refused(document),
        _remarks(document),
        Section(_sentences(document), needed=True),
        cause_table(groups),
        Section(_numbers(document), needed=True),
        Section(_limits(document) + _safety(document), needed=True),
        _warnings(document),
        _relinks(document),
        *outputs(groups, len(changes)),
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


def _remarks(document: PlanDocument) -> Section | None:
    """What has to be known before anything else."""
    lines = "".join(f"⚠️ {prose(each)}\n\n" for each in document.remarks)
    return Section(lines, needed=True) if lines else None


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


def _numbers(document: PlanDocument) -> str:
    """How many outputs of each kind, and what they cost."""
    rows = []
    for kind, steps in KINDS.items():
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
    quoted = sum(change.cost.quoted and change.cost.expected is None for change in members)
    beside = f"quoted for {quoted:,} with their jobs" if quoted else ""
    basis = _basis(members) if known else ""
    return ", ".join(filter(None, [said, basis, beside])) or "free"


def _basis(members: Sequence[ResourceChange]) -> str:
    """What amounts rest on: the best that is known of the worst of them."""
    jobs = max((change.cost.jobs for change in members), default=0)
    if jobs:
        likeness = max((change.cost.likeness for change in members if change.cost.jobs), key=FARNESS.index)
        return going_by(jobs, likeness)
    return "as quoted" if any(change.cost.quoted for change in members) else "your rate card"


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
    took = f"About {span(sum(known))}, {time_basis(document)}. " if known and len(known) == len(document.jobs) else ""
    old = "The old files stay live until each new one is verified. " if document.summary.rerun else ""
    kept = " ".join(map(prose, kept_sentences(document)))
    said = f"{video}{took}{old}{kept}".strip()
    return f"{said}\n\n" if said else ""


def _warnings(document: PlanDocument) -> Section | None:
    """What only a person can decide about: it is no part of what is approved."""
    if not document.warnings:
        return None
    rows = [f"- {code(notice.address)}: {prose(notice.sentence)}\n" for notice in document.warnings]
    head = f"⚠️ **{count(len(rows), 'warning')}.** Not part of this approval:\n\n"
    return Section(head, rows, "\n", _more_items, needed=True, most=LISTED_AT_MOST)


def _relinks(document: PlanDocument) -> Section | None:
    """Links die by themselves, and renewing them is free: no part of what is approved, either."""
    dead = len(document.relinks)
    if not dead:
        return None
    said = "1 link is dead.** Its file is" if dead == 1 else f"{dead:,} links are dead.** Their files are"
    shown = ", ".join(map(code, document.relinks[:LISTED_AT_MOST]))
    more = f" and {dead - LISTED_AT_MOST:,} more" if dead > LISTED_AT_MOST else ""
    return Section(f"⏳ **{said} safe; renewing is free. Not part of this approval: {shown}{more}\n\n")


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
