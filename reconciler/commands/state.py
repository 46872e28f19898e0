"""`reconciler state`: look at the records, mend them, and carry a state from place to place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import click
import msgspec

from reconciler.commands.addresses import chosen
from reconciler.commands.carrying import pull_command, push_command
from reconciler.commands.forgetting import prune_command, remove_command
from reconciler.commands.merging import merge_command
from reconciler.commands.moving import move_command
from reconciler.commands.options import Command, Globals, Group, complete, with_globals
from reconciler.commands.recovering import adopt_command, rebuild_command
from reconciler.commands.speaking import Screen
from reconciler.commands.states import state_of
from reconciler.commands.unlocking import unlock_command
from reconciler.core.state import Record
from reconciler.views.show import record_list, record_text


@click.group("state", cls=Group)
def command() -> None:
    """Look at the state, and mend it.

    What mends takes the lock, writes every change to the journal first, and keeps a backup of the state.
    """


for each in (move_command, remove_command, prune_command, rebuild_command, adopt_command, merge_command):
    command.add_command(each)
for each in (pull_command, push_command, unlock_command):
    command.add_command(each)


@command.command("list", cls=Command, short_help="List the recorded addresses.")
@click.argument("addresses", nargs=-1, metavar="[ADDR]...", shell_complete=complete)
@with_globals
def list_records(settings: Globals, addresses: tuple[str, ...]) -> int:
    """List the recorded addresses, their status and what was asked of them."""
    return _print_records(settings, addresses, lambda records, columns: record_list(records, columns=columns))


@command.command("show", cls=Command, short_help="Show everything that is recorded of addresses.")
@click.argument("addresses", nargs=-1, required=True, metavar="ADDR...", shell_complete=complete)
@with_globals
def show_records(settings: Globals, addresses: tuple[str, ...]) -> int:
    """Show everything that is recorded of addresses."""
    return _print_records(
        settings,
        addresses,
        lambda records, columns: "\n".join(
            record_text(address, record, columns=columns) for address, record in records.items()
        ),
    )


def _print_records(
    settings: Globals, addresses: Sequence[str], text: Callable[[Mapping[str, Record], int], str]
) -> int:
    screen = Screen(settings)
    loaded = state_of(settings).read("")
    screen.warnings(loaded.warnings)
    records = chosen(loaded.snapshot.records, addresses)
    if settings.json:
        screen.json(msgspec.to_builtins(records))
    else:
        screen.result(text(records, screen.columns))
    return 0
