"""JSON bodies as clients send them: camelCase or snake_case, numbers or strings, with fields that nobody knows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from reconciler.server.errors import invalid

LARGEST = 1 << 20
_DEEPEST = 32
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

Plain = dict[str, object]


def read_json(raw: bytes) -> object:
    """A body; an empty one is an empty mapping. Raises ApiError."""
    if not raw.strip():
        return {}
    try:
        value: object = json.loads(raw, parse_constant=_not_json)
        # Half of a surrogate pair can be escaped in JSON, and can be kept nowhere.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise invalid("the body is not JSON") from error
    if _depth(value) > _DEEPEST:
        raise invalid(f"the body is nested deeper than {_DEEPEST} levels")
    return value


def _not_json(text: str) -> object:
    raise ValueError(text)


def _depth(value: object, level: int = 0) -> int:
    if level > _DEEPEST:
        return level
    below: Iterator[object] = iter(())
    if isinstance(value, dict):
        below = iter(value.values())
    elif isinstance(value, list):
        below = iter(value)
    return max((_depth(each, level + 1) for each in below), default=level)


def mapping(value: object, where: str = "the body") -> Plain:
    """A mapping; null is an empty one. Raises ApiError for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(f"{where} must be a JSON object")
    return value


def snake(name: str) -> str:
    """`cloudRegion` is `cloud_region`."""
    return _HUMP.sub("_", name).lower()


def field(body: Mapping[str, object], name: str) -> object:
    """A field by its snake_case name, in either spelling; null where it is absent."""
    return next((value for key, value in body.items() if snake(key) == name), None)


def has_snake(body: Mapping[str, object], *names: str) -> bool:
    """Whether any of these fields is spelled in snake_case, as the scripts of 2023 do."""
    return any(name in body for name in names)


def text(body: Mapping[str, object], name: str, where: str = "") -> str:
    """A text field; empty where it is absent. Raises ApiError for anything else."""
    value = field(body, name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(f"{where}{camel(name)} must be a text")
    return value


def camel(name: str) -> str:
    """`cloud_region` is `cloudRegion`."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def whole(value: object, where: str) -> int:
    """A number that may come as a text; null is 0. Raises ApiError for what is none, or is negative."""
    if value is None or value == "":
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise invalid(f"{where} must be a whole number")
    digits = str(value).removesuffix(".0")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 19):
        raise invalid(f"{where} must be a whole number, 0 or more")
    return int(digits)


def truth(value: object, where: str) -> bool:
    """A truth that may come as a text; null is false. Raises ApiError."""
    if isinstance(value, bool):
        return value
    if value in {None, "", "false", "true"}:
        return value == "true"
    raise invalid(f"{where} must be true or false")
