"""What a job is sent to make, and how it says whose it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from reconciler.bytenite.document import encoding_document, output_object
from reconciler.bytenite.naming import file_name
from reconciler.bytenite.template import TemplateError
from reconciler.core.encode import Output
from reconciler.core.ports import JobRequest

DEFAULT_TEMPLATE = "{{.name}}"


def entry_name(output: Output) -> str:
    """What an output of ours is called in a document; whoever finds the file knows whose it is."""
    return f"{output.name}-{output.fingerprint[:8]}"


def entries(outputs: Sequence[Output]) -> dict[str, Mapping[str, object]]:
    """The entry of `data.outputs` for each output, by its name: ours, or as it stands in the user's document."""
    return {
        output.name: output.native.output
        if output.native is not None
        else output_object(entry_name(output), output.parameters)
        for output in outputs
    }


def document(outputs: Sequence[Output]) -> dict[str, object]:
    """The whole document: ours, or the user's with only these outputs."""
    native = next((output.native for output in outputs if output.native is not None), None)
    return encoding_document(list(entries(outputs).values()), None if native is None else native.document)


def file_names(outputs: Sequence[Output], job_name: str) -> dict[str, str]:
    """What the file of each output will be called; an output whose name cannot be told is left out."""
    template = _output_template(document(outputs))
    names: dict[str, str] = {}
    for name, entry in entries(outputs).items():
        try:
            names[name] = file_name(template, job_name, entry)
        except TemplateError:
            continue
    return names


def description(request: JobRequest) -> str:
    """Whose a job is, for whoever finds it: project, and the fingerprint of each address."""
    outputs = {output.address: output.fingerprint for output in request.outputs}
    return json.dumps({"project": request.project, "outputs": outputs}, separators=(",", ":"), ensure_ascii=False)


def read_description(text: str) -> tuple[str, Mapping[str, str]] | None:
    """Project and fingerprints by address; None for any other text."""
    try:
        said = json.loads(text)
        project, outputs = said["project"], said["outputs"]
    except (ValueError, TypeError, KeyError):
        return None
    if not isinstance(project, str) or not isinstance(outputs, dict):
        return None
    return project, {str(address): str(fingerprint) for address, fingerprint in outputs.items()}


def contradicts(text: str, request: JobRequest) -> bool:
    """Whether a job's description says that it makes something else than `request` wants."""
    said = read_description(text)
    if said is None:
        return False
    project, outputs = said
    wanted = {output.address: output.fingerprint for output in request.outputs}
    return project != request.project or any(outputs.get(address) != mark for address, mark in wanted.items())


def names_in(params: Mapping[str, object]) -> list[str]:
    """The names of the outputs of an echoed document, flat or wrapped."""
    inner = params.get("app")
    if "data" not in params and isinstance(inner, Mapping):
        return names_in(inner)
    data = params.get("data")
    outputs = data.get("outputs") if isinstance(data, Mapping) else None
    listed = outputs if isinstance(outputs, list) else []
    return [str(one["name"]) for one in listed if isinstance(one, Mapping) and one.get("name")]


def _output_template(whole: Mapping[str, object]) -> str:
    inner = whole.get("app")
    if "data" not in whole and isinstance(inner, Mapping):
        return _output_template(inner)
    data = whole.get("data")
    said = data.get("output_template") if isinstance(data, Mapping) else None
    return said if isinstance(said, str) and said else DEFAULT_TEMPLATE
