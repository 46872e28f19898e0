"""The YAML parsers' complaints in the words of somebody who writes specs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ruamel.yaml.error import YAMLError

from reconciler.core.errors import Place, Problem

_COMMENT = 'A "#" after a space begins a comment: quote values that hold one, such as "#ff0000".'
_NO_CONTENT = "did not find expected node content"
_TAB = ("Indent with spaces; YAML does not allow tabs there.",)
_BRACES = 'Inside of { } and [ ], quote it:  {url: "${env.NAME}"}'
_QUOTE = 'Quote the value:  key: "..."'


@dataclass(frozen=True, slots=True)
class _Said:
    """What we say instead; `at_opening` points at where the thing begun that is not ended."""

    message: str
    hints: tuple[str, ...]
    at_opening: bool = False


_WORDS: Mapping[str, _Said] = {
    "mapping values are not allowed in this context": _Said(
        'a ":" where no key can stand',
        (
            'If it belongs to the text, quote the text:  title: "Part 1: the start"',
            "If it ends a key, indent the key like its neighbours.",
        ),
    ),
    "did not find expected ',' or ']'": _Said(
        'a "[" that is never closed', ('Close the list with "]".', _COMMENT), at_opening=True
    ),
    "did not find expected ',' or '}'": _Said(
        'a "{" that is never closed', ('Close it with "}".', _COMMENT), at_opening=True
    ),
    _NO_CONTENT: _Said('a "{" or "[" that ends in the middle', (_COMMENT,)),
    "did not find expected '-' indicator": _Said(
        "this line does not continue the list above it",
        ('Begin it with "- ", or indent it like the key it belongs to.',),
    ),
    "did not find expected key": _Said(
        "this line does not line up with the keys above it", ("Keys of one mapping start in the same column.",)
    ),
    "could not find expected ':'": _Said(
        'a line that is neither "key: value" nor a list item', ('A ":" is missing, or its space: write  key: value.',)
    ),
    "found unexpected end of stream": _Said(
        "a quote that is never closed", ("Close it on the same line.",), at_opening=True
    ),
    "found unexpected document indicator": _Said(
        "a quote that is never closed", ("Close it on the same line.",), at_opening=True
    ),
    "found unknown escape character": _Said(
        "a backslash that begins no escape", ("Between single quotes a backslash is just a backslash.",)
    ),
    "found invalid Unicode character escape code": _Said(
        "an escape that is no character", ("Write the character itself.",)
    ),
    "found a tab character where an indentation space is expected": _Said("a tab where YAML wants spaces", _TAB),
    "found a tab character that violates indentation": _Said("a tab where YAML wants spaces", _TAB),
    "block sequence entries are not allowed in this context": _Said(
        'a "- " where no list can begin', ("Put the list on the lines below its key, indented.",)
    ),
    "block mapping values are not allowed in this context": _Said(
        'a ":" where no key can stand', ("Indent the key like its neighbours.",)
    ),
}


# ruamel.yaml's own parser says the same in other words: how its text begins, and libyaml's text.
_SAME = (
    ("mapping values are not allowed here", "mapping values are not allowed in this context"),
    ("expected ',' or '}'", "did not find expected ',' or '}'"),
    ("expected ',' or ']'", "did not find expected ',' or ']'"),
    ("found character '", "found character that cannot start any token"),
    ("found unknown escape character", "found unknown escape character"),
    ("expected the node content", _NO_CONTENT),
    ("expected <block end>", "did not find expected key"),
    ("sequence entries are not allowed here", "block sequence entries are not allowed in this context"),
)


def _as_libyaml(text: str, context: str) -> str:
    """A complaint of either parser in the words of libyaml."""
    if text.startswith("expected <block end>") and "collection" in context:
        return "did not find expected '-' indicator"
    return next((same for beginning, same in _SAME if text.startswith(beginning)), text)


def syntax_problem(error: YAMLError, file: str, lines: Sequence[str]) -> Problem:
    """The problem that a parser's error is, with a place and with what to do about it."""
    text = _as_libyaml(str(getattr(error, "problem", None) or error), str(getattr(error, "context", "")))
    mark = getattr(error, "problem_mark", None)
    opening = getattr(error, "context_mark", None)
    if text == "found character that cannot start any token" and mark is not None:
        return _odd_start(file, lines, mark.line, mark.column)
    if mark is not None and _around(lines, mark.line, mark.column) == "${":
        return Problem('a "${" without quotes', Place(file, mark.line + 1, mark.column, 2), "", (_BRACES,))
    said = _WORDS.get(text, _Said(f"not YAML: {text}", ()))
    if (said.at_opening and opening is not None) or mark is None:
        mark = opening
    if mark is None:
        return Problem(said.message, Place(file, 1, 1), "", said.hints)
    place = _place(file, lines, mark.line, mark.column)
    comment = lines[place.line - 1].rfind(" #") if text == _NO_CONTENT and place.line <= len(lines) else -1
    if comment >= 0:
        return Problem("a comment where a value belongs", Place(file, place.line, comment + 2), "", (_COMMENT,))
    if text == _NO_CONTENT and not any(map(str.strip, lines[place.line :])):
        return Problem('a "{" or "[" that is never closed', place, "", ('Close it with "}" or "]".',))
    return Problem(said.message, place, "", said.hints)


def _around(lines: Sequence[str], line: int, column: int) -> str:
    """The letters on both sides of a mark."""
    return lines[line][max(column - 1, 0) : column + 1] if line < len(lines) else ""


def _odd_start(file: str, lines: Sequence[str], line: int, column: int) -> Problem:
    text = lines[line] if line < len(lines) else ""
    letter = text[column : column + 1]
    indent = text[: len(text) - len(text.lstrip())]
    place = Place(file, line + 1, column + 1)
    if letter == "\t" or "\t" in indent:
        return Problem("a tab where YAML wants spaces", place, "", _TAB)
    return Problem(f'a value cannot begin with "{letter}"', place, "", (_QUOTE,))


def _place(file: str, lines: Sequence[str], line: int, column: int) -> Place:
    """A mark behind the last line is shown at the end of the last line that says something."""
    while line > 0 and (line >= len(lines) or not lines[line].strip()):
        line -= 1
        column = len(lines[line].rstrip()) if line < len(lines) else 0
    return Place(file, line + 1, column + 1)
