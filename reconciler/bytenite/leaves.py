"""A document as its leaves: what was said, by its path, until somebody takes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

Path = tuple[str | int, ...]


class Leaves:
    """The non-empty values of nested mappings. Lists are values; "", null, {} and [] say nothing."""

    def __init__(self, mapping: Mapping[str, object]) -> None:
        self._values = dict(_leaves(mapping, ()))

    def items(self) -> Iterable[tuple[tuple[str, ...], object]]:
        """What nobody has taken yet."""
        return self._values.items()

    def get(self, *path: str) -> object:
        """A value that stays; None if there is none."""
        return self._values.get(path)

    def take(self, *path: str) -> object:
        """A value, which is gone after that; None if there is none."""
        return self._values.pop(path, None)

    def drop(self, path: tuple[str, ...]) -> None:
        """Forget a value and everything below it."""
        for known in [known for known in self._values if known[: len(path)] == path]:
            del self._values[known]


def _leaves(mapping: Mapping[str, object], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, key))
        elif value is not None and value not in ("", [], ()):
            yield (*path, key), value
