"""What is wrong, where, and what would be right: spec problems with an excerpt, other errors in their own words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from reconciler.core.errors import Place, Problem, ReconcilerError, SpecError
from reconciler.views.cells import fold, visible, width
from reconciler.views.words import count

NOTHING_PLANNED = "Nothing was planned; the state was not touched."
_TAB = "    "
_NEAR = 4_000  # characters on each side of a mark; no screen shows more, and looking at megabytes takes long
_ENDS_URL = re.compile(r"[\s\"'<>]")
_URL = re.compile(
    r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+]{0,20}://)(?P<user>[^\s/?#@\"']*@)?(?P<rest>[^\s?#\"'<>]*)(?P<query>\?[^\s#\"'<>]*)?"
)
_QUERY_VALUE = re.compile(r"([?&][^=&]*=)((?![^&]*\$\{)[^&]+)")  # one that holds a variable says no secret


def error_text(error: ReconcilerError, *, columns: int = 80, after: str = NOTHING_PLANNED) -> str:
    """An expected error for people; `after` says of spec errors what did not happen because of them."""
    if isinstance(error, SpecError):
        return spec_problems(error, columns=columns, after=after)
    first, *rest = str(error).split("\n")
    return "\n".join([f"Error: {visible(first)}", *map(visible, rest)]) + "\n"


def spec_problems(error: SpecError, *, columns: int = 80, after: str = NOTHING_PLANNED) -> str:
    """Every problem of the run, each with its place and excerpt, and how many there are."""
    blocks = ["\n".join(_problem(problem, error, columns)) for problem in error.problems]
    return "\n\n".join([*blocks, f"{_tally(error)} {after}"]) + "\n"


def _problem(problem: Problem, error: SpecError, columns: int) -> Iterator[str]:
    yield from fold(f"Error: {visible(problem.message)}", columns, rest="  ")
    if problem.place is not None:
        path = f"  {visible(problem.path)}" if problem.path else ""
        yield from fold(f"{visible(str(problem.place))}{path}", columns, first="  ", rest="    ")
        lines = error.texts.get(problem.place.file, ())
        if 0 < problem.place.line <= len(lines):
            yield ""
            yield from _excerpt(problem.place, lines, columns)
    elif problem.path:
        yield f"  {visible(problem.path)}"
    for hint in problem.hints:
        yield from fold(visible(hint), columns, first="  ", rest="    ")


def _excerpt(place: Place, lines: Sequence[str], columns: int) -> Iterator[str]:
    """The line, the one before it, and a mark under the offending text."""
    gutter = max(len(str(place.line)), 4) + 2
    room = max(columns - gutter - len(" | "), 20)
    before = lines[place.line - 2] if place.line > 1 else ""
    if before.strip():
        yield f"{place.line - 1:>{gutter}} | {_clipped(_shown(masked(before[:_NEAR])), room)}"
    line, start = _near(lines[place.line - 1].rstrip("\r\n"), place.column - 1)
    line = masked(line)
    marked = line[start : start + max(place.length, 1)] or " "
    left, middle = width(_shown(line[:start])), width(_shown(marked))
    text, left = _around(_shown(line), left, middle, room)
    yield f"{place.line:>{gutter}} | {text}".rstrip()
    yield f"{' ' * gutter} | {' ' * left}{'^' * max(min(middle, room - left), 1)}"


def _near(line: str, column: int) -> tuple[str, int]:
    """The part of an endless line around a column, and where in it the column is.

    What is left of a URL whose start is cut off becomes stars: nobody can tell its secrets any more.
    """
    column = min(column, len(line))
    first = max(column - _NEAR, 0)
    near = line[first : column + _NEAR]
    if "://" in line[:first]:
        end = _ENDS_URL.search(near)
        stars = len(near) if end is None else end.start()
        near = "*" * stars + near[stars:]
    return near, column - first


def _shown(line: str) -> str:
    """A spec line as it is printed; each tab has the same width wherever it stands."""
    return visible(line.replace("\t", _TAB))


def masked(line: str) -> str:
    """A spec line without what may be a credential in its URLs, every letter of it replaced by a star."""
    return _URL.sub(_masked_url, line.rstrip("\r\n"))


def _masked_url(found: re.Match[str]) -> str:
    scheme, user, rest, query = found["scheme"], found["user"] or "", found["rest"], found["query"] or ""
    stars = _QUERY_VALUE.sub(lambda value: value[1] + "*" * len(value[2]), query)
    return f"{scheme}{'*' * len(user[:-1])}{user[-1:]}{rest}{stars}"


def _around(line: str, left: int, middle: int, room: int) -> tuple[str, int]:
    """The part of a long line that holds the marked text, and how far from its start the mark is."""
    if width(line) <= room or left + middle <= room - 3:
        return _clipped(line, room), left
    skipped = max(left - room // 3, 0)
    cut, gone = 0, 0
    while gone < skipped:
        gone += width(line[cut])
        cut += 1
    return _clipped("..." + line[cut:], room), 3 + left - gone


def _clipped(line: str, room: int) -> str:
    if width(line) <= room:
        return line
    end, taken = 0, 0
    while taken + width(line[end]) <= room - 3:
        taken += width(line[end])
        end += 1
    return line[:end] + "..."


def _tally(error: SpecError) -> str:
    errors = count(len(error.problems), "error")
    files = {problem.place.file for problem in error.problems if problem.place is not None}
    if not error.files or not files:
        return f"{errors}."
    # Documents and tables beside the specs are not counted among the files that were read.
    if len(files) > error.files:
        return f"{errors} in {count(len(files), 'file')}."
    return f"{errors} in {len(files):,} of {count(error.files, 'file')}."
