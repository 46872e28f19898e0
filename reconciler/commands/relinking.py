"""Dead links to living files, renewed for nothing by whoever holds the files."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

from reconciler.apply.relinks import renew_link
from reconciler.commands import gathering, wiring
from reconciler.commands.options import Globals
from reconciler.commands.states import state_of
from reconciler.core.encode import Desired
from reconciler.core.errors import ProviderError
from reconciler.core.expiry import dead_links, is_copied
from reconciler.core.ports import RenewsLinks
from reconciler.core.state import Record
from reconciler.store.states import Writer


def renew(settings: Globals, addresses: Collection[str], *, missing: bool = True) -> list[str]:
    """Renew the links among these outputs that are dead; what could not be renewed, in sentences.

    With `missing`, also those that live and are not at hand on this machine, and those of files that have a copy,
    which nobody needs a link to. Takes the lock only if there is something to renew. Raises LockedError, StateError,
    SpecError.
    """
    desired = gathering.load_specs(settings).desired
    state = state_of(settings)
    found = state.read(desired.project).snapshot.records
    asked = {
        address: record
        for address, record in found.items()
        if address in addresses and (missing or not is_copied(record))
    }
    live = state.live_links() if missing else None
    if not dead_links(asked, gathering.stamp(), live=live):
        return []
    with state.write(desired.project, sleep=time.sleep) as writer:
        records = {address: writer.snapshot.records[address] for address in asked}
        live = state.live_links() if missing else None
        dead = dead_links(records, gathering.stamp(), live=live)
        troubles: list[str] = []
        for provider in sorted({record.provider for record in dead.values()}):
            own = {address: record for address, record in dead.items() if record.provider == provider}
            troubles += _renew_at(settings, desired, provider, own, writer)
        return troubles


def _renew_at(settings: Globals, desired: Desired, name: str, dead: Mapping[str, Record], writer: Writer) -> list[str]:
    if name not in desired.providers:
        return [f"{len(dead)} links cannot be renewed: no spec declares the provider {name} any more"]
    lost: list[str] = []
    try:
        with wiring.provider_of(settings, desired, name) as provider:
            if isinstance(provider, RenewsLinks):
                now = gathering.stamp()
                lost = [each for each, record in dead.items() if not renew_link(writer, provider, each, record, now)]
    except ProviderError as error:
        return [f"links could not be renewed: {error}"]
    return [f"{address}: {name} gives no link to it any more" for address in lost]
