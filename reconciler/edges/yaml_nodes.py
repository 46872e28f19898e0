"""YAML text as located nodes, by the events of ruamel.yaml's C parser.

That parser refuses a URL in braces without quotes, `{url: https://...}`, which YAML 1.2 allows; a file in which
it meets one is read by ruamel.yaml's own parser, which is slower and knows better.

YAML 1.2 values, and no more of YAML than a spec needs: no tags, no merge keys, one document a file. A file
that would grow out of bounds through its aliases is refused while it is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from _ruamel_yaml import CParser
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.core.errors import Place, Problem
from reconciler.core.names import suggestion
from reconciler.core.nodes import Entry, ListNode, MapNode, Node, ScalarNode, plain_scalar, shortened
from reconciler.edges.yaml_syntax import syntax_problem

DEEPEST = 50
MOST_EXPANDED = 200_000  # values that stand in a file only through aliases
MOST_VALUES = 600_000  # in one file: 10,000 encodes of twelve lines have half of it

# What the C parser says of a colon inside of a plain value in braces.
_URL_IN_BRACES = "found unexpected ':'"

# What libyaml counts as the end of a line.
LINE_ENDS = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOST = Entry(None, ScalarNode(None, "", None))


def read_yaml(text: str, file: str) -> tuple[Node | None, list[Problem]]:
    """The nodes of a YAML text (None if it holds none), and everything that is wrong with it."""
    bad = _NOT_TEXT.search(text)
    if bad is not None:
        return None, [_control_character(text, bad.start(), file)]
    builder = _read(text, file, _fast_events)
    if builder is None:
        builder = _read(text, file, _exact_events)
    return (None, []) if builder is None else (builder.root, builder.problems)


def _read(text: str, file: str, events: Callable[[str], Iterator[Any]]) -> _Builder | None:
    """What one parser makes of a text; None if it is the one that cannot read it."""
    builder = _Builder(file)
    try:
        builder.build(events(text))
    except YAMLError as error:
        if events is _fast_events and isinstance(error, MarkedYAMLError) and error.problem == _URL_IN_BRACES:
            return None
        builder.problems.append(syntax_problem(error, file, LINE_ENDS.split(text)))
        builder.root = None
    except _GiveUpError:
        builder.root = None
    return builder


class _GiveUpError(Exception):
    """Reading on makes no sense; the problem is noted."""


class _Open:
    """A mapping or list whose end was not read yet."""

    __slots__ = ("anchor", "counted", "is_map", "items", "key", "key_place", "keys", "place")

    def __init__(self, *, is_map: bool, place: Place, anchor: str | None, counted: int) -> None:
        self.is_map = is_map
        self.place = place
        self.anchor = anchor
        self.counted = counted
        self.keys: dict[str, Entry] = {}
        self.items: list[Node] = []
        self.key: str | None = None
        self.key_place: Place | None = None


class _Builder:
    """Events in, nodes out; what is wrong is collected."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.root: Node | None = None
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._count = 0
        self._expanded = 0
        self._documents = 0

    def build(self, events: Iterator[Any]) -> None:
        """Read all events."""
        for event in events:
            kind = type(event)
            if kind is ScalarEvent:
                self._scalar(event)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                self._start(event, is_map=kind is MappingStartEvent)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                self._end()
            elif kind is AliasEvent:
                self._alias(event)
            elif kind is DocumentStartEvent:
                self._document(event)

    def _place(self, event: Any) -> Place:  # noqa: ANN401 - events have no types
        start, end = event.start_mark, event.end_mark
        length = end.column - start.column if end.line == start.line else 1
        return Place(self.file, start.line + 1, start.column + 1, length if length > 0 else 1)

    def _problem(self, message: str, place: Place, *hints: str) -> None:
        self.problems.append(Problem(message, place, self._path(), hints))

    def _path(self) -> str:
        return ".".join(key for key in (frame.key for frame in self._open) if key is not None)

    def _scalar(self, event: Any) -> None:  # noqa: ANN401 - events have no types
        place = self._place(event)
        frame = self._open[-1] if self._open else None
        text = event.value
        if event.tag is not None:
            self._tag(event.tag, place)
        if frame is not None and frame.is_map and frame.key is None:
            self._key(frame, text, place, plain=not event.style)
            return
        node = ScalarNode(text if event.style else plain_scalar(text), text, place)
        self._count += 1
        if self._count > MOST_VALUES:
            self._problem(f"more than {MOST_VALUES:,} values in one file", place, "Split it, or use for_each.")
            raise _GiveUpError
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, 1)
        self._add(node)

    def _key(self, frame: _Open, text: str, place: Place, *, plain: bool) -> None:
        frame.key, frame.key_place = text, place
        if plain and text == "<<":
            self._problem('merge keys ("<<") are not read', place, "Write  extends: NAME  to take over a preset.")
        elif plain and text in {"", "~"}:
            self._problem('there is no key before the ":"', place, "Write  key: value.")
        else:
            first = frame.keys.get(text)
            if first is not None:
                hint = f"It is first at {first.key}. Keep one of them."
                self._problem(f'key "{shortened(text)}" is written twice', place, hint)
            return
        frame.key_place = None

    def _start(self, event: Any, *, is_map: bool) -> None:  # noqa: ANN401 - events have no types
        place = self._place(event)
        if event.tag is not None:
            self._tag(event.tag, place)
        frame = self._open[-1] if self._open else None
        if frame is not None and frame.is_map and frame.key is None:
            self._problem(f"a key must be text, not a {'mapping' if is_map else 'list'}", place)
            raise _GiveUpError
        if len(self._open) >= DEEPEST:
            self._problem(f"nested more than {DEEPEST} levels deep", place, "A spec needs fewer than ten.")
            raise _GiveUpError
        self._count += 1
        self._open.append(_Open(is_map=is_map, place=place, anchor=event.anchor, counted=self._count))

    def _end(self) -> None:
        frame = self._open.pop()
        node: Node = MapNode(frame.keys, frame.place) if frame.is_map else ListNode(frame.items, frame.place)
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (node, self._count - frame.counted + 1)
        self._add(node)

    def _add(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        frame = self._open[-1]
        if not frame.is_map:
            frame.items.append(node)
        elif frame.key is not None:
            if frame.key_place is not None:
                frame.keys.setdefault(frame.key, Entry(frame.key_place, node))
            frame.key = None

    def _alias(self, event: Any) -> None:  # noqa: ANN401 - events have no types
        place, name = self._place(event), event.anchor
        frame = self._open[-1] if self._open else None
        if frame is not None and frame.is_map and frame.key is None:
            self._problem("an alias cannot be a key", place)
            raise _GiveUpError
        if any(frame.anchor == name for frame in self._open):
            self._problem(f'alias "*{name}" stands inside of what it stands for', place)
            raise _GiveUpError
        if name not in self._anchors:
            hint = f"An alias repeats what an anchor (&{name}) named earlier in the same file."
            self._problem(f'unknown alias "*{name}"', place, suggestion(name, self._anchors) + hint)
            self._add(_LOST.node)
            return
        node, size = self._anchors[name]
        self._count += size
        self._expanded += size
        if self._expanded > MOST_EXPANDED:
            message = f"aliases make this file grow to more than {MOST_EXPANDED:,} values"
            self._problem(message, place, "Presets with extends say the same with less.")
            raise _GiveUpError
        self._add(node)

    def _tag(self, tag: str, place: Place) -> None:
        shown = shortened(tag.replace("tag:yaml.org,2002:", "!!", 1))
        self._problem(f'tag "{shown}" is not allowed', place, "Specs are data. To make a value text, quote it.")

    def _document(self, event: Any) -> None:  # noqa: ANN401 - events have no types
        self._documents += 1
        if self._documents > 1:
            message = "a second document (---) in one file"
            self._problem(message, self._place(event), "Put it into a file of its own; all files are one spec.")
            raise _GiveUpError


def _fast_events(text: str) -> Iterator[Any]:
    parser = CParser(text)
    while parser.check_event():
        yield parser.get_event()


def _exact_events(text: str) -> Iterator[Any]:
    events: Iterator[Any] = YAML(typ="safe", pure=True).parse(text)
    return events


def _control_character(text: str, index: int, file: str) -> Problem:
    before = LINE_ENDS.split(text[:index])
    place = Place(file, len(before), len(before[-1]) + 1)
    return Problem(f"a character that is no text (U+{ord(text[index]):04X})", place, "", ("Remove it.",))
