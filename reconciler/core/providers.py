"""`providers:`, read: each entry by the model of its type, `local` always there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from reconciler.core.encode import ProviderSettings
from reconciler.core.errors import Problem
from reconciler.core.names import listed, suggestion
from reconciler.core.nodes import Entry, MapNode, Node, ScalarNode, described
from reconciler.core.provider_types import ENVIRONMENT, PaidOptions, ProviderOptions, ProviderType, environment_fields
from reconciler.core.validation import validated
from reconciler.core.variables import Variables

LOCAL = "local"
_READABLE = ("BYTENITE_", "RECONCILER_")


def readable(name: str, spec_env: Collection[str]) -> bool:
    """Whether specs may read a variable of the environment."""
    return name.startswith(_READABLE) or name in spec_env


@dataclass(frozen=True, slots=True, eq=False)
class Providers:
    """Reads `providers:`; what is wrong goes to `problems`."""

    types: Mapping[str, ProviderType]
    variables: Variables
    spec_env: Collection[str]
    problems: list[Problem]

    def read(self, entries: Mapping[str, Entry]) -> dict[str, ProviderSettings]:
        """All providers by name. A broken declaration still declares its name: what uses it is not wrong."""
        local = self.types["ffmpeg"]
        found = {LOCAL: _settings(LOCAL, "ffmpeg", local, local.options(type="ffmpeg"))}
        for name, entry in entries.items():
            path = f"providers.{name}"
            kind = _type(entry.node, path, self.types, self.problems)
            options = None if kind is None else self._options(entry.node, self.types[kind], path)
            if kind is not None and options is not None:
                found[name] = _settings(name, kind, self.types[kind], options, entry)
            else:
                found[name] = _settings(name, "", None, ProviderOptions(type="unknown"), entry)
        return dict(sorted(found.items()))

    def _options(self, node: Node, offered: ProviderType, path: str) -> ProviderOptions | None:
        assert isinstance(node, MapNode), "the type was read from a mapping"
        allowed = environment_fields(offered.options)
        kept = {name: entry for name, entry in node.items.items() if name in allowed and _environment(entry.node)}
        self.problems.extend(_unreadable(kept, path, self.spec_env))
        rest = MapNode({name: entry for name, entry in node.items.items() if name not in kept}, node.place)
        filled = self.variables.fill(rest, path)
        if not isinstance(filled, MapNode):
            return None
        return validated(offered.options, MapNode({**filled.items, **kept}, node.place), path, self.problems)


def _settings(
    name: str, kind: str, offered: ProviderType | None, options: ProviderOptions, entry: Entry | None = None
) -> ProviderSettings:
    price = options.price.per_output_minute if isinstance(options, PaidOptions) and options.price else None
    return ProviderSettings(
        name,
        kind,
        options,
        paid=offered is not None and offered.paid,
        holds=offered is not None and offered.holds,
        price=price,
        parallelism=options.parallelism,
        place=None if entry is None else entry.key,
    )


def _type(node: Node, path: str, types: Mapping[str, ProviderType], problems: list[Problem]) -> str | None:
    """The type that an entry names; None, and a problem, if there is none of that name."""
    if not isinstance(node, MapNode):
        hint = f"Write  {{type: {next(iter(sorted(types)))}}}"
        problems.append(Problem(f"a provider is a mapping, not {described(node)}", node.place, path, (hint,)))
        return None
    named = node.get("type")
    if named is None:
        hint = f"Known: {listed(types)}."
        problems.append(Problem('"type" is missing', node.place, f"{path}.type", (hint,)))
        return None
    text = named.text if isinstance(named, ScalarNode) else ""
    if text in types:
        return text
    hint = f"{suggestion(text, types)}Known: {listed(types)}. Others come with packages that offer them."
    problems.append(Problem(f"type cannot be {described(named)}", named.place, f"{path}.type", (hint,)))
    return None


def _environment(node: Node) -> bool:
    return isinstance(node, ScalarNode) and ENVIRONMENT.fullmatch(node.text) is not None


def _unreadable(kept: Mapping[str, Entry], path: str, spec_env: Collection[str]) -> Iterator[Problem]:
    for field, entry in kept.items():
        match = ENVIRONMENT.fullmatch(entry.node.text) if isinstance(entry.node, ScalarNode) else None
        if match is not None and not readable(match[1], spec_env):
            hint = f"To allow it, where you run reconciler:  RECONCILER_SPEC_ENV={match[1]}"
            message = f"specs may not read {match[1]} from the environment"
            yield Problem(message, entry.node.place, f"{path}.{field}", (hint,))
