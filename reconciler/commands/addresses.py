"""Addresses on the command line: choosing records by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from reconciler.core.errors import UsageError
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
