"""File names of results: the part of Go's text/template that `output_template` uses, and who a result belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote, urlsplit

from reconciler.bytenite.template import TemplateError
from reconciler.bytenite.wire import Result

_PATH = ("data", "output_template")
_HINT = (
    "Known are {{.job_name}}, {{.name}}, {{.output_params.Aspect.Resolution.Height}} and {{if X}}...{{else}}...{{end}}."
)
_ACTION = re.compile(r"\{\{(-\s)?(.*?)(\s-)?\}\}", re.DOTALL)
_MOST_ACTIONS = 100
_FIELD = re.compile(r"(\.[A-Za-z_]\w*)+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_VALUE = "<no value>"
_FOLDERS = frozenset({"hls", "dash"})  # packages of many files: a folder is named, not a file


def render(output_template: str, job_name: str, output: Mapping[str, object]) -> str:
    """What `output_template` makes of one entry of `data.outputs`.

    Raises:
        TemplateError: for syntax that is not known here.
    """
    data = {**output, "job_name": job_name.replace(" ", "_"), "name": output.get("name") or ""}
    tokens = list(_tokens(output_template))
    if len(tokens) > 2 * _MOST_ACTIONS + 1:
        raise TemplateError(_PATH, f"it has more than {_MOST_ACTIONS} actions", _HINT)
    text, rest = _block(tokens, data)
    if rest:
        raise TemplateError(_PATH, f"{{{{{rest[0][1]}}}}} without an {{{{if}}}}", _HINT)
    return text


def file_name(output_template: str, job_name: str, output: Mapping[str, object]) -> str:
    """The name of an output's file, with its extension; of a package (hls) that of its folder."""
    name = render(output_template, job_name, output)
    kind = str(output.get("output_type") or "")
    return name if kind in _FOLDERS or not kind else f"{name}.{kind}"


_Token = tuple[bool, str]  # whether it is an action, and its text


def _tokens(template: str) -> Iterator[_Token]:
    position, trim = 0, False
    for match in _ACTION.finditer(template):
        text = template[position : match.start()]
        text = text.lstrip() if trim else text
        yield False, text.rstrip() if match[1] else text
        yield True, " ".join(match[2].split())
        position, trim = match.end(), bool(match[3])
    rest = template[position:]
    if "{{" in rest:
        raise TemplateError(_PATH, "an action is not closed", _HINT)
    yield False, rest.lstrip() if trim else rest


def _block(tokens: list[_Token], data: Mapping[str, object]) -> tuple[str, list[_Token]]:
    """The text up to the action that ends this block, and what is left from that action on."""
    text = ""
    while tokens:
        (action, word), rest = tokens[0], tokens[1:]
        if not action:
            text, tokens = text + word, rest
        elif word.startswith("/*") and word.endswith("*/"):
            tokens = rest
        elif word in {"end", "else"} or word.startswith("else "):
            return text, tokens
        elif word.startswith("if "):
            chosen, tokens = _choice(word[3:], rest, data)
            text += chosen
        else:
            text, tokens = text + _text(_value(word, data)), rest
    return text, []


def _choice(condition: str, tokens: list[_Token], data: Mapping[str, object]) -> tuple[str, list[_Token]]:
    """What an `if` chooses, and what follows its `end`."""
    truth = bool(_value(condition, data))  # as in Go: neither zero nor empty
    then, rest = _block(tokens, data)
    if not rest:
        raise TemplateError(_PATH, "an {{if}} has no {{end}}", _HINT)
    word = rest[0][1]
    if word == "end":
        return then if truth else "", rest[1:]
    if word == "else":
        other, after = _block(rest[1:], data)
        if not after or after[0][1] != "end":
            raise TemplateError(_PATH, "an {{else}} has no {{end}}", _HINT)
        return then if truth else other, after[1:]
    if not word.startswith("else if "):
        raise TemplateError(_PATH, f"{{{{{word}}}}} is not known here", _HINT)
    other, after = _choice(word.removeprefix("else if "), rest[1:], data)
    return then if truth else other, after


def _value(word: str, data: Mapping[str, object]) -> object:
    if _FIELD.fullmatch(word) is None:
        raise TemplateError(_PATH, f"{{{{{word}}}}} is not known here", _HINT)
    value: object = data
    for name in word[1:].split("."):
        value = _member(value, name)
    return value


def _member(value: object, name: str) -> object:
    """A key as it is written, or the one that a Go field of that name is written as."""
    if not isinstance(value, Mapping):
        return None
    return value[name] if name in value else value.get(_CAMEL.sub("_", name).lower())


def _text(value: object) -> str:
    """A value as Go prints it."""
    if value is None:
        return _NO_VALUE
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{key}:{_text(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list | tuple):
        return f"[{' '.join(map(_text, value))}]"
    return str(value)


def match_results(results: Sequence[Result], names: Mapping[str, str]) -> dict[str, Result]:
    """The result of each output, found by the file name that `names` gives for it, never by position.

    An output is absent if no result has its name, or if that cannot be said for certain.
    """
    found = {output: _of(name, results) for output, name in names.items()}
    claimed = [result.name or result.link for result in found.values() if result is not None]
    return {
        output: result
        for output, result in found.items()
        if result is not None and claimed.count(result.name or result.link) == 1
    }


def _of(name: str, results: Sequence[Result]) -> Result | None:
    """The one result of a name: a file, a package's playlist or archive, or its folder."""
    for folded in (False, True):
        wanted = _folded(name) if folded else name
        paths = [(result, [_folded(part) if folded else part for part in _parts(result)]) for result in results]
        for suffix in ("", ".m3u8", ".zip"):
            fitting = [result for result, parts in paths if parts and parts[-1] == f"{wanted}{suffix}"]
            if fitting:
                return fitting[0] if len(set(fitting)) == 1 else None
        inside = [(result, parts) for result, parts in paths if wanted in parts[:-1]]
        playlists = [result for result, parts in inside if parts[-1].endswith((".m3u8", ".mpd"))]
        if len(inside) == 1 or len(playlists) == 1:
            return playlists[0] if playlists else inside[0][0]
    return None


def _parts(result: Result) -> list[str]:
    path = result.name or urlsplit(result.link).path
    return [unquote(part) for part in path.split("/") if part]


def _folded(name: str) -> str:
    """Servers write spaces as underscores, some of the time."""
    return unquote(name).replace(" ", "_")
