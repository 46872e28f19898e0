"""Where in a state file something is wrong, in words for people."""

from __future__ import annotations

import json
from dataclasses import dataclass

import msgspec

from reconciler.core.state import Record

# What the decoder raises for bytes that it cannot read.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong, and the line and column (from 1) where; line 0 where no place is known."""

    words: str
    line: int = 0
    column: int = 1

    def at(self, path: object) -> str:
        """The place as FILE:LINE:COLUMN."""
        return f"{path}:{self.line}:{self.column}" if self.line else f"{path}"


class _Records(msgspec.Struct):
    records: dict[str, msgspec.Raw] = {}


def find_wrong(content: bytes, error: Exception) -> Wrong:
    """The first thing that is wrong with the text of a snapshot, which the decoder refused with `error`."""
    if content.startswith(b"<<<<<<< ") or b"\n<<<<<<< " in content:
        return Wrong("it holds a git merge that was not finished", _line(content, content.find(b"<<<<<<< ")))
    try:
        json.loads(content)
    except json.JSONDecodeError as found:
        return Wrong(_lower(found.msg), found.lineno, found.colno)
    except UnicodeDecodeError as found:
        return Wrong("not UTF-8 text", _line(content, found.start))
    except RecursionError:
        return Wrong("it is nested too deep", 1)
    return _wrong_record(content) or Wrong(_lower(str(error)))


def _wrong_record(content: bytes) -> Wrong | None:
    """The record with a value of the wrong kind: the decoder's own message does not say of which address."""
    try:
        records = msgspec.json.decode(content, type=_Records).records
    except UNREADABLE:
        return None
    for address, raw in records.items():
        try:
            msgspec.json.decode(raw, type=Record)
        except UNREADABLE as error:
            at = content.find(msgspec.json.encode(address) + b":")
            return Wrong(f'record "{address}": {_lower(str(error))}', _line(content, at) if at >= 0 else 0)
    return None


def _line(content: bytes, offset: int) -> int:
    return content.count(b"\n", 0, offset) + 1


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
