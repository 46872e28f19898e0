"""One entry of `encodes:` as outputs: every member of its fan-out, times everything under `outputs:`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from reconciler.core import natives, policies
from reconciler.core.chain_rules import lacking
from reconciler.core.encode import Origin, Output, ProviderSettings, Source
from reconciler.core.errors import Place, Problem
from reconciler.core.fan_out import Tables, members, request_of
from reconciler.core.manifest import prepared_source
from reconciler.core.names import listed, name_error, normal, publish_path, suggestion
from reconciler.core.nodes import (
    Entry,
    ListNode,
    LostNode,
    MapNode,
    Node,
    ScalarNode,
    described,
    find,
    is_null,
    scalars,
)
from reconciler.core.policies import Policy
from reconciler.core.provider_types import Knowledge
from reconciler.core.refusals import Refusals
from reconciler.core.renditions import NO_RENDITION, Rendition, Renditions, said
from reconciler.core.sources import SourceRead, Trust, filled, read_source
from reconciler.core.spec import EncodeSpec, OutputSpec
from reconciler.core.upstreams import Upstreams
from reconciler.core.validation import salvaged, unknown_keys
from reconciler.core.variables import UNKNOWN, Each, Variables, uses_each

Value = TypeVar("Value")

_OUTPUTS = "Write  outputs: [720p-h264]  or  outputs: {720p: {extends: 720p-h264, video: {crf: 21}}}"
_SOURCE = "Write  source: https://HOST/PATH  or a path in the project folder."


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What all encodes share; what is wrong with one goes to `problems`."""

    variables: Variables
    renditions: Renditions
    defaults: Policy
    providers: Mapping[str, ProviderSettings]
    knowledge: Knowledge
    trust: Trust
    tables: Tables
    refusals: Refusals
    upstreams: Upstreams
    problems: list[Problem]
    incomplete: bool = False


class _PerMember(Generic[Value]):
    """A part of an encode: read once, or anew for every member if it says `${each...}`."""

    __slots__ = ("_fixed", "_read", "_varies")

    def __init__(self, read: Callable[[Each | None], Value | None], *, varies: bool) -> None:
        self._read = read
        self._varies = varies
        self._fixed = None if varies else read(None)

    def of(self, each: Each | None) -> Value | None:
        """What it is for a member; None if it is wrong."""
        return self._read(each) if self._varies else self._fixed


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """One output as it stands in the spec; without a `name` it is called after the preset it names."""

    name: str | None
    node: Node
    path: str
    place: Place | None


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """One output that only lacks its source. `own` is what it says about its policy.

    Without a rendition it cannot be made, but it still has its name, its path and its source.
    """

    name: str
    rendition: Rendition | None
    own: MapNode
    path: str
    place: Place | None


