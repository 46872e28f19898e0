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
    document = _bare(sent)
    if "data" not in document:
        return list(_differences("", sent, echoed))
    # A preset is deprecated, and says nothing of the bits: a server may drop it.
    said = {key: value for key, value in document.items() if key != "preset"}
    around = {key: value for key, value in sent.items() if sent is not document and key not in _WRAPPERS}
    found = list(_differences("", said, _bare(echoed)))
    return found + list(_differences("", around, _outer(echoed))) if around else found


def _bare(document: object) -> Mapping[str, object]:
    """The encoding document in its wrappings."""
    if not isinstance(document, Mapping):
        return {}
    for wrapper in _WRAPPERS:
        inner = document.get(wrapper)
        if "data" not in document and isinstance(inner, Mapping) and inner:
            return _bare(inner)
    return document


def _outer(echoed: object) -> object:
    """What stands around an echoed document that may be the whole of a job's `params`."""
    inner = echoed.get("params") if isinstance(echoed, Mapping) else None
    return inner if isinstance(inner, Mapping) else echoed


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
        ours, theirs = _shown(sent), _shown(echoed)
        another = "another one" if ours == theirs else theirs  # they differ in what is not told
        yield f"{path}: {ours} was sent, {another} came back"


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
    return value is None or value in ("", [], {}, ())


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
    if not isinstance(value, str | int | float):
        return "something else"
    text = redact(str(value))
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
    return f'"{text}"' if isinstance(value, str) else text
