"""The state file: readable JSON, replaced whole, with numbered backups."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec

from reconciler.core.errors import StateError
from reconciler.core.state import FORMAT, VERSION, Snapshot, empty
from reconciler.io import atomic

KEPT_BACKUPS = 10

_BYTE = re.compile(r"\(byte (\d+)\)")
_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(Snapshot)


class _Head(msgspec.Struct):
    """What every version of the file begins with."""

    format: str = ""
    version: int = 0
    project: str = ""


def read(path: Path, project: str) -> Snapshot:
    """The snapshot at `path`, or an empty one where there is none.

    Raises StateError with the place for a file that cannot be read, is of a newer version, or belongs to
    another project; the file is never touched.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return empty(project)
    except OSError as error:
        raise StateError(f"{path}: cannot be read: {error.strerror}.\nNothing was changed.") from error
    return decode(content, path, project)


def decode(content: bytes, path: Path, project: str) -> Snapshot:
    """A snapshot from its text; `path` is for messages."""
    try:
        head = msgspec.json.decode(content, type=_Head)
    except msgspec.DecodeError as error:
        raise _unreadable(content, path, error) from error
    check_head(head.format, head.version, head.project, path=path, expected=FORMAT, project=project)
    try:
        return _DECODER.decode(content)
    except msgspec.DecodeError as error:
        raise _unreadable(content, path, error) from error


def check_head(format_: str, version: int, found_project: str, *, path: Path, expected: str, project: str) -> None:
    """Refuse what this version must not read. Raises StateError."""
    if format_ != expected:
        raise StateError(f"{path}:1:1: this is not a state of reconciler (format {format_!r}).\nNothing was changed.")
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
    """Replace the snapshot; the one that is replaced becomes the newest backup."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        _back_up(path)
    atomic.write_bytes(path, encode(snapshot))


def _back_up(path: Path) -> None:
    folder = path.parent / "backups"
    folder.mkdir(exist_ok=True)
    pattern = re.compile(rf"{re.escape(path.stem)}\.(\d+)\.json")
    numbered = sorted((int(match[1]), each) for each in folder.iterdir() if (match := pattern.fullmatch(each.name)))
    number = numbered[-1][0] + 1 if numbered else 1
    atomic.link_or_copy(path, folder / f"{path.stem}.{number:04}.json")
    for _, old in numbered[: max(0, len(numbered) + 1 - KEPT_BACKUPS)]:
        old.unlink(missing_ok=True)


def _unreadable(content: bytes, path: Path, error: Exception) -> StateError:
    line, column, what = _position(content, str(error))
    place = f"{path}:{line}:{column}" if line else str(path)
    backups = sorted((path.parent / "backups").glob(f"{path.stem}.*.json"))
    newest = f" or the newest backup ({backups[-1]})" if backups else ""
    return StateError(
        f"{place}: the state cannot be read: {what}.\n"
        f"Bring back the last good file: from git (git checkout {path}){newest}. Nothing was changed."
    )


def _position(content: bytes, message: str) -> tuple[int, int, str]:
    """Line, column and words for a decoder's error; line 0 where it names a path instead of a position."""
    try:
        json.loads(content)
    except json.JSONDecodeError as error:
        return error.lineno, error.colno, error.msg[0].lower() + error.msg[1:]
    except UnicodeDecodeError as error:
        return content[: error.start].count(b"\n") + 1, 1, "not UTF-8 text"
    return 0, 0, message[0].lower() + message[1:]
