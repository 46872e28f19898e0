"""Values of an API's JSON, read leniently: either spelling of a key, numbers as text, Go's empty times as none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class WireError(ValueError):
    """An answer that is not what the API says; the text is for people."""


def snake(key: str) -> str:
    """`createdAt` and `created_at` are one key."""
    return _CAMEL.sub("_", key).lower()


def field(body: Mapping[str, object], key: str) -> object:
    """The value of a camelCase key in either spelling; None if it is absent or null."""
    value = body.get(key)
    return value if value is not None else body.get(snake(key))


def mapping(value: object, what: str) -> Mapping[str, object]:
    """A JSON object.

    Raises:
        WireError: if it is anything else.
    """
    if isinstance(value, Mapping):
        return value
    raise WireError(f"{what} is no JSON object")


def optional_mapping(value: object) -> Mapping[str, object] | None:
    """A JSON object, or None for anything else."""
    return value if isinstance(value, Mapping) else None


def text(value: object) -> str:
    """Text; numbers as text, and nothing for what is neither."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def decimal(value: object) -> Decimal | None:
    """A number, also where it came as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def whole(value: object) -> int | None:
    """A whole number, also where it came as text or with a fraction of zero."""
    number = decimal(value)
    return int(number) if number is not None and abs(number) < 10**15 and number == int(number) else None


def truth(value: object) -> bool | None:
    """True or false, also as text; None for anything else."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def time(value: object) -> datetime | None:
    """An RFC 3339 time in UTC; Go's zero time and the epoch mean none."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value.strip())
        moment = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year > 1970 else None
