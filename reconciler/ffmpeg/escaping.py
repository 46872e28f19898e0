"""Values inside of filters."""

from __future__ import annotations


def escaped(value: str) -> str:
    """A value of a filter's option, inside of a graph: escaped for the option, then for the graph."""
    for special in ("\\':", "\\'[],;"):
        value = "".join(f"\\{letter}" if letter in special else letter for letter in value)
    return value
