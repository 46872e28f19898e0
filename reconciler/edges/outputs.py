"""The published files of a project: looked at for a plan, named and moved by an apply.

A package, which is a folder, counts as one file: it has the size of all that it holds.
"""

from __future__ import annotations

import errno
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from reconciler.core.encode import Source
from reconciler.core.errors import ReconcilerError
from reconciler.core.packages import OPENERS
from reconciler.core.ports import SourceSeen
from reconciler.edges.spec_texts import Folders, real
from reconciler.io import atomic, trees
from reconciler.io.hashing import sha256

_FOLDER = "outputs"


def presence(project: Path, paths: Iterable[str], roots: Sequence[str] = ()) -> dict[str, int | None]:
    """The size of every file, None where there is none; one listing a folder, whatever the number of files.

    Raises ReconcilerError for a path outside `outputs/`, for a folder that cannot be listed (what nobody may see is
    not gone), and for one that leads out of the project, but for `roots` (folders named by --media-root).
    """
    ways = _Ways(project, roots)
    by_folder: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        by_folder[path.rpartition("/")[0]].append(path)
    found: dict[str, int | None] = {}
    for members in by_folder.values():
        wanted = {path.rpartition("/")[2] for path in members}
        sizes = _sizes(ways.inside(members[0]).parent, wanted)
        found.update((path, sizes.get(path.rpartition("/")[2])) for path in members)
    return found


def inside(project: Path, path: str) -> Path:
    """A path of the state, which people may edit, as one below `outputs/` in the project. Raises ReconcilerError."""
    parts = PurePosixPath(path).parts
    if len(parts) < 2 or parts[0] != _FOLDER or ".." in parts or "\0" in path:
        raise ReconcilerError(
            f"the state names a file outside {_FOLDER}/: {path!r}.\n"
            "Nothing was done with it. Mend that record, or drop it: reconciler state rm ADDR"
        )
    return project / path


class _Ways:
    """The folders below `outputs/`, each looked at once: a link may lead to where files may lie, and nowhere else."""

    def __init__(self, project: Path, roots: Sequence[str]) -> None:
        self._folders = Folders(project, tuple(project / root for root in roots))
        self._checked: set[str] = set()

    def inside(self, path: str) -> Path:
        """As `inside`, if no folder above the file leads out of the project. Raises ReconcilerError."""
        found = inside(self._folders.project, path)
        self.check(path.rpartition("/")[0])
        return found

    def check(self, folder: str) -> None:
        """Raise ReconcilerError if a folder, or one above it, is a link to where no file may lie."""
        if folder in self._checked or not folder:
            return
        self.check(folder.rpartition("/")[0])
        path = self._folders.project / folder
        if path.is_symlink() and not self._folders.allowed(path):
            target = real(path)
            raise ReconcilerError(
                f"{folder}/ leads out of the project folder, to {target}.\n"
                "Nothing was read or written there. Put a folder in its place, or allow it where you run reconciler:\n"
                f"  --media-root {target}"
            )
        self._checked.add(folder)


class PublishedFiles:
    """The files under `outputs/`; other paths are refused with a ReconcilerError, as is what the disk refuses."""

    def __init__(self, project: Path, roots: Sequence[str] = ()) -> None:
        """`roots` as in `presence`. Raises ReconcilerError if `outputs/` leads out of the project."""
        self._project = project
        self._ways = _Ways(project, roots)
        self._ways.check(_FOLDER)

    def publish(self, temp: str, path: str) -> None:
        """Give a whole file its final name, atomically; what had that name is replaced.

        A folder is only replaced if it is a package: any other holds files of other outputs.
        """
        source, target = self._ways.inside(temp), self._ways.inside(path)
        with _words(f"{temp} cannot be named {path}"):
            _refuse_other_folders(target)
            if source.is_dir() or target.is_dir():
                trees.publish(source, target)
            else:
                atomic.publish(source, target)
        self._tidy(source.parent)

    def duplicate(self, path: str, temp: str) -> None:
        """Make `temp` a file of its own with the content of `path`: a hard link where possible, else a copy."""
        source, target = self._ways.inside(path), self._ways.inside(temp)
        with _words(f"{path} cannot be copied to {temp}"):
            if source.is_dir():
                trees.duplicate(source, target)
            else:
                atomic.link_or_copy(source, target)

    def remove(self, path: str) -> None:
        """Remove a file; one that is not there is no error."""
        target = self._ways.inside(path)
        # Where a folder above it is a file, it is not there either.
        with _words(f"{path} cannot be removed"), suppress(NotADirectoryError):
            _refuse_other_folders(target)
            trees.remove(target)
        self._tidy(target.parent)

    def holds(self, path: str, size: int, digest: str) -> bool:
        """Whether a file, or a package, is there with just this content."""
        target = self._ways.inside(path)
        try:
            if target.is_dir():
                return trees.size(target) == size and trees.digest(target) == digest
            return target.is_file() and target.stat().st_size == size and sha256(target) == digest
        except FileNotFoundError:
            return False
        except OSError as error:
            raise ReconcilerError(f"{path} cannot be read: {error.strerror}") from error

    def is_there(self, path: str, size: int) -> bool:
        """Whether a file of this size is there: a published one, or a copy in a folder; nothing is opened."""
        try:
            return (self._project / path).stat().st_size == size
        except OSError:
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

    def _tidy(self, folder: Path) -> None:
        """Remove folders that a move left empty, up to `outputs/`."""
        root = self._project / _FOLDER
        while folder != root and root in folder.parents:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent


def _refuse_other_folders(path: Path) -> None:
    """Raise IsADirectoryError for a folder that is neither a package nor a work file: it holds other outputs."""
    if path.is_dir() and not path.name.startswith(".") and not _is_package(path):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def _is_package(folder: Path) -> bool:
    return any((folder / name).is_file() for name in OPENERS)


def _sizes(folder: Path, wanted: Collection[str]) -> dict[str, int]:
    try:
        with os.scandir(folder) as entries:
            return dict(size for entry in entries if entry.name in wanted and (size := _size(entry)) is not None)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ReconcilerError(f"{folder} cannot be listed: {error.strerror}") from error


def _size(entry: os.DirEntry[str]) -> tuple[str, int] | None:
    """The name and size of a file or a package; None for all else, and for one that an apply takes away just now."""
    try:
        if entry.is_dir() and _is_package(Path(entry.path)):
            whole = trees.size(Path(entry.path))
            return (entry.name, whole) if whole is not None else None
        return (entry.name, entry.stat().st_size) if entry.is_file() else None
    except FileNotFoundError:
        return None


@contextmanager
def _words(failed: str) -> Iterator[None]:
    """Turn what the disk refuses into an error that says what could not be done."""
    try:
        yield
    except OSError as error:
        raise ReconcilerError(
            f"{failed}: {error.strerror or error}.\nWhat was done before is recorded; running again goes on."
        ) from error
