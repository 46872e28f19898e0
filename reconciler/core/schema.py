"""The JSON Schema of a spec file, made from the models, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.core.descriptions import description
from reconciler.core.provider_types import ProviderType
from reconciler.core.spec import Spec

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# Where a value may stand, `${var.x}` may stand for it.
_REFERENCE = {"type": "string", "pattern": r"\$\{"}
_LITERAL = frozenset({"version", "project"})


def spec_schema(types: Mapping[str, ProviderType]) -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) that every good spec file meets; `types` are those of providers."""
    schema = Spec.model_json_schema()
    schema["$defs"] |= _provider_definitions(types)
    schema["$defs"]["ProviderOptions"] = {
        "oneOf": [{"$ref": f"#/$defs/{each.options.__name__}"} for each in types.values()]
    }
    schema["$defs"]["EncodeSpec"]["oneOf"] = [{"required": [key]} for key in ("outputs", "template", "params")]
    definitions = {name: _described(name, _opened(each)) for name, each in schema.pop("$defs").items()}
    top = _described("Spec", _opened(schema, literal=_LITERAL))
    return {"$schema": DIALECT, "title": "reconciler spec", **top, "$defs": definitions}


def _provider_definitions(types: Mapping[str, ProviderType]) -> dict[str, Any]:
    """The models of all types, and whatever they are made of."""
    found: dict[str, Any] = {}
    for each in types.values():
        own = each.options.model_json_schema()
        found |= own.pop("$defs", {})
        own["required"] = sorted({"type", *own.get("required", ())})
        found[each.options.__name__] = own
    return found


def _opened(schema: dict[str, Any], *, literal: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The same schema, in which references may stand for values, without titles and null defaults."""
    opened = {key: value for key, value in schema.items() if key not in {"title", "default"}}
    for name, each in opened.get("properties", {}).items():
        opened["properties"][name] = _opened(each) if name in literal else _referable(_opened(each))
    for key in ("items", "additionalProperties"):
        if isinstance(opened.get(key), dict):
            opened[key] = _referable(_opened(opened[key]))
    for key in ("anyOf", "oneOf"):
        if key in opened:
            opened[key] = [_opened(each) for each in opened[key]]
    return opened


def _referable(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema`, or a reference, where a reference could stand and is not text that fits anyway."""
    alternatives = schema.get("anyOf") or schema.get("oneOf") or [schema]
    if not any(map(_is_value, alternatives)) or any(map(_is_any_text, alternatives)):
        return schema
    if "anyOf" in schema:
        return {**schema, "anyOf": [*alternatives, _REFERENCE]}
    return {"anyOf": [schema, _REFERENCE]}


def _is_value(schema: dict[str, Any]) -> bool:
    """Whether a schema is of single values, not of mappings or lists."""
    if "anyOf" in schema or "oneOf" in schema:
        return any(map(_is_value, schema.get("anyOf") or schema["oneOf"]))
    return "enum" in schema or "const" in schema or schema.get("type") not in (None, "object", "array", "null")


def _is_any_text(schema: dict[str, Any]) -> bool:
    types = schema.get("type")
    has_text = types == "string" or (isinstance(types, list) and "string" in types)
    return has_text and not {"enum", "pattern", "const"} & schema.keys()


def _described(model: str, schema: dict[str, Any]) -> dict[str, Any]:
    for name, each in schema.get("properties", {}).items():
        schema["properties"][name] = {"description": description(model, name), **each}
    return schema
