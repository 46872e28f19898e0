"""`reconciler explain`: why an output would run, and which line of which file set each field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
import msgspec

from reconciler.commands import gathering
from reconciler.commands.addresses import chosen
from reconciler.commands.gathering import Planned
from reconciler.commands.options import Command, Globals, complete, trusting, with_globals
from reconciler.commands.planning import document_of
from reconciler.commands.speaking import Screen
from reconciler.core.encode import Output
from reconciler.core.errors import UsageError
from reconciler.core.presets import BUILT_IN
from reconciler.core.selection import Selection
from reconciler.views.explain import (
    explain_text,
    explained,
    explained_record,
    preset_fields,
    presets_text,
    retired_text,
)


@click.command("explain", cls=Command)
@click.argument("addresses", nargs=-1, metavar="[ADDR]...", shell_complete=complete)
@click.option("--presets", is_flag=True, help="Show the built-in presets and what they hold.")
@trusting
@with_globals
def command(settings: Globals, addresses: tuple[str, ...], *, presets: bool) -> int:
    """Tell why an output would run, which line of which file set each field, and what became of earlier attempts.

    ADDR is an address, an encode (all of its outputs), or a glob over addresses.
    """
    screen = Screen(settings)
    if presets == bool(addresses):
        raise UsageError("explain what? Name an address, or ask for --presets")
    if presets:
        return _presets(screen, settings)
    planned = gathering.make_offline_plan(settings, Selection())
    screen.warnings(planned.warnings)
    outputs = {output.address: output for output in planned.desired.outputs}
    found = chosen({**dict.fromkeys(planned.records), **outputs}, addresses)
    if settings.json:
        screen.json(_facts(planned, settings, found))
    else:
        screen.result("\n".join(_text(planned, address, output, screen) for address, output in found.items()))
    return 0


def _facts(planned: Planned, settings: Globals, found: Mapping[str, Output | None]) -> dict[str, Any]:
    changes = {change.address: change for change in document_of(planned, settings).resource_changes}
    facts = {
        address: explained_record(planned.records[address], changes.get(address))
        if output is None
        else explained(output, changes.get(address), planned.records.get(address))
        for address, output in found.items()
    }
    told: dict[str, Any] = msgspec.to_builtins(facts)
    return told


def _presets(screen: Screen, settings: Globals) -> int:
    if settings.json:
        screen.json({name: preset_fields(preset) for name, preset in BUILT_IN.items()})
    else:
        screen.result(presets_text(BUILT_IN, columns=screen.columns))
    return 0


def _text(planned: Planned, address: str, output: Output | None, screen: Screen) -> str:
    record = planned.records.get(address)
    step = next((step for step in planned.plan.steps if step.address == address), None)
    if output is None:
        assert record is not None, "an address is declared or recorded"
        return retired_text(address, record, step, columns=screen.columns)
    notices = [notice for notice in planned.plan.notices if notice.address == address]
    held = planned.desired.providers[output.provider].holds
    return explain_text(output, record, step, notices, held=held, columns=screen.columns)
