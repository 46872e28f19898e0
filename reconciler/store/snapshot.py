"""The state file: readable JSON, replaced whole, with numbered backups."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from reconciler.core.errors import StateError
from reconciler.core.state import FORMAT, VERSION, Snapshot, empty
from reconciler.io import atomic
from reconciler.store.unreadable import UNREADABLE, what_and_where

KEPT_BACKUPS = 10

_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(Snapshot)


class _Head(msgspec.Struct):
    """What every version of the file holds."""

    format: str = ""
    version: int = 0
    project: str = ""


def read(path: Path, project: str) -> Snapshot:
    """The snapshot at `path`, or an empty one where there is none; an empty `project` takes that of any project.

    Raises StateError with the place for a file that cannot be read, is of a newer version, or belongs to
    another project; the file is never touched.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return empty(project)
    except OSError as error:
        raise StateError(f"{path}: the state cannot be read: {error.strerror}.\nNothing was changed.") from error
    return decode(content, path, project)


def decode(content: bytes, path: Path | str, project: str) -> Snapshot:
    """A snapshot from its text; `path` is for messages. Raises as `read`."""
    try:
        head = msgspec.json.decode(content, type=_Head)
    except UNREADABLE as error:
        raise _unreadable(content, path, error) from error
    check_head(head.format, head.version, head.project, path=path, expected=FORMAT, project=project)
    try:
        return _DECODER.decode(content)
    except UNREADABLE as error:
        raise _unreadable(content, path, error) from error


def check_head(
    format_: str, version: int, found_project: str, *, path: Path | str, expected: str, project: str
) -> None:
    """Refuse what this version must not read. Raises StateError."""
    if format_ != expected:
        raise StateError(
            f'{path}:1:1: this is no state of reconciler: its "format" is "{format_}", not "{expected}".\n'
            "Name the right file with --state, or move this one away. Nothing was changed."
        )
    if version != VERSION:
        raise StateError(
            f"{path}:1:1: the state is of version {version}, this reconciler reads version {VERSION}.\n"
            "Use the reconciler that wrote it, or a newer one. Nothing was changed."
        )
    if project and found_project != project:
        raise StateError(
            f'{path}:1:1: the state belongs to project "{found_project}", the specs say project "{project}".\n'
            "Put the name back, or name another state with --state. Nothing was changed."
        )


def encode(snapshot: Snapshot) -> bytes:
    """The text of a snapshot: sorted, several lines a record, so that git shows and merges it well."""
    return msgspec.json.format(_ENCODER.encode(snapshot), indent=2) + b"\n"


def write(path: Path, snapshot: Snapshot) -> None:
    """Replace the snapshot; the one that is replaced becomes the newest backup. For the holder of the lock.

    Raises StateError if the disk does not take it; the old snapshot stands then.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.sweep(path)
        _back_up(path)
        atomic.write_bytes(path, encode(snapshot))
    except OSError as error:
        raise StateError(
            f"{path}: the state cannot be written: {error.strerror}.\n"
            "Nothing is lost: the journal beside it holds what is new. Make room, then run the command again."
        ) from error


def _back_up(path: Path) -> None:
    """Copy what is there. Not a link: an editor that writes into the state must not write into its backup."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    folder = path.parent / "backups"
    folder.mkdir(exist_ok=True)
    backups = _backups(path)
    number = backups[-1][0] + 1 if backups else 1
    backup = folder / f"{path.stem}.{number:04}.json"
    atomic.sweep(backup)
    atomic.write_bytes(backup, content)
    for _, old in backups[: max(0, len(backups) + 1 - KEPT_BACKUPS)]:
        old.unlink(missing_ok=True)


def _backups(path: Path) -> list[tuple[int, Path]]:
    """The numbered backups, oldest first."""
    name = re.compile(rf"{re.escape(path.stem)}\.(\d+)\.json")
    found = (path.parent / "backups").glob("*.json")
    return sorted((int(match[1]), each) for each in found if (match := name.fullmatch(each.name)))


def _unreadable(content: bytes, path: Path | str, error: Exception) -> StateError:
    what, line, column = what_and_where(content, error)
    if isinstance(path, str):
        return StateError(
            f"{path}:{line}:{column}: the state cannot be read: {what}.\n"
            "Bring back the newest object of backups/ beside it, or an older version of it. Nothing was changed."
        )
    backups = _backups(path)
    newest = f", or the newest backup (cp {backups[-1][1]} {path})" if backups else ""
    return StateError(
        f"{path}:{line}:{column}: the state cannot be read: {what}.\n"
        f"Bring back the last good file: from git (git checkout {path}){newest}. Nothing was changed."
    )
