"""Copies of finished outputs, for the executor: each made in one of a few threads."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from reconciler.commands.gathering import project_folder
from reconciler.commands.options import Globals
from reconciler.commands.sending import Threads
from reconciler.core.aftercare import target_at
from reconciler.core.copies import DeliveredCopy, FromFile, FromLink, Presence, Request
from reconciler.core.errors import ProviderError
from reconciler.core.state import Delivered, Record
from reconciler.core.targets import Target
from reconciler.edges.deliveries import AT_ONCE, Deliveries, Outside
from reconciler.io.http import session


class Courier:
    """Implements apply.hands.Deliver."""

    def __init__(self, settings: Globals) -> None:
        self._deliveries = deliveries(settings)
        self._threads = Threads("delivery", AT_ONCE)

    def __call__(
        self, target: Target, record: Record, link: FromLink | None, cancelled: Callable[[], bool]
    ) -> Future[DeliveredCopy]:
        """See apply.hands.Deliver."""
        pending: Future[DeliveredCopy] = Future()
        self._threads.put(lambda: self._deliver(target, record, link, cancelled), pending)
        return pending

    def remove(self, copy: Delivered) -> None:
        """Take a copy away, if it still is the one that was made. Raises ProviderError."""
        made = DeliveredCopy(copy.where, copy.size, copy.sha256, copy.etag)
        self._deliveries.remove(target_at(copy), made)

    def _deliver(
        self, target: Target, record: Record, link: FromLink | None, cancelled: Callable[[], bool]
    ) -> DeliveredCopy:
        file = record.output
        assert file is not None, "only a finished output is delivered"
        origin: FromFile | FromLink
        if link is None:
            origin = FromFile(str(project_folder() / (file.path or "")))
        else:
            origin = replace(link, url=link.renew())
        request = Request(target, origin, file.sha256 or None, file.size)
        return self._deliveries.deliver(request, _untold, cancelled)


def deliveries(settings: Globals) -> Deliveries:
    """What makes copies and looks at them, with the trust that flags give."""
    roots = tuple(Path(root) for root in settings.media_roots)
    trusted = settings.allow_private_sources
    opened = lambda private: session(allow_private=private or trusted)  # noqa: E731 - a factory in one line
    outside = Outside(project_folder(), roots, os.environ, opened, time.sleep)
    return Deliveries(outside)


def look_at_copies(settings: Globals, records: Mapping[str, Record]) -> dict[str, Presence | None]:
    """What stands where copies were made in object stores, by place.

    What could not be looked at is left out: nothing is known of it.
    """
    copies = [record.delivered for record in records.values() if record.delivered is not None]
    targets = {copy.where: target_at(copy) for copy in copies}
    asked = [target for target in targets.values() if target.remote]
    if not asked:
        return {}
    found = deliveries(settings).look_all(asked)
    return {where: seen for where, seen in found.items() if not isinstance(seen, ProviderError)}


def _untold(_done: int, _total: int | None) -> None:
    """How far a copy is, is not shown; that it is there, is."""
