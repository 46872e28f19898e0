"""Specs against specs: what another commit declares stands in the place of a state in which all of it was made."""

from __future__ import annotations

from reconciler.core.aftercare import target
from reconciler.core.checks import asked_of
from reconciler.core.encode import Desired, Output
from reconciler.core.state import Delivered, OutputRecord, Record, SourceRecord
from reconciler.core.world import World

_ELSEWHERE = "elsewhere"


def as_made(desired: Desired) -> dict[str, Record]:
    """Records as if everything that is declared had been made just so, on a machine that cannot be looked at."""
    return {output.address: _record(output) for output in desired.outputs if output.enabled}


def nowhere() -> World:
    """A look at nothing: no source has changed since, and no file is missing."""
    return World(host=_ELSEWHERE, files={})


def _record(output: Output) -> Record:
    return Record(
        rev=1,
        status="complete",
        fingerprint=output.fingerprint,
        manifest=dict(output.manifest),
        source=SourceRecord(identity=output.source.identity, pin=output.source.sha256),
        provider=output.provider,
        output=OutputRecord(name=output.name),
        delivered=_delivered(output),
        labels=dict(output.labels),
        protect=output.protect,
        on_remove=output.on_remove,
        checked=asked_of(output.checks),
    )


def _delivered(output: Output) -> Delivered | None:
    """The copy that is where it was wanted."""
    wanted = target(output)
    if wanted is None:
        return None
    return Delivered(wanted.where, 0, "", output.fingerprint, 1, "", url=wanted.public_url, package=wanted.package)
