"""Names and sentences from outside, as Markdown that shows them and nothing else.

Nothing in a name may end a table, a code span or a tag, ring somebody up (@name), refer to an issue (#1), link, or
turn the reading direction around. So what is not plain stands in <code>, every sign of it as a character reference.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from reconciler.views.cells import visible

LONGEST = 200

_BESIDE_LETTERS = frozenset(" ./:-_=+,%")
_SHORT_OF_LINKS = re.compile(r"//|www\.|^[0-9a-f]{7,40}$", re.IGNORECASE)
_PROSE = frozenset("./:-,;'%()?!=")
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


def code(text: str) -> str:
    """A name, value or path in code style: in backticks where that is safe, else in a tag."""
    shown = _clipped(visible(text))
    plain = all(_plain(letter, _BESIDE_LETTERS) and not _turns(letter) for letter in shown)
    return f"`{shown}`" if plain and shown and shown == shown.strip() else tagged(text)


def tagged(text: str) -> str:
    """The same in a tag, for where Markdown is not read, as in a summary."""
    shown = _clipped(visible(text))
    direction = ' dir="auto"' if any(map(_turns, shown)) else ""
    return f"<code{direction}>{_referenced(shown)}</code>"


def prose(text: str, *, name: Callable[[str], str] = code) -> str:
    """A sentence that may hold names: plain words as they are, all others as `name` gives them."""
    words = _clipped(visible(text), 5 * LONGEST).split(" ")
    return " ".join(_word(word, name, first=not place) for place, word in enumerate(words) if word)


def _word(word: str, name: Callable[[str], str], *, first: bool) -> str:
    signs = all(_plain(letter, _PROSE) for letter in word)
    begins_list = first and re.fullmatch(r"\d+[.)]|[-+=]+", word) is not None
    spoken = signs and any(map(str.isalnum, word)) and not any(map(_turns, word))
    if spoken and not begins_list and _SHORT_OF_LINKS.search(word) is None:
        return word
    return name(word)


def _plain(letter: str, beside: frozenset[str]) -> bool:
    return letter.isalnum() or letter in beside or unicodedata.category(letter) in {"Mn", "Mc"}


def _turns(letter: str) -> bool:
    return unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT


def _referenced(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in " -" else f"&#{ord(letter)};" for letter in text)


def _clipped(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
