"""`reconciler validate`: every problem of the specs, offline."""

from __future__ import annotations

import click

from reconciler.commands import gathering
from reconciler.commands.options import Command, Globals, trusting, with_globals
from reconciler.commands.planning import now
from reconciler.commands.speaking import Screen
from reconciler.views.events import event
from reconciler.views.words import count


@click.command("validate", cls=Command)
@trusting
@with_globals
def command(settings: Globals) -> int:
    """Check the specs, offline: every problem with its file, line and column, and what would be right."""
    screen = Screen(settings)
    specs = gathering.load_specs(settings, require_sources=True)
    desired = specs.desired
    screen.warnings(specs.warnings)
    encodes = len({output.encode for output in desired.outputs})
    counts = (
        f"{count(len(desired.outputs), 'output')} of {count(encodes, 'encode')} in {count(len(desired.files), 'file')}"
    )
    message = f"Success! The specs are valid: {counts}."
    if settings.json:
        screen.event(event("validated", message, now(), valid=True, outputs=len(desired.outputs), encodes=encodes))
    else:
        screen.result(f"{message}\n")
    return 0
