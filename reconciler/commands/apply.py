"""`reconciler apply`: encode what is missing or changed, once somebody approved it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click

from reconciler import __version__
from reconciler.commands import wiring
from reconciler.commands.gathering import Planned
from reconciler.commands.options import Command, Globals, duration, selecting, trusting, with_globals
from reconciler.commands.plan_options import limiting
from reconciler.commands.planning import document_of, now, repeated
from reconciler.commands.speaking import Screen
from reconciler.commands.states import state_of
from reconciler.commands.watching import Watching
from reconciler.commands.wiring import ApplyOptions, Approval
from reconciler.core import state
from reconciler.core.approval import check_expected, check_saved
from reconciler.core.errors import (
    InterruptedApplyError,
    NotApprovedError,
    PartlyAppliedError,
    ReconcilerError,
    StillRunningError,
    UsageError,
)
from reconciler.core.happenings import Outcome
from reconciler.core.limits import Limits, strictest
from reconciler.core.selection import Selection
from reconciler.views.apply_events import outcome_events
from reconciler.views.apply_text import apply_text, not_approved_text, question
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


@click.command("apply", cls=Command)
@click.argument("file", required=False, metavar="[FILE]", type=click.Path())
@selecting
@limiting
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--expect", metavar="ID", help="Run just the plan of this id, or what is left of it; else exit with 5.")
@click.option(
    "--parallelism",
    type=click.IntRange(min=1),
    envvar="RECONCILER_PARALLELISM",
    show_envvar=True,
    metavar="N",
    help="How many jobs run at once.  [default: what the provider can take]",
)
@click.option("--fail-fast", is_flag=True, help="After one failure start nothing more.")
@click.option(
    "--no-spend",
    is_flag=True,
    help="Do what is free, without asking: bring in what was started, deliver, renew links. Made for cron.",
)
@click.option(
    "--canary",
    type=click.IntRange(min=0),
    metavar="N",
    help="Finish N jobs before the others start; 0: none.  [default: 1 where one cause reruns ten paid outputs]",
)
@click.option("--refresh", is_flag=True, help="Look at watched sources and at copies in stores before planning.")
@click.option("--no-wait", is_flag=True, help="Start jobs that run elsewhere and leave; a later apply brings them in.")
@click.option(
    "--wait-timeout",
    metavar="DURATION",
    callback=duration,
    help="How long to wait for jobs (90s, 2h); what still runs then runs on, and the exit code is 7.",
)
@click.option(
    "--lock-timeout",
    type=click.FloatRange(min=0),
    default=0.0,
    envvar="RECONCILER_LOCK_TIMEOUT",
    show_envvar=True,
    metavar="SECONDS",
    help="How long to wait for another apply.  [default: not at all]",
)
@trusting
@with_globals
def command(
    settings: Globals,
    *,
    file: str | None,
    targets: tuple[str, ...],
    excludes: tuple[str, ...],
    reruns: tuple[str, ...],
    allow: tuple[str, ...],
    limits: Limits,
    expect: str | None,
    parallelism: int | None,
    lock_timeout: float,
    auto_approve: bool,
    fail_fast: bool,
    no_spend: bool,
    canary: int | None,
    refresh: bool,
    no_wait: bool,
    wait_timeout: float | None,
) -> int:
    """Encode what is missing or changed, and record it. Running it again goes on where it stopped.

    FILE is a plan saved by plan --out: just that is run, or what is left of it. Without FILE, --expect or
    --auto-approve it asks first. Ctrl-C stops cleanly; a second one stops at once.
    """
    selection = Selection(
        targets=targets, excludes=excludes, reruns=reruns, allow=allow, limits=limits, no_spend=no_spend
    )
    if no_spend and (reruns or file is not None or expect is not None):
        raise UsageError("--no-spend starts nothing: leave out FILE, --expect and --rerun")
    saved = None if file is None else _saved(file, selection, expect)
    chosen = selection if saved is None else _left(settings, saved, limits)
    asked = Asked(settings, chosen, auto_approve, expect, saved)
    screen, options = (
        Screen(settings),
        ApplyOptions(
            parallelism,
            fail_fast,
            lock_timeout,
            wait=not no_wait,
            wait_timeout=wait_timeout,
            canary=canary,
            refresh=refresh,
        ),
    )
    with Watching(screen, settings) as watching:
        outcome = wiring.run_apply(
            settings,
            asked.selection,
            options,
            approve=_approval(screen, watching, asked),
            tell=watching.tell,
            warn=lambda text: screen.warnings([text]),
        )
    if outcome is None:
        return _nothing_to_do(screen, settings)
    return _ended(screen, asked, outcome)


def _nothing_to_do(screen: Screen, settings: Globals) -> int:
    """The plan has said so already; events have a last line whatever happens."""
    if settings.json:
        for event in outcome_events(Outcome((), (), 0, 0, interrupted=False, seconds=0.0), now(), 0):
            screen.event(event)
    return 0


def _saved(file: str, selection: Selection, expect: str | None) -> PlanDocument:
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


def _left(settings: Globals, saved: PlanDocument, limits: Limits) -> Selection:
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


def _approval(
    screen: Screen, watching: Watching, asked: Asked
) -> Callable[[Planned, Mapping[str, tuple[str, ...]]], Approval | None]:
    """What is done with the plan once it is made, and before it runs: show it, check it, ask."""

    def approve(planned: Planned, known: Mapping[str, tuple[str, ...]]) -> Approval | None:
        document = document_of(planned, asked.settings)
        screen.warnings(planned.warnings)
        _show(screen, asked, document)
        if not document.resource_changes:
            # What is blocked is told at the end, too, and in the exit code.
            told = document.relinks or any(notice.code == "blocked" for notice in document.warnings)
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
        stamp = now()
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
        identifier = check_expected(asked.expect, planned.lines, earlier)
        return Approval(identifier, known.get(identifier, planned.lines))
    return None


def _ask(screen: Screen, asked: Asked, document: PlanDocument) -> None:
    """Ask on a terminal. Raises NotApprovedError where there is none, and for every answer but yes."""
    if asked.settings.json or not screen.asks:
        raise NotApprovedError(not_approved_text(document, repeated(asked.settings, asked.selection)))
    if screen.ask(question(document)) != "yes":
        raise NotApprovedError('nothing was started: the answer was not "yes"')
    screen.talk("\n")


def _ended(screen: Screen, asked: Asked, outcome: Outcome) -> int:
    """Say how it ended; the exit code."""
    code = exit_code(outcome)
    if asked.settings.json:
        for event in outcome_events(outcome, now(), code):
            screen.event(event)
        return code
    options = repeated(asked.settings, asked.selection)
    screen.result(
        apply_text(outcome, state=asked.settings.state, exit_code=code, columns=screen.columns, options=options)
    )
    return code


def exit_code(outcome: Outcome) -> int:
    """130 beats 3 beats 7 beats 0."""
    if outcome.interrupted:
        return InterruptedApplyError.exit_code
    if outcome.failed or (outcome.not_run and not outcome.timed_out):
        return PartlyAppliedError.exit_code
    return StillRunningError.exit_code if outcome.timed_out else 0
