"""The JSON Schema of a spec file, made from the models, for editors.

It refuses nothing that `validate` takes. What it cannot say is left to `validate`: what values mean together, what
names stand for, and how large a number with a unit is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.core.descriptions import description
from reconciler.core.names import LONGEST
from reconciler.core.provider_types import ProviderType
from reconciler.core.spec import Spec

# Every editor reads this draft; later ones only some.
DIALECT = "http://json-schema.org/draft-07/schema#"
_REF = "#/definitions/{model}"

Schema = dict[str, Any]

# Where a value may stand, `${var.x}` may stand for it; `$${` is no reference.
_REFERENCE: Schema = {
    "type": "string",
    "pattern": r"(^|[^$])\$\{\s*(var\.[^{}\n]+|each\.key|each\.value\.[^{}\n]+)\}",
}
_NAME = r"^(?![.-])([A-Za-z0-9_.-]|[^\x00-\x7f])+$"
_NAMES: Schema = {"propertyNames": {"pattern": _NAME, "maxLength": LONGEST}}
# A name is text as it is written, whatever YAML takes it for.
_WRITTEN: Schema = {"type": ["string", "number", "boolean"], "minLength": 1}
_NOT_NULL: Schema = {"not": {"type": "null"}}
_ENVIRONMENT = r"^\$\{env"
_SECTIONS = ("providers", "presets", "variables", "encodes")


def spec_schema(types: Mapping[str, ProviderType]) -> Schema:
    """A JSON Schema (draft 07) that every good spec file meets; `types` are those of providers."""
    schema = Spec.model_json_schema(ref_template=_REF)
    found = {**schema.pop("$defs"), **_provider_definitions(types)}
    own = {each.options.__name__ for each in types.values()}
    found["ProviderOptions"] = {"oneOf": [{"$ref": f"#/definitions/{name}"} for name in sorted(own)]}
    literal = {name: frozenset({"type"}) for name in own}
    definitions = {name: _opened(each, literal.get(name, frozenset())) for name, each in found.items()}
    top = _opened(schema, frozenset({"version", "project"}))
    _say_more(top, definitions)
    described = {name: _described(name, each) for name, each in definitions.items()}
    return {"$schema": DIALECT, "title": "reconciler spec", **_described("Spec", top), "definitions": described}


def _provider_definitions(types: Mapping[str, ProviderType]) -> Schema:
    """The models of all types, and whatever they are made of."""
    found: Schema = {}
    for each in types.values():
        own = each.options.model_json_schema(ref_template=_REF)
        found |= own.pop("$defs", {})
        own["required"] = sorted({"type", *own.get("required", ())})
        found[each.options.__name__] = own
    return found


def _say_more(top: Schema, definitions: Mapping[str, Schema]) -> None:
    """What the models do not say, because other code sees to it while it reads the nodes."""
    sections = top["properties"]
    sections["version"] = {"const": 1}
    sections["project"] = {**_WRITTEN, "pattern": _NAME, "maxLength": LONGEST, "minimum": 0}
    for name in _SECTIONS:
        _mapping(sections[name]).update(_NAMES)
    values = _mapping(sections["variables"])["additionalProperties"]
    values["anyOf"] = [*values["anyOf"], {"type": "null"}]
    for name, field in (("ForEachFile", "file"), ("ForEachFile", "key"), ("ForEachGlob", "glob")):
        properties = definitions[name]["properties"]
        properties[field] = _WRITTEN if "anyOf" not in properties[field] else {"anyOf": [_WRITTEN, {"type": "null"}]}
    definitions["OutputSpec"]["minProperties"] = 1
    definitions["SourceSpec"]["oneOf"] = _one_of("url", "path")
    definitions["TrimSpec"]["not"] = _with("end", "duration")
    _say_more_of_encodes(definitions["EncodeSpec"])


def _say_more_of_encodes(encode: Schema) -> None:
    properties = encode["properties"]
    outputs = properties["outputs"]["anyOf"]
    listed = next(each for each in outputs if each.get("type") == "array")
    listed |= {"items": _WRITTEN, "minItems": 1, "uniqueItems": True}
    named = _mapping(properties["outputs"])
    named |= {**_NAMES, "minProperties": 1}
    named["additionalProperties"] = {"anyOf": [_WRITTEN, {"$ref": "#/definitions/OutputSpec"}]}
    encode["oneOf"] = _one_of("outputs", "template", "params")


def _mapping(schema: Schema) -> Schema:
    """The alternative that is a mapping of names."""
    found: Schema = next(each for each in schema["anyOf"] if each.get("type") == "object")
    return found


def _one_of(*fields: str) -> list[Schema]:
    """Exactly one of the fields says something; null says nothing."""
    return [_with(field) for field in fields]


def _with(*fields: str) -> Schema:
    return {"required": list(fields), "properties": dict.fromkeys(fields, _NOT_NULL)}


def _opened(schema: Schema, literal: Iterable[str] = ()) -> Schema:
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


def _referable(schema: Schema) -> Schema:
    """`schema`, or a reference, where a reference could stand and is not text that fits anyway."""
    alternatives = schema.get("anyOf") or schema.get("oneOf") or [schema]
    if not any(map(_is_value, alternatives)) or any(map(_is_any_text, alternatives)):
        return schema
    if "anyOf" in schema:
        return {**schema, "anyOf": [*alternatives, _REFERENCE]}
    return {"anyOf": [schema, _REFERENCE]}


def _is_value(schema: Schema) -> bool:
    """Whether a schema is of single values, not of mappings or lists, and not of the environment's alone."""
    if "anyOf" in schema or "oneOf" in schema:
        return any(map(_is_value, schema.get("anyOf") or schema["oneOf"]))
    if schema.get("pattern", "").startswith(_ENVIRONMENT):
        return False
    return "enum" in schema or "const" in schema or schema.get("type") not in (None, "object", "array", "null")


def _is_any_text(schema: Schema) -> bool:
    types = schema.get("type")
    has_text = types == "string" or (isinstance(types, list) and "string" in types)
    return has_text and not {"enum", "pattern", "const"} & schema.keys()


def _described(model: str, schema: Schema) -> Schema:
    for name, each in schema.get("properties", {}).items():
        sentence = description(model, name)
        schema["properties"][name] = {"description": sentence, **each} if sentence else each
    return schema
