"""The plan for people: one line an output up to ten, above that one line a cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.views.cells import fold, visible, whole, width
from reconciler.views.document import Basis, PlanDocument, SourceShown, Summary
from reconciler.views.keeping import kept_sentences
from reconciler.views.limits import limit_words
from reconciler.views.money import cost_sentences, time_basis
from reconciler.views.plan_causes import cause_lines
from reconciler.views.plan_detail import detail_lines
from reconciler.views.plan_rows import row_lines
from reconciler.views.words import count, sequence, span

ROWS_AT_MOST = 10
WARNINGS_AT_MOST = 10


def plan_text(
    document: PlanDocument,
    *,
    columns: int = 80,
    detail: bool = False,
    options: str = "",
    apply: str | None = "reconciler apply",
) -> str:
    """The screen of a plan.

    `options` are the flags that a command named on it has to repeat; `apply` is the command that runs the plan,
    None where it is being run already.
    """
    parts = [_warnings(document, columns, options)]
    if document.resource_changes:
        parts = [
            [line for each in document.remarks for line in fold(f"Warning: {visible(each)}", columns, rest="  ")],
            _header(document, columns),
            _steps(document, columns, detail=detail),
            _jobs(document, columns, options, looks=apply is not None),
            *parts,
            _relinks(document, columns),
            _refusals(document, columns),
            [*_summary(document, columns), *_cost(document, columns)],
            fold(_closing(document, apply), columns) if apply is not None else [],
        ]
    else:
        parts = [*parts, fold(no_changes(document), columns), _relinks(document, columns)]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _closing(document: PlanDocument, apply: str) -> str:
    if document.refusals:
        return "Nothing has started, and apply refuses this plan as it is (see above)."
    return f"Nothing has started. To run it: {whole(apply)}"


def summary_line(summary: Summary) -> str:
    """`Plan: 14 to encode (3 new, 11 rerun), 0 to retire.`, with what else there is."""
    return f"Plan: {', '.join(_summary_parts(summary))}."


def _summary_parts(summary: Summary) -> list[str]:
    encoded = [f"{summary.new:,} new", f"{summary.rerun:,} rerun"]
    if summary.retry:
        encoded.append(f"{summary.retry:,} retried")
    parts = [f"{summary.encode:,} to encode ({', '.join(encoded)})", f"{summary.retire:,} to retire"]
    others = {"to resume": summary.resume, "moved": summary.moved, "reused": summary.reused, "updated": summary.updated}
    others |= {"to deliver": summary.delivered, "to delete": summary.deleted}
    parts.extend(f"{number:,} {words}" for words, number in others.items() if number)
    return parts


def no_changes(document: PlanDocument) -> str:
    """The one line of a plan without steps."""
    summary = document.summary
    if not summary.declared:
        return "No changes. The specs declare no outputs."
    waiting = len(document.warnings)
    are = "1 output is" if summary.unchanged == 1 else f"{summary.unchanged:,} outputs are"
    parts = [f"{are} as declared"]
    if summary.paused:
        parts.append(f"{summary.paused:,} paused")
    if waiting:
        parts.append(f"{waiting:,} {'needs' if waiting == 1 else 'need'} you (see above)")
    if summary.left:
        one = summary.left == 1
        parts.append(f"{summary.left:,} {'waits' if one else 'wait'} for an apply without --no-spend")
    selected = "" if document.complete else " Only what --target and --exclude select was looked at."
    begins = "Nothing that is free is to be done." if summary.left else "No changes."
    return f"{begins} {', '.join(parts)}.{selected}"


def _header(document: PlanDocument, columns: int) -> list[str]:
    basis = document.basis
    specs = f"{visible(basis.specs)} ({count(basis.files, 'file')})"
    if basis.base is not None:
        against = f"against the specs of {visible(basis.base)} ({count(document.summary.recorded, 'output')})"
        return fold(f"{specs} {against}; no state was read.", columns)
    if not basis.state_exists:
        return fold(f"{specs}, no state yet: everything below is new.", columns)
    same = document.summary.unchanged
    rest = f"; {same:,} as declared" if same else ""
    return fold(f"{specs} against {_state(basis, document.summary)}{rest}.", columns)


def _state(basis: Basis, summary: Summary) -> str:
    return f"{visible(basis.state)} ({count(summary.recorded, 'output')} recorded)"


def _steps(document: PlanDocument, columns: int, *, detail: bool) -> list[str]:
    changes = document.resource_changes
    if detail:
        return detail_lines(changes)
    if len(changes) <= ROWS_AT_MOST:
        return row_lines(changes, columns)
    return [*cause_lines(changes, columns), "", *fold("Every output by itself: --detail", columns, first="  ")]


def _jobs(document: PlanDocument, columns: int, options: str, *, looks: bool) -> list[str]:
    """How many jobs, and the remote sources; whoever `looks` at a plan is told how to look at them too."""
    if not document.jobs:
        return []
    lines = fold(_jobs_sentence(document), columns, first="  ")
    remote = _remote_sources(document)
    if remote:
        lines += _sources(remote, columns, options, untouched=looks and not document.findings)
    for sentence in kept_sentences(document):
        lines += fold(sentence, columns, first="  ", rest="    ")
    for finding in document.findings:
        lines += fold(visible(finding), columns, first="  ", rest="    ")
    return lines


def _jobs_sentence(document: PlanDocument) -> str:
    jobs = document.jobs
    where = _where_jobs_run(document)
    if len(jobs) > 1:
        return f"{len(jobs):,} jobs {where}; each source is decoded once for all its outputs."
    outputs = len(jobs[0].addresses)
    if outputs == 1:
        return f"One job {where}."
    words = {2: "both", 3: "all three", 4: "all four", 5: "all five"}
    return f"One job {where}, one decode for {words.get(outputs, f'all {outputs}')}."


def _where_jobs_run(document: PlanDocument) -> str:
    """`on this machine (ffmpeg)`, `on bytenite`, or both."""
    here = sorted({job.provider for job in document.jobs if not job.remote})
    away = sorted({job.provider for job in document.jobs if job.remote})
    named = "" if here == ["local"] else f", {'provider' if len(here) == 1 else 'providers'} {sequence(here)}"
    places = [f"this machine (ffmpeg{named})"] if here else []
    return f"on {' and on '.join([*places, *map(visible, away)])}"


def _remote_sources(document: PlanDocument) -> list[SourceShown]:
    found = {job.source.identity: job.source for job in document.jobs if job.source.kind in {"http", "store"}}
    return list(found.values())


def _sources(remote: Sequence[SourceShown], columns: int, options: str, *, untouched: bool) -> list[str]:
    if len(remote) == 1:
        lines = fold(f"Source {visible(remote[0].identity)}", columns, first="  ", rest="    ")
    else:
        hosts = sorted({_host(source) for source in remote})
        lines = fold(f"{len(remote):,} remote sources: {sequence(hosts)}", columns, first="  ", rest="    ")
    if untouched:
        them = "it" if len(remote) == 1 else "them"
        command = whole(f"reconciler plan --refresh{options}")
        lines += fold(f"Not contacted: plan is offline. To look at {them} now: {command}", columns, first="  ")
    return lines


def _host(source: SourceShown) -> str:
    if source.from_environment:
        return "one named by the environment at apply"
    return visible(source.identity.partition("://")[2].partition("/")[0] or source.identity)


def _warnings(document: PlanDocument, columns: int, options: str) -> list[str]:
    lines = []
    for notice in document.warnings[:WARNINGS_AT_MOST]:
        lines += fold(f"Warning: {visible(notice.address)}: {visible(notice.sentence)}", columns, rest="  ")
    more = len(document.warnings) - WARNINGS_AT_MOST
    if more > 0:
        lines.append(f"Warning: {count(more, 'more output')} like these: reconciler status{options}")
    return lines


def _relinks(document: PlanDocument, columns: int) -> list[str]:
    """One counted line: links die by themselves, and renewing them is no change."""
    dead = len(document.relinks)
    if not dead:
        return []
    words = "link is dead, its file lives" if dead == 1 else "links are dead, their files live"
    return fold(f"{dead:,} {words}: apply renews {'it' if dead == 1 else 'them'} for nothing.", columns)


def _refusals(document: PlanDocument, columns: int) -> list[str]:
    lines = []
    for refusal in document.refusals[:WARNINGS_AT_MOST]:
        lines += fold(f"Warning: apply will refuse this: {visible(refusal.sentence)}.", columns, rest="  ")
        lines += fold(visible(refusal.lift), columns, first="  ", rest="    ")
    more = len(document.refusals) - WARNINGS_AT_MOST
    if more > 0:
        lines.append(f"Warning: {more:,} more are refused like these.")
    for limit in document.limits:
        if limit.breached and limit.lifted:
            lines += fold(f"Warning: --allow lifts {limit.key}: {limit_words(limit)}.", columns, rest="  ")
    return lines


def _summary(document: PlanDocument, columns: int) -> list[str]:
    """The summary, folded between its parts only."""
    return fold(f"Plan: {', '.join(map(whole, _summary_parts(document.summary)))}.", columns)


def _cost(document: PlanDocument, columns: int) -> Iterator[str]:
    """Sentences about cost, time and id, as many on a line as fit."""
    approvable = f"Plan id: {document.plan_id}" if document.basis.base is None else ""
    sentences = [*cost_sentences(document), _time(document), approvable]
    line = ""
    for sentence in filter(None, sentences):
        if width(sentence) > columns:
            yield from filter(None, [line, *fold(sentence, columns, rest="  ")])
            line = ""
            continue
        if line and width(line) + 1 + width(sentence) > columns:
            yield line
            line = ""
        line = f"{line} {sentence}" if line else sentence
    if line:
        yield line


def _time(document: PlanDocument) -> str:
    if not document.jobs:
        return ""
    known = [job.seconds for job in document.jobs if job.seconds is not None]
    if not known:
        return "Time: known after the first run."
    if len(known) < len(document.jobs):
        return f"Time: more than {span(sum(known))}."
    return f"Time: about {span(sum(known))}, {time_basis(document)}."
