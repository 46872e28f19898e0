"""`reconciler apply`: encode what is missing or changed, once somebody approved it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import click

from reconciler.commands import wiring
from reconciler.commands.apply_options import applying
from reconciler.commands.approving import Asked, approval_of, left_of, saved_plan
from reconciler.commands.choosing import choosing
from reconciler.commands.options import Command, Globals, trusting, with_globals
from reconciler.commands.plan_options import quoting
from reconciler.commands.planning import now, repeated
from reconciler.commands.quoting import quoted
from reconciler.commands.speaking import Screen
from reconciler.commands.watching import Watching
from reconciler.commands.wiring import ApplyOptions
from reconciler.core.errors import InterruptedApplyError, PartlyAppliedError, StillRunningError, UsageError
from reconciler.core.happenings import Outcome
from reconciler.core.selection import Selection
from reconciler.views.apply_events import outcome_events
from reconciler.views.apply_text import apply_text


@click.command("apply", cls=Command)
@click.argument("file", required=False, metavar="[FILE]", type=click.Path())
@choosing
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--expect", metavar="ID", help="Run just the plan of this id, or what is left of it; else exit with 5.")
@click.option(
    "--no-spend",
    is_flag=True,
    help="Do what is free, without asking: bring in what was started, deliver, renew links. Made for cron.",
)
@applying
@quoting
@trusting
@with_globals
def command(
    settings: Globals,
    *,
    file: str | None,
    selection: Selection,
    how: ApplyOptions,
    expect: str | None,
    auto_approve: bool,
    no_spend: bool,
    quote: bool,
) -> int:
    """Encode what is missing or changed, and record it. Running it again goes on where it stopped.

    FILE is a plan saved by plan --out: just that is run, or what is left of it. Without FILE, --expect or
    --auto-approve it asks first. Ctrl-C stops cleanly; a second one stops at once.
    """
    if no_spend and (selection.reruns or file is not None or expect is not None):
        raise UsageError("--no-spend starts nothing: leave out FILE, --expect and --rerun")
    given = replace(selection, no_spend=no_spend)
    saved = None if file is None else saved_plan(file, given, expect)
    chosen = given if saved is None else left_of(settings, saved, given.limits)
    asked, screen = Asked(settings, chosen, auto_approve, expect, saved), Screen(settings)
    with Watching(screen, settings) as watching:
        outcome = wiring.run_apply(
            settings,
            chosen,
            how,
            approve=approval_of(screen, watching, asked),
            tell=watching.tell,
            warn=lambda text: screen.warnings([text]),
            judge=partial(quoted, settings, warn=screen.warnings) if quote else wiring.unchanged,
        )
    return _nothing_to_do(screen, settings) if outcome is None else _ended(screen, asked, outcome)


def _nothing_to_do(screen: Screen, settings: Globals) -> int:
    """The plan has said so already; events have a last line whatever happens."""
    if settings.json:
        for event in outcome_events(Outcome((), (), 0, 0, interrupted=False, seconds=0.0), now(), 0):
            screen.event(event)
    return 0


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
