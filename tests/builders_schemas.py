"""The published JSON Schemas, as whoever reads our JSON would use them."""

from __future__ import annotations

import functools

import jsonschema

from reconciler.views.document_schema import document_schema


@functools.cache
def _reader(name):
    return jsonschema.Draft202012Validator(document_schema(name, "0"))


def meets(name, value):
    """The value, which the schema of this name describes to the last field."""
    faults = [f"{fault.json_path}: {fault.message[:300]}" for fault in _reader(name).iter_errors(value)]
    assert [] == faults, (name, value)
    return value
