"""Presets that take over presets: chains of `extends`, and the merging of what they say.

Mappings merge deep, lists are replaced, `null` removes, later wins. A section that says `codec: none` takes
nothing over: a preset without sound does not have to unset every detail of a sound it inherits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from reconciler.core.errors import Place, Problem
from reconciler.core.names import listed, normal, suggestion
from reconciler.core.nodes import (
    Entry,
    ListNode,
    LostNode,
    MapNode,
    Node,
    ScalarNode,
    described,
    from_plain,
    holds_lost,
    is_null,
    shortened,
    stamped,
)
from reconciler.core.presets import BUILT_IN

MOST_HINTED = 100  # unknown names; who has more of them made one mistake, not hundreds
SECTIONS = ("video", "audio")


def merge(base: MapNode, over: MapNode) -> MapNode:
    """`over` on top of `base`; nulls stay, so that they still remove when the result is merged again."""
    items = dict(base.items)
    for key, entry in over.items.items():
        below = items.get(key)
        if below is not None and isinstance(below.node, LostNode) and isinstance(entry.node, MapNode):
            continue  # without what is below nobody knows what they say together
        if below is not None and isinstance(below.node, MapNode) and isinstance(entry.node, MapNode):
            says_none = key in SECTIONS and _says_none(entry.node)
            items[key] = entry if says_none else Entry(entry.key, merge(below.node, entry.node))
        else:
            items[key] = entry
    return MapNode(items, over.place)


def without_nulls(node: MapNode) -> MapNode:
    """What is left when every null has removed what it stands for."""
    items: dict[str, Entry] = {}
    for key, entry in node.items.items():
        if isinstance(entry.node, MapNode):
            items[key] = Entry(entry.key, without_nulls(entry.node))
        elif not is_null(entry.node):
            items[key] = entry
    return MapNode(items, node.place)


def _says_none(section: MapNode) -> bool:
    codec = section.get("codec")
    return isinstance(codec, ScalarNode) and codec.value == "none"


class Presets:
    """All presets, built in and declared, by name. What is wrong goes to `problems`, once."""

    def __init__(
        self,
        own: Mapping[str, Entry],
        problems: list[Problem],
        *,
        broken: Collection[str] = (),
        incomplete: bool = False,
    ) -> None:
        """`broken` presets have had their problem told; `incomplete`: unknown names may stand in an unread file."""
        self._own = own
        self._broken = broken
        self._problems = problems
        self._incomplete = incomplete
        self._merged: dict[str, MapNode | None] = {}
        self._asked: list[str] = []
        self._hints: dict[str, str] = {}

    def check(self) -> None:
        """Merge every declared preset, so that what is wrong in an unused one is found too."""
        for name, entry in self._own.items():
            self.named(name, entry.key, f"presets.{name}")

    def extend(self, node: MapNode, path: str) -> MapNode | None:
        """What a mapping says together with the presets that it extends; None, and problems, if they fail."""
        extends = node.items.get("extends")
        if extends is None:
            return node
        own = MapNode({key: entry for key, entry in node.items.items() if key != "extends"}, node.place)
        if is_null(extends.node):
            return own
        result = MapNode({}, node.place)
        for name, place in self._names(extends.node, f"{path}.extends"):
            base = self.named(name, place, f"{path}.extends")
            if base is None:
                return None
            result = merge(result, base)
        return None if holds_lost(extends.node) else merge(result, own)

    def named(self, name: str, place: Place | None, path: str) -> MapNode | None:
        """What a preset says, with all that it extends; None, and a problem at `place`, if there is none."""
        if name in self._asked:
            chain = " -> ".join([*self._asked[self._asked.index(name) :], name])
            hint = "A preset cannot extend itself, not even through others."
            self._problems.append(Problem(f"presets extend each other: {chain}", place, path, (hint,)))
            return None
        if name in self._broken:
            return None
        if name not in self._merged:
            if name not in self._own and name not in BUILT_IN:
                self._unknown(name, place, path)
                return None
            self._merged[name] = self._merge(name)
        return self._merged[name]

    def _merge(self, name: str) -> MapNode | None:
        entry = self._own.get(name)
        if entry is None:
            built_in = stamped(from_plain(BUILT_IN[name].parameters), name)
            return built_in if isinstance(built_in, MapNode) else None
        node = stamped(entry.node, name)
        self._asked.append(name)
        merged = self.extend(node, f"presets.{name}") if isinstance(node, MapNode) else None
        self._asked.pop()
        return merged

    def _names(self, node: Node, path: str) -> list[tuple[str, Place | None]]:
        items = node.items if isinstance(node, ListNode) else [node]
        names: list[tuple[str, Place | None]] = []
        for item in items:
            if isinstance(item, ScalarNode) and item.value is not None:
                names.append((normal(item.text), item.place))
            elif not isinstance(item, LostNode):
                message = f"extends must name a preset, not {described(item)}"
                self._problems.append(
                    Problem(message, item.place, path, ("Write  extends: NAME  or  extends: [NAME, NAME].",))
                )
        return names

    def _unknown(self, name: str, place: Place | None, path: str) -> None:
        if self._incomplete:
            return
        if name not in self._hints:
            own = [*self._own, *self._broken]
            known = f"Yours: {listed(own)}." if own else "No spec has presets: of its own."
            near = suggestion(name, [*own, *BUILT_IN]) if len(self._hints) < MOST_HINTED else ""
            self._hints[name] = f"{near}{known}"
        hints = (self._hints[name], "Built in: reconciler explain --presets")
        self._problems.append(Problem(f'unknown preset "{shortened(name)}"', place, path, hints))
