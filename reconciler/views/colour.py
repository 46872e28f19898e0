"""Colour for a finished screen: chosen by how a line begins, so that no view has to think of it."""

from __future__ import annotations

import re

_GREEN, _YELLOW, _RED, _CYAN, _BOLD, _PLAIN = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[36m", "\x1b[1m", "\x1b[0m"

# A line's beginning and the colour that it is given; as OpenTofu colours the same symbols.
_BEGINNINGS = (
    (re.compile(r"^Error: "), _BOLD + _RED),
    (re.compile(r"^Warning: "), _BOLD + _YELLOW),
    (re.compile(r"^(?:No changes\.|Plan:|Cost:)"), _BOLD),
    (re.compile(r"^(?:Apply complete!|Success!)"), _BOLD + _GREEN),
    (re.compile(r"^(?:Needs you|Running\b|Fine$)"), _BOLD),
    (re.compile(r"^ {2}(?:\+/-|~|!) "), _YELLOW),
    (re.compile(r"^ {2,6}\+ "), _GREEN),
    (re.compile(r"^ {4,6}~ "), _YELLOW),
    (re.compile(r"^ {4,6}- "), _RED),
    (re.compile(r"^ {2}(?:<=|>) "), _CYAN),
    (re.compile(r"^ {2}(?:failed|suspect|lost|blocked) "), _RED),
    (re.compile(r"^ *\| *\^+$"), _RED),
)


def coloured(text: str) -> str:
    """The text with colour at the beginnings of lines; without its escapes it is the same text."""
    return "\n".join(map(_line, text.split("\n")))


def _line(line: str) -> str:
    for beginning, colour in _BEGINNINGS:
        found = beginning.match(line)
        if found is not None:
            words = found[0].rstrip()
            return f"{colour}{words}{_PLAIN}{line[len(words) :]}"
    return line
