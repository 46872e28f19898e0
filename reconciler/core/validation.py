"""pydantic's errors as problems: in plain words, at the place of the offending value, with what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from reconciler.core.errors import Place, Problem
from reconciler.core.names import listed, suggestion
from reconciler.core.nodes import Entry, ListNode, MapNode, Node, ScalarNode, described, shortened, to_plain

Model = TypeVar("Model", bound=BaseModel)

MOST_KEYS = 50
MOST_TOLD = 500
_QUOTED = re.compile(r"'([^']*)'|(\d+)")
_PIXELS = re.compile(r"(\d+)\s*(?:p|px|pixels?)?")
_TRUTHS = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}
_TYPES = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("model_type", "dict_type", "model_attributes_type"), "a mapping"),
    "list_type": "a list",
    "string_type": "text",
}
_SHAPES = {"a mapping": "{key: value}", "a list": "[...]"}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "greater_than": ("more than", "gt"),
    "less_than": ("less than", "lt"),
}


def validated(model: type[Model], node: Node, path: str, problems: list[Problem]) -> Model | None:
    """`node` as a model; None, and problems, if it is not one."""
    try:
        return model.model_validate(to_plain(node))
    except ValidationError as error:
        told = error.errors(include_url=False)[:MOST_TOLD]
        problems.extend(_deepest([_problem(each, model, node, path) for each in told]))
        return None


def _deepest(found: list[Problem]) -> list[Problem]:
    """One problem a value: each form that a value may have complains, and only the one that got furthest helps."""
    by_path: dict[str, Problem] = {}
    for problem in found:
        by_path.setdefault(problem.path, problem)
    above = {path[:dot] for path in by_path for dot, letter in enumerate(path) if letter == "."}
    return [problem for path, problem in by_path.items() if path not in above]


def unknown_keys(node: MapNode, model: type[BaseModel], path: str) -> Iterator[Problem]:
    """A problem for each key that the model does not have; a mapping of nothing else need not be told to its end."""
    unknown = (key for key in node.items if key not in model.model_fields)
    for key in islice(unknown, MOST_KEYS):
        entry = node.items[key]
        yield Problem(f'unknown key "{shortened(key)}"', entry.key, _joined(path, key), _key_hints(key, model))


class _Spot:
    """Where an error is: the deepest node of its location, the key above it, and the path so far."""

    def __init__(self, node: Node, path: str) -> None:
        self.node = node
        self.key_place: Place | None = None
        self.keys: list[str] = []
        self.path = path

    def follow(self, location: Sequence[str | int]) -> None:
        """Go down as far as the nodes go; tags of unions and missing keys are not among them."""
        for item in location:
            entry = _below(self.node, item)
            if entry is not None:
                self.node, self.key_place = entry.node, entry.key
                self.keys.append(str(item))
                self.path = _joined(self.path, str(item))

    @property
    def name(self) -> str:
        """The field's name, for a sentence."""
        return self.keys[-1] if self.keys else "this"


def _below(node: Node, item: str | int) -> Entry | None:
    if isinstance(node, MapNode):
        return node.items.get(str(item))
    if isinstance(node, ListNode) and isinstance(item, int) and item < len(node.items):
        return Entry(None, node.items[item])
    return None


def _problem(error: Any, model: type[BaseModel], node: Node, path: str) -> Problem:  # noqa: ANN401 - pydantic's own dict
    spot = _Spot(node, path)
    spot.follow(error["loc"])
    kind = error["type"]
    if kind == "extra_forbidden":
        hints = _key_hints(spot.name, _model_at(model, spot.keys[:-1]))
        return Problem(f'unknown key "{shortened(spot.name)}"', spot.key_place, spot.path, hints)
    if kind == "missing":
        name = str(error["loc"][-1])
        return Problem(f'"{name}" is missing', spot.node.place or spot.key_place, _joined(spot.path, name))
    message, hints = _words(kind, error, spot)
    return Problem(message, spot.node.place or spot.key_place, spot.path, (*hints, *variable_hint(spot.node)))


