"""`reconciler show`: a saved plan, or what is recorded of an address."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import msgspec

from reconciler.commands.addresses import chosen
from reconciler.commands.options import Command, Globals, complete, with_globals
from reconciler.commands.plan import exit_code
from reconciler.commands.speaking import Screen
from reconciler.commands.states import state_of
from reconciler.core.errors import UsageError
from reconciler.views.document import PlanDocument, read_document, write_document
from reconciler.views.plan_text import plan_text
from reconciler.views.show import record_text


@click.command("show", cls=Command)
@click.argument("what", metavar="FILE|ADDR", shell_complete=complete)
@click.option("--detail", is_flag=True, help="Of a plan: a block for each output, with its fields.")
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Of a plan: exit with 2 if it has changes, 0 if it has none, as plan does.",
)
@with_globals
def command(settings: Globals, what: str, *, detail: bool, detailed_exitcode: bool) -> int:
    """Show a plan saved by plan --out FILE, or what the state knows of the outputs at ADDR."""
    screen = Screen(settings)
    if Path(what).is_file():
        document = read_document(Path(what).read_bytes(), what)
        _show_plan(screen, document, what, detail=detail, as_json=settings.json)
        return exit_code(document, fail_on_limits=False, detailed=detailed_exitcode)
    if what.endswith(".json"):
        raise UsageError(f"{what}: there is no such file")
    if detailed_exitcode:
        raise UsageError("--detailed-exitcode is about a saved plan; a record has no changes")
    _show_records(screen, settings, what)
    return 0


def _show_plan(screen: Screen, document: PlanDocument, file: str, *, detail: bool, as_json: bool) -> None:
    if as_json:
        screen.result(write_document(document) + "\n")
    else:
        apply = f"reconciler apply {shlex.quote(file)}"
        screen.result(plan_text(document, columns=screen.columns, detail=detail, apply=apply))


def _show_records(screen: Screen, settings: Globals, address: str) -> None:
    loaded = state_of(settings).read("")
    screen.warnings(loaded.warnings)
    records = chosen(loaded.snapshot.records, [address])
    if settings.json:
        screen.json(msgspec.to_builtins(records))
    else:
        texts = (record_text(each, record, columns=screen.columns) for each, record in records.items())
        screen.result("\n".join(texts))
