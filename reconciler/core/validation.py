"""pydantic's errors as problems: in plain words, at the place of the offending value, with what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from reconciler.core.errors import Place, Problem
from reconciler.core.names import listed, suggestion
from reconciler.core.nodes import (
    Entry,
    ListNode,
    LostNode,
    MapNode,
    Node,
    ScalarNode,
    described,
    find,
    holds_lost,
    known,
    losing,
    lost,
    shortened,
    to_plain,
)

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
    """`node` as a model; None if it is not one, with problems, or if something of it is lost."""
    made, left = salvaged(model, node, path, problems)
    return made if left is node and not holds_lost(node) else None


def salvaged(model: type[Model], node: Node, path: str, problems: list[Problem]) -> tuple[Model | None, Node]:
    """What can be had of `node`: a model without what is wrong or lost, and the node in which all that is lost.

    Every wrong value is a problem once. The model is None if without its lost values it is none.
    """
    clean = not holds_lost(node)
    if not clean:
        node = _known_keys(model, node, path, problems)
    while True:
        good = node if clean else known(node)
        try:
            made = model.model_validate(to_plain(good))
        except ValidationError as error:
            if error.error_count() > MOST_TOLD:
                problems.extend(wrong.problem for wrong in _wrong(error, model, good, path))
                return None, lost(node)
            clean = False
            for wrong in _wrong(error, model, good, path):
                if not wrong.is_lost_in(node):
                    problems.append(wrong.problem)
                node = _removed(node, wrong.keys) if wrong.is_unknown else losing(node, wrong.keys)
            if isinstance(node, LostNode):
                return None, node
        else:
            return (made if clean else _without_lost(made, node)), node


def _without_lost(made: Model, node: Node) -> Model:
    """The model without the fields whose values are lost in the node that it was made of."""
    copy = made.model_copy()
    for name, entry in node.items.items() if isinstance(node, MapNode) else ():
        value = made.__dict__.get(name)
        if isinstance(entry.node, MapNode) and isinstance(value, BaseModel):
            copy.__dict__[name] = _without_lost(value, entry.node)
        elif holds_lost(entry.node) and not isinstance(entry.node, MapNode):
            copy.__dict__.pop(name, None)
    return copy


def _known_keys(model: type[BaseModel], node: Node, path: str, problems: list[Problem]) -> Node:
    """A mapping without lost values under keys that the model does not have: they are told here, and only here."""
    if not isinstance(node, MapNode):
        return node
    items: dict[str, Entry] = {}
    for key, entry in node.items.items():
        field = model.model_fields.get(key)
        inner = None if field is None or _holds_dict(field.annotation) else _model_in(field.annotation)
        if field is None and holds_lost(entry.node):
            message = f'unknown key "{shortened(key)}"'
            problems.append(Problem(message, entry.key, _joined(path, key), _key_hints(key, model)))
        elif inner is not None:
            items[key] = Entry(entry.key, _known_keys(inner, entry.node, _joined(path, key), problems))
        else:
            items[key] = entry
    return MapNode(items, node.place)


def _removed(node: Node, keys: Sequence[str]) -> Node:
    """The same tree without a key."""
    if not isinstance(node, MapNode):
        return lost(node)
    items = {key: entry for key, entry in node.items.items() if key != keys[0] or len(keys) > 1}
    if len(keys) > 1:
        entry = items[keys[0]]
        items[keys[0]] = Entry(entry.key, _removed(entry.node, keys[1:]))
    return MapNode(items, node.place)


@dataclass(frozen=True, slots=True)
class _Wrong:
    """One thing that is wrong: with the value at `keys`, with the key itself, or with what is `missing` there."""

    problem: Problem
    keys: tuple[str, ...]
    is_unknown: bool = False
    missing: str = ""

    def is_lost_in(self, node: Node) -> bool:
        """Whether only a lost value is missing, which was told."""
        entry = find(node, (*self.keys, self.missing)) if self.missing else None
        return entry is not None and isinstance(entry.node, LostNode)


def _wrong(error: ValidationError, model: type[BaseModel], node: Node, path: str) -> list[_Wrong]:
    """One problem a value: each form that a value may have complains, and only the one that got furthest helps."""
    by_path: dict[str, _Wrong] = {}
    for each in error.errors(include_url=False)[:MOST_TOLD]:
        wrong = _told(each, model, node, path)
        by_path.setdefault(wrong.problem.path, wrong)
    above = {path[:dot] for path in by_path for dot, letter in enumerate(path) if letter == "."}
    return [wrong for path, wrong in by_path.items() if path not in above]


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


def _told(error: Any, model: type[BaseModel], node: Node, path: str) -> _Wrong:  # noqa: ANN401 - pydantic's own dict
    spot = _Spot(node, path)
    spot.follow(error["loc"])
    kind, keys = error["type"], tuple(spot.keys)
    if kind == "extra_forbidden":
        hints = _key_hints(spot.name, _model_at(model, spot.keys[:-1]))
        problem = Problem(f'unknown key "{shortened(spot.name)}"', spot.key_place, spot.path, hints)
        return _Wrong(problem, keys, is_unknown=True)
    if kind == "missing":
        name = str(error["loc"][-1])
        problem = Problem(f'"{name}" is missing', spot.node.place or spot.key_place, _joined(spot.path, name))
        return _Wrong(problem, keys, missing=name)
    message, hints = _words(kind, error, spot)
    place = spot.node.place or spot.key_place
    return _Wrong(Problem(message, place, spot.path, (*hints, *variable_hint(spot.node))), keys)


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
    is_name = False
    for key in keys:
        if is_name:
            is_name = False
            continue
        field = found.model_fields.get(key) if found is not None else None
        found = _model_in(field.annotation) if field is not None else None
        is_name = field is not None and _holds_dict(field.annotation)
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    """The model among an annotation's parts, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)


def _holds_dict(annotation: Any) -> bool:  # noqa: ANN401 - any annotation
    """Whether a mapping may stand there whose keys are names, not fields."""
    return get_origin(annotation) is dict or any(map(_holds_dict, get_args(annotation)))


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
