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
from reconciler.core.nodes import Entry, ListNode, MapNode, Node, ScalarNode, described, plain_scalar

_REFERENCE = re.compile(r"(\$)?\$\{([^{}\n]*)(\})?")
MOST_PARTS = 200
LONGEST = 10_000  # characters of a value that references were written into
_KNOWN = "Write ${var.NAME}, ${each.key} or ${each.value.COLUMN}; for a literal ${ write $${."


@dataclass(frozen=True, slots=True, eq=False)
class Each:
    """One member of a fan-out: what `${each...}` stands for."""

    key: str
    place: Place | None
    values: Mapping[str, Entry]


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
    return node is not None and any(uses_each(item) for item in node.items)


class Variables:
    """The variables of all specs, and the filling in of them. What is wrong goes to `problems`."""

    def __init__(self, own: Mapping[str, Entry], problems: list[Problem], *, incomplete: bool = False) -> None:
        """`incomplete`: a file could not be read, so an unknown name may be known there."""
        self._own = own
        self._problems = problems
        self._incomplete = incomplete
        self._parsed: dict[str, tuple[str | Reference, ...]] = {}
        self._values: dict[str, Node | None] = {}
        self._asked: list[str] = []
        self._failures = 0

    def fill(self, node: Node, path: str, each: Each | None = None) -> Node | None:
        """The same tree with every reference filled in; None, and problems, if one cannot be."""
        before = self._failures
        filled = self._fill(node, path, each)
        return filled if self._failures == before else None

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

    def _fill(self, node: Node, path: str, each: Each | None) -> Node:
        if isinstance(node, ScalarNode):
            value = node.value
            return self._scalar(node, value, path, each) if type(value) is str and "${" in value else node
        if isinstance(node, MapNode):
            return self._map(node, path, each)
        items = [self._fill(item, path, each) for item in node.items]
        same = all(new is old for new, old in zip(items, node.items, strict=True))
        return node if same else ListNode(items, node.place)

    def _map(self, node: MapNode, path: str, each: Each | None) -> MapNode:
        changed: dict[str, Entry] = {}
        for key, entry in node.items.items():
            filled = self._fill(entry.node, f"{path}.{key}", each)
            if filled is not entry.node:
                changed[key] = Entry(entry.key, filled)
        return MapNode({**node.items, **changed}, node.place) if changed else node

    def _scalar(self, node: ScalarNode, text: str, path: str, each: Each | None) -> Node:
        parts = self._parsed.get(text)
        if parts is None:
            parts = self._parsed[text] = _parse(text)
        if len(parts) > MOST_PARTS:
            self._fail(f"more than {MOST_PARTS // 2} references in one value", Reference("", 0), node, path)
            return node
        if len(parts) == 1 and isinstance(parts[0], Reference):
            found = self._find(parts[0], node, path, each)
            return node if found is None else _standing_in(found, parts[0], node)
        whole = "".join([part if isinstance(part, str) else self._written(part, node, path, each) for part in parts])
        if len(whole) > LONGEST:
            self._fail(f"longer than {LONGEST:,} characters once it is filled in", Reference("", 0), node, path)
        return ScalarNode(whole, whole, node.place, preset=node.preset)

    def _written(self, reference: Reference, node: ScalarNode, path: str, each: Each | None) -> str:
        found = self._find(reference, node, path, each)
        return "" if found is None or found.value is None else found.text

    def _find(self, reference: Reference, node: ScalarNode, path: str, each: Each | None) -> ScalarNode | None:
        found = self._look_up(reference, node, path, each)
        if found is None or isinstance(found, ScalarNode):
            return found
        hint = "Only text, numbers, true and false can be filled in; presets with extends carry more."
        self._fail(f"{reference.text} stands for {described(found)}", reference, node, path, hint)
        return None

    def _look_up(self, reference: Reference, node: ScalarNode, path: str, each: Each | None) -> Node | None:
        root, _, name = reference.inside.partition(".")
        if not reference.closed:
            self._fail('"${" without its "}"', reference, node, path, _KNOWN)
        elif root == "each":
            return self._each(name, reference, node, path, each)
        elif root == "var" and name:
            return self._var(name, reference, node, path)
        elif root == "env":
            self._fail(f"{reference.text} cannot stand here", reference, node, path, *_env_hints(reference.text))
        else:
            self._fail(f"unknown reference {reference.text}", reference, node, path, _KNOWN)
        return None

    def _each(self, name: str, reference: Reference, node: ScalarNode, path: str, each: Each | None) -> Node | None:
        if each is None:
            in_preset = path.startswith(("presets.", "variables.", "providers.", "defaults."))
            hint = "Only encodes fan out: say it in the encode." if in_preset else "Give the encode a for_each."
            self._fail(f"{reference.text} stands for nothing here", reference, node, path, hint)
            return None
        if name == "key":
            return ScalarNode(each.key, each.key, each.place)
        root, _, column = name.partition(".")
        if root != "value" or not column:
            self._fail(f"unknown reference {reference.text}", reference, node, path, _KNOWN)
            return None
        entry = each.values.get(column)
        if entry is None:
            known = f"Columns: {listed(each.values)}." if each.values else "This for_each has names only, no values."
            hint = f"{suggestion(column, each.values)}{known}"
            self._fail(f'no column "{column}" for "{each.key}"', reference, node, path, hint)
            return None
        return entry.node

    def _var(self, name: str, reference: Reference, node: ScalarNode, path: str) -> Node | None:
        if name not in self._own:
            known = f"Yours: {listed(self._own)}." if self._own else "No spec has variables:."
            hint = f"{suggestion(name, self._own)}{known}"
            self._fail(f'unknown variable "{name}"', reference, node, path, hint, unknown=True)
            return None
        if name in self._asked:
            chain = " -> ".join([*self._asked[self._asked.index(name) :], name])
            self._fail(f"variables stand for each other: {chain}", reference, node, path, "Give one of them a value.")
            return None
        return self._variable(name)

    def _variable(self, name: str) -> Node | None:
        if name not in self._values:
            self._asked.append(name)
            entry = self._own[name]
            before = self._failures
            filled = self._fill(entry.node, f"variables.{name}", None)
            self._values[name] = filled if self._failures == before else None
            self._asked.pop()
        if self._values[name] is None:
            self._failures += 1
        return self._values[name]

    def _fail(
        self, message: str, reference: Reference, node: ScalarNode, path: str, *hints: str, unknown: bool = False
    ) -> None:
        self._failures += 1
        if not (unknown and self._incomplete):
            self._problems.append(Problem(message, _inside(node, reference), path, hints))


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
