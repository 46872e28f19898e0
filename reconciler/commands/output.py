"""`reconciler output`: where the finished files are."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from reconciler.commands import gathering, relinking
from reconciler.commands.addresses import chosen
from reconciler.commands.options import Command, Globals, complete, with_globals
from reconciler.commands.speaking import Screen
from reconciler.commands.states import state_of
from reconciler.core.errors import ReconcilerError
from reconciler.core.state import Record
from reconciler.core.urls import without_query
from reconciler.views.output_text import output_text


@click.command("output", cls=Command)
@click.argument("addresses", nargs=-1, metavar="[ADDR]...", shell_complete=complete)
@click.option("--show-links", is_flag=True, help="Show links with their signatures: whoever has one has the file.")
@click.option("--offline", is_flag=True, help="Renew no dead links; contact nobody.")
@with_globals
def command(settings: Globals, addresses: tuple[str, ...], *, show_links: bool, offline: bool) -> int:
    """List the finished files: address, path or link, size.

    ADDR is an address, an encode (all of its outputs), or a glob over addresses. With --json the records, their
    links as they open now. Dead links to living files are renewed first, for nothing.
    """
    screen = Screen(settings)
    loaded = state_of(settings).read("")
    screen.warnings(loaded.warnings)
    finished = {
        address: record
        for address, record in loaded.snapshot.records.items()
        if record.status == "complete" and record.output is not None
    }
    records = chosen(finished, addresses)
    shown = show_links or settings.json
    if not offline:
        records = _renewed(screen, settings, records, missing=shown)
    links = state_of(settings).live_links() if shown else {}
    if settings.json:
        screen.json({address: _facts(record, links.get(address)) for address, record in records.items()})
    else:
        screen.result(output_text(records, gathering.host(), links, columns=screen.columns))
    return 0


def _renewed(screen: Screen, settings: Globals, records: dict[str, Record], *, missing: bool) -> dict[str, Record]:
    """The same records with links that open; a link that cannot be renewed is told of, and stays as it is.

    `missing`: also get those that only another machine has.
    """
    if not any(record.output is not None and record.output.link is not None for record in records.values()):
        return records
    try:
        screen.warnings(relinking.renew(settings, records.keys(), missing=missing))
    except ReconcilerError as error:
        screen.warnings([f"dead links were not renewed: {error}"])
    now = state_of(settings).read("").snapshot.records
    return {address: now.get(address, record) for address, record in records.items()}


def _facts(record: Record, link: str | None) -> dict[str, Any]:
    facts: dict[str, Any] = msgspec.to_builtins(record)
    if link is not None and record.output is not None and record.output.link == without_query(link):
        facts["output"]["link"] = link
    return facts
