"""`reconciler output`: where the finished files are."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from reconciler.commands import gathering
from reconciler.commands.addresses import chosen
from reconciler.commands.options import Command, Globals, complete, with_globals
from reconciler.commands.speaking import Screen
from reconciler.store import store
from reconciler.views.output_text import output_text


@click.command("output", cls=Command)
@click.argument("addresses", nargs=-1, metavar="[ADDR]...", shell_complete=complete)
@with_globals
def command(settings: Globals, addresses: tuple[str, ...]) -> int:
    """List the finished files: address, path, size.

    ADDR is an address, an encode (all of its outputs), or a glob over addresses. With --json the records.
    """
    screen = Screen(settings)
    loaded = store.read(Path(settings.state), "")
    screen.warnings(loaded.warnings)
    finished = {
        address: record
        for address, record in loaded.snapshot.records.items()
        if record.status == "complete" and record.output is not None
    }
    records = chosen(finished, addresses)
    if settings.json:
        screen.json(msgspec.to_builtins(records))
    else:
        screen.result(output_text(records, gathering.host(), columns=screen.columns))
    return 0
