"""A tree of YAML values that know where they were written.

Everything that happens to a spec before it is validated (merging, `extends`, `${...}`) happens to nodes, so
that every value keeps its place, and problems and `explain` can point at it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.errors import Place

Scalar = str | int | float | bool | None

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_FIRST_OF_TYPED = frozenset("0123456789+-.tTfFnN~")
_INT = re.compile(r"[-+]?[0-9]{1,40}")
_OCTAL = re.compile(r"0o[0-7]{1,40}")
_HEX = re.compile(r"0x[0-9a-fA-F]{1,40}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,5})?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_USER = re.compile(r"(://)[^/\s@]*@")
_CREDENTIALS = re.compile(r"(://[^\s?\"']*)(\?[^\s\"']*)?")


@dataclass(frozen=True, slots=True, eq=False)
class ScalarNode:
    """A single value. `text` is how it was written, without quotes.

    `place` is where it stands; `written` where its value was written, if `${var.x}` stands there instead, and
    `variable` is that variable. `preset` is the preset that it came from.
    """

    value: Scalar
    text: str
    place: Place | None
    written: Place | None = None
    variable: str | None = None
    preset: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """What stands under one key of a mapping, and where the key stands."""

    key: Place | None
    node: Node


@dataclass(frozen=True, slots=True, eq=False)
class MapNode:
    """A mapping, in the order it was written."""

    items: Mapping[str, Entry]
    place: Place | None

    def get(self, key: str) -> Node | None:
        """What stands under a key, if it is there."""
        entry = self.items.get(key)
        return None if entry is None else entry.node


@dataclass(frozen=True, slots=True, eq=False)
class ListNode:
    """A list."""

    items: Sequence[Node]
    place: Place | None


@dataclass(frozen=True, slots=True, eq=False)
class LostNode:
    """A value that cannot be known; why was told. `text` is what was written, if it was a single value."""

    text: str
    place: Place | None
    preset: str | None = None


Node = ScalarNode | MapNode | ListNode | LostNode


def plain_scalar(text: str) -> Scalar:
    """The value of an unquoted YAML 1.2 scalar (core schema): `no` is text, and so is `1:30`."""
    if text[:1] not in _FIRST_OF_TYPED and text:
        return text
    if text in _NULLS:
        return None
    truth = _TRUTHS.get(text)
    return truth if truth is not None else _number(text)


def _number(text: str) -> Scalar:
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _OCTAL.fullmatch(text):
        return int(text, 8)
    if _HEX.fullmatch(text):
        return int(text, 16)
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", "").lower())
    return text


def from_plain(value: object, place: Place | None = None) -> Node:
    """Nodes for plain data that was not written in YAML; all of it stands at `place`."""
    if isinstance(value, Mapping):
        return MapNode({str(key): Entry(place, from_plain(item, place)) for key, item in value.items()}, place)
    if isinstance(value, (list, tuple)):
        return ListNode([from_plain(item, place) for item in value], place)
    if isinstance(value, bool):
        return ScalarNode(value, "true" if value else "false", place)
    if isinstance(value, (str, int, float)):
        return ScalarNode(value, str(value), place)
    return ScalarNode(None, "null", place)


def to_plain(node: Node) -> object:
    """The plain data of a node, as pydantic wants it."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, MapNode):
        return {key: to_plain(entry.node) for key, entry in node.items.items()}
    return None if isinstance(node, LostNode) else [to_plain(item) for item in node.items]


def lost(node: Node) -> LostNode:
    """What stands for a node that is wrong, once that was told."""
    text = node.text if isinstance(node, ScalarNode | LostNode) else ""
    return LostNode(text, node.place, node.preset if isinstance(node, ScalarNode | LostNode) else None)


def holds_lost(node: Node) -> bool:
    """Whether a node is lost, or something in it."""
    if isinstance(node, MapNode):
        return any(holds_lost(entry.node) for entry in node.items.values())
    if isinstance(node, ListNode):
        return any(holds_lost(item) for item in node.items)
    return isinstance(node, LostNode)


def known(node: Node) -> Node:
    """The same tree without what is lost in it."""
    if isinstance(node, MapNode):
        items = {
            key: Entry(entry.key, known(entry.node))
            for key, entry in node.items.items()
            if not isinstance(entry.node, LostNode)
        }
        return MapNode(items, node.place)
    if isinstance(node, ListNode):
        return ListNode([known(item) for item in node.items if not isinstance(item, LostNode)], node.place)
    return node


def losing(node: Node, path: Sequence[str]) -> Node:
    """The same tree in which what stands at a path of keys and positions is lost."""
    if not path:
        return lost(node)
    if isinstance(node, MapNode):
        entry = node.items[path[0]]
        return MapNode({**node.items, path[0]: Entry(entry.key, losing(entry.node, path[1:]))}, node.place)
    # An item that is lost loses its list, too: nobody could say what the others are without it.
    return lost(node)


def find(node: Node | None, path: Sequence[str]) -> Entry | None:
    """The entry at a path of keys, if all of it is there."""
    entry: Entry | None = None
    for key in path:
        entry = node.items.get(key) if isinstance(node, MapNode) else None
        if entry is None:
            return None
        node = entry.node
    return entry


def scalars(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], ScalarNode]]:
    """All scalars of a tree with their paths, in order."""
    if isinstance(node, ScalarNode):
        yield path, node
    elif isinstance(node, MapNode):
        for key, entry in node.items.items():
            yield from scalars(entry.node, (*path, key))
    elif isinstance(node, ListNode):
        for index, item in enumerate(node.items):
            yield from scalars(item, (*path, str(index)))


def stamped(node: Node, preset: str) -> Node:
    """The same tree, each value of which says that it came from `preset`."""
    if isinstance(node, ScalarNode | LostNode):
        return replace(node, preset=preset)
    if isinstance(node, MapNode):
        items = {key: Entry(entry.key, stamped(entry.node, preset)) for key, entry in node.items.items()}
        return MapNode(items, node.place)
    return ListNode([stamped(item, preset) for item in node.items], node.place)


def is_null(node: Node | None) -> bool:
    """Whether a value is YAML's null, written or left out."""
    return isinstance(node, ScalarNode) and node.value is None


def described(node: Node) -> str:
    """What a node is, for a sentence: `a list`, `text`, `the number 5`."""
    if isinstance(node, MapNode):
        return "a mapping"
    if isinstance(node, ListNode):
        return "a list"
    if isinstance(node, LostNode):
        return f'"{shortened(node.text)}"'
    if node.value is None:
        return "nothing" if not node.text else "null"
    if isinstance(node.value, str):
        return f'"{shortened(node.value)}"'
    return shortened(node.text)


def shortened(text: str, most: int = 60) -> str:
    """Text for a message: one line, not endless, and without what may be a credential."""
    line = masked(" ".join(text.split()))
    return line if len(line) <= most else f"{line[: most - 3]}..."


def masked(text: str) -> str:
    """Text without the user names, passwords and queries of the URLs in it."""
    return _CREDENTIALS.sub(_without_query, _USER.sub(r"\1", text)) if "://" in text else text


def _without_query(found: re.Match[str]) -> str:
    return f"{found[1]}?..." if found[2] else found[1]
