"""The JSON Schemas of everything that commands print with `--json`, made from the types it is written with.

They are closed: a field that no schema knows is one that nobody described. Readers should ignore fields and lines
that they do not know all the same, since a later version may add some.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.inspect import DataclassType, StructType, Type

from reconciler.core.manifest import Canonical
from reconciler.core.state import Record, Snapshot
from reconciler.views import document_words, event_words, record_words
from reconciler.views.document import PlanDocument
from reconciler.views.edit_types import EDITS
from reconciler.views.event_types import LINES
from reconciler.views.explain import Explained

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

# What tells one kind of line from another.
_TYPE = "Which kind of line this is."

_WORDS: Mapping[str, Mapping[str, str]] = {**document_words.WORDS, **record_words.WORDS, **event_words.WORDS}


@dataclass(frozen=True, slots=True)
class Printed:
    """One kind of JSON: which commands print it, and the types that it may be."""

    by: str
    types: tuple[Any, ...]


# By the names that `reconciler schema` takes.
PRINTED: Mapping[str, Printed] = {
    "plan": Printed("plan --out FILE, show FILE --json, and the last line of plan --json", (PlanDocument,)),
    "events": Printed("each line of plan, apply and validate with --json, and of every error", LINES),
    "state": Printed("the state file, and state pull", (Snapshot,)),
    "status": Printed("status, show ADDR, state list and state show with --json", (dict[str, Record],)),
    "output": Printed("output --json: finished outputs, with the signatures of their links", (dict[str, Record],)),
    "explain": Printed("explain ADDR --json", (dict[str, Explained],)),
    "presets": Printed("explain --presets --json", (dict[str, dict[str, Canonical]],)),
    "edits": Printed("init and state mv, rm, prune, adopt, rebuild, pull -o, push and unlock with --json", EDITS),
}


def document_schema(name: str, tool_version: str) -> Schema:
    """The JSON Schema (draft 2020-12) of one of PRINTED."""
    printed = PRINTED[name]
    tops, definitions = msgspec.json.schema_components(printed.types, ref_template="#/$defs/{name}")
    classes = {each.cls.__name__: each for each in _classes(msgspec.inspect.multi_type_info(printed.types))}
    content = tops[0] if len(tops) == 1 else {"anyOf": list(tops)}
    return {
        "$schema": DIALECT,
        "title": f"reconciler {name}",
        "description": f"Printed by reconciler {tool_version}: {printed.by}.",
        **content,
        "$defs": {each: _said(definition, classes[each]) for each, definition in sorted(definitions.items())},
    }


def _classes(types: object) -> Iterator[StructType | DataclassType]:
    """The classes that types are made of, the same one perhaps several times."""
    match types:
        case StructType() | DataclassType():
            yield types
            for field in types.fields:
                yield from _classes(field.type)
        case Type():
            yield from _classes([getattr(types, name) for name in types.__struct_fields__])
        case tuple() | list():
            for each in types:
                yield from _classes(each)


def _said(definition: Schema, of: StructType | DataclassType) -> Schema:
    """The definition of a class: closed, with a sentence a field, and with what is always there required."""
    names = {field.encode_name: field.name for field in of.fields}
    sparse = isinstance(of, StructType) and of.cls.__struct_config__.omit_defaults
    properties = {
        name: _property(each, _word(of.cls, names[name]) if name in names else _TYPE, sparse=sparse)
        for name, each in definition["properties"].items()
    }
    required = set(definition.get("required", ()))
    if not sparse:
        required |= {name for name in properties if "default" in definition["properties"][name]}
    head = {"title": definition["title"], "description": inspect.cleandoc(definition.get("description", ""))}
    return {
        **head,
        "type": "object",
        "properties": properties,
        "required": sorted(required),
        "additionalProperties": False,
    }


def _property(schema: Schema, word: str, *, sparse: bool) -> Schema:
    """One field; the default of one that is never left out says nothing."""
    kept = {key: value for key, value in schema.items() if sparse or key != "default"}
    return {"description": word, **kept} if word else kept


def _word(of: type, field: str) -> str:
    """The sentence of a field, which may stand with the class that it was inherited from."""
    own = (_WORDS.get(each.__name__, {}) for each in of.__mro__)
    return next((words[field] for words in own if field in words), "")
