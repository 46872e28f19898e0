"""What is asked of the world where a plan does not look by itself: remote sources, and copies in stores."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping

from reconciler.commands.delivering import look_at_copies
from reconciler.commands.gathering import Outside
from reconciler.commands.options import Globals
from reconciler.core.encode import Desired, Source
from reconciler.core.errors import ProviderError
from reconciler.core.evidence import Content
from reconciler.core.state import Record
from reconciler.edges.evidence import SourceLooks, Unseen
from reconciler.edges.object_sources import signed
from reconciler.io.http import session


def look_outside(settings: Globals, desired: Desired, records: Mapping[str, Record]) -> Outside:
    """What is asked of the world with `--refresh`, before a plan is made: copies in stores, and watched sources."""
    watched = {output.source.identity: output.source for output in desired.outputs if output.source.watch}
    copies = look_at_copies(settings, records)
    looked = look_at_contents(settings, watched.values())
    unseen = {identity: seen.why for identity, seen in looked.items() if isinstance(seen, Unseen)}
    return Outside(copies, contents(looked), unseen)


def look_at_contents(settings: Globals, wanted: Iterable[Source]) -> Mapping[str, Content | Unseen]:
    """What servers say of remote sources, by identity; many are asked at a time, and nobody is waited for long."""
    private = settings.allow_private_sources
    looks = SourceLooks(os.environ, lambda: session(allow_private=private), time.monotonic)
    opened, unseen = _opened(wanted)
    return {**looks.look(opened), **unseen}


def _opened(wanted: Iterable[Source]) -> tuple[list[Source], dict[str, Unseen]]:
    """Remote sources behind links, and those that there is no link to: their provider may have its own way."""
    opened: list[Source] = []
    unseen: dict[str, Unseen] = {}
    for source in wanted:
        try:
            opened.append(signed(source, os.environ) if source.kind == "store" else source)
        except ProviderError as error:
            unseen[source.identity] = Unseen(str(error))
    return opened, unseen


def contents(looked: Mapping[str, Content | Unseen]) -> dict[str, Content]:
    """What was learnt, without what was not."""
    return {identity: seen for identity, seen in looked.items() if not isinstance(seen, Unseen)}
