"""Delivered copies in folders of this machine, seen for a plan; nothing is contacted.

A copy is read only if its size is right and it was written after it was made.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from reconciler.core.copies import Presence
from reconciler.core.state import Delivered, Record
from reconciler.io import trees

# What the clock of a disk, and of a record that knows whole seconds, may be off.
_SLACK = 2.0


def copies_here(
    project: Path,
    records: Mapping[str, Record],
    host: str,
    digest: Callable[[Path], str],
    wanted: Iterable[str] = (),
) -> dict[str, Presence | None]:
    """What stands where copies were made in folders of this machine, by place (None: nothing).

    `digest` is the sha256 of a file, perhaps one that is known already. `wanted` are places where copies are yet to
    be made.
    """
    copies = {record.delivered.where: record.delivered for record in records.values() if record.delivered is not None}
    taken = {where: _standing(project / where) for where in wanted if where not in copies}
    made = {where: _seen(project / where, copy, digest) for where, copy in copies.items() if copy.host == host}
    return {**taken, **made}


def _standing(path: Path) -> Presence | None:
    """Whatever stands where nothing of ours does yet; the size of a folder is not of interest."""
    try:
        return Presence(path.stat().st_size)
    except OSError:
        return None


def _seen(path: Path, copy: Delivered, digest: Callable[[Path], str]) -> Presence | None:
    try:
        names = trees.members(path) if path.is_dir() else [""]
        stats = [(path / name).stat() for name in names]
        if not stats:
            return None
        size = sum(each.st_size for each in stats)
        newest = max(each.st_mtime for each in stats)
        altered = size == copy.size and newest > _made(copy) + _SLACK and _digest(path, names, digest) != copy.sha256
    except OSError:
        return None
    return Presence(size, altered=altered)


def _made(copy: Delivered) -> float:
    """When a copy was made; long ahead for a time that is none, so that it is not read again and again."""
    try:
        return datetime.strptime(copy.at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return math.inf


def _digest(path: Path, names: list[str], digest: Callable[[Path], str]) -> str:
    """That of a file, or of all files of a package as `io.trees` computes it."""
    if names == [""]:
        return digest(path)
    lines = sorted(f"{digest(path / name)} {name}\n" for name in names)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
