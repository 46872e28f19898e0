"""Files that are replaced whole or not at all: temporary file, fsync, rename, fsync of the folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path


def write_bytes(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace `path` with `content`; after a crash it holds the old or the new content, never a part.

    Raises OSError, and leaves nothing of its own behind then.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path), suffix=".tmp")
    temp = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        temp.replace(path)
    except BaseException:
        temp.unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def sweep(path: Path) -> None:
    """Remove the temporary files that killed writers of `path` left; only for whoever is its one writer."""
    for left in path.parent.iterdir():
        if left.name.startswith(_prefix(path)) and left.suffix == ".tmp":
            left.unlink(missing_ok=True)


def publish(temp: Path, path: Path) -> None:
    """Give a whole, fsynced file its final name; what had that name is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    linked = _are_two_names(temp, path)
    temp.replace(path)
    if linked:
        # Between two names of one file, rename(2) does nothing.
        temp.unlink(missing_ok=True)
    fsync_folder(path.parent)


def link_or_copy(source: Path, target: Path) -> None:
    """Make `target`, a temporary name, the content of `source`: a hard link where possible, else a copy, fsynced.

    Raises OSError, and leaves no `target` behind then.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:
        _copy(source, target)
    fsync_folder(target.parent)


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
        fsync_file(target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def fsync_file(path: Path) -> None:
    """Bring a file's content to the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fsync_folder(path: Path) -> None:
    """Bring a folder's names to the disk, where its file system can."""
    with suppress(OSError):
        fsync_file(path)


def _are_two_names(one: Path, other: Path) -> bool:
    """Whether two paths are hard links to one file, and not one name spelled in two ways."""
    if not other.exists() or not one.samefile(other):
        return False
    return one.name.casefold() != other.name.casefold() or not one.parent.samefile(other.parent)


def _prefix(path: Path) -> str:
    return f".{path.name}."
