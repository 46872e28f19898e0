"""A ByteNite encoding document as outputs of ours, so that the guide's own templates run here, too.

What has a word of ours becomes a parameter: a template and its twin in our terms share a fingerprint. All else
that is not empty is kept as an extra, which is hashed under its own path, and is sent as it stands in the file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.bytenite.leaves import Leaves, Path
from reconciler.bytenite.output_names import Read, names_of
from reconciler.bytenite.template_errors import TemplateError, TemplateProblems
from reconciler.bytenite.translation import Extra, translated

__all__ = ["Template", "TemplateError", "TemplateOutput", "TemplateProblems", "read_template"]

_DEEPEST = 32
_GUIDE = 'Write the JSON document of the guide:  {"data": {"outputs": [{"output_type": "mp4", "output_params": ...}]}}'
# What says nothing of an output's bits: names, the shape of the package, and what servers add to their echoes.
_SAYS_NOTHING = (
    ("data", "output_template"), ("data", "output_code_template"), ("preset",), ("schema",),
    ("selectedOutputs",), ("selected_outputs",),
)  # fmt: skip
# Where a mapping must stand, if anything does.
_SECTIONS = (
    ("output_params",),
    *(("output_params", section) for section in ("aspect", "audio", "video")),
    *(("output_params", "aspect", part) for part in ("cropping", "orientation", "padding", "resolution")),
    *(("output_params", "video", part) for part in ("bitrate", "codec_params", "frame_rate")),
)


@dataclass(frozen=True, slots=True)
class TemplateOutput:
    """One entry of `data.outputs`.

    `parameters` is what a spec would say under an output, `extras` what has no word of ours, as
    `bytenite.<path>`; `original` is the entry as it stands in the file.
    """

    name: str
    parameters: Mapping[str, object]
    extras: Mapping[str, Extra]
    original: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Template:
    """A whole document, without the `params` that it may have been wrapped in."""

    document: Mapping[str, object]
    outputs: tuple[TemplateOutput, ...]


def read_template(document: object, *, named: bool = True) -> Template:
    """The outputs of a document that is bare, under `params`, under `app`, or both.

    Not `named`: outputs get no names of ours, so that theirs may be equal or empty.

    Raises:
        TemplateProblems: with everything that is wrong with it.
    """
    problems = list(_not_json(document, ()))
    if problems:
        raise TemplateProblems(problems)
    found = _found(document, ())
    entries = _entries(found)
    read = [_output(entry, found) for entry in entries]
    names = names_of(read, (*found.path, "data", "outputs")) if named else [""] * len(read)
    return Template(found.whole, tuple(TemplateOutput(name, *rest) for name, rest in zip(names, read, strict=True)))


@dataclass(frozen=True, slots=True)
class _Found:
    """The encoding document in what was given: where it stands, and what stands around it."""

    inner: Mapping[str, object]
    path: Path
    whole: Mapping[str, object]
    beside: Mapping[str, object]


def _not_json(value: object, path: Path) -> Iterator[TemplateError]:
    """What JSON has no way to say, which inline YAML may hold."""
    if len(path) > _DEEPEST:
        yield TemplateError(path[:4], "is nested too deeply", f"No document has more than {_DEEPEST} levels.")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(key, str):
                yield from _not_json(inner, (*path, key))
            else:
                yield TemplateError(path, f"the key {key!r} is no text", f'Write it in quotes: "{key}".')
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _not_json(inner, (*path, index))
    elif isinstance(value, float) and not math.isfinite(value):
        yield TemplateError(path, f"{value} is no number that JSON has", "Write a plain number.")
    elif value is not None and not isinstance(value, str | int | float):
        yield TemplateError(path, f"a {type(value).__name__} is nothing that JSON has", "Write it in quotes.")


def _found(document: object, path: Path) -> _Found:
    """The document in its wrappings."""
    if not isinstance(document, Mapping):
        raise TemplateProblems([TemplateError(path, "an encoding document is a mapping", _GUIDE)])
    if "data" in document:
        return _Found(document, path, document, {})
    if "params" in document:
        return _found(document["params"], (*path, "params"))
    if "app" in document:
        inside = _found(document["app"], (*path, "app"))
        beside = {key: value for key, value in document.items() if key != "app"}
        return _Found(inside.inner, inside.path, document, {**inside.beside, **beside})
    hint = f'Put "outputs" under "data". {_GUIDE}' if "outputs" in document else _GUIDE
    raise TemplateProblems([TemplateError(path, 'there is no "data" in it', hint)])


def _entries(found: _Found) -> list[Mapping[str, object]]:
    data = found.inner["data"]
    path = (*found.path, "data")
    if not isinstance(data, Mapping):
        raise TemplateProblems([TemplateError(path, "must be a mapping", _GUIDE)])
    outputs = data.get("outputs")
    path = (*path, "outputs")
    if not isinstance(outputs, list | tuple) or not outputs:
        raise TemplateProblems([TemplateError(path, "must be a list with at least one output", _GUIDE)])
    problems = [problem for index, one in enumerate(outputs) for problem in _misshapen(one, (*path, index))]
    if problems:
        raise TemplateProblems(problems)
    return list(outputs)


def _misshapen(entry: object, path: Path) -> Iterator[TemplateError]:
    if not isinstance(entry, Mapping):
        yield TemplateError(path, "an output is a mapping", _GUIDE)
        return
    if not isinstance(entry.get("name") or "", str):
        yield TemplateError((*path, "name"), "a name is text", 'Write it in quotes, for example "720p".')
    for section in _SECTIONS:
        value: object = entry
        for key in section:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value and not isinstance(value, Mapping):
            yield TemplateError((*path, *section), "must be a mapping", "Take the document that the console shows.")


def _output(entry: Mapping[str, object], found: _Found) -> Read:
    leaves = Leaves(entry)
    leaves.take("name")
    parameters = translated(leaves)
    return parameters, {**_around(found), **_extras(leaves)}, entry


def _around(found: _Found) -> dict[str, Extra]:
    """What the document says of all its outputs, and has no word of ours."""
    data = found.inner["data"]
    assert isinstance(data, Mapping)
    others = {key: value for key, value in data.items() if key != "outputs"}
    leaves = Leaves({**found.beside, **found.inner, "data": others})
    for path in _SAYS_NOTHING:
        leaves.drop(path)
    return _extras(leaves)


def _extras(leaves: Leaves) -> dict[str, Extra]:
    return {f"bytenite.{_dotted(path)}": _plain(value) for path, value in sorted(leaves.items())}


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(json.dumps(key, ensure_ascii=False) if "." in key or not key else key for key in path)


def _plain(value: object) -> Extra:
    if isinstance(value, str | int | float):
        return value
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
