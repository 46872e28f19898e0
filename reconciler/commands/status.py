"""`reconciler status`: where everything stands. Offline; works even while the specs have errors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import click
import msgspec

from reconciler.commands import gathering
from reconciler.commands.options import Command, Globals, duration, trusting, with_globals
from reconciler.commands.speaking import Screen
from reconciler.commands.states import state_of
from reconciler.core.countdown import dying
from reconciler.core.encode import Desired
from reconciler.core.errors import SpecError, UsageError
from reconciler.core.estimates import Estimator
from reconciler.core.state import Record, Snapshot
from reconciler.core.world import World
from reconciler.views.status import expiring_text, status_text
from reconciler.views.status_expiry import Declared

CHANGES = 2


@click.command("status", cls=Command)
@click.option(
    "--expiring",
    metavar="DURATION",
    callback=duration,
    help="Only what its provider deletes within this time (24h, 90m) and has no copy.",
)
@click.option("--detailed-exitcode", is_flag=True, help="With --expiring: exit with 2 if there is any, 0 if not.")
@trusting
@with_globals
def command(settings: Globals, *, expiring: float | None, detailed_exitcode: bool) -> int:
    """Show where everything stands, what needs you first. Contacts nobody but a shared state.

    With --json the records by address, with the state's field names.
    """
    screen = Screen(settings)
    if detailed_exitcode and expiring is None:
        raise UsageError("--detailed-exitcode is about --expiring: add  --expiring 24h")
    desired = _desired(settings)
    loaded = state_of(settings).read(desired.project if desired is not None else "")
    screen.warnings(loaded.warnings)
    snapshot, now = loaded.snapshot, datetime.now(UTC)
    declared = _declared(desired, snapshot.records)
    world = gathering.look_at_files(snapshot, settings.media_roots)
    if expiring is not None:
        return _expiring(settings, declared, snapshot, world, within=expiring, detailed=detailed_exitcode)
    if settings.json:
        screen.json(msgspec.to_builtins(snapshot.records))
        return 0
    name = snapshot.project or (desired.project if desired is not None else "") or gathering.project_folder().name
    text = status_text(name, snapshot.records, declared, world, now, columns=screen.columns, options=settings.spoken)
    screen.result(text)
    return 0


def _expiring(
    settings: Globals,
    declared: Declared,
    snapshot: Snapshot,
    world: World,
    *,
    within: float,
    detailed: bool,
) -> int:
    """What dies soon, for a cron job."""
    screen = Screen(settings)
    records = {address: record for address, record in snapshot.records.items() if record.status != "retired"}
    found = {each.address: each.record for each in dying(records, world, within)}
    if settings.json:
        screen.json(msgspec.to_builtins(found))
    else:
        text = expiring_text(records, declared, world, within, columns=screen.columns, options=settings.spoken)
        screen.result(text)
    return CHANGES if detailed and found else 0


def _desired(settings: Globals) -> Desired | None:
    """What the specs want; None where they have errors."""
    try:
        return gathering.load_specs(settings).desired
    except SpecError:
        return None


def _declared(desired: Desired | None, records: Mapping[str, Record]) -> Declared:
    """What the specs add, and what it would cost to make finished outputs again."""
    if desired is None:
        return Declared(readable=False)
    estimator = Estimator(desired.providers, records)
    finished = [output for output in desired.outputs if output.address in records]
    return Declared(
        attempts={output.address: output.attempts for output in desired.outputs},
        paused=frozenset(output.address for output in desired.outputs if not output.enabled),
        outputs={output.address: output for output in desired.outputs},
        costs={output.address: estimator.again(output) for output in finished},
    )
