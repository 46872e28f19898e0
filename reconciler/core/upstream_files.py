"""Where the finished file of an output can be read as a source: on this machine, at its provider, in a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from reconciler.core.encode import Source
from reconciler.core.state import Record
from reconciler.core.world import expired

# What is read first: without a transfer if it goes.
_HERE = ("file", "http", "store")
_AWAY = ("http", "store", "file")

Present = Callable[[str, int], bool]


def readable(
    source: Source, record: Record, *, host: str, now: str, present: Present, away: bool = False
) -> Source | None:
    """The source of a chain as what can be opened; None if the file is nowhere that we can reach.

    `present` says whether a file of that size is on this machine, `away` whether somebody else will read it. A link
    that its provider has to sign first stands there without its signature, as a source of kind `http`.
    """
    order = _AWAY if away else _HERE
    found = sorted(_places(source, record, host, now, present), key=lambda each: order.index(each.kind))
    return found[0] if found else None


def gone(record: Record, host: str, now: str) -> str:
    """Why a file cannot be read here, as the end of a sentence."""
    output = record.output
    if output is None:
        return "which was not kept"
    if output.path is None and expired(output, now):
        return f"which {record.provider} deleted at {output.expires_at}"
    if output.path is None:
        return f"which {record.provider} does not hold"
    return "which is gone" if output.is_on(host) else f"which is on {output.host}, not here"


def _places(source: Source, record: Record, host: str, now: str, present: Present) -> Iterator[Source]:
    output, copy = record.output, record.delivered
    if output is None or output.temp is not None:
        return
    bare = replace(source, upstream=None, address=source.location)
    if output.path is None and not expired(output, now):
        yield replace(bare, kind="http", identity=output.where, location=output.where)
    if output.path is not None and output.is_on(host) and present(output.path, output.size or 0):
        yield replace(bare, kind="file", identity=output.path, location=output.path, sha256=output.sha256 or None)
    if copy is None or copy.package or (copy.fingerprint, copy.attempt) != (record.fingerprint, record.attempt):
        return
    if "://" in copy.where:
        yield replace(bare, kind="store", identity=copy.where, location=copy.where, sha256=copy.sha256)
    elif copy.host == host and present(copy.where, copy.size):
        yield replace(bare, kind="file", identity=copy.where, location=copy.where, sha256=copy.sha256)
