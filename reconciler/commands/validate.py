"""`reconciler validate`: every problem of the specs, offline."""

from __future__ import annotations

import click

from reconciler.commands import gathering, wiring
from reconciler.commands.options import Command, Globals, trusting, with_globals
from reconciler.commands.speaking import Screen
from reconciler.core.encode import Desired
from reconciler.core.errors import ProviderError
from reconciler.views.events import provider_event, validated_event
from reconciler.views.provider_text import provider_text
from reconciler.views.words import count


@click.command("validate", cls=Command)
@click.option("--online", is_flag=True, help="Also ask every declared provider: reachable, credentials, balance.")
@trusting
@with_globals
def command(settings: Globals, *, online: bool) -> int:
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
        screen.event(validated_event(message, gathering.stamp(), outputs=len(desired.outputs), encodes=encodes))
    else:
        screen.result(f"{message}\n")
    return _asked(screen, settings, desired) if online else 0


def _asked(screen: Screen, settings: Globals, desired: Desired) -> int:
    """Ask every provider; the exit code is that of the worst answer, and one that fails hides no other."""
    code = 0
    for name in desired.providers:
        try:
            lines, good = wiring.report(settings, desired, name), True
        except ProviderError as error:
            lines, good, code = (str(error),), False, max(code, error.exit_code)
        if settings.json:
            screen.event(provider_event(name, tuple(lines), gathering.stamp(), good=good))
        else:
            screen.result(provider_text(name, lines, good=good, columns=screen.columns))
    return code
