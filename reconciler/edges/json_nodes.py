"""JSON text as located nodes: every row knows the line it is on."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from reconciler.core.errors import Place, Problem
from reconciler.core.nodes import Entry, ListNode, MapNode, Node, from_plain

_SPACE = " \t\r\n"


def read_json(text: str, file: str) -> tuple[Node | None, list[Problem]]:
    """The nodes of a JSON text, and everything that is wrong with it."""
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        return None, [Problem(f"not JSON: {error.msg}", Place(file, error.lineno, error.colno))]
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        return None, [Problem(f"not usable JSON: {reason}", Place(file, 1, 1))]
    starts = [0, *(index + 1 for index, letter in enumerate(text) if letter == "\n")]

    def place(position: int) -> Place:
        line = bisect_right(starts, position)
        return Place(file, line, position - starts[line - 1] + 1)

    return _located(value, text, place), []


def _located(value: Any, text: str, place: Any) -> Node:  # noqa: ANN401 - any JSON; a function of positions
    begin = _skipped(text, 0)
    if isinstance(value, list):
        positions = _items(text, begin + 1)
        return ListNode([from_plain(item, place(at)) for item, at in zip(value, positions, strict=True)], place(begin))
    if isinstance(value, dict):
        keys = zip(value.items(), _keys(text, begin + 1), strict=True)
        return MapNode({key: Entry(place(at), from_plain(item, place(at))) for (key, item), at in keys}, place(begin))
    return from_plain(value, place(begin))


def _items(text: str, position: int) -> Iterator[int]:
    """Where each item of the list begins that was opened before `position`."""
    decoder = json.JSONDecoder()
    position = _skipped(text, position)
    while text[position] != "]":
        yield position
        _, position = decoder.raw_decode(text, position)
        position = _skipped(text, position, ",")


def _keys(text: str, position: int) -> Iterator[int]:
    """Where each key of the object begins that was opened before `position`."""
    decoder = json.JSONDecoder()
    position = _skipped(text, position)
    while text[position] != "}":
        yield position
        _, position = decoder.raw_decode(text, position)
        _, position = decoder.raw_decode(text, _skipped(text, position, ":"))
        position = _skipped(text, position, ",")


def _skipped(text: str, position: int, mark: str = "") -> int:
    while position < len(text) and text[position] in _SPACE + mark:
        position += 1
    return position


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f'key "{key}" is written twice')
        found[key] = value
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")
