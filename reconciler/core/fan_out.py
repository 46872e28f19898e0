"""`for_each`: one encode for every name of a list, key of a mapping, row of a file, or file of a glob."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.core.errors import Place, Problem
from reconciler.core.names import listed, name_error, normal, suggestion
from reconciler.core.nodes import Entry, ListNode, LostNode, MapNode, Node, ScalarNode, described, is_null
from reconciler.core.variables import Each

_KINDS = ("file", "glob")
_FORMS = 'Write  [a, b],  {a: {lang: en}},  {file: titles.csv, key: slug}  or  {glob: "masters/*.mov"}'


@dataclass(frozen=True, slots=True)
class TableRequest:
    """Something that only the outside world knows: the rows of a file, the files of a glob, a JSON document.

    A file comes back as the nodes that are written in it: a list of names, a list of mappings, or a mapping by
    name. A glob comes back as a mapping from file name without ending to `{path: ...}`. A document (`template`)
    comes back as its nodes, all of them with their places.
    """

    kind: str
    name: str
    place: Place | None = field(default=None, compare=False)
    path: str = field(default="", compare=False)


Tables = Mapping[TableRequest, Node | None]


def request_of(node: Node, path: str) -> TableRequest | None:
    """What must be read before this fan-out is known; None if it says everything itself."""
    if not isinstance(node, MapNode):
        return None
    for kind in _KINDS:
        named = node.get(kind)
        if isinstance(named, ScalarNode) and named.value is not None:
            return TableRequest(kind, named.text, named.place, path)
    return None


def template_request(node: Node, path: str) -> TableRequest | None:
    """What must be read before the outputs of a provider's own document are known."""
    if isinstance(node, ScalarNode) and isinstance(node.value, str) and node.value:
        return TableRequest("template", node.text, node.place, path)
    return None


def members(node: Node, path: str, tables: Tables, problems: list[Problem]) -> list[Each] | None:
    """The members of a fan-out; None if nobody knows them. What is wrong is a problem.

    A member whose name is wrong has none, so that its values can still be looked at.
    """
    request = request_of(node, path)
    if isinstance(node, LostNode) or (isinstance(node, MapNode) and any(map(_is_lost, map(node.get, _KINDS)))):
        return None
    if isinstance(node, ScalarNode):
        problems.append(Problem(f"for_each cannot be {described(node)}", node.place, path, (_FORMS,)))
        return None
    if request is None:
        found = list(_members(node, "", path, problems))
    else:
        assert isinstance(node, MapNode)
        problems.extend(_misplaced(node, request, path))
        table = tables.get(request)
        if table is None:
            return None
        column = node.get("key")
        name = column.text if isinstance(column, ScalarNode) and column.value is not None else ""
        if name and not isinstance(table, ListNode):
            problems.append(_no_columns(column, table, path))
        if isinstance(table, ScalarNode):
            message = f"for_each cannot be {described(table)}"
            problems.append(Problem(message, table.place or request.place, path, (_FORMS,)))
        if isinstance(table, ScalarNode) or (column is not None and _is_lost(column)):
            return None
        found = list(_members(table, name, path, problems, place=column.place if name and column else request.place))
    return list(_once(found, path, problems))


def _is_lost(node: Node | None) -> bool:
    return isinstance(node, LostNode)


def _misplaced(node: MapNode, request: TableRequest, path: str) -> Iterator[Problem]:
    allowed = ("file", "key") if request.kind == "file" else ("glob",)
    for key, entry in node.items.items():
        if key not in allowed:
            yield Problem(f'unknown key "{key}"', entry.key, f"{path}.{key}", (f"{suggestion(key, allowed)}{_FORMS}",))


def _no_columns(column: Node | None, table: Node, path: str) -> Problem:
    hint = "Its keys are the names: leave key out."
    place = column.place if column is not None else None
    return Problem(f"key names a column, but the file holds {described(table)}", place, f"{path}.key", (hint,))


def _members(node: Node, column: str, path: str, problems: list[Problem], place: Place | None = None) -> Iterator[Each]:
    if isinstance(node, MapNode):
        yield from _named(node, path, problems)
    elif isinstance(node, ListNode):
        for item in node.items:
            if isinstance(item, MapNode):
                yield from _row(item, column, path, problems, place)
            elif isinstance(item, ScalarNode) and item.value is not None:
                yield _member(item.text, item.place, {}, path, problems)
            else:
                if not isinstance(item, LostNode):
                    problems.append(Problem(f"a name cannot be {described(item)}", item.place, path, (_FORMS,)))
                yield Each("", item.place, None)


def _named(node: MapNode, path: str, problems: list[Problem]) -> Iterator[Each]:
    for key, entry in node.items.items():
        if isinstance(entry.node, MapNode):
            yield _member(key, entry.key, entry.node.items, path, problems)
        elif is_null(entry.node):
            yield _member(key, entry.key, {}, path, problems)
        else:
            if not isinstance(entry.node, LostNode):
                hint = f"Write  {key}: {{column: value}}, or a list of names:  [{key}]"
                message = f"the values of a name are a mapping, not {described(entry.node)}"
                problems.append(Problem(message, entry.node.place, f"{path}.{key}", (hint,)))
            yield _member(key, entry.key, None, path, problems)


def _row(row: MapNode, column: str, path: str, problems: list[Problem], place: Place | None) -> Iterator[Each]:
    cell = row.get(column) if column else None
    if isinstance(cell, ScalarNode) and cell.text:
        yield _member(cell.text, cell.place, row.items, path, problems)
        return
    if not column:
        hint = f"Write  {{file: ..., key: COLUMN}}. Columns: {listed(row.items)}."
        problems.append(Problem("which column holds the names is not said", place or row.place, path, (hint,)))
    elif column not in row.items:
        hint = f"{suggestion(column, row.items)}Columns: {listed(row.items)}."
        problems.append(Problem(f'there is no column "{column}"', place or row.place, f"{path}.key", (hint,)))
    else:
        problems.append(
            Problem(f'column "{column}" is empty in this row', row.place, path, ("Every row needs a name.",))
        )
    yield Each("", row.place, row.items)


def _member(name: str, place: Place | None, values: Mapping[str, Entry] | None, path: str, told: list[Problem]) -> Each:
    """A member; without its name, and with a problem, if that cannot be one."""
    key = normal(name)
    error = name_error(key)
    if error is None:
        return Each(key, place, values)
    hint = "Names become addresses and folders: letters, digits and _ . - only."
    told.append(Problem(f'"{key}" cannot be a name: {error}', place, f"{path}.{key}", (hint,)))
    return Each("", place, values)


def _once(found: Iterable[Each], path: str, problems: list[Problem]) -> Iterator[Each]:
    """The same members; one whose name is there already has none, and is a problem."""
    seen: dict[str, Each] = {}
    for each in found:
        first = seen.setdefault(each.key, each) if each.key else each
        if first is not each:
            message = f'name "{each.key}" is there twice'
            problems.append(Problem(message, each.place, f"{path}.{each.key}", (f"It is first at {first.place}.",)))
        yield each if first is each else replace(each, key="")
