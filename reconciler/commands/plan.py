"""`reconciler plan`: what would be encoded, why, and at what cost. Offline, and without the lock."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path

import click

from reconciler import __version__
from reconciler.commands import gathering
from reconciler.commands.choosing import choosing, telling
from reconciler.commands.options import Command, Globals, refuse_nothing, trusting, with_globals
from reconciler.commands.plan_options import environment_option, quoting
from reconciler.commands.planning import document_of, repeated
from reconciler.commands.speaking import Screen
from reconciler.core.errors import ReconcilerError, RefusedError, UsageError
from reconciler.core.selection import Selection
from reconciler.io import atomic
from reconciler.views.commands_text import commands_text
from reconciler.views.document import PlanDocument, write_document
from reconciler.views.events import plan_event, plan_events, version_event
from reconciler.views.markdown import plan_markdown
from reconciler.views.plan_text import plan_text

CHANGES = 2


@click.command("plan", cls=Command)
@choosing
@click.option("--detail", is_flag=True, help="A block for each output, with its fields, as OpenTofu words it.")
@click.option("--show-commands", is_flag=True, help="Also show the ffmpeg commands that apply would run.")
@click.option("--refresh", is_flag=True, help="Also look at jobs in flight and at the remote sources of what will run.")
@quoting
@telling
@click.option("--markdown", metavar="FILE", callback=refuse_nothing, help="Also write the plan as a Markdown comment.")
@environment_option("the project")
@click.option(
    "--base", metavar="REF", callback=refuse_nothing, help="Compare with the specs of this commit, not the state."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes, 0 if there are none.")
@trusting
@with_globals
def command(
    settings: Globals,
    *,
    selection: Selection,
    out: str | None,
    markdown: str | None,
    environment: str | None,
    base: str | None,
    detail: bool,
    show_commands: bool,
    refresh: bool,
    quote: bool,
    fail_on_limits: bool,
    detailed_exitcode: bool,
) -> int:
    """Show what would be encoded, why, and at what cost. Starts nothing and writes nothing.

    Contacts nobody but a shared state, unless --refresh or --quote says so.
    ADDR is an address, an encode (all of its outputs), or a glob over addresses. With --json the result is a line
    of JSON an event, the last of them the whole plan.
    """
    screen = Screen(settings)
    if base is not None and (out is not None or refresh or quote or show_commands):
        raise UsageError("--base compares specs with specs: leave out --out, --refresh, --quote and --show-commands")
    planned = _planned(settings, selection, base, refresh=refresh)
    screen.warnings(planned.warnings)
    if quote:
        planned = _quoted(settings, planned, screen)
    document = document_of(planned, settings, _looked(settings, planned) if refresh else ())
    options = repeated(settings, selection)
    # What was looked at for the plan, apply has to look at to come to the same.
    looks = f"{' --refresh' if refresh else ''}{' --quote' if quote else ''}"
    _save_plan(document, out)
    _save_comment(document, markdown, environment, f"{options}{looks}")
    if settings.json:
        _say_events(screen, document)
    else:
        apply = f"reconciler apply {shlex.quote(out)}" if out is not None else f"reconciler apply{options}"
        _say(screen, document, options, f"{apply}{looks}", detail=detail)
        if show_commands:
            screen.result(commands_text(_commands(planned)))
    return exit_code(document, fail_on_limits=fail_on_limits, detailed=detailed_exitcode)


def _save_plan(document: PlanDocument, out: str | None) -> None:
    if out is not None:
        save(Path(out), write_document(document) + "\n", "the plan")


def _save_comment(document: PlanDocument, markdown: str | None, environment: str | None, options: str) -> None:
    if markdown is not None:
        text = plan_markdown(document, environment=environment or document.project, options=options)
        save(Path(markdown), text, "the comment")


def exit_code(document: PlanDocument, *, fail_on_limits: bool, detailed: bool) -> int:
    """4 beats 2 beats 0; each only where it was asked for."""
    if fail_on_limits and document.refusals:
        return RefusedError.exit_code
    return CHANGES if detailed and document.resource_changes else 0


def _planned(settings: Globals, selection: Selection, base: str | None, *, refresh: bool) -> gathering.Planned:
    if refresh:
        from reconciler.commands.outside import look_outside  # noqa: PLC0415 - a tenth of a second that few plans need

        return gathering.make_offline_plan(settings, selection, partial(look_outside, settings))
    return planned_against(settings, selection, base)


def planned_against(settings: Globals, selection: Selection, base: str | None) -> gathering.Planned:
    """The offline plan over the state, or over what the commit `base` declares. Raises SpecError, UsageError."""
    if base is None:
        return gathering.make_offline_plan(settings, selection)
    from reconciler.commands.comparing import compared_with  # noqa: PLC0415 - starts git, which few plans need

    return compared_with(settings, selection, base)


def _say(screen: Screen, document: PlanDocument, options: str, apply: str, *, detail: bool) -> None:
    then = None if document.basis.base is not None else apply
    screen.result(plan_text(document, columns=screen.columns, detail=detail, options=options, apply=then))


def _looked(settings: Globals, planned: gathering.Planned) -> list[str]:
    from reconciler.commands.looking import look_at_world  # noqa: PLC0415 - a tenth of a second that few plans need

    return look_at_world(settings, planned)


def _quoted(settings: Globals, planned: gathering.Planned, screen: Screen) -> gathering.Planned:
    from reconciler.commands.quoting import quoted  # noqa: PLC0415 - as above

    return quoted(settings, planned, screen.warnings)


def _commands(planned: gathering.Planned) -> list[tuple[str, str]]:
    from reconciler.commands.looking import commands_behind  # noqa: PLC0415 - as above

    return commands_behind(planned)


def _say_events(screen: Screen, document: PlanDocument) -> None:
    stamp = gathering.stamp()
    screen.event(version_event(__version__, stamp))
    for event in plan_events(document, stamp):
        screen.event(event)
    screen.event(plan_event(document))


def save(path: Path, text: str, what: str) -> None:
    """Write a file that was asked for. Raises ReconcilerError."""
    try:
        atomic.write_bytes(path, text.encode())
    except OSError as error:
        raise ReconcilerError(f"{path}: {what} cannot be saved: {error.strerror}") from error
