"""`reconciler status`: where everything stands. Offline; works even while the specs have errors."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from reconciler.commands import gathering
from reconciler.commands.options import Command, Globals, trusting, with_globals
from reconciler.commands.speaking import Screen
from reconciler.core.errors import SpecError
from reconciler.store import store
from reconciler.views.status import Declared, status_text


@click.command("status", cls=Command)
@trusting
@with_globals
def command(settings: Globals) -> int:
    """Show where everything stands, what needs you first. Contacts nobody.

    With --json the records by address, with the state's field names.
    """
    screen = Screen(settings)
    declared, project = _declared(settings)
    loaded = store.read(Path(settings.state), project)
    screen.warnings(loaded.warnings)
    snapshot = loaded.snapshot
    if settings.json:
        screen.json(msgspec.to_builtins(snapshot.records))
        return 0
    world = gathering.look_at_files(snapshot, settings.media_roots)
    name = snapshot.project or project or gathering.project_folder().name
    now = datetime.now(UTC)
    text = status_text(name, snapshot.records, declared, world, now, columns=screen.columns, options=settings.spoken)
    screen.result(text)
    return 0


def _declared(settings: Globals) -> tuple[Declared, str]:
    """What the specs add, and the project that they name; nothing of either where they have errors."""
    try:
        desired = gathering.load_specs(settings).desired
    except SpecError:
        return Declared(readable=False), ""
    declared = Declared(
        attempts={output.address: output.attempts for output in desired.outputs},
        paused=frozenset(output.address for output in desired.outputs if not output.enabled),
    )
    return declared, desired.project
