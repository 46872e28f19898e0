"""The journal: one fsynced line an event, there only while a command writes, or after a crash."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, TypeVar

import msgspec

from reconciler.core.errors import StateError
from reconciler.core.state import JOURNAL_FORMAT, VERSION, Event
from reconciler.io import atomic
from reconciler.store.snapshot import check_head
from reconciler.store.unreadable import UNREADABLE

_Value = TypeVar("_Value", bound=msgspec.Struct)


class Header(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first line: what the file is, and who began it.

    In a shared state `generation` counts how often the journal was begun anew, `lock` is the id of its writer's lock.
    """

    format: str
    version: int
    project: str
    by: str = ""
    at: str = ""
    generation: int = 0
    lock: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """A journal's events, the bytes that its whole lines take, and whether a torn line follows them."""

    events: tuple[Event, ...] = ()
    whole: int = 0
    torn: bool = False
    project: str = ""
    generation: int = 0


class OpenJournal:
    """A journal that is held open while the snapshot is read, so that no later one can be taken for it.

    As long as it is open its inode is not given to another file; that makes `in_place` certain.
    """

    def __init__(self, path: Path) -> None:
        """Open what is at `path`; nothing there is a journal without events. Raises StateError."""
        self._path = path
        self._file: BinaryIO | None = None
        try:
            self._file = path.open("rb")
        except FileNotFoundError:
            pass
        except OSError as error:
            raise _cannot_read(path, error) from error

    def read(self, project: str) -> Read:
        """All that it holds by now. Raises StateError with the line for what cannot be read."""
        if self._file is None:
            return Read()
        try:
            self._file.seek(0)
            content = self._file.read()
        except OSError as error:
            raise _cannot_read(self._path, error) from error
        return decode(content, self._path, project)

    def in_place(self) -> bool:
        """Whether it has not been replaced or removed since it was opened."""
        if self._file is None:
            return True
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except OSError:
            return False

    def __enter__(self) -> OpenJournal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


def read(path: Path, project: str) -> Read:
    """The events at `path`, none where there is no journal; an empty `project` takes those of any project.

    A last line that is not whole is what a crash leaves, and is left out. Raises StateError with the line for
    anything else that cannot be read; the file is never touched.
    """
    with OpenJournal(path) as opened:
        return opened.read(project)


def decode(content: bytes, path: Path | str, project: str) -> Read:
    """A journal from its bytes; `path` is for messages. Raises as `read`."""
    whole = content.rfind(b"\n") + 1
    lines = content[:whole].split(b"\n")[:-1]
    if len(lines) > 1 and not _is_json(lines[-1]):
        # The disk may have kept the end of a line and lost its beginning.
        whole -= len(lines.pop()) + 1
    if not lines:
        return Read(torn=bool(content))
    header = _line(lines[0], Header, path, 1)
    check_head(header.format, header.version, header.project, path=path, expected=JOURNAL_FORMAT, project=project)
    events = tuple(_line(line, Event, path, number) for number, line in enumerate(lines[1:], 2))
    return Read(events, whole, torn=whole < len(content), project=header.project, generation=header.generation)


class Appender:
    """Appends events to a journal. Every line is on disk when `append` returns."""

    def __init__(self, path: Path, header: Header, whole: int) -> None:
        """`whole` is how many bytes of the file are whole lines; what follows them is cut off. Raises StateError."""
        self.path = path
        self._end = whole
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _cannot_write(path, error) from error
        try:
            self._begin(header)
        except BaseException:
            os.close(self._handle)
            raise

    def append(self, event: Event) -> None:
        """Write one event. Raises StateError if the disk does not take it; nothing of it is left then."""
        self._write(event)

    def close(self) -> None:
        """Let go of the file; it stays."""
        os.close(self._handle)

    def _begin(self, header: Header) -> None:
        try:
            os.ftruncate(self._handle, self._end)
        except OSError as error:
            raise _cannot_write(self.path, error) from error
        if self._end == 0:
            self._write(header)
            atomic.fsync_folder(self.path.parent)

    def _write(self, value: Header | Event) -> None:
        line = msgspec.json.encode(value) + b"\n"
        try:
            _write_all(self._handle, line, self._end)
            os.fsync(self._handle)
            self._end += len(line)
        except BaseException as error:
            # Also an interrupt leaves a whole line or none: a piece would spoil the line that is written next.
            with suppress(OSError):
                os.ftruncate(self._handle, self._end)
            if isinstance(error, OSError):
                raise _cannot_write(self.path, error) from error
            raise


def new_header(project: str, by: str, at: str) -> Header:
    """The header of a journal that begins now."""
    return Header(format=JOURNAL_FORMAT, version=VERSION, project=project, by=by, at=at)


def encode(header: Header, events: Sequence[Event]) -> bytes:
    """The text of a whole journal."""
    return b"".join(msgspec.json.encode(each) + b"\n" for each in (header, *events))


def _write_all(handle: int, content: bytes, offset: int) -> None:
    while content:
        written = os.pwrite(handle, content, offset)
        content, offset = content[written:], offset + written


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except UNREADABLE:
        return False
    return True


def _line(line: bytes, kind: type[_Value], path: Path | str, number: int) -> _Value:
    try:
        return msgspec.json.decode(line, type=kind)
    except UNREADABLE as error:
        raise StateError(
            f"{path}:{number}:1: the journal cannot be read: {error}.\n"
            "It holds what an apply did last. Repair or remove that line by hand; nothing was changed."
        ) from error


def _cannot_read(path: Path, error: OSError) -> StateError:
    return StateError(f"{path}: the journal cannot be read: {error.strerror}.\nNothing was changed.")


def _cannot_write(path: Path, error: OSError) -> StateError:
    return StateError(
        f"{path}: the journal cannot be written: {error.strerror}.\n"
        "Nothing that is not written down was started. Make room, then run the command again."
    )
