"""From everything that the spec files declare to what is wanted.

`Resolver` first says what it has to know of the outside world (`requests`), then resolves with the answers.
Presets, variables, fan-outs and defaults are gone from its result: bits come from a built-in preset, the chain
of presets and the output itself, in that order, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from reconciler.core import policies
from reconciler.core.aftercare import aftercare_problems
from reconciler.core.collisions import collisions
from reconciler.core.encode import Desired, Output
from reconciler.core.encodes import Encode, Surroundings, unknown_provider
from reconciler.core.errors import Problem, unique
from reconciler.core.extends import Presets
from reconciler.core.fan_out import TableRequest, Tables, request_of, template_request
from reconciler.core.limits import Limits, strictest
from reconciler.core.names import listed, suggestion
from reconciler.core.namespace import Namespace
from reconciler.core.nodes import Entry, MapNode, ScalarNode, described
from reconciler.core.policies import Policy
from reconciler.core.provider_types import Knowledge
from reconciler.core.providers import Providers
from reconciler.core.refusals import Refusals
from reconciler.core.renditions import Renditions, checked_presets
from reconciler.core.side_files import Look, nobody_looks
from reconciler.core.sources import Trust
from reconciler.core.spec import LimitsSpec
from reconciler.core.upstreams import Upstreams
from reconciler.core.validation import validated
from reconciler.core.variables import Variables, override

MOST_OUTPUTS = 300_000
_MANY = "Split them over projects: each has a state of its own."


@dataclass(frozen=True, slots=True)
class Resolution:
    """What is wanted as far as it can be said, and everything that is wrong; use it only if nothing is.

    `warnings` are sentences about what is not wrong but may not be meant.
    """

    desired: Desired
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...] = ()


class Resolver:
    """Resolves one namespace."""

    def __init__(self, namespace: Namespace, overrides: Mapping[str, str], trust: Trust, knowledge: Knowledge) -> None:
        """`overrides` are the texts of `--var`, by name; `knowledge` is what is known of providers."""
        self._namespace = namespace
        self._trust = trust
        self._knowledge = knowledge
        self._problems: list[Problem] = []
        own = {**namespace.variables, **self._overrides(overrides)}
        self._variables = Variables(own, self._problems, incomplete="variables" in namespace.incomplete)
        self._variables.check()

    def requests(self) -> tuple[TableRequest, ...]:
        """The files and globs that fan-outs need, each once."""
        return tuple(dict.fromkeys(self._requests()))

    def resolve(self, tables: Tables, look: Look = nobody_looks, *, most: int = MOST_OUTPUTS) -> Resolution:
        """All outputs, sorted by address, but no more than `most`.

        A table that could not be read is None, its problem told elsewhere. `look` looks at files beside the specs.
        """
        types = self._knowledge.types
        reading = Providers(types, self._variables, self._trust.spec_env, self._problems)
        providers = reading.read(self._namespace.providers)
        declared = self._namespace.encodes
        upstreams = Upstreams(declared, self._problems, incomplete="encodes" in self._namespace.incomplete)
        around = Surroundings(
            variables=self._variables,
            renditions=Renditions(self._presets(), self._problems, look),
            defaults=self._defaults(frozenset(providers)),
            providers=providers,
            knowledge=self._knowledge,
            trust=self._trust,
            tables=tables,
            refusals=Refusals(types, providers, self._problems),
            upstreams=upstreams,
            problems=self._problems,
            incomplete="providers" in self._namespace.incomplete,
        )
        encodes = {name: self._encode(name, entry, around) for name, entry in declared.items()}
        outputs = self._outputs(encodes, upstreams, most)
        empty = [encode for encode in encodes.values() if encode is not None and encode.is_empty]
        desired = Desired(
            project=self._namespace.project,
            outputs=tuple(sorted(outputs, key=lambda output: output.address)),
            providers=providers,
            files=self._namespace.files,
            empty=tuple(sorted(encode.name for encode in empty)),
            limits=self._limits(),
        )
        return Resolution(desired, unique(self._problems), tuple(encode.emptiness for encode in empty))

    def _outputs(self, encodes: Mapping[str, Encode | None], upstreams: Upstreams, most: int) -> list[Output]:
        """The outputs of all encodes, each after what it is made from; problems where they are in each other's way."""
        outputs: list[Output] = []
        needs = {name: encode.needs() for name, encode in encodes.items() if encode is not None}
        for name in upstreams.in_order(needs):
            encode = encodes[name]
            if encode is not None:
                made = list(islice(encode.outputs(), most + 1 - len(outputs)))
                upstreams.add(name, made)
                outputs.extend(made)
        if len(outputs) > most:
            self._problems.append(Problem(f"the specs want more than {most:,} outputs", None, "", (_MANY,)))
        self._problems.extend(collisions(outputs))
        self._problems.extend(aftercare_problems(outputs, self._trust.media_roots))
        return outputs

    def _overrides(self, texts: Mapping[str, str]) -> dict[str, Entry]:
        known = self._namespace.variables
        found: dict[str, Entry] = {}
        for name, text in texts.items():
            if name in known:
                found[name] = Entry(known[name].key, override(text))
            elif "variables" not in self._namespace.incomplete:
                yours = f"Variables of the specs: {listed(known)}." if known else "No spec has variables:."
                hint = f"{suggestion(name, known)}{yours}"
                self._problems.append(
                    Problem(f'--var sets "{name}", which no spec declares', None, f"variables.{name}", (hint,))
                )
        return found

    def _requests(self) -> Iterator[TableRequest]:
        for name, entry in self._namespace.encodes.items():
            if not isinstance(entry.node, MapNode):
                continue
            for key, requested in (("for_each", request_of), ("template", template_request)):
                node, path = entry.node.get(key), f"encodes.{name}.{key}"
                request = None if node is None else requested(self._variables.fill(node, path), path)
                if request is not None:
                    yield request

    def _presets(self) -> Presets:
        incomplete = "presets" in self._namespace.incomplete
        return checked_presets(self._namespace.presets, self._variables, self._problems, incomplete=incomplete)

    def _defaults(self, providers: frozenset[str]) -> Policy:
        node = self._variables.fill(self._namespace.defaults, "defaults")
        if not isinstance(node, MapNode):
            return Policy()
        policy = policies.over(Policy(), node, "defaults", self._problems)
        provider = node.get("provider")
        unread = "providers" in self._namespace.incomplete
        if isinstance(provider, ScalarNode) and policy.provider not in providers and not unread:
            self._problems.append(unknown_provider(policy.provider, provider.place, "defaults.provider", providers))
        return policy

    def _limits(self) -> Limits:
        """The strictest of what all files say."""
        filled = (self._variables.fill(node, "limits") for node in self._namespace.limits)
        said = [validated(LimitsSpec, node, "limits", self._problems) for node in filled]
        return strictest(_limits_of(each) for each in said if each is not None)

    def _encode(self, name: str, entry: Entry, around: Surroundings) -> Encode | None:
        if isinstance(entry.node, MapNode):
            return Encode(name, entry, entry.node, around)
        hint = "Write  {source: https://HOST/PATH, outputs: [720p-h264]}"
        message = f"an encode is a mapping, not {described(entry.node)}"
        self._problems.append(Problem(message, entry.node.place or entry.key, f"encodes.{name}", (hint,)))
        return None


def _limits_of(said: LimitsSpec) -> Limits:
    values = {name: value for name, value in said if name != "max_cost"}
    return Limits(max_cost=() if said.max_cost is None else (said.max_cost,), **values)
