"""`reconciler plan`: what would be encoded, why, and at what cost. Offline, and without the lock."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from reconciler import __version__
from reconciler.commands import gathering
from reconciler.commands.options import Command, Globals, refuse_nothing, selecting, trusting, with_globals
from reconciler.commands.planning import document_of, now, repeated
from reconciler.commands.speaking import Screen
from reconciler.core.errors import ReconcilerError
from reconciler.core.selection import Selection
from reconciler.io import atomic
from reconciler.views.commands_text import commands_text
from reconciler.views.document import PlanDocument, write_document
from reconciler.views.events import plan_events, version_event
from reconciler.views.plan_text import plan_text

CHANGES = 2


@click.command("plan", cls=Command)
@selecting
@click.option("--detail", is_flag=True, help="A block for each output, with its fields, as OpenTofu words it.")
@click.option("--show-commands", is_flag=True, help="Also show the ffmpeg commands that apply would run.")
@click.option("--refresh", is_flag=True, help="Also look at jobs in flight and at the remote sources of what will run.")
@click.option("--out", metavar="FILE", callback=refuse_nothing, help="Save the plan for reconciler apply FILE.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes, 0 if there are none.")
@trusting
@with_globals
def command(
    settings: Globals,
    *,
    targets: tuple[str, ...],
    excludes: tuple[str, ...],
    reruns: tuple[str, ...],
    allow: tuple[str, ...],
    out: str | None,
    detail: bool,
    show_commands: bool,
    refresh: bool,
    detailed_exitcode: bool,
) -> int:
    """Show what would be encoded, why, and at what cost. Starts nothing, contacts nobody, writes nothing.

    ADDR is an address, an encode (all of its outputs), or a glob over addresses. With --json the result is a line
    of JSON an event, the last of them the whole plan.
    """
    screen = Screen(settings)
    selection = Selection(targets=targets, excludes=excludes, reruns=reruns, allow=allow)
    planned = gathering.make_offline_plan(settings, selection)
    screen.warnings(planned.warnings)
    document = document_of(planned, settings, _looked(settings, planned) if refresh else ())
    if out is not None:
        _save(document, Path(out))
    if settings.json:
        _say_events(screen, document)
    else:
        options = repeated(settings, selection)
        apply = f"reconciler apply {out}" if out is not None else f"reconciler apply{options}"
        screen.result(plan_text(document, columns=screen.columns, detail=detail, options=options, apply=apply))
        if show_commands:
            screen.result(commands_text(_commands(planned)))
    return CHANGES if detailed_exitcode and document.resource_changes else 0


def _looked(settings: Globals, planned: gathering.Planned) -> list[str]:
    from reconciler.commands.looking import look_at_world  # noqa: PLC0415 - a tenth of a second that few plans need

    return look_at_world(settings, planned)


def _commands(planned: gathering.Planned) -> list[tuple[str, str]]:
    from reconciler.commands.looking import commands_behind  # noqa: PLC0415 - as above

    return commands_behind(planned)


def _say_events(screen: Screen, document: PlanDocument) -> None:
    stamp = now()
    screen.event(version_event(__version__, stamp))
    for event in plan_events(document, stamp):
        screen.event(event)
    screen.event({"type": "plan", "plan": msgspec.to_builtins(document)})


def _save(document: PlanDocument, path: Path) -> None:
    try:
        atomic.write_bytes(path, (write_document(document) + "\n").encode())
    except OSError as error:
        raise ReconcilerError(f"{path}: the plan cannot be saved: {error.strerror}") from error
