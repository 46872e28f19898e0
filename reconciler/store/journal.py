"""The journal: one fsynced line an event, there only while an apply is in flight or after a crash."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from reconciler.core.errors import StateError
from reconciler.core.state import JOURNAL_FORMAT, VERSION, Event
from reconciler.io import atomic
from reconciler.store.snapshot import check_head

_Value = TypeVar("_Value", bound=msgspec.Struct)


class Header(msgspec.Struct, frozen=True):
    """The first line: what the file is, and who began it."""

    format: str
    version: int
    project: str
    by: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """A journal's whole events, the bytes they take, and whether a torn line follows them."""

    events: tuple[Event, ...]
    whole: int
    torn: bool


def read(path: Path, project: str) -> Read:
    """The events at `path`, none where there is no journal.

    A last line that is not whole is what a crash leaves, and is left out. Raises StateError with the line for
    anything else that cannot be read; the file is never touched.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Read((), 0, torn=False)
    except OSError as error:
        raise StateError(f"{path}: cannot be read: {error.strerror}.\nNothing was changed.") from error
    return decode(content, path, project)


def decode(content: bytes, path: Path, project: str) -> Read:
    """A journal from its bytes; `path` is for messages."""
    whole = content.rfind(b"\n") + 1
    lines = content[:whole].splitlines()
    if not lines:
        return Read((), 0, torn=bool(content))
    header = _line(lines[0], Header, path, 1)
    check_head(header.format, header.version, header.project, path=path, expected=JOURNAL_FORMAT, project=project)
    events = tuple(_line(line, Event, path, number) for number, line in enumerate(lines[1:], 2))
    return Read(events, whole, torn=whole < len(content))


class Appender:
    """Appends events to a journal. Every line is on disk when `append` returns."""

    def __init__(self, path: Path, header: Header, whole: int) -> None:
        """`whole` is how many bytes of the file are whole lines; what follows them is cut off."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        os.ftruncate(self._handle, whole)
        self._end = whole
        if whole == 0:
            self._write(header)
            atomic.fsync_folder(path.parent)

    def append(self, event: Event) -> None:
        """Write one event. Raises StateError if the disk does not take it; nothing of it is left then."""
        self._write(event)

    def close(self) -> None:
        """Let go of the file; it stays."""
        os.close(self._handle)

    def _write(self, value: Header | Event) -> None:
        line = msgspec.json.encode(value) + b"\n"
        try:
            _write_all(self._handle, line, self._end)
            os.fsync(self._handle)
        except OSError as error:
            os.ftruncate(self._handle, self._end)
            raise StateError(
                f"{self.path}: the journal cannot be written: {error.strerror}.\n"
                "Nothing that was not written down was started. Make room, then apply again."
            ) from error
        self._end += len(line)


def new_header(project: str, by: str, at: str) -> Header:
    """The header of a journal that begins now."""
    return Header(format=JOURNAL_FORMAT, version=VERSION, project=project, by=by, at=at)


def _write_all(handle: int, content: bytes, offset: int) -> None:
    while content:
        written = os.pwrite(handle, content, offset)
        content, offset = content[written:], offset + written


def _line(line: bytes, kind: type[_Value], path: Path, number: int) -> _Value:
    try:
        return msgspec.json.decode(line, type=kind)
    except msgspec.DecodeError as error:
        raise StateError(
            f"{path}:{number}:1: the journal cannot be read: {error}.\n"
            "It holds what an apply did last. Repair or remove that line by hand; nothing was changed."
        ) from error
