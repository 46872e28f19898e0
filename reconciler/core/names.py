"""Names, addresses, the globs that choose them, and the paths they publish to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase
from itertools import islice

MOST_COMPARED = 500  # names; comparing takes microseconds each, and somebody may have thousands of both kinds
LONGEST = 100  # bytes of UTF-8: what file systems and providers take, with room for an ending

_ASCII = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def normal(name: str) -> str:
    """The one spelling of a name (NFC): a decomposed `é` and a composed one are the same name."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def name_error(name: str) -> str | None:
    """Why `name` cannot name an encode, output, key, preset or provider; None if it can.

    A name is Unicode letters, digits and `_ . -`, at most 100 bytes, and does not start with `.` or `-`.
    """
    if len(name) <= LONGEST and _ASCII.fullmatch(name):
        return None
    if not name:
        return "it is empty"
    if name[0] in ".-":
        return f'it starts with "{name[0]}"'
    bad = next((letter for letter in name if not _may_stand_in_a_name(letter)), None)
    if bad is not None:
        shown = {" ": "a space", "/": '"/"', "\\": '"\\"'}.get(bad, f'"{bad}"' if bad.isprintable() else repr(bad))
        return f"it holds {shown}"
    if unicodedata.category(name[0]).startswith("M"):
        return "it starts with a combining mark"
    size = len(name.encode())
    return f"it has {size} bytes, the most is {LONGEST}" if size > LONGEST else None


def _may_stand_in_a_name(letter: str) -> bool:
    # Marks belong to the letters before them: Hindi and Thai cannot be written without.
    return letter in "_.-" or unicodedata.category(letter)[0] in "LM" or unicodedata.category(letter) == "Nd"


def matches(glob: str, address: str) -> bool:
    """Whether a glob chooses an address: fnmatch over the whole address, or the name of an encode above it."""
    wanted = normal(glob)
    return fnmatchcase(address, wanted) or address.startswith(f"{wanted}/")


def publish_path(encode: str, output: str, extension: str) -> str:
    """Where an output is published, relative to the project folder; a package, which has no extension, is a folder."""
    return f"outputs/{encode}/{output}.{extension}" if extension else f"outputs/{encode}/{output}"


def nearest(wrong: str, right: Iterable[str]) -> str | None:
    """The name that somebody probably meant."""
    by_lower: dict[str, str] = {}
    for name in islice(right, MOST_COMPARED):
        by_lower.setdefault(name.lower(), name)
    found = get_close_matches(wrong.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names for a sentence: `a, b, c`, and how many more there are."""
    known = list(names)
    more = len(known) - most
    return ", ".join(known[:most]) + (f" and {more} more" if more > 0 else "")


def suggestion(wrong: str, right: Iterable[str]) -> str:
    """`Did you mean "x"? ` with its space, or nothing."""
    close = nearest(wrong, right)
    return "" if close is None else f'Did you mean "{close}"? '