class Encode:
    """One entry of `encodes:`; `is_empty` once it fans out over nothing, of which `emptiness` tells."""

    def __init__(self, name: str, entry: Entry, node: MapNode, around: Surroundings) -> None:
        self.name = name
        self.is_empty = False
        self.emptiness = ""
        self._varying: frozenset[Place | None] | None = None
        self._node = node
        self._around = around
        self._path = f"encodes.{name}"
        self._place = entry.key
        self._policy_node = policies.part(node, policies.PLACED_KEYS)
        self._source_node = node.get("source")
        self._origins: dict[tuple[int, Place | None], dict[str, Origin]] = {}

    def needs(self) -> dict[str, Place | None]:
        """The encodes that its source names, and where. What is wrong with that is told once it is resolved."""
        entry = find(self._source_node, ("encode",)) if isinstance(self._source_node, MapNode) else None
        if entry is None:
            return {}
        node, problems = entry.node, self._around.problems
        before = len(problems)
        found: dict[str, Place | None] = {}
        for each in self._members() if uses_each(node) else [None]:
            text = self._around.variables.fill(node, self._path, each)
            if isinstance(text, ScalarNode):
                found.setdefault(normal(text.text).partition("/")[0], node.place)
        del problems[before:]
        return found

    def outputs(self) -> Iterator[Output]:
        """All its outputs."""
        self._around.problems.extend(unknown_keys(self._node, EncodeSpec, self._path))
        policy = _PerMember(self._policy, varies=uses_each(self._policy_node))
        source = _PerMember(self._source, varies=uses_each(self._source_node))
        outputs = self._renditions()
        for each in self._members():
            before = len(self._around.problems)
            policy_now, source_now = policy.of(each), source.of(each)
            for output in outputs:
                ready = output.of(each)
                if ready is not None and policy_now is not None and (each is None or each.key or each is UNKNOWN):
                    yield from self._output(ready, source_now, policy_now, each)
            if each is not None and each is not UNKNOWN and len(self._around.problems) > before:
                self._tell_member(each, before)

    def _renditions(self) -> list[_PerMember[_Ready]]:
        """The outputs that `outputs:`, or a provider's own document, asks for."""
        given = [key for key in ("outputs", *natives.KEYS) if not is_null(self._node.get(key) or _NULL)]
        if given in ([], ["outputs"]):
            return [_PerMember(partial(self._ready, asked), varies=uses_each(asked.node)) for asked in self._asked()]
        if len(given) > 1:
            hint = "An encode has outputs: of its own, or those of one ByteNite document."
            place = self._node.items[given[1]].key
            self._problem(f'"{given[0]}" and "{given[1]}" cannot stand together', place, self._path, hint)
            return []
        around = self._around
        documents = natives.Documents(
            around.knowledge.read_document, around.tables, around.variables, around.renditions, around.problems
        )
        found = documents.outputs(self._node, self._path)
        ready = (_Ready(each.name, each.rendition, _NOTHING, each.path, each.place) for each in found)
        return [_PerMember(partial(_always, each), varies=False) for each in ready]

    def _tell_member(self, each: Each, before: int) -> None:
        """Say whose value is wrong: where `${each...}` stands, the values of many members stand."""
        if self._varying is None:
            found = (node for _, node in scalars(self._node) if uses_each(node))
            self._varying = frozenset(node.place for node in found)
        name = f'"{each.key}"' if each.key else "the one without a name"
        hint = f"For {name}, at {each.place}." if each.place is not None else f"For {name}."
        problems = self._around.problems
        problems[before:] = [
            replace(problem, member=f"{self.name}/{each.key or each.place}", hints=(*problem.hints, hint))
            if problem.place in self._varying
            else problem
            for problem in problems[before:]
        ]

    def _problem(self, message: str, place: Place | None, path: str, *hints: str) -> None:
        self._around.problems.append(Problem(message, place, path, hints))

    def _members(self) -> list[Each | None]:
        entry = self._node.items.get("for_each")
        if entry is None:
            return [None]
        path = f"{self._path}.for_each"
        node = self._around.variables.fill(entry.node, path)
        if isinstance(node, ScalarNode) and node.value is None and node.text:
            return [None]
        found = members(node, path, self._around.tables, self._around.problems)
        if found == []:
            self.is_empty = True
            self.emptiness = _emptiness(self._path, node)
        return [UNKNOWN] if found is None else [*found]

    def _policy(self, each: Each | None) -> Policy | None:
        node = self._around.variables.fill(self._policy_node, self._path, each)
        if not isinstance(node, MapNode):
            return None
        policy = policies.over(self._around.defaults, node, self._path, self._around.problems)
        provider = node.get("provider")
        known = self._around.providers
        if isinstance(provider, ScalarNode) and not (policy.provider in known or self._around.incomplete):
            path = f"{self._path}.provider"
            self._around.problems.append(unknown_provider(policy.provider, provider.place, path, known))
        return policy

    def _source(self, each: Each | None) -> SourceRead | None:
        raw, path = self._source_node, f"{self._path}.source"
        if raw is None or is_null(raw):
            self._problem(f'"{self.name}" has no source', self._place, path, _SOURCE)
            return None
        node = filled(raw, path, self._around.variables, each)
        if node is None or isinstance(node, LostNode):
            return None
        around = self._around
        find_upstream = partial(around.upstreams.find, self.name)
        return read_source(raw, node, path, around.trust, around.problems, find_upstream=find_upstream)

    def _asked(self) -> Iterator[_Asked]:
        node, path = self._node.get("outputs"), f"{self._path}.outputs"
        if isinstance(node, MapNode) and node.items:
            for name, entry in node.items.items():
                yield _Asked(normal(name), entry.node, f"{path}.{normal(name)}", entry.key)
        elif isinstance(node, ListNode) and node.items:
            yield from self._listed(node, path)
        elif node is None or is_null(node) or not isinstance(node, ScalarNode):
            place = self._place if node is None else node.place or self._place
            self._problem(f'"{self.name}" has no outputs', place, path, _OUTPUTS)
        else:
            hint = f"Write  outputs: [{node.text}]"
            self._problem(f"outputs must be a list or a mapping, not {described(node)}", node.place, path, hint)

    def _listed(self, node: ListNode, path: str) -> Iterator[_Asked]:
        seen: dict[str, Place | None] = {}
        for item in node.items:
            if not isinstance(item, ScalarNode) or item.value is None:
                hint = "To change what a preset says, name the output:  outputs: {720p: {extends: PRESET, ...}}"
                self._problem(f"a list of outputs names presets; this is {described(item)}", item.place, path, hint)
            elif item.text in seen:
                hint = f"It is first at {seen[item.text]}."
                self._problem(f'output "{item.text}" is there twice', item.place, f"{path}.{item.text}", hint)
            else:
                seen[item.text] = item.place
                yield _Asked(None, item, f"{path}.{item.text}", item.place)

    def _ready(self, asked: _Asked, each: Each | None) -> _Ready | None:
        node = self._around.variables.fill(asked.node, asked.path, each)
        name = asked.name
        if name is None:
            name = normal(node.text) if isinstance(node, ScalarNode | LostNode) else ""
        error = None if asked.name is None and isinstance(node, LostNode) else name_error(name)
        if error is not None:
            hint = "A name is letters, digits and _ . - in any language."
            self._problem(f'"{name}" cannot name an output: {error}', asked.place, asked.path, hint)
            if asked.name is None:
                return None
        if isinstance(node, LostNode):
            return _Ready(name, None, _NOTHING, asked.path, asked.place)
        own = policies.part(node, policies.KEYS) if isinstance(node, MapNode) else _NOTHING
        return _Ready(name, self._rendition(node, asked), own, asked.path, asked.place)

    def _rendition(self, node: Node, asked: _Asked) -> Rendition | None:
        if isinstance(node, ScalarNode) and node.value is not None:
            return self._around.renditions.of_preset(normal(node.text), asked.path, node.place)
        if not isinstance(node, MapNode) or not node.items:
            place = node.place if isinstance(node, ListNode) else asked.place
            hint = "Write the name of a preset, or  {extends: PRESET, video: {crf: 21}}"
            self._problem(f"an output cannot be {described(node)}", place, asked.path, hint)
            return None
        problems = self._around.problems
        good = salvaged(OutputSpec, said(node, asked.path, problems), asked.path, problems)[1]
        if not isinstance(good, MapNode):
            return None
        own = {key: entry for key, entry in good.items.items() if key not in policies.KEYS}
        return self._around.renditions.of_node(MapNode(own, good.place), asked.path, asked.place)

    def _output(self, ready: _Ready, found: SourceRead | None, policy: Policy, each: Each | None) -> Iterator[Output]:
        rendition, source = ready.rendition or NO_RENDITION, found or NO_SOURCE
        settled = policies.over(policy, ready.own, ready.path, self._around.problems)
        place = ready.place or self._place
        if place is None:
            return
        encode = f"{self.name}/{each.key}" if each is not None and each.key else self.name
        origins = self._origins_of(rendition, source)
        if ready.rendition is not None and found is not None:
            self._around.refusals.tell(settled.provider, source.source, rendition, origins, self._path)
            self._around.problems.extend(lacking(rendition, source.source.upstream))
        manifest, fingerprint = rendition.prepared.of(source.prepared)
        yield Output(
            address=f"{encode}/{ready.name}",
            encode=encode,
            name=ready.name,
            source=source.source,
            parameters=rendition.parameters,
            manifest=manifest,
            fingerprint=fingerprint,
            provider=settled.provider,
            path=publish_path(encode, ready.name, rendition.extension),
            place=place,
            enabled=settled.enabled,
            protect=settled.protect,
            attempts=settled.attempts,
            labels=settled.labels,
            origins=origins,
            native=rendition.native,
            deliver=settled.deliver,
            checks=settled.checks,
            on_expiry=settled.on_expiry,
            on_remove=settled.on_remove,
        )

    def _origins_of(self, rendition: Rendition, source: SourceRead) -> dict[str, Origin]:
        """Shared by the members of a fan-out, whose sources are written in one place."""
        if any(origin.variable is not None for origin in source.origins.values()):
            return {**source.origins, **rendition.origins}
        key = (id(rendition), source.place)
        found = self._origins.get(key)
        if found is None:
            found = self._origins[key] = {**source.origins, **rendition.origins}
        return found


_NOTHING = MapNode({}, None)
_NULL = ScalarNode(None, "null", None)


def _always(ready: _Ready, _each: Each | None) -> _Ready:
    """What does not vary by member."""
    return ready


# Stands for a source that is wrong: nobody reads it, since nothing is encoded then.
NO_SOURCE = SourceRead(Source("lavfi", "", ""), prepared_source("", 0, None), None)


def _emptiness(path: str, for_each: Node | None) -> str:
    """A sentence about a fan-out over nothing, which may be meant and may be a typing error."""
    request = None if for_each is None else request_of(for_each, path)
    if request is None:
        return f"{path} wants nothing: its for_each has no names"
    what = "matches no file" if request.kind == "glob" else "has no rows"
    return f'{path} wants nothing: for_each {request.kind} "{request.name}" {what}'


def unknown_provider(name: str, place: Place | None, path: str, providers: Collection[str]) -> Problem:
    """A provider that nobody declared."""
    known = sorted(providers)
    hint = f'{suggestion(name, known)}Known: {listed(known)}. "local" is this machine.'
    return Problem(f'unknown provider "{name}"', place, path, (hint,))
