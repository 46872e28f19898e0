"""Addresses on the command line: choosing records by them, and completing them for a shell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import click

from reconciler.commands.options import Given
from reconciler.core.errors import ReconcilerError, UsageError
from reconciler.core.names import matches, nearest

Value = TypeVar("Value")


def chosen(known: Mapping[str, Value], patterns: Sequence[str]) -> dict[str, Value]:
    """The entries that any pattern matches, all where there is none. Raises UsageError for one that matches nothing."""
    for pattern in patterns:
        if not any(matches(pattern, address) for address in known):
            raise UsageError(_matches_nothing(pattern, known))
    return {
        address: value
        for address, value in known.items()
        if not patterns or any(matches(pattern, address) for pattern in patterns)
    }


def _matches_nothing(pattern: str, known: Iterable[str]) -> str:
    near = nearest(pattern, known)
    hint = f'Did you mean "{near}"? ' if near is not None else ""
    return f'"{pattern}" matches no address.\n{hint}All of them: reconciler state list'


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click's signature
    """The recorded addresses that begin like this; none where the state cannot be read."""
    from reconciler.store import store  # noqa: PLC0415 - only needed when a shell asks

    state = Path(ctx.ensure_object(Given).settled({}).state)
    try:
        return [address for address in store.read(state, "").snapshot.records if address.startswith(incomplete)]
    except ReconcilerError:
        return []
