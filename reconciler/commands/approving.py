"""Who lets an apply run: a saved plan, an id, a flag, or somebody on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler import __version__
from reconciler.commands import gathering, wiring
from reconciler.commands.gathering import Planned
from reconciler.commands.options import Globals
from reconciler.commands.planning import document_of, repeated
from reconciler.commands.speaking import Screen
from reconciler.commands.states import state_of
from reconciler.commands.watching import Watching
from reconciler.commands.wiring import Approval
from reconciler.core import state
from reconciler.core.approval import check_expected, check_saved, done_lines
from reconciler.core.errors import NotApprovedError, ReconcilerError, UsageError
from reconciler.core.limits import Limits, strictest
from reconciler.core.selection import Selection
from reconciler.views.apply_text import not_approved_text, question
from reconciler.views.document import PlanDocument, ResourceChange, read_document
from reconciler.views.events import plan_events, version_event
from reconciler.views.plan_text import plan_text


@dataclass(frozen=True, slots=True)
class Asked:
    """How this apply may be approved."""

    settings: Globals
    selection: Selection
    auto_approve: bool
    expect: str | None
    saved: PlanDocument | None


def saved_plan(file: str, selection: Selection, expect: str | None) -> PlanDocument:
    """The plan in FILE. Raises ReconcilerError, and UsageError for options that FILE has settled already."""
    if replace(selection, limits=Limits()) != Selection():
        raise UsageError(f"{file} says which outputs it is about: leave out --target, --exclude, --rerun and --allow")
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise ReconcilerError(f"{file}: the plan cannot be read: {error.strerror}") from error
    document = read_document(content, file)
    if expect is not None and expect != document.plan_id:
        raise UsageError(f"--expect {expect} and {file}, which is plan {document.plan_id}, contradict each other")
    return document


def left_of(settings: Globals, saved: PlanDocument, limits: Limits) -> Selection:
    """What a saved plan selects, without the reruns that were done since it was made; limits may be added."""
    selection = replace(saved.selection, limits=strictest([saved.selection.limits, limits]))
    if not selection.reruns:
        return selection
    records = state_of(settings).read(saved.project).snapshot.records
    reruns = (change for change in saved.resource_changes if change.action_reason == "requested")
    left = tuple(change.address for change in reruns if not _done_since(records.get(change.address), change, saved))
    return replace(selection, reruns=left)


def _done_since(record: state.Record | None, change: ResourceChange, saved: PlanDocument) -> bool:
    """Whether an output was finished as wanted after a plan was made; both times are UTC to the second."""
    if record is None or record.status != "complete" or record.job is None or record.job.finished_at is None:
        return False
    return record.manifest == change.change.after and record.job.finished_at > saved.timestamp


def approval_of(
    screen: Screen, watching: Watching, asked: Asked
) -> Callable[[Planned, Mapping[str, tuple[str, ...]]], Approval | None]:
    """What is done with the plan once it is made, and before it runs: show it, check it, ask."""

    def approve(planned: Planned, known: Mapping[str, tuple[str, ...]]) -> Approval | None:
        document = document_of(planned, asked.settings)
        screen.warnings(planned.warnings)
        _show(screen, asked, document)
        if not document.resource_changes:
            # What is blocked is told at the end, too, and in the exit code.
            blocked = any(notice.code == "blocked" for notice in document.warnings)
            told = document.relinks or (blocked and not asked.selection.no_spend)
            return Approval(planned.plan_id, planned.lines) if told else None
        watching.outputs = sum(len(job.addresses) for job in document.jobs)
        checked = _checked(asked, planned, known)
        wiring.refuse(planned)
        if checked is None and not asked.auto_approve and not asked.selection.no_spend:
            _ask(screen, asked, document)
        return checked or Approval(planned.plan_id, planned.lines)

    return approve


def _show(screen: Screen, asked: Asked, document: PlanDocument) -> None:
    if asked.settings.json:
        stamp = gathering.stamp()
        screen.event(version_event(__version__, stamp))
        for event in plan_events(document, stamp):
            screen.event(event)
        return
    options = repeated(asked.settings, asked.selection)
    text = plan_text(document, columns=screen.columns, options=options, apply=None)
    screen.result(f"{text}\n" if document.resource_changes else text)


def _checked(asked: Asked, planned: Planned, known: Mapping[str, tuple[str, ...]]) -> Approval | None:
    """The approval that a saved plan or an id gives; None where neither was given. Raises PlanChangedError."""
    earlier = {identifier: state.Approval(at="", lines=lines) for identifier, lines in known.items()}
    if asked.saved is not None:
        return Approval(check_saved(asked.saved.lines, planned.lines, earlier), asked.saved.lines)
    if asked.expect is not None:
        identifier = check_expected(asked.expect, planned.lines, earlier, done_lines(planned.records))
        return Approval(identifier, known.get(identifier, planned.lines))
    return None


def _ask(screen: Screen, asked: Asked, document: PlanDocument) -> None:
    """Ask on a terminal. Raises NotApprovedError where there is none, and for every answer but yes."""
    if asked.settings.json or not screen.asks:
        raise NotApprovedError(not_approved_text(document, repeated(asked.settings, asked.selection)))
    if screen.ask(question(document)) != "yes":
        raise NotApprovedError('nothing was started: the answer was not "yes"')
    screen.talk("\n")
