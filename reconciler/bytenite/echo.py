"""Whether a server understood what it was sent: its echo, compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.bytenite.values import decimal, snake, truth
from reconciler.io.redact import redact

# Servers mask these, or leave them out of what they tell; and no text of ours may hold them.
_SECRET = frozenset({"password", "secret_key", "access_key", "username"})
# What one of the two may wrap the encoding document in.
_WRAPPERS = ("params", "app")
_RENAMED = {"s3": "aws", "local": "file"}
_LONGEST = 60


def echo_differences(sent: Mapping[str, object], echoed: object) -> list[str]:
    """What of a document, or of a data source body, is missing or different in the echo, a sentence each.

    What the server adds is no difference, nor is another spelling of a key or a number.
    """
    if "data" in _bare(sent):
        return list(_differences("", _bare(sent), _bare(echoed)))
    return list(_differences("", sent, echoed))


def _bare(document: object) -> Mapping[str, object]:
    """The encoding document in its wrappings."""
    if not isinstance(document, Mapping):
        return {}
    for wrapper in _WRAPPERS:
        inner = document.get(wrapper)
        if "data" not in document and isinstance(inner, Mapping) and inner:
            return _bare(inner)
    return document


def _differences(path: str, sent: object, echoed: object) -> Iterator[str]:
    if _is_empty(sent) and _is_empty(echoed):
        return
    if isinstance(sent, Mapping):
        if not isinstance(echoed, Mapping):
            yield f"{path or 'all of it'}: is missing"
            return
        known = {snake(str(key)): value for key, value in echoed.items()}
        for key, value in sent.items():
            yield from _member(f"{path}.{key}" if path else str(key), snake(str(key)), value, known)
    elif isinstance(sent, list | tuple):
        yield from _list(path, sent, echoed)
    elif not _same(sent, echoed):
        yield f"{path}: {_shown(sent)} was sent, {_shown(echoed)} came back"


def _member(path: str, key: str, value: object, known: Mapping[str, object]) -> Iterator[str]:
    if key in _SECRET or (_is_empty(value) and key not in known):
        return
    if key not in known:
        yield f"{path}: is missing"
    elif key == "data_source_descriptor":
        yield from _differences(path, _current(value), _current(known[key]))
    else:
        yield from _differences(path, value, known[key])


def _list(path: str, sent: list[object] | tuple[object, ...], echoed: object) -> Iterator[str]:
    if not isinstance(echoed, list | tuple) or len(echoed) != len(sent):
        count = len(echoed) if isinstance(echoed, list | tuple) else 0
        yield f"{path}: {len(sent)} were sent, {count} came back"
        return
    for index, (one, other) in enumerate(zip(sent, echoed, strict=True)):
        yield from _differences(f"{path}[{index}]", one, other)


def _current(descriptor: object) -> object:
    return _RENAMED.get(descriptor, descriptor) if isinstance(descriptor, str) else descriptor


def _is_empty(value: object) -> bool:
    """What an absent field may be echoed as."""
    return value is None or value in ("", [], {}, ()) or (value == 0 and not isinstance(value, bool)) or value == "0"


def _same(sent: object, echoed: object) -> bool:
    if isinstance(sent, bool) or isinstance(echoed, bool):
        return truth(sent) is not None and truth(sent) == truth(echoed)
    number = decimal(sent)
    if number is not None and not (isinstance(sent, str) and isinstance(echoed, str)):
        return number == decimal(echoed)
    return sent == echoed


def _shown(value: object) -> str:
    """A value as it may be told: no query of a URL, no credentials, not endless."""
    if value is None:
        return "nothing"
    text = redact(str(value)) if isinstance(value, str | int | float) else "something else"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
