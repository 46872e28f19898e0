"""Where a state file cannot be read, and why, for people who have to mend it."""

from __future__ import annotations

import codecs
import json
import re

import msgspec

from reconciler.core.state import Approval, Record

# What reading bytes that are no state may raise; deep nesting is a RecursionError.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_CONFLICT = re.compile(rb"^(?:<{7}|={7}|>{7})(?: .*)?$", re.MULTILINE)
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WHERE = " - at `$"


def what_and_where(content: bytes, error: Exception) -> tuple[str, int, int]:
    """What is wrong with a text that a decoder refused with `error`, and its line and column, from 1."""
    conflict = _CONFLICT.search(content)
    if conflict is not None:
        return ("a merge of git is not finished here", *_place(content, conflict.start()))
    if content.startswith(codecs.BOM_UTF8):
        return "it begins with a byte order mark; save it as plain UTF-8", 1, 1
    if isinstance(error, msgspec.ValidationError):
        return _wrong_value(content, error)
    if isinstance(error, RecursionError):
        return "it is nested too deep", 1, 1
    try:
        json.loads(content)
    except json.JSONDecodeError as found:
        return found.msg[0].lower() + found.msg[1:], found.lineno, found.colno
    except UnicodeDecodeError as found:
        return ("not UTF-8 text", *_place(content, found.start))
    except (ValueError, RecursionError):
        pass
    return _lower(str(error)), 1, 1


def _wrong_value(content: bytes, error: msgspec.ValidationError) -> tuple[str, int, int]:
    """A value of the wrong kind. The decoder does not say which record it is in, so each is looked at alone."""
    try:
        raw = msgspec.json.decode(content)
    except msgspec.DecodeError:
        raw = None
    for group, kind in (("records", Record), ("approved", Approval)):
        members = raw.get(group) if isinstance(raw, dict) else None
        for name, value in members.items() if isinstance(members, dict) else ():
            try:
                msgspec.convert(value, kind)
            except msgspec.ValidationError as found:
                what, path = _split(str(found))
                where = ".".join([group, name, *path])
                return (f"{what}, at {where}", *_find(content, [group, name, *path]))
    what, path = _split(str(error))
    return (f"{what}, at {'.'.join(path)}" if path else what, *_find(content, path))


def _split(message: str) -> tuple[str, list[str]]:
    """A decoder's sentence, and the keys that lead to the value it is about."""
    what, _, where = message.partition(_WHERE)
    return _lower(what.replace("`", "")), _KEY.findall(where)


def _find(content: bytes, path: list[str]) -> tuple[int, int]:
    """Line and column of a key, in the layout that we write; of the last key above it that is found otherwise."""
    at = 0
    for depth, key in enumerate(path, 1):
        pattern = rb"^" + b"  " * depth + re.escape(json.dumps(key, ensure_ascii=False).encode()) + rb":"
        match = re.compile(pattern, re.MULTILINE).search(content, at)
        if match is None:
            break
        at = match.start() + 2 * depth
    return _place(content, at)


def _place(content: bytes, offset: int) -> tuple[int, int]:
    before = content[:offset]
    line_start = before.rfind(b"\n") + 1
    return before.count(b"\n") + 1, len(before[line_start:].decode(errors="replace")) + 1


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
