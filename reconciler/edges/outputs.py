"""The published files of a project: looked at for a plan, named and moved by an apply."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from reconciler.core.encode import Source
from reconciler.core.errors import ReconcilerError
from reconciler.core.ports import SourceSeen
from reconciler.io import atomic
from reconciler.io.hashing import sha256


def presence(project: Path, paths: Iterable[str]) -> dict[str, int | None]:
    """The size of every file, None where there is none; one listing a folder, whatever the number of files."""
    by_folder: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        by_folder[str(PurePosixPath(path).parent)].append(path)
    found: dict[str, int | None] = {}
    for folder, members in by_folder.items():
        sizes = _sizes(project / folder)
        found.update((path, sizes.get(PurePosixPath(path).name)) for path in members)
    return found


class PublishedFiles:
    """The files under the project folder; paths that leave it are refused."""

    def __init__(self, project: Path) -> None:
        self._project = project

    def publish(self, temp: str, path: str) -> None:
        """Give a whole file its final name, atomically; what had that name is replaced."""
        source = self._inside(temp)
        atomic.publish(source, self._inside(path))
        self._tidy(source.parent)

    def duplicate(self, path: str, temp: str) -> None:
        """Make `temp` a file of its own with the content of `path`: a hard link where possible, else a copy."""
        atomic.link_or_copy(self._inside(path), self._inside(temp))

    def remove(self, path: str) -> None:
        """Remove a file; one that is not there is no error."""
        target = self._inside(path)
        target.unlink(missing_ok=True)
        self._tidy(target.parent)

    def holds(self, path: str, size: int, digest: str) -> bool:
        """Whether a file is there with just this content."""
        target = self._inside(path)
        try:
            return target.stat().st_size == size and sha256(target) == digest
        except FileNotFoundError:
            return False

    def unchanged(self, source: Source, seen: SourceSeen) -> bool:
        """Whether a local source still is what was read; other sources were copied and cannot change."""
        if source.kind != "file" or seen.size is None:
            return True
        try:
            stat = (self._project / source.location).stat()
        except OSError:
            return False
        return (stat.st_size, stat.st_mtime_ns) == (seen.size, seen.mtime_ns)

    def _inside(self, path: str) -> Path:
        """A path of the state, which people may edit, as a path inside the project."""
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts:
            raise ReconcilerError(f'the state names a file outside the project: "{path}".\nNothing was done with it.')
        return self._project / pure

    def _tidy(self, folder: Path) -> None:
        """Remove folders that a move left empty, up to `outputs/`."""
        root = self._project / "outputs"
        while folder != root and root in folder.parents:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent


def _sizes(folder: Path) -> dict[str, int]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
