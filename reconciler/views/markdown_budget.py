"""Markdown that must not be longer than a budget: what matters most stays, what is left out is counted.

A text is put together from sections. Each can say itself shorter, down to its shortest form, and every form is
whole: all fences, tables and tags that it opens it closes. So nothing is ever cut, only said shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


def weight(text: str) -> int:
    """What a text costs of a budget: bytes, of which no counting of characters gives more."""
    return len(text.encode())


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a text: rows between a beginning and an ending, of which as many are kept as there is room for.

    `omitted` says how many rows were left out, as a row; never more than `most` are kept. A section that is not
    `needed` goes altogether where even its shortest form has no room.
    """

    before: str
    rows: Sequence[str] = ()
    after: str = ""
    omitted: Callable[[int], str] = lambda number: f"and {number:,} more\n"
    needed: bool = False
    most: int | None = None

    @property
    def shortest(self) -> str:
        """The section without rows."""
        return self._of(0)

    def within(self, room: int) -> str:
        """The section with as many rows as fit into so many bytes, at least in its shortest form."""
        fullest = self._of(len(self.rows[: self.most]))
        if weight(fullest) <= room:
            return fullest
        left = room - weight(self.shortest)
        kept = 0
        for row in self.rows[: self.most][:-1]:
            left -= weight(row)
            if left < 0:
                break
            kept += 1
        return self._of(kept)

    def _of(self, kept: int) -> str:
        left_out = len(self.rows) - kept
        # The note about what is left out is weighed as its longest, so that one more row never makes it longer.
        note = self.omitted(left_out) if left_out else ""
        return "".join([self.before, *self.rows[:kept], note, self.after])


def fitted(sections: Sequence[Section], budget: int) -> str:
    """The sections as one text of at most so many bytes; earlier ones get their room first.

    Those that are needed stand in any case, in their shortest forms if need be.
    """
    kept = list(sections)
    while sum(weight(section.shortest) for section in kept) > budget:
        droppable = [section for section in kept if not section.needed]
        if not droppable:
            break
        kept = [section for section in kept if section is not droppable[-1]]
    room = budget - sum(weight(section.shortest) for section in kept)
    parts: list[str] = []
    for section in kept:
        shortest = weight(section.shortest)
        text = section.within(shortest + max(room, 0))
        room -= weight(text) - shortest
        parts.append(text)
    return "".join(parts)
