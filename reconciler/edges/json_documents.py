"""A JSON document whose every value knows where it stands, for documents that people write by hand."""

from __future__ import annotations

from reconciler.core.errors import Problem
from reconciler.core.nodes import Node
from reconciler.edges.json_nodes import read_json
from reconciler.edges.yaml_nodes import read_yaml


def read_json_document(text: str, file: str) -> tuple[Node | None, list[Problem]]:
    """The nodes of a JSON text; None, and problems, if it is none.

    Whether it is JSON, a JSON parser says. JSON is YAML too, and the YAML reader knows every place.
    """
    shallow, problems = read_json(text, file)
    if problems:
        return None, problems
    located, misread = read_yaml(text.replace("\t", " "), file)
    return (shallow if misread or located is None else located), []
