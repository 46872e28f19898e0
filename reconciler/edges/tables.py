"""What fan-outs read: rows of CSV, JSON and YAML files, and the files of globs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from reconciler.core.errors import Place, Problem
from reconciler.core.fan_out import TableRequest
from reconciler.core.names import nearest, normal
from reconciler.core.nodes import Entry, ListNode, MapNode, Node, ScalarNode, plain_scalar
from reconciler.edges.globs import MOST_ENTRIES, Glob, fixed_part
from reconciler.edges.json_documents import read_json_document
from reconciler.edges.json_nodes import read_json
from reconciler.edges.spec_texts import Folders, Texts, read_text
from reconciler.edges.yaml_nodes import read_yaml

MOST_ROWS = 100_000
_ENDINGS = ".csv, .json, .yaml or .yml"
_INSIDE = "Files lie in the project folder, or in a folder given with --media-root DIR."


def read_tables(
    requests: Iterable[TableRequest], folders: Folders, texts: Texts, problems: list[Problem]
) -> dict[TableRequest, Node | None]:
    """The answer to each request; None where there is none. Problems for what is wrong with each."""
    found: dict[TableRequest, Node | None] = {}
    for request in requests:
        if request.kind == "glob":
            found[request] = _files(request, folders, problems)
        else:
            found[request] = _file(request, folders, texts, problems)
    return found


def _problem(request: TableRequest, message: str, *hints: str) -> Problem:
    path = request.path if request.kind == "template" else f"{request.path}.{request.kind}"
    return Problem(message, request.place, path, hints)


def _file(request: TableRequest, folders: Folders, texts: Texts, problems: list[Problem]) -> Node | None:
    path = folders.project / request.name
    ending = PurePosixPath(request.name).suffix.lower()
    if not folders.allowed(path):
        problems.append(_problem(request, f'"{request.name}" leads out of the project folder', _INSIDE))
        return None
    if path.exists() and not path.is_file():
        problems.append(_problem(request, f"{request.name} is no regular file", "Put a file in its place."))
        return None
    if not path.exists():
        problems.append(_problem(request, f"{request.name} is not there", *_near(path, folders)))
        return None
    if request.kind == "template" and ending != ".json":
        problems.append(_problem(request, f'a template cannot be "{ending or request.name}"', "It is a .json file."))
        return None
    if ending not in {".csv", ".json", ".yaml", ".yml"}:
        problems.append(_problem(request, f'a table cannot be "{ending or request.name}"', f"It is {_ENDINGS}."))
        return None
    shown = folders.shown(path)
    text = read_text(path, shown, texts)
    if isinstance(text, Problem):
        problems.append(text)
        return None
    if request.kind == "template":
        document, wrong = read_json_document(text, shown)
        problems.extend(wrong)
        return document
    node, found = _parsed(text, shown, ending)
    if isinstance(node, ListNode | MapNode) and len(node.items) > MOST_ROWS:
        found.append(_problem(request, f"{request.name} has more than {MOST_ROWS:,} rows", "Split it over encodes."))
        node = None
    problems.extend(found)
    return node if node is not None or found else ListNode([], Place(shown, 1, 1))


def _near(path: Path, folders: Folders) -> tuple[str, ...]:
    if not path.parent.is_dir():
        return (f"Its folder {folders.shown(path.parent)}/ is not there either.",)
    close = nearest(path.name, [other.name for other in path.parent.iterdir()][:1000])
    return () if close is None else (f'Did you mean "{folders.shown(path.parent / close)}"?',)


def _parsed(text: str, shown: str, ending: str) -> tuple[Node | None, list[Problem]]:
    if ending == ".csv":
        problems: list[Problem] = []
        return ListNode(list(islice(_rows(text, shown, problems), MOST_ROWS + 1)), Place(shown, 1, 1)), problems
    return read_json(text, shown) if ending == ".json" else read_yaml(text, shown)


def _rows(text: str, shown: str, problems: list[Problem]) -> Iterator[MapNode]:
    """The rows of a CSV text; cells are typed as YAML would type them unquoted."""
    reader = csv.reader(text.splitlines(keepends=True), skipinitialspace=True, strict=True)
    header: list[str] = []
    line = 1
    try:
        for cells in reader:
            place, line = Place(shown, line, 1), reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = [cell.strip() for cell in cells]
                problems.extend(_wrong_header(header, place))
            elif len(cells) != len(header):
                message = f"this row has {len(cells)} cells, the header has {len(header)}"
                problems.append(Problem(message, place, "", ("Quote cells that hold a comma.",)))
            else:
                yield _row(header, cells, place)
    except csv.Error as error:
        problems.append(
            Problem(f"not CSV: {error}", Place(shown, line, 1), "", ("Quotes inside of a cell are doubled.",))
        )


def _wrong_header(header: list[str], place: Place) -> Iterator[Problem]:
    for index, name in enumerate(header):
        if not name or name in header[:index]:
            what = f'column "{name}" is there twice' if name else "a column has no name"
            yield Problem(what, place, "", ("The first line names the columns, each once.",))


def _row(header: list[str], cells: list[str], place: Place) -> MapNode:
    items: dict[str, Entry] = {}
    for name, cell in zip(header, cells, strict=True):
        text = cell.strip()
        items[name] = Entry(place, ScalarNode(plain_scalar(text), text, place))
    return MapNode(items, place)


def _files(request: TableRequest, folders: Folders, problems: list[Problem]) -> Node | None:
    pattern = PurePosixPath(request.name)
    if ".." in pattern.parts or not folders.allowed(folders.project / fixed_part(pattern)):
        problems.append(_problem(request, f'"{request.name}" leads out of the project folder', _INSIDE))
        return None
    items: dict[str, Entry] = {}
    paths: dict[str, str] = {}
    found = Glob(request.name, folders)
    problems.extend(_unsearched(request, found))
    for name in sorted(found.files):
        path = folders.project / name
        if not folders.allowed(path):
            problems.append(_problem(request, f"{name} leads out of the project folder", _INSIDE))
            continue
        key = normal(path.stem)
        if key in items:
            hint = "Give one of them another name, or write a pattern that matches one of them."
            problems.append(_problem(request, f'{paths[key]} and {name} would both be "{key}"', hint))
            continue
        paths[key] = name
        value = ScalarNode(name, name, request.place)
        items[key] = Entry(request.place, MapNode({"path": Entry(request.place, value)}, request.place))
    # Where what was found is refused, a fan-out over nothing is not what is wrong.
    return MapNode(items, request.place) if items or not found.outside else None


def _unsearched(request: TableRequest, found: Glob) -> Iterator[Problem]:
    """Where a glob would lead, and must not."""
    for link in sorted(found.outside):
        yield _problem(request, f"{link} leads out of the project folder", _INSIDE)
    if found.stopped:
        hint = "Name the folder, as in masters/*.mov, or move what is not meant out of the way."
        yield _problem(request, f'"{request.name}" has more than {MOST_ENTRIES:,} files and folders to look at', hint)
