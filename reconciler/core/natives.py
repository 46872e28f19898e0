"""An encode whose outputs come from a provider's own document: `template: FILE`, or inline `params:`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.core.errors import Place, Problem
from reconciler.core.fan_out import Tables, template_request
from reconciler.core.names import name_error
from reconciler.core.nodes import ListNode, MapNode, Node, ScalarNode, described, holds_lost, to_plain
from reconciler.core.provider_types import NativeProblem, ReadDocument
from reconciler.core.renditions import Rendition, Renditions
from reconciler.core.variables import Variables

KEYS = ("template", "params")


@dataclass(frozen=True, slots=True, eq=False)
class NativeRendition:
    """One entry of a document, as an output that only lacks its source."""

    name: str
    rendition: Rendition
    path: str
    place: Place | None


@dataclass(frozen=True, slots=True, eq=False)
class Documents:
    """Reads the documents that encodes name; what is wrong goes to `problems`."""

    read: ReadDocument
    tables: Tables
    variables: Variables
    renditions: Renditions
    problems: list[Problem]

    def outputs(self, encode: MapNode, path: str) -> list[NativeRendition]:
        """The outputs of the document that stands under `template` or `params`."""
        key = next(key for key in KEYS if encode.get(key) is not None)
        node = self._document(encode.items[key].node, key, f"{path}.{key}")
        return [] if node is None else list(self._outputs(node, f"{path}.{key}"))

    def _document(self, node: Node, key: str, path: str) -> Node | None:
        filled = self.variables.fill(node, path)
        if holds_lost(filled):
            return None
        if key == "params":
            return filled
        request = template_request(filled, path)
        if request is None:
            hint = "Write  template: templates/NAME.json"
            self.problems.append(Problem(f"template cannot be {described(filled)}", filled.place, path, (hint,)))
            return None
        return self.tables.get(request)

    def _outputs(self, node: Node, path: str) -> Iterator[NativeRendition]:
        entries, wrong = self.read(to_plain(node))
        self.problems.extend(_problem(each, node, path) for each in wrong)
        places = _entry_places(node)
        for index, entry in enumerate(entries):
            place = places[index] if index < len(places) else node.place
            error = name_error(entry.name)
            if error is not None:
                message = f'"{entry.name}" cannot name an output: {error}'
                self.problems.append(Problem(message, place, path, ("Give the entry a name of letters and digits.",)))
                continue
            rendition = self.renditions.of_native(entry, f"{path}.{entry.name}", place)
            if rendition is not None:
                yield NativeRendition(entry.name, rendition, f"{path}.{entry.name}", place)


def _problem(found: NativeProblem, node: Node, path: str) -> Problem:
    """A problem of a document at the place of what is wrong, or of the nearest thing around it."""
    place = node.place
    for step in found.path:
        below = _below(node, step)
        if below is None:
            break
        node, place = below, below.place or place
    where = ".".join([path, *map(str, found.path)])
    return Problem(found.message, place, where, (found.hint,) if found.hint else ())


def _below(node: Node, step: str | int) -> Node | None:
    if isinstance(node, MapNode):
        return node.get(str(step))
    if isinstance(node, ListNode) and isinstance(step, int) and 0 <= step < len(node.items):
        return node.items[step]
    return None


def _entry_places(node: Node) -> list[Place | None]:
    """Where each entry of the document's list of outputs stands."""
    for key in ("params", "app", "data", "outputs"):
        below = node.get(key) if isinstance(node, MapNode) else None
        node = below if below is not None else node
    items = node.items if isinstance(node, ListNode) else ()
    return [item.place for item in items if not isinstance(item, ScalarNode)]
