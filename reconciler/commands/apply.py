"""`reconciler apply`: encode what is missing or changed, once somebody approved it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from reconciler.commands import wiring
from reconciler.commands.apply_options import applying
from reconciler.commands.approving import Asked, approval_of, left_of, saved_plan
from reconciler.commands.choosing import choosing
from reconciler.commands.gathering import stamp
from reconciler.commands.options import Command, Globals, refuse_nothing, trusting, with_globals
from reconciler.commands.plan import save
from reconciler.commands.plan_options import quoting
from reconciler.commands.planning import repeated
from reconciler.commands.quoting import quoted
from reconciler.commands.speaking import Screen
from reconciler.commands.watching import Watching
from reconciler.commands.wiring import ApplyOptions
from reconciler.core.errors import (
    InterruptedApplyError,
    PartlyAppliedError,
    ReconcilerError,
    StillRunningError,
    UsageError,
)
from reconciler.core.happenings import Outcome
from reconciler.core.selection import Selection
from reconciler.views.apply_events import outcome_events
from reconciler.views.apply_markdown import apply_markdown, refused_markdown
from reconciler.views.apply_text import apply_text

_SUMMARY = "the summary"
_NOTHING = Outcome((), (), 0, 0, interrupted=False, seconds=0.0)


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
@click.option("--markdown", metavar="FILE", callback=refuse_nothing, help="Also write as Markdown how it ended.")
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
    markdown: str | None,
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
    asked = Asked(settings, chosen, auto_approve, expect, saved)
    with _told(None if markdown is None else Path(markdown)):
        outcome = _run(asked, how, quote=quote)
    if markdown is not None:
        save(Path(markdown), _markdown(asked, outcome), _SUMMARY)
    return _nothing_to_do(settings) if outcome is None else _ended(asked, outcome)


def _run(asked: Asked, how: ApplyOptions, *, quote: bool) -> Outcome | None:
    settings, screen = asked.settings, Screen(asked.settings)
    with Watching(screen, settings) as watching:
        return wiring.run_apply(
            settings,
            asked.selection,
            how,
            approve=approval_of(screen, watching, asked),
            tell=watching.tell,
            warn=lambda text: screen.warnings([text]),
            judge=partial(quoted, settings, warn=screen.warnings) if quote else wiring.unchanged,
        )


@contextmanager
def _told(markdown: Path | None) -> Iterator[None]:
    """What ends an apply before its end stands in the summary, too."""
    try:
        yield
    except ReconcilerError as error:
        if markdown is not None:
            save(markdown, refused_markdown(error), _SUMMARY)
        raise


def _markdown(asked: Asked, outcome: Outcome | None) -> str:
    ended = outcome or _NOTHING
    options = repeated(asked.settings, asked.selection)
    return apply_markdown(ended, state=asked.settings.state, exit_code=exit_code(ended), options=options)


def _nothing_to_do(settings: Globals) -> int:
    """The plan has said so already; events have a last line whatever happens."""
    if settings.json:
        for event in outcome_events(_NOTHING, stamp(), 0):
            Screen(settings).event(event)
    return 0


def _ended(asked: Asked, outcome: Outcome) -> int:
    """Say how it ended; the exit code."""
    code, screen = exit_code(outcome), Screen(asked.settings)
    if asked.settings.json:
        for event in outcome_events(outcome, stamp(), code):
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
