"""What the commands that mend a state share."""

from __future__ import annotations

import time
from collections.abc import Mapping

import click

from reconciler.commands.finite import FiniteRange
from reconciler.commands.options import Globals
from reconciler.commands.states import state_of
from reconciler.core.errors import UsageError
from reconciler.core.plan import IN_FLIGHT
from reconciler.core.state import Record
from reconciler.store.states import Writer

DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
LOCK_TIMEOUT = click.option(
    "--lock-timeout",
    type=FiniteRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="How long to wait for another writer.  [default: not at all]",
)


def writer_of(settings: Globals, lock_timeout: float) -> Writer:
    """The state under its lock. Raises UsageError where there is none yet, LockedError, StateError."""
    state = state_of(settings)
    if not state.exists():
        raise UsageError(f"{state.name}: there is no state yet; reconciler apply makes it")
    return state.write("", timeout=lock_timeout, sleep=time.sleep)


def refuse_in_flight(records: Mapping[str, Record]) -> None:
    """A job in flight is found again by its address, so its record must not go or be renamed. UsageError."""
    flying = sorted(address for address, record in records.items() if record.status in IN_FLIGHT)
    if flying:
        raise UsageError(f"in flight, so first let it finish with reconciler apply: {', '.join(flying)}")
