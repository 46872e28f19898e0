"""`reconciler show`: a saved plan, or what is recorded of an address."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import msgspec

from reconciler.commands.addresses import chosen
from reconciler.commands.options import Command, Globals, complete, with_globals
from reconciler.commands.speaking import Screen
from reconciler.commands.states import state_of
from reconciler.core.errors import UsageError
from reconciler.views.document import read_document, write_document
from reconciler.views.plan_text import plan_text
from reconciler.views.show import record_text


@click.command("show", cls=Command)
@click.argument("what", metavar="FILE|ADDR", shell_complete=complete)
@click.option("--detail", is_flag=True, help="Of a plan: a block for each output, with its fields.")
@with_globals
def command(settings: Globals, what: str, *, detail: bool) -> int:
    """Show a plan saved by plan --out FILE, or what the state knows of the outputs at ADDR."""
    screen = Screen(settings)
    if Path(what).is_file():
        document = read_document(Path(what).read_bytes(), what)
        if settings.json:
            screen.result(write_document(document) + "\n")
        else:
            screen.result(
                plan_text(
                    document, columns=screen.columns, detail=detail, apply=f"reconciler apply {shlex.quote(what)}"
                )
            )
        return 0
    if what.endswith(".json"):
        raise UsageError(f"{what}: there is no such file")
    loaded = state_of(settings).read("")
    screen.warnings(loaded.warnings)
    records = chosen(loaded.snapshot.records, [what])
    if settings.json:
        screen.json(msgspec.to_builtins(records))
    else:
        texts = (record_text(address, record, columns=screen.columns) for address, record in records.items())
        screen.result("\n".join(texts))
    return 0
