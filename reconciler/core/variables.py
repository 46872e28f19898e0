"""`${var.NAME}`, `${each.key}` and `${each.value.COLUMN}`, filled in.

A value that is exactly one `${...}` keeps the type of what it stands for; inside text it is written out. Only
single values can be filled in, so that nothing grows out of bounds. `$${` is a literal `${`. `${env.NAME}` is
read by nobody here: where it may stand, `sources` leaves it alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.core.errors import Place, Problem
from reconciler.core.names import listed, suggestion
from reconciler.core.nodes import (
    Entry,
    ListNode,
    LostNode,
    MapNode,
    Node,
    ScalarNode,
    described,
    lost,
    plain_scalar,
)

_REFERENCE = re.compile(r"(\$)?\$\{([^{}\n]*)(\})?")
MOST_PARTS = 200
LONGEST = 10_000  # characters of a value that references were written into
_KNOWN = "Write ${var.NAME}, ${each.key} or ${each.value.COLUMN}; for a literal ${ write $${."


@dataclass(frozen=True, slots=True, eq=False)
class Each:
    """One member of a fan-out: what `${each...}` stands for.

    Without a `key` its name is wrong, with None for `values` they are not known; why was told.
    """

    key: str
    place: Place | None
    values: Mapping[str, Entry] | None


# A fan-out that cannot be read still has members.
UNKNOWN = Each("", None, None)


@dataclass(frozen=True, slots=True)
class Reference:
    """One `${...}` in a text."""

    inside: str
    offset: int
    closed: bool = True

    @property
    def text(self) -> str:
        """The reference as it is written."""
        return "${" + self.inside + ("}" if self.closed else "")


def uses_each(node: Node | None) -> bool:
    """Whether a tree must be filled in anew for every member of a fan-out."""
    if isinstance(node, ScalarNode):
        return type(node.value) is str and "${each" in node.value
    if isinstance(node, MapNode):
        return any(uses_each(entry.node) for entry in node.items.values())
    return isinstance(node, ListNode) and any(uses_each(item) for item in node.items)


class Variables:
    """The variables of all specs, and the filling in of them. What is wrong goes to `problems`."""

    def __init__(self, own: Mapping[str, Entry], problems: list[Problem], *, incomplete: bool = False) -> None:
        """`incomplete`: a file could not be read, so an unknown name may be known there."""
        self._own = own
        self._problems = problems
        self._incomplete = incomplete
        self._parsed: dict[str, tuple[str | Reference, ...]] = {}
        self._values: dict[str, Node] = {}
        self._asked: list[str] = []

    def fill(self, node: Node, path: str, each: Each | None = None) -> Node:
        """The same tree with every reference filled in; a value with one that cannot be is lost, and a problem told."""
        if isinstance(node, ScalarNode):
            value = node.value
            return self._scalar(node, value, path, each) if type(value) is str and "${" in value else node
        if isinstance(node, MapNode):
            return self._map(node, path, each)
        if isinstance(node, LostNode):
            return node
        items = [self.fill(item, path, each) for item in node.items]
        same = all(new is old for new, old in zip(items, node.items, strict=True))
        return node if same else ListNode(items, node.place)

    def check(self) -> None:
        """Fill in the variables themselves, so that what is wrong in an unused one is found too."""
        for name, entry in self._own.items():
            if isinstance(entry.node, ScalarNode):
                self._variable(name)
                continue
            hint = "A variable is text, a number, true or false; presets with extends carry more."
            place = entry.node.place
            self._problems.append(
                Problem(f"a variable cannot be {described(entry.node)}", place, f"variables.{name}", (hint,))
            )

    def _map(self, node: MapNode, path: str, each: Each | None) -> MapNode:
        changed: dict[str, Entry] = {}
        for key, entry in node.items.items():
            filled = self.fill(entry.node, f"{path}.{key}", each)
            if filled is not entry.node:
                changed[key] = Entry(entry.key, filled)
        return MapNode({**node.items, **changed}, node.place) if changed else node

    def _scalar(self, node: ScalarNode, text: str, path: str, each: Each | None) -> Node:
        parts = self._parsed.get(text)
        if parts is None:
            parts = self._parsed[text] = _parse(text)
        if len(parts) > MOST_PARTS:
            return self._fail(f"more than {MOST_PARTS // 2} references in one value", Reference("", 0), node, path)
        if len(parts) == 1 and isinstance(parts[0], Reference):
            found = self._find(parts[0], node, path, each)
            return found if isinstance(found, LostNode) else _standing_in(found, parts[0], node)
        written = [part if isinstance(part, str) else self._written(part, node, path, each) for part in parts]
        whole = "".join(part for part in written if part is not None)
        if len(whole) > LONGEST:
            message = f"longer than {LONGEST:,} characters once it is filled in"
            return self._fail(message, Reference("", 0), node, path)
        return lost(node) if None in written else ScalarNode(whole, whole, node.place, preset=node.preset)

    def _written(self, reference: Reference, node: ScalarNode, path: str, each: Each | None) -> str | None:
        found = self._find(reference, node, path, each)
        if isinstance(found, LostNode):
            return None
        return "" if found.value is None else found.text

    def _find(self, reference: Reference, node: ScalarNode, path: str, each: Each | None) -> ScalarNode | LostNode:
        found = self._look_up(reference, node, path, each)
        if isinstance(found, ScalarNode):
            return found
        if isinstance(found, LostNode):
            return lost(node)
        hint = "Only text, numbers, true and false can be filled in; presets with extends carry more."
        return self._fail(f"{reference.text} stands for {described(found)}", reference, node, path, hint)

    def _look_up(self, reference: Reference, node: ScalarNode, path: str, each: Each | None) -> Node:
        root, _, name = reference.inside.partition(".")
        if not reference.closed:
            return self._fail('"${" without its "}"', reference, node, path, _KNOWN)
        if root == "each":
            return self._each(name, reference, node, path, each)
        if root == "var" and name:
            return self._var(name, reference, node, path)
        if root == "env":
            hints = _env_hints(reference.text)
            return self._fail(f"{reference.text} cannot stand here", reference, node, path, *hints)
        return self._fail(f"unknown reference {reference.text}", reference, node, path, _KNOWN)

    def _each(self, name: str, reference: Reference, node: ScalarNode, path: str, each: Each | None) -> Node:
        if each is None:
            in_preset = path.startswith(("presets.", "variables.", "providers.", "defaults."))
            hint = "Only encodes fan out: say it in the encode." if in_preset else "Give the encode a for_each."
            return self._fail(f"{reference.text} stands for nothing here", reference, node, path, hint)
        if name == "key":
            return ScalarNode(each.key, each.key, each.place) if each.key else lost(node)
        root, _, column = name.partition(".")
        if root != "value" or not column:
            return self._fail(f"unknown reference {reference.text}", reference, node, path, _KNOWN)
        entry = None if each.values is None else each.values.get(column)
        if entry is not None:
            return entry.node
        if each.values is None or not each.key:
            return lost(node)
        known = f"Columns: {listed(each.values)}." if each.values else "This for_each has names only, no values."
        hint = f"{suggestion(column, each.values)}{known}"
        return self._fail(f'no column "{column}" for "{each.key}"', reference, node, path, hint)

    def _var(self, name: str, reference: Reference, node: ScalarNode, path: str) -> Node:
        if name not in self._own:
            known = f"Yours: {listed(self._own)}." if self._own else "No spec has variables:."
            hint = f"{suggestion(name, self._own)}{known}"
            return self._fail(f'unknown variable "{name}"', reference, node, path, hint, unknown=True)
        if name in self._asked:
            chain = " -> ".join([*self._asked[self._asked.index(name) :], name])
            message = f"variables stand for each other: {chain}"
            return self._fail(message, reference, node, path, "Give one of them a value.")
        return self._variable(name)

    def _variable(self, name: str) -> Node:
        if name not in self._values:
            self._asked.append(name)
            node = self._own[name].node
            # `check` tells of a variable that is no single value, not everybody who uses it.
            filled = self.fill(node, f"variables.{name}") if isinstance(node, ScalarNode) else lost(node)
            self._values[name] = filled
            self._asked.pop()
        return self._values[name]

    def _fail(
        self, message: str, reference: Reference, node: ScalarNode, path: str, *hints: str, unknown: bool = False
    ) -> LostNode:
        if not (unknown and self._incomplete):
            self._problems.append(Problem(message, _inside(node, reference), path, hints))
        return lost(node)


def _parse(text: str) -> tuple[str | Reference, ...]:
    """The literal parts and references of a text, in order."""
    parts: list[str | Reference] = []
    end = 0
    for match in _REFERENCE.finditer(text):
        if match.start() > end:
            parts.append(text[end : match.start()])
        if match[1]:
            parts.append(match[0][1:])
        else:
            parts.append(Reference(match[2].strip(), match.start(), closed=match[3] is not None))
        end = match.end()
    if end < len(text):
        parts.append(text[end:])
    return tuple(parts)


def _standing_in(found: ScalarNode, reference: Reference, node: ScalarNode) -> ScalarNode:
    """What a whole `${...}` becomes: the value, at the place where it is used."""
    text = "null" if found.value is None else found.text
    written = found.written or found.place
    return ScalarNode(found.value, text, node.place, written=written, variable=reference.inside, preset=node.preset)


def _inside(node: ScalarNode, reference: Reference) -> Place | None:
    """The place of a reference within its scalar, where text and source agree letter by letter."""
    place = node.place
    if place is None:
        return None
    quotes = place.length - len(node.text)
    if quotes not in {0, 2}:
        return place
    return Place(place.file, place.line, place.column + quotes // 2 + reference.offset, len(reference.text))


def _env_hints(text: str) -> tuple[str, str]:
    return (
        "The environment is read in one place only: the url of a source that has an id, at apply.",
        f'Write  source: {{id: NAME, url: "{text}"}}',
    )


def override(text: str) -> ScalarNode:
    """The value of `--var NAME=TEXT`, read as a YAML scalar; it has no place in any file."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return ScalarNode(text[1:-1], text[1:-1], None)
    return ScalarNode(plain_scalar(text), text, None)
