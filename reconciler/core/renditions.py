"""What an output looks like, whatever its source: parameters, the manifest they make, and where each was written."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from reconciler.core import combinations, packages, side_files
from reconciler.core.encode import Native, Origin
from reconciler.core.errors import Place, Problem
from reconciler.core.extends import Presets, without_nulls
from reconciler.core.manifest import Prepared
from reconciler.core.nodes import Entry, ListNode, MapNode, Node, ScalarNode, described, from_plain, holds_lost, lost
from reconciler.core.parameters import Parameters
from reconciler.core.provider_types import NativeOutput
from reconciler.core.side_files import Look, nobody_looks
from reconciler.core.spec import PresetSpec
from reconciler.core.validation import salvaged
from reconciler.core.variables import Variables
from reconciler.core.written import Written, origins


@dataclass(frozen=True, slots=True, eq=False)
class Rendition:
    """One set of parameters; shared by all outputs that ask for it."""

    parameters: Parameters
    prepared: Prepared
    origins: Mapping[str, Origin]
    extension: str
    written: Written
    native: Native | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Good:
    """What comes of parameters in which nothing is wrong, wherever they are written."""

    parameters: Parameters
    prepared: Prepared
    extension: str


# Stands for one that is wrong: nobody uses it, since nothing is encoded then.
NO_RENDITION = Rendition(Parameters(), Prepared(Parameters()), {}, "", Written(MapNode({}, None), "", None))


class Renditions:
    """Renditions by preset or by what an output says itself; each preset, and what many say alike, is judged once."""

    def __init__(self, presets: Presets, problems: list[Problem], look: Look = nobody_looks) -> None:
        """`look` looks at the files beside the specs that outputs name."""
        self._presets = presets
        self._look = look
        self._problems = problems
        self._by_preset: dict[str, Rendition | None] = {}
        self._good: dict[Hashable, _Good] = {}

    def of_preset(self, name: str, path: str, place: Place | None) -> Rendition | None:
        """The rendition of an output that only names a preset; None, and problems, if there is none."""
        if name in self._by_preset:
            return self._by_preset[name]
        node = self._presets.named(name, place, path)
        if node is None:
            return None
        made = self._by_preset[name] = self._made(node, path, place)
        return made

    def of_node(self, node: MapNode, path: str, place: Place | None) -> Rendition | None:
        """The rendition of what an output says, on top of what it extends; None, and problems, if it cannot be."""
        merged = self._presets.extend(node, path)
        return None if merged is None else self._made(merged, path, place)

    def of_native(self, native: NativeOutput, path: str, place: Place | None) -> Rendition | None:
        """The rendition of an entry of a provider's own document, all of which stands at `place`."""
        node = from_plain(native.parameters, place)
        assert isinstance(node, MapNode), "parameters are a mapping"
        return self._made(node, path, place, native.native)

    def _made(self, merged: MapNode, path: str, place: Place | None, native: Native | None = None) -> Rendition | None:
        node: Node = without_nulls(packages.expanded(merged))
        said = _content(node)
        good = self._good.get(said) if native is None else None
        if good is None:
            judged = self._judged(node, path, place, native)
            if judged is None:
                return None
            good, node = judged
            if native is None:
                self._good[said] = good
        assert isinstance(node, MapNode), "parameters are a mapping"
        found_at = origins(node)
        if native is not None:
            found_at |= dict.fromkeys(native.extras, Origin(place))
        written = Written(node, path, place)
        return Rendition(good.parameters, good.prepared, found_at, good.extension, written, native)

    def _judged(
        self, node: Node, path: str, place: Place | None, native: Native | None
    ) -> tuple[_Good, MapNode] | None:
        """What is good, and all of it; None, and problems, if something is wrong."""
        found: list[Problem] = []
        parameters, node = salvaged(Parameters, node, path, found)
        # What all variants of a package take over is wrong once.
        self._problems.extend({(each.place, each.message): each for each in found}.values())
        if parameters is None or not isinstance(node, MapNode):
            return None
        # What has words of its provider's own only that provider can judge; every other one refuses those words.
        strange = native is not None and bool(native.extras)
        written = Written(node, path, place)
        found = [] if strange else combinations.problems(parameters, written)
        self._problems.extend(found)
        if found or holds_lost(node):
            return None
        parameters = combinations.canonical(parameters)
        beside = side_files.digests(parameters, written, self._look, found)
        self._problems.extend(found)
        if found:
            return None
        prepared = Prepared(parameters, {**beside, **(native.extras if native is not None else {})})
        extension = "" if packages.is_folder(parameters) else parameters.container or "media"
        return _Good(parameters, prepared, extension), node


def _content(node: Node) -> Hashable:
    """All that a node says and which preset says it, but not where it stands; what is lost equals nothing."""
    if isinstance(node, ScalarNode):
        return node.value, node.text, node.preset
    if isinstance(node, MapNode):
        return "map", *((key, _content(entry.node)) for key, entry in node.items.items())
    if isinstance(node, ListNode):
        return "list", *map(_content, node.items)
    return object()


def checked_presets(
    own: Mapping[str, Entry], variables: Variables, problems: list[Problem], *, incomplete: bool
) -> Presets:
    """The declared presets with their references filled in, each of them valid by itself."""
    good: dict[str, Entry] = {}
    broken: list[str] = []
    for name, entry in own.items():
        path = f"presets.{name}"
        node = _preset(entry.node, path, variables, problems)
        if isinstance(node, MapNode):
            good[name] = Entry(entry.key, node)
        else:
            broken.append(name)
    presets = Presets(good, problems, broken=broken, incomplete=incomplete)
    presets.check()
    return presets


def _preset(node: Node, path: str, variables: Variables, problems: list[Problem]) -> Node:
    if not isinstance(node, MapNode):
        hint = "Write  {container: mp4, video: {...}, audio: {...}}  or  {extends: NAME, ...}"
        problems.append(Problem(f"a preset is a mapping, not {described(node)}", node.place, path, (hint,)))
        return lost(node)
    filled = said(variables.fill(node, path), path, problems)
    return salvaged(PresetSpec, filled, path, problems)[1]


def said(node: Node, path: str, problems: list[Problem]) -> Node:
    """The same tree; a value that was left out is lost, and a problem. Null has to be written to remove something."""
    if not isinstance(node, MapNode):
        return node
    changed: dict[str, Entry] = {}
    for name, entry in node.items.items():
        value = said(entry.node, f"{path}.{name}", problems)
        if isinstance(value, ScalarNode) and value.value is None and not value.text and value.place is not None:
            hints = (f"To remove what a preset says, write  {name}: null", _COMMENT)
            problems.append(Problem(f"{name} has no value", entry.key, f"{path}.{name}", hints))
            value = lost(value)
        if value is not entry.node:
            changed[name] = Entry(entry.key, value)
    return MapNode({**node.items, **changed}, node.place) if changed else node


_COMMENT = 'A "#" after a space begins a comment: quote values that hold one, such as "#ff0000".'
