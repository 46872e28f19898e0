"""The encoding document of a job as outputs that ffmpeg makes, or in words why it cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.bytenite import naming
from reconciler.bytenite.template import TemplateError, TemplateOutput, read_template
from reconciler.core import combinations
from reconciler.core.encode import Output, Source
from reconciler.core.errors import Place, Problem
from reconciler.core.nodes import MapNode, from_plain
from reconciler.core.parameters import Parameters
from reconciler.core.ports import JobRequest
from reconciler.core.validation import validated
from reconciler.core.written import Written
from reconciler.server.errors import invalid
from reconciler.server.files import LONGEST_NAME

_UNNAMED = "{{if .name}}{{.name}}{{else}}{{.job_name}}{{end}}"
_MOST_OUTPUTS = 100
# What every output has to have a codec for, and how that is said.
_PARTS = {
    "video": '{"codec": "libx264", "bitrate": {"rate_control_mode": "constant_quality", "crf": 23}}',
    "audio": '{"audio_codec": "AAC", "audio_bitrate": "160k"}',
}
_NOWHERE = Place("", 1, 1)


@dataclass(frozen=True, slots=True)
class Rendition:
    """One output: what to make, and the name of its file."""

    parameters: Parameters
    file: str


def is_empty(params: object) -> bool:
    """Whether a document says nothing at all, as clients send it that set it later."""
    if isinstance(params, Mapping):
        return "data" not in params and all(is_empty(value) for value in params.values())
    return params in (None, "", [])


def renditions(params: Mapping[str, Any], job_name: str) -> list[Rendition]:
    """The outputs of a document. Raises ApiError that names the field for what cannot be made here."""
    try:
        template = read_template(params, named=False)
        files = [_file_name(_output_template(params), job_name, output) for output in template.outputs]
    except TemplateError as error:
        raise invalid("; ".join(_words(each) for each in error.problems[:5])) from error
    if len(files) > _MOST_OUTPUTS:
        raise invalid(f"data.outputs: at most {_MOST_OUTPUTS} outputs in a job")
    for name, count in Counter(files).items():
        if count > 1:
            raise invalid(
                f"data.output_template: {count} outputs would be named {name!r}; give them names of their own"
            )
    made = [_parameters(output, index) for index, output in enumerate(template.outputs)]
    return [Rendition(parameters, file) for parameters, file in zip(made, files, strict=True)]


def request_for(job_id: str, run: str, name: str, source: Source, wanted: Sequence[Rendition]) -> JobRequest:
    """What the provider is asked for. `run` is the one try that this is, in hexadecimal digits."""
    outputs = tuple(
        Output(
            address=f"{job_id}/{index}",
            encode=job_id,
            name=str(index),
            source=source,
            parameters=rendition.parameters,
            manifest={},
            fingerprint=run,
            provider="server",
            path=f"outputs/{run}/{index}/{rendition.file}",
            place=_NOWHERE,
        )
        for index, rendition in enumerate(wanted)
    )
    return JobRequest(run, name, "server", job_id, source, outputs)


def _output_template(params: Mapping[str, Any]) -> str:
    inner: Any = params
    while "data" not in inner:
        inner = inner["params"] if "params" in inner else inner["app"]
    return str(inner["data"].get("output_template") or _UNNAMED)


def _file_name(output_template: str, job_name: str, output: TemplateOutput) -> str:
    name = naming.file_name(output_template, job_name, output.original).replace("/", "_").replace("\\", "_")
    if name.startswith(".") or not name.isprintable() or len(name.encode()) > LONGEST_NAME:
        why = f", which has at most {LONGEST_NAME} bytes" if len(name.encode()) > LONGEST_NAME else ""
        raise TemplateError(("data", "output_template"), f"{name[:60]!r} cannot be the name of a file{why}")
    return name


def _parameters(output: TemplateOutput, index: int) -> Parameters:
    where = f"data.outputs[{index}]"
    for field in output.extras:
        name = field.removeprefix("bytenite.")
        raise invalid(f"{where}.{name}: this server cannot make {str(output.extras[field])[:60]!r}; leave it out")
    for part, example in _PARTS.items():
        said = output.parameters.get(part)
        if not isinstance(said, Mapping) or "codec" not in said:
            raise invalid(f"{where}.output_params.{part}: no codec is named; for example {example}")
    problems: list[Problem] = []
    node = from_plain(output.parameters)
    assert isinstance(node, MapNode), "parameters are a mapping"
    parameters = validated(Parameters, node, where, problems)
    if parameters is not None:
        problems += combinations.problems(parameters, Written(node, where, None))
    if parameters is None or problems:
        raise invalid("; ".join(_told(problem, where) for problem in problems[:5]))
    return combinations.canonical(parameters)


def _told(problem: Problem, where: str) -> str:
    path = problem.path or where
    return ". ".join([f"{path}: {problem.message}", *(hint.rstrip(".") for hint in problem.hints[:1])])


def _words(error: TemplateError) -> str:
    return f"{error}. {error.hint}" if error.hint else str(error)
