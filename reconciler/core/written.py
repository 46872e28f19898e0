"""What an output says after merging, and where each of it was written: what a rule needs to complain well."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.encode import Origin
from reconciler.core.errors import Place, Problem
from reconciler.core.nodes import Entry, MapNode, ScalarNode, find, scalars


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """One output's merged parameters; `path` and `place` are those of the output itself."""

    node: MapNode
    path: str
    place: Place | None

    def entry(self, field: str) -> Entry | None:
        """What was written for a field such as `video.crf`, if anything."""
        return find(self.node, field.split("."))

    def text(self, field: str) -> str:
        """A field's value as it was written; empty if it was not."""
        entry = self.entry(field)
        return entry.node.text if entry is not None and isinstance(entry.node, ScalarNode) else ""

    def problem(self, message: str, field: str, *hints: str, value: bool = False) -> Problem:
        """A problem with a field, at its key or its value: where it was written, else where the output is."""
        entry = self.entry(field)
        if entry is None:
            return Problem(message, self.place, f"{self.path}.{field}", hints)
        place = entry.node.place if value or entry.key is None else entry.key
        if place is None:
            return Problem(message, self.place, f"{self.path}.{field}", (*hints, *self.source_of(field)))
        preset = self.preset(field)
        if preset is None:
            return Problem(message, place, f"{self.path}.{field}", hints)
        return Problem(message, place, f"presets.{preset}.{field}", (*hints, f"Used by {self.path}."))

    def preset(self, field: str) -> str | None:
        """The preset that a field came from; None for what the output says itself."""
        entry = self.entry(field)
        if entry is None:
            return None
        if isinstance(entry.node, ScalarNode):
            return entry.node.preset
        return next((node.preset for _, node in scalars(entry.node)), None)

    def source_of(self, field: str) -> tuple[str, ...]:
        """A hint that says where the other side of a contradiction comes from."""
        entry, preset = self.entry(field), self.preset(field)
        if entry is None:
            return ()
        said = f'"{field.rpartition(".")[2]}: {self.text(field)}"'
        place = entry.key or entry.node.place
        if preset is None:
            return (f"{said} is at {place}.",) if place is not None else ()
        if place is None:
            return (f"{said} comes from the built-in preset {preset}.",)
        return (f"{said} comes from preset {preset}, {place}.",)

    def later(self, one: str, other: str) -> tuple[str, str]:
        """Two fields, first the one to complain about: what the output says itself, else what is written last."""
        if (self.preset(one) is None) != (self.preset(other) is None):
            return (one, other) if self.preset(one) is None else (other, one)
        places = [entry.key if entry is not None else None for entry in (self.entry(one), self.entry(other))]
        first, second = places
        if first is not None and second is not None and first.file == second.file and first > second:
            return one, other
        return other, one


def origins(node: MapNode) -> dict[str, Origin]:
    """Where each field's value was written, by the field's name in a manifest."""
    return {
        ".".join(path): Origin(scalar.written or scalar.place, scalar.preset, scalar.variable)
        for path, scalar in scalars(node)
    }
