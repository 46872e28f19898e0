"""`reconciler state pull` and `state push`: a whole state out of its place, and into it."""

from __future__ import annotations

import time
from pathlib import Path

import click
import msgspec

from reconciler.commands.mending import LOCK_TIMEOUT
from reconciler.commands.options import Command, Globals, refuse_nothing, with_globals
from reconciler.commands.plan import save
from reconciler.commands.speaking import Screen
from reconciler.commands.states import state_of
from reconciler.core.errors import RefusedError, StateError, UsageError
from reconciler.core.sharing import difference, left_behind, says_nothing
from reconciler.core.state import Event, Snapshot
from reconciler.store import snapshot, store
from reconciler.store.states import Writer
from reconciler.views.edit_types import Pulled, Pushed
from reconciler.views.state_text import behind_text, pulled_text, pushed_text


@click.command("pull", cls=Command, short_help="Print the state as it is now, or save it.")
@click.option("-o", "--out", metavar="FILE", callback=refuse_nothing, help="Save it there instead of printing it.")
@with_globals
def pull_command(settings: Globals, *, out: str | None) -> int:
    """Print the whole state as a state file, with everything that an apply under way or killed has recorded.

    Takes no lock. The file holds no credentials and no live links.
    """
    state, screen = state_of(settings), Screen(settings)
    loaded = state.read("")
    screen.warnings(loaded.warnings)
    if not loaded.snapshot.project:
        raise UsageError(f"{state.name}: there is no state yet; reconciler apply makes it")
    text = snapshot.encode(loaded.snapshot).decode()
    if out is None:
        screen.result(text)
        return 0
    save(Path(out), text, "the state")
    if settings.json:
        screen.json(msgspec.to_builtins(Pulled(saved=out, records=len(loaded.snapshot.records))))
    else:
        screen.result(pulled_text(out, state.name, len(loaded.snapshot.records)))
    return 0


@click.command("push", cls=Command, short_help="Put a state file in the place of the state.")
@click.argument("file", metavar="FILE", type=click.Path())
@click.option("--force", is_flag=True, help="Also where records that are newer than those of FILE are lost by it.")
@LOCK_TIMEOUT
@with_globals
def push_command(settings: Globals, file: str, *, force: bool, lock_timeout: float) -> int:
    """Put the state of FILE in the place of the state, under its lock; a backup of the old one is kept.

    Refused for a state of another project or version, and for one that does not know all that is recorded. So a
    state moves into a store:

    reconciler --state s3://BUCKET/PATH state push state/encodes.json
    """
    pushed = _read(Path(file))
    state, screen = state_of(settings), Screen(settings)
    found = state.read("").snapshot.project
    if found and found != pushed.project:
        raise StateError(f'{file} is of project "{pushed.project}", {state.name} of "{found}". Nothing was changed.')
    with state.write(pushed.project, timeout=lock_timeout, sleep=time.sleep) as writer:
        behind = left_behind(writer.snapshot, pushed)
        if behind and not force:
            raise RefusedError(behind_text(file, state.name, behind))
        event = _replacing(writer, pushed)
        if not says_nothing(event):
            writer.record("pushed", records=event.records, removed=event.removed, approved=event.approved)
    changed = len(event.records) + len(event.removed)
    if settings.json:
        screen.json(msgspec.to_builtins(Pushed(pushed=file, records=len(pushed.records), changed=changed)))
    else:
        screen.result(pushed_text(file, state.name, len(pushed.records), changed))
    return 0


def _read(path: Path) -> Snapshot:
    """A state file with the journal beside it."""
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file")
    return store.read(path, "").snapshot


def _replacing(writer: Writer, pushed: Snapshot) -> Event:
    known = writer.snapshot
    revs = {address: writer.next_rev(address) for address in {*known.records, *pushed.records}}
    return difference(known, pushed, revs, event="pushed", at="")
