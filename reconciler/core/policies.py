"""How outputs are treated: defaults, then what the encode says, then what the output says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.core import checks, spec
from reconciler.core.checks import NO_CHECKS, Checks
from reconciler.core.delivery import Deliver, OnExpiry, OnRemove, deliver_of
from reconciler.core.errors import Problem
from reconciler.core.nodes import MapNode, Node, ScalarNode, is_null
from reconciler.core.validation import salvaged

KEYS = ("enabled", "protect", "attempts", "labels", "deliver", "checks", "on_expiry", "on_remove")
_PLAIN = ("enabled", "protect", "attempts", "provider", "on_expiry", "on_remove")
PLACED_KEYS = (*KEYS, "provider")


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything about an output that is not in its bits."""

    enabled: bool = True
    protect: bool = False
    attempts: int = 2
    labels: Mapping[str, str] = field(default_factory=dict)
    provider: str = "local"
    deliver: Deliver | None = None
    checks: Checks = NO_CHECKS
    on_expiry: OnExpiry = "keep"
    on_remove: OnRemove = "keep"


def part(node: MapNode, keys: tuple[str, ...]) -> MapNode:
    """The keys of a mapping that are policy."""
    return MapNode({key: entry for key, entry in node.items.items() if key in keys}, node.place)


def over(base: Policy, node: MapNode, path: str, problems: list[Problem]) -> Policy:
    """`base` with what `node` says; what cannot be is a problem, and stays as it is in `base`."""
    if not node.items:
        return base
    said = salvaged(spec.PlacedPolicy, node, path, problems)[0]
    fields = {} if said is None else vars(said)
    values = {key: fields[key] for key in _PLAIN if fields.get(key) is not None}
    values["labels"] = _labels(base.labels, node.get("labels"))
    values["deliver"] = _deliver(base.deliver, fields, node)
    if fields.get("checks") is not None:
        values["checks"] = checks.over(base.checks, fields["checks"])
    return replace(base, **values)


def _deliver(base: Deliver | None, fields: Mapping[str, Any], node: MapNode) -> Deliver | None:
    """A level below says all of it anew; null takes it away."""
    said = fields.get("deliver")
    if said is not None:
        return deliver_of(said)
    return None if is_null(node.get("deliver")) else base


def _labels(base: Mapping[str, str], node: Node | None) -> Mapping[str, str]:
    """Labels are text as it was written: `year: 2024` is "2024", `id: 007` is "007"; null takes one away."""
    if not isinstance(node, MapNode):
        return base
    labels = dict(base)
    for name, entry in node.items.items():
        if is_null(entry.node):
            labels.pop(name, None)
        elif isinstance(entry.node, ScalarNode):
            labels[name] = entry.node.text
    return dict(sorted(labels.items()))
