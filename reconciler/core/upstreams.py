"""`source: {encode: E/O}`: which output an encode is made from, and the order in which encodes are resolved.

The fingerprint of such an encode's outputs holds the one of the output that they are made from, so that one is
resolved first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from reconciler.core.encode import Output
from reconciler.core.errors import Place, Problem
from reconciler.core.names import listed, normal, suggestion
from reconciler.core.nodes import ScalarNode
from reconciler.core.packages import is_folder

# What an encode names as its source, by the first part of the address, and where it says so.
Needs = Mapping[str, Place | None]

# How many outputs may be made from each other in a row.
LONGEST = 20

_FORM = "Write  source: {encode: ENCODE/OUTPUT}  with an output that is one file."
# Files that hold neither a moving picture nor sound.
_NO_MEDIA = frozenset({"jpg", "png", "webp", "vtt", "srt"})


def upstreams_of(output: Output) -> Iterator[Output]:
    """What an output is made from, and what that is made from, up to the beginning."""
    above = output.source.upstream
    while above is not None:
        yield above
        above = above.source.upstream


class Upstreams:
    """The outputs that are resolved so far, for those that are made from them. What is wrong goes to `problems`."""

    def __init__(self, declared: Collection[str], problems: list[Problem], *, incomplete: bool = False) -> None:
        """`declared` names all encodes; `incomplete`: a file could not be read, so an unknown one may be there."""
        self._declared = declared
        self._problems = problems
        self._incomplete = incomplete
        self._made: dict[str, Sequence[Output]] = {}
        self._by_address: dict[str, Mapping[str, Output]] = {}
        self._circular: set[str] = set()

    def add(self, encode: str, outputs: Sequence[Output]) -> None:
        """Remember the outputs of an encode."""
        self._made[encode] = outputs

    def in_order(self, needs: Mapping[str, Needs]) -> list[str]:
        """All encodes, each after those that it is made from; for every circle a problem."""
        order = [name for name in self._declared if not needs.get(name)]
        graph = {name: {root for root in found if root in needs} for name, found in needs.items() if found}
        while True:
            try:
                return [*order, *(name for name in TopologicalSorter(graph).static_order() if name in graph)]
            except CycleError as error:
                self._circle(list(error.args[1]), graph, needs)

    def _circle(self, circle: list[str], graph: dict[str, set[str]], needs: Mapping[str, Needs]) -> None:
        """Tell of one circle, and cut it where it was told."""
        # From what is made to what it is made from, beginning with the name that comes first.
        names = circle[:0:-1]
        start = names.index(min(names))
        names = names[start:] + names[:start]
        first, second = names[0], names[1] if len(names) > 1 else names[0]
        graph[first].discard(second)
        self._circular.add(first)
        what = "its own outputs" if first == second else "itself"
        way = " from ".join([*names, first])
        message = f'"{first}" would be made from {what}'
        hint = f"{way}: one of them needs a source of another kind." if first != second else _FORM
        self._problems.append(Problem(message, needs[first][second], f"encodes.{first}.source.encode", (hint,)))

    def find(self, encode: str, node: ScalarNode, path: str) -> Output | None:
        """The output that `encode` is made from; None, and a problem, if it cannot be."""
        address = normal(node.text)
        root = address.partition("/")[0]
        outputs = self._made.get(root)
        if outputs is None:
            if encode not in self._circular and root not in self._declared and not self._incomplete:
                known = _addresses(self._made.values())
                hint = f"{suggestion(address, known)}Known: {listed(known)}." if known else _FORM
                self._problems.append(Problem(f'no encode is called "{root}"', node.place, path, (hint,)))
            return None
        if root not in self._by_address:
            self._by_address[root] = {output.address: output for output in outputs}
        found = self._by_address[root].get(address)
        if found is not None:
            return found if self._is_medium(found, node, path) else None
        self._unknown(address, root, node, path)
        return None

    def _unknown(self, address: str, root: str, node: ScalarNode, path: str) -> None:
        """Tell of an output that is not there, unless that may be for what is wrong with its encode."""
        if any(problem.path.startswith(f"encodes.{root}.") for problem in self._problems):
            return
        known = [*self._by_address[root]]
        hint = f"{suggestion(address, known)}Its outputs: {listed(known)}." if known else _FORM
        message = f'"{root}" has no output "{address}"'
        if address == root:
            message = f'"{root}" is an encode; a source is one output of it'
        self._problems.append(Problem(message, node.place, path, (hint,)))

    def _is_medium(self, output: Output, node: ScalarNode, path: str) -> bool:
        parameters = output.parameters
        if is_folder(parameters):
            message = f'"{output.address}" is a folder of files ({parameters.container}); a source is one file'
        elif parameters.container in _NO_MEDIA:
            message = f'"{output.address}" is no video or sound ({parameters.container})'
        elif sum(1 for _ in upstreams_of(output)) >= LONGEST - 1:
            message = f'"{output.address}" is the last of {LONGEST} outputs in a row that are made from each other'
            self._problems.append(Problem(message, node.place, path, (_FORM,)))
            return False
        else:
            return True
        self._problems.append(Problem(message, node.place, path, ("Name an output such as mp4, mov or mkv.",)))
        return False


def _addresses(made: Iterable[Sequence[Output]]) -> list[str]:
    return [output.address for outputs in made for output in outputs]
