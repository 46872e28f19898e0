"""Pages of jobs: filters and orders of requests as conditions over columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.server.bodies import field, mapping, snake, text, whole
from reconciler.server.clock import moment
from reconciler.server.database import Database, marks
from reconciler.server.errors import invalid
from reconciler.server.jobs import Job

PAGE, LARGEST_PAGE = 20, 100
_NEWEST_FIRST = "created_at DESC, number DESC"
_MOST_FILTERS, _MOST_VALUES = 20, 500

_COLUMNS = {
    "id": "id",
    "job_id": "id",
    "name": "name",
    "template_id": "template_id",
    "description": "description",
    "state": "state",
    "created_at": "created_at",
    "submitted_at": "started_at",
    "started_at": "started_at",
    "ended_at": "ended_at",
    "completed_at": "ended_at",
    "payment_amount": "payment",
}
_TIMES = frozenset({"created_at", "started_at", "ended_at"})
_COMPARISONS = {"EQ": "=", "NEQ": "IS NOT", "GT": ">", "GTE": ">=", "LT": "<", "LTE": "<=", "LIKE": "LIKE"}
_SETS = {"IN": "IN", "NOT_IN": "NOT IN"}

Value = str | int | float


@dataclass(frozen=True, slots=True)
class Query:
    """Which jobs, in which order, and which of them."""

    limit: int = PAGE
    offset: int = 0
    where: str = ""
    values: tuple[Value, ...] = ()
    order: str = _NEWEST_FIRST


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the jobs, how many there are in all, and how many stand before these."""

    jobs: list[Job]
    total: int
    offset: int

    def pagination(self) -> dict[str, object]:
        """How a page is told."""
        return pagination(self.total, self.offset, len(self.jobs))


def pagination(total: int, offset: int, count: int) -> dict[str, object]:
    """What is said of a page of anything."""
    return {
        "total": total,
        "offset": offset,
        "hasPrevious": offset > 0 and total > 0,
        "hasNext": offset + count < total and count > 0,
    }


def page(database: Database, query: Query) -> Page:
    """The jobs of a query."""
    where = f"WHERE {query.where}" if query.where else ""
    tail = f"{where} ORDER BY {query.order} LIMIT ? OFFSET ?"
    with database.transaction():
        jobs = database.jobs(tail, (*query.values, query.limit, query.offset))
        return Page(jobs, database.count(where, query.values), query.offset)


def query_of(limit: object, offset: object, order_by: str, filters: object = None) -> Query:
    """A query from what a request says. Raises ApiError for what cannot be asked."""
    asked = whole(limit, "pagination.limit") or PAGE
    where, values = _conditions(filters)
    return Query(min(asked, LARGEST_PAGE), whole(offset, "pagination.offset"), where, values, _order(order_by))


def filter_query(body: Mapping[str, object]) -> Query:
    """A query from the body of a filter request. Raises ApiError."""
    paging = mapping(field(body, "pagination"), "pagination")
    return query_of(field(paging, "limit"), field(paging, "offset"), text(body, "order_by"), field(body, "filters"))


def _order(order_by: str) -> str:
    """`createdAt`, `-createdAt`, `createdAt desc`; the newest first where nothing is said."""
    words = order_by.split()
    if not words:
        return _NEWEST_FIRST
    name, descends = words[0].removeprefix("-"), words[0].startswith("-")
    if len(words) > 2 or (len(words) == 2 and words[1].lower() not in {"asc", "desc"}):
        raise invalid("orderBy must be a field, and asc or desc")
    direction = "DESC" if descends or words[-1].lower() == "desc" else "ASC"
    return f"{_column(name, 'orderBy')} {direction}, number {direction}"


def _conditions(filters: object) -> tuple[str, tuple[Value, ...]]:
    if filters is None:
        return "", ()
    if not isinstance(filters, list) or len(filters) > _MOST_FILTERS:
        raise invalid(f"filters must be a list of at most {_MOST_FILTERS}")
    found = [_condition(each, f"filters[{index}]") for index, each in enumerate(filters)]
    return " AND ".join(clause for clause, _ in found), tuple(value for _, values in found for value in values)


def _condition(given: object, where: str) -> tuple[str, list[Value]]:
    body = mapping(given, where)
    column = _column(text(body, "field", f"{where}."), f"{where}.field")
    name = text(body, "condition", f"{where}.").upper().removeprefix("FILTER_CONDITION_") or "EQ"
    value = _unpacked(field(body, "value"))
    read = _reader(column, f"{where}.value")
    if name in _COMPARISONS:
        return f"{column} {_COMPARISONS[name]} ?", [read(value)]
    if name in _SETS:
        values = [read(each) for each in _listed(value, f"{where}.value")]
        return f"{column} {_SETS[name]} ({marks(values)})", values
    if name in {"ARRAY_CONTAINS", "ARRAY_CONTAINS_ANY"}:
        raise invalid(f"{where}.condition: {name} is for lists, and no field of a job is one")
    raise invalid(f"{where}.condition: {name[:40]!r} is not known")


def _column(name: str, where: str) -> str:
    column = _COLUMNS.get(snake(name))
    if column is None:
        raise invalid(f"{where}: {name[:40]!r} is no field to ask for; known are id, name, state, createdAt, ...")
    return column


def _reader(column: str, where: str) -> Callable[[object], Value]:
    """How the values of a column are read."""

    def read(value: object) -> Value:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise invalid(f"{where} must be a text or a number")
        if column == "payment":
            return _number(value, where)
        if column in _TIMES:
            return _time(str(value), where)
        return str(value).removeprefix("JOB_STATE_") if column == "state" else str(value)

    return read


def _number(value: str | float, where: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise invalid(f"{where} must be a number") from None


def _time(value: str, where: str) -> str:
    if "%" in value:
        return value
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise invalid(f"{where} must be a time such as 2026-06-22T08:00:08Z") from None
    return moment(found if found.tzinfo is not None else found.replace(tzinfo=UTC))


def _unpacked(value: object) -> object:
    """The value in a protobuf Any, or as it is."""
    while isinstance(value, dict):
        inner = next((value[key] for key in ("value", "values", "stringValue", "numberValue") if key in value), None)
        if inner is None:
            return None
        value = inner
    return value


def _listed(value: object, where: str) -> list[object]:
    if not isinstance(value, list) or not value or len(value) > _MOST_VALUES:
        raise invalid(f"{where} must be a list of 1 to {_MOST_VALUES} values")
    return [_unpacked(each) for each in value]