def variable_hint(node: Node) -> tuple[str, ...]:
    """Where a value was written, if it stands elsewhere than where it is used."""
    if not isinstance(node, ScalarNode) or node.variable is None:
        return ()
    where = f", {node.written}" if node.written is not None else ", given on the command line"
    return (f'"{shortened(node.text)}" is what ${{{node.variable}}} stands for{where}.',)


def _words(kind: str, error: Any, spot: _Spot) -> tuple[str, tuple[str, ...]]:  # noqa: ANN401 - as _problem
    context: Mapping[str, Any] = error.get("ctx", {})
    shown = described(spot.node)
    if kind in _TYPES:
        return f"{spot.name} must be {_TYPES[kind]}, not {shown}", _type_hints(_TYPES[kind], spot)
    if kind == "value_error":
        return _from_ours(str(context["error"]), spot.name, shown)
    if kind == "literal_error":
        right = [match[1] or match[2] for match in _QUOTED.finditer(context["expected"])]
        hint = f"{suggestion(shown.strip(chr(34)), right)}Possible: {', '.join(right)}."
        return f"{spot.name} cannot be {shown}", (hint,)
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        return f"{spot.name} must be {words} {context[key]:,}, not {shown}", ()
    if kind == "string_pattern_mismatch":
        return f"{spot.name} cannot be {shown}", _pattern_hints(spot.name)
    return f"{spot.name}: {error['msg']}", ()


def _type_hints(wanted: str, spot: _Spot) -> tuple[str, ...]:
    text = str(to_plain(spot.node))
    if wanted == "a whole number":
        digits = _PIXELS.fullmatch(text)
        return (f"Write  {spot.name}: {digits[1]}",) if digits is not None else ()
    if wanted == "true or false":
        meant = _TRUTHS.get(text.lower())
        return (f"Write  {spot.name}: {meant}",) if meant else ()
    return (f"Write  {spot.name}: {_SHAPES[wanted]}",) if wanted in _SHAPES else ()


def _from_ours(text: str, name: str, shown: str) -> tuple[str, tuple[str, ...]]:
    """A sentence of `units` or of a model: `"x" is not a bitrate; write for example ...`."""
    message, _, advice = text.partition("; ")
    if message.startswith("must be"):
        return f"{name} {message}, not {shown}" if ", not " not in message else f"{name} {message}", ()
    return message, (f"{advice[0].upper()}{advice[1:]}.",) if advice else ()


def _pattern_hints(name: str) -> tuple[str, ...]:
    return {
        "color": ('Write a name, or "#rrggbb" in quotes.',),
        "sha256": ("It has 64 hexadecimal digits: sha256sum FILE prints it.",),
    }.get(name, ("It is a word of letters, digits, dots and dashes.",))


def _key_hints(key: str, model: type[BaseModel] | None) -> tuple[str, ...]:
    """The key that was meant, the section it belongs in, or all that are possible."""
    if model is None:
        return ()
    sections = [
        name
        for name, field in model.model_fields.items()
        if (inner := _model_in(field.annotation)) is not None and key in inner.model_fields
    ]
    if sections and not suggestion(key, model.model_fields):
        places = " or ".join(f'"{name}"' for name in sections)
        return (f'"{key}" belongs under {places}:  {sections[0]}: {{{key}: ...}}',)
    return (f"{suggestion(key, model.model_fields)}Keys here: {listed(model.model_fields, 40)}.",)


def _model_at(model: type[BaseModel], keys: Sequence[str]) -> type[BaseModel] | None:
    found: type[BaseModel] | None = model
    for key in keys:
        field = found.model_fields.get(key) if found is not None else None
        found = _model_in(field.annotation) if field is not None else None
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    """The model among an annotation's parts, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
