"""Local sources as a plan sees them: there or not, and whether their content may have changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG

from reconciler.core.encode import Source
from reconciler.core.ports import Sighting
from reconciler.core.state import SourceRecord


def sightings(
    project: Path,
    sources: Iterable[Source],
    known: Mapping[str, SourceRecord],
    digest: Callable[[Path], str],
    *,
    vanished: Collection[int] = (),
) -> dict[str, Sighting]:
    """What a plan must know of local sources: there or not, size and time, and a digest where only it can tell.

    `vanished` are the sizes of sources that may be here under a new name.
    """
    found: dict[str, Sighting] = {}
    for source in sources:
        if source.kind == "file" and source.identity not in found:
            found[source.identity] = _sighting(
                project / source.location, source.identity, known.get(source.identity), digest, vanished
            )
    return found


def _sighting(
    path: Path, identity: str, record: SourceRecord | None, digest: Callable[[Path], str], vanished: Collection[int]
) -> Sighting:
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return Sighting(identity, exists=False)
    if not S_ISREG(stat.st_mode):
        return Sighting(identity, exists=False)
    touched = record is not None and record.sha256 is not None and record.evidence.mtime_ns != stat.st_mtime_ns
    same_size = record is not None and record.evidence.size in {None, stat.st_size}
    sha256 = None
    if (touched and same_size) or (record is None and stat.st_size in vanished):
        # One that cannot be read is for the encode to fail on: nothing is known to have changed.
        with suppress(OSError):
            sha256 = digest(path)
    return Sighting(identity, exists=True, size=stat.st_size, mtime_ns=stat.st_mtime_ns, sha256=sha256)
