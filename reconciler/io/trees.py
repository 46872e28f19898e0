"""Folders that are handled as one file: looked at, brought to the disk, duplicated, replaced and removed as a whole.

No file system replaces a folder that holds something in one step. So the old one is put aside under a name that
follows from its own, the new one takes its name, and then the old one goes. Whatever a crash leaves of that is put
right by `mend`: at no moment are both names without a whole folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from reconciler.io import atomic
from reconciler.io.hashing import sha256

_ASIDE = ".aside"
_GONE = ".gone"


def members(folder: Path) -> list[str]:
    """The files in a folder and below it, relative to it, sorted. Raises OSError."""
    found: list[str] = []
    for inside, _, names in os.walk(folder, onerror=_raise):
        found += [Path(inside, name).relative_to(folder).as_posix() for name in names]
    return sorted(found)


def size(folder: Path) -> int | None:
    """The size of all files together; None if there are none. Raises OSError."""
    sizes = [(folder / name).lstat().st_size for name in members(folder)]
    return sum(sizes) if sizes else None


def digest(folder: Path) -> str:
    """The sha256 over the sorted lines `sha256 path` of its files, in hex. Raises OSError."""
    lines = sorted(f"{sha256(folder / name)} {name}\n" for name in members(folder))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def fsync(folder: Path) -> None:
    """Bring every file and every name to the disk. Raises OSError."""
    for inside, _, names in os.walk(folder, onerror=_raise):
        for name in names:
            atomic.fsync_file(Path(inside, name))
        atomic.fsync_folder(Path(inside))


def duplicate(source: Path, target: Path) -> None:
    """Make `target` a folder of its own with the same files: hard links where possible, else copies, fsynced.

    Raises OSError, and leaves no `target` behind then.
    """
    remove(target)
    try:
        for name in members(source):
            atomic.link_or_copy(source / name, target / name)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    for inside, _, _ in os.walk(target):
        atomic.fsync_folder(Path(inside))
    atomic.fsync_folder(target.parent)


def publish(temp: Path, path: Path) -> None:
    """Give a folder, or a file where a folder is, its final name; what had that name is replaced. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = _beside(path, _ASIDE)
    if os.path.lexists(path):
        remove(aside)
        path.replace(aside)
        atomic.fsync_folder(path.parent)
    temp.replace(path)
    atomic.fsync_folder(path.parent)
    remove(aside)


def remove(path: Path) -> None:
    """Remove a file or a folder with all that it holds; one that is not there is no error. Raises OSError.

    A folder loses its name first, so that no half of it is ever seen under that.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    gone = path if path.name.endswith(_GONE) else _beside(path, _GONE)
    if gone != path:
        shutil.rmtree(gone, ignore_errors=True)
        path.replace(gone)
    shutil.rmtree(gone)


def mend(root: Path) -> None:
    """Finish or take back what a crash interrupted anywhere below `root`; for the one process that writes there."""
    for path in _left(root):
        name = path.name[1:].removesuffix(_ASIDE)
        if path.name.endswith(_ASIDE) and not os.path.lexists(path.with_name(name)):
            path.replace(path.with_name(name))
            atomic.fsync_folder(path.parent)
        else:
            remove(path)


def _left(root: Path) -> Iterator[Path]:
    found: list[Path] = []
    for inside, folders, names in os.walk(root):
        ours = [name for name in [*folders, *names] if name.startswith(".") and name.endswith((_ASIDE, _GONE))]
        found += [Path(inside, name) for name in ours]
        folders[:] = [name for name in folders if name not in ours]
    yield from found


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f".{path.name}{ending}")


def _raise(error: OSError) -> None:
    with suppress(FileNotFoundError):
        raise error
