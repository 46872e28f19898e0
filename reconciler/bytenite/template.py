"""A ByteNite encoding document as outputs of ours, so that the guide's own templates run here, too.

What has a word of ours becomes a parameter: a template and its twin in our terms share a fingerprint. All else
that is not empty is kept as an extra, which is hashed under its own path, and is sent as it stands in the file.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.bytenite.leaves import Leaves, Path
from reconciler.bytenite.translation import Extra, translated
from reconciler.core.errors import ReconcilerError
from reconciler.core.names import LONGEST, name_error, normal

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


class TemplateError(ReconcilerError):
    """One thing that is wrong with a document: where (keys and indices from its top), what, and what would be right."""

    def __init__(self, path: Path, message: str, hint: str = "") -> None:
        super().__init__(f"{shown(path)}: {message}" if path else message)
        self.path = path
        self.message = message
        self.hint = hint

    @property
    def problems(self) -> tuple[TemplateError, ...]:
        """All that is wrong with the document."""
        return (self,)


class TemplateProblems(TemplateError):  # noqa: N818 - it is several errors, and speaks as the first of them
    """Everything that is wrong with a document."""

    def __init__(self, problems: Sequence[TemplateError]) -> None:
        first = problems[0]
        super().__init__(first.path, first.message, first.hint)
        self._problems = tuple(problems)

    @property
    def problems(self) -> tuple[TemplateError, ...]:
        """All that is wrong with the document."""
        return self._problems


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


def read_template(document: object) -> Template:
    """The outputs of a document that is bare, under `params`, under `app`, or both.

    Raises:
        TemplateProblems: with everything that is wrong with it.
    """
    problems = list(_not_json(document, ()))
    if problems:
        raise TemplateProblems(problems)
    found = _found(document, ())
    entries = _entries(found)
    read = [_output(entry, found) for entry in entries]
    names = _names(read, found)
    return Template(found.whole, tuple(TemplateOutput(name, *rest) for name, rest in zip(names, read, strict=True)))


def shown(path: Path) -> str:
    """A path as people write it: `data.outputs[0].name`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


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


def _output(
    entry: Mapping[str, object], found: _Found
) -> tuple[Mapping[str, object], Mapping[str, Extra], Mapping[str, object]]:
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


_Read = tuple[Mapping[str, object], Mapping[str, Extra], Mapping[str, object]]


def _names(read: Sequence[_Read], found: _Found) -> list[str]:
    """A name for each output; those that clash get their codecs, whatever their order."""
    first = [_slug(str(entry.get("name") or "")) or _from_height(entry) for _, _, entry in read]
    clashing = {name for name, count in Counter(map(str.casefold, first)).items() if count > 1}
    names = [
        f"{name}-{codec}" if name.casefold() in clashing and (codec := _codec(one)) else name
        for name, one in zip(first, read, strict=True)
    ]
    counts = Counter(map(str.casefold, names))
    path = (*found.path, "data", "outputs")
    problems = [
        TemplateError((*path, index, "name"), f'two outputs would be named "{name}"', "Give them names of their own.")
        for index, name in enumerate(names)
        if counts[name.casefold()] > 1
    ]
    problems += [
        TemplateError((*path, index, "name"), f'"{name}" cannot be a name: {why}', "Give it a shorter name.")
        for index, name in enumerate(names)
        if (why := name_error(name)) is not None
    ]
    if problems:
        raise TemplateProblems(problems)
    return names


def _slug(text: str) -> str:
    """`720p @4.5Mbps` is `720p-4.5Mbps`: what may not stand in a name becomes one hyphen."""
    kept = "".join(letter if name_error(f"a{letter}") is None else "-" for letter in normal(text))
    name = re.sub(r"-{2,}", "-", kept).strip("-").lstrip(".-")
    while name and name_error(name) is not None:
        # Too long, or it starts with a mark that belonged to a letter which is gone.
        name = name[:-1] if len(name.encode()) > LONGEST else name[1:]
    return name.rstrip("-")


def _from_height(entry: Mapping[str, object]) -> str:
    leaves = dict(Leaves(entry).items())
    at = ("output_params", "aspect", "resolution")
    height = leaves.get((*at, "height"))
    if height == "custom":
        height = leaves.get((*at, "custom_height"))
    digits = re.fullmatch(r"(\d{1,5})p?", str(height))
    return f"{int(digits[1])}p" if digits else "source"


def _codec(read: _Read) -> str:
    parameters, extras, _ = read
    video = parameters.get("video")
    known = video.get("codec") if isinstance(video, Mapping) else None
    return _slug(str(known or extras.get("bytenite.output_params.video.codec") or ""))
