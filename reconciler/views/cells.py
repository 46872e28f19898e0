"""Text on a terminal: how wide it is, how it is padded and folded, and what in it must be made visible.

Names may hold wide and combining letters, and the state may be edited by hand, so nothing that comes from
outside is printed before `visible` saw it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Sequence

from rich.cells import cell_len

# Cc: control characters (escape sequences start with one), Cs: halves of characters that cannot be encoded,
# Zl and Zp: line breaks that `split` does not know. Cf holds what turns the reading direction around.
_HIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def visible(text: str) -> str:
    """The text with every character that would act on a terminal written as its escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if unicodedata.category(character) in _HIDDEN or character in _TURNING:
        return character.encode("unicode_escape").decode("ascii")
    return character


def width(text: str) -> int:
    """How many columns the text takes."""
    return len(text) if text.isascii() else cell_len(text)


def pad(text: str, columns: int) -> str:
    """The text with spaces behind it, `columns` wide; longer text stays as it is."""
    return text + " " * (columns - width(text))


def pad_left(text: str, columns: int) -> str:
    """The text with spaces before it, for numbers."""
    return " " * (columns - width(text)) + text


def columns_of(texts: Iterable[str]) -> int:
    """The width of the widest text; 0 for none."""
    return max(map(width, texts), default=0)


def table(rows: Sequence[Sequence[str]], *, numbers: Collection[int] = ()) -> list[str]:
    """Rows as lines, cells under each other, two spaces between; the columns in `numbers` end together."""
    wide = [columns_of(column) for column in zip(*rows, strict=True)]
    return [
        "  ".join((pad_left if place in numbers else pad)(cell, wide[place]) for place, cell in enumerate(row)).rstrip()
        for row in rows
    ]


def whole(text: str) -> str:
    """The text as one word that `fold` never breaks, such as a command to copy."""
    return text.replace(" ", "\u00a0")


def fold(text: str, columns: int, *, first: str = "", rest: str | None = None) -> list[str]:
    """Lines of at most `columns`, broken at spaces; `first` stands before the first line, `rest` before others.

    A word that is too long for a line (an address, a path, a URL) keeps its line for itself and is never cut.
    """
    hang = " " * width(first) if rest is None else rest
    lines, line, empty = [], first, True
    for word in text.split(" "):
        if not empty and width(line) + 1 + width(word) > columns:
            lines.append(line.rstrip())
            line, empty = hang, True
        if empty and lines and not word:
            continue  # one of several spaces at which a line was broken
        line += word if empty else f" {word}"
        empty = False
    return [each.replace("\u00a0", " ") for each in (*lines, line.rstrip())]
