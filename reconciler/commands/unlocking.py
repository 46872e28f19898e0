"""`reconciler state unlock`: break the lock of a shared state whose holder is gone."""

from __future__ import annotations

import click
import msgspec

from reconciler.commands.options import Command, Globals, with_globals
from reconciler.commands.speaking import Screen
from reconciler.commands.states import state_of
from reconciler.core.errors import NotApprovedError, UsageError
from reconciler.store.shared_state import SharedState
from reconciler.store.store_lock import Holder, break_lock, holder_of
from reconciler.views.cells import visible
from reconciler.views.edit_types import Unlocked
from reconciler.views.state_text import unlocked_text


@click.command("unlock", cls=Command, short_help="Break the lock of a shared state whose holder is gone.")
@click.argument("identifier", metavar="[ID]", required=False)
@click.option("--force", is_flag=True, help="Break it without its ID, whoever holds it.")
@with_globals
def unlock_command(settings: Globals, identifier: str | None, *, force: bool) -> int:
    """Break the lock of a shared state, whose ID stands in the message that the state is locked.

    Without ID you are asked; where nobody can be asked, --force stands for the answer. Be sure that the holder is
    dead: what it still records after this is refused, and kept on its machine. Locks of state files need no
    breaking; they end with their process.
    """
    state, screen = state_of(settings), Screen(settings)
    if not isinstance(state, SharedState):
        raise UsageError(f"{state.name} is a file; its lock ends with the process that holds it, so none is left over")
    shared = state.open()
    with shared.asking():
        held = holder_of(shared)
    if held is not None:
        _need_a_word(screen, held, state.name, identifier, force=force)
        break_lock(shared, identifier or held.id)
    if settings.json:
        screen.json(msgspec.to_builtins(Unlocked(unlocked=held.id if held is not None else None)))
    else:
        screen.result(unlocked_text(state.name, str(held) if held is not None else None))
    return 0


def _need_a_word(screen: Screen, held: Holder, name: str, identifier: str | None, *, force: bool) -> None:
    """Raise NotApprovedError unless the lock is named, forced, or somebody says yes."""
    if identifier is not None or force:
        return
    if not screen.asks:
        raise NotApprovedError(
            f"{name} is locked by {held}; nobody can be asked whether that process is gone\n"
            f"  If it is:  reconciler --state {name} state unlock {held.id}"
        )
    screen.talk(f"{name} is locked by {visible(str(held))}.\n")
    if screen.ask("Is that process gone? Only 'yes' breaks its lock: ") != "yes":
        raise NotApprovedError("the lock was left alone")
