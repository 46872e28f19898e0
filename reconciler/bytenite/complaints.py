"""What an answer of the API complains of, in whichever of its many shapes."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from reconciler.bytenite import values
from reconciler.io.redact import redact

_LONGEST = 300  # characters of a message
_MOST_READ = 20_000  # characters of a body
# The numbers of gRPC's errors, as its gateway turns them into HTTP.
_GRPC: Mapping[int, int] = {
    1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400, 12: 501,
    13: 500, 14: 503, 15: 500, 16: 401,
}  # fmt: skip
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_UNSEEN = re.compile(r"(?is)<(script|style|title|head)\b.*?(</\1\s*>|\Z)|<!--.*?(-->|\Z)")
_TITLE = re.compile(r"(?is)<title[^>]*>(.*?)</title>")
_TAG = re.compile(r"(?s)<[^>]*(>|\Z)")
# A value behind a word for something secret, however the two are joined.
_NAMED = re.compile(
    r"(?i)((?:signature|credential|security[-_]token|secret[-_ ]?(?:access[-_ ]?)?key|access[-_ ]?key|api[-_ ]?key"
    r"|password|passwd|secret|authorization)(?:\\?[\"'])?\s*[:=]\s*(?:\\?[\"'])?(?:bearer\s+|basic\s+)?)[^\s\"',;&<>}\\]+"
)
# Long words with letters and digits are no words: behind these they are credentials.
_AFTER = re.compile(
    r"(?i)\b((?:key|token|bearer|basic|secret)(?:\\?[\"'])?[\s:=]+(?:\\?[\"'])?)(?=\S{0,80}\d)[\w+/=.~-]{12,}"
)
_ALONE = re.compile(r"\beyJ[\w-]{4,}(?:\.[\w-]*){0,2}|\b(?:AKIA|ASIA|GOOG1)[A-Z0-9]{12,}")
_NOT_READY = re.compile(
    r"(?i)not (?:yet )?(?:been )?(?:yet )?(?:complete|finished|ready)|still (?:running|in progress)"
)
_BALANCE = re.compile(
    r"(?i)\bbalance\b|insufficient (?:funds|credit)|not enough (?:funds|credit|byte ?chip)|byte ?chips?\b"
)


@dataclass(frozen=True, slots=True)
class ApiError:
    """One complaint. `status` is the HTTP status that it amounts to, also where it came with a 200.

    `temporary`: trying again later may help. `not_ready`: results were asked for before the job's end.
    `balance`: the wallet does not suffice.
    """

    status: int
    message: str
    temporary: bool = False
    not_ready: bool = False
    balance: bool = False


def error_of(status: int, body_text: str) -> ApiError | None:
    """What is wrong with an answer; None if nothing is.

    A 2xx is good unless its body says otherwise, or is not the JSON that it should be; so this is for the API,
    not for the storage that uploads and links lead to.
    """
    text = body_text if status < 300 else body_text[:_MOST_READ]
    body, is_json = _parsed(text)
    if 200 <= status < 300:
        if not text.strip():
            return None
        if not is_json:
            return _error(502, _page_words(text) or "an answer that is no JSON", temporary=True)
        if not _complains(body):
            return None
        status = _amounts_to(body)
    return _error(status, _words(body, text, is_json=is_json) or _phrase(status))


def _parsed(text: str) -> tuple[object, bool]:
    try:
        return json.loads(text), True
    except (ValueError, RecursionError):
        return None, False


def _error(status: int, message: str, *, temporary: bool = False) -> ApiError:
    # A 400 that says "not yet" is no mistake of ours, so what the words say goes before the number.
    not_ready = _NOT_READY.search(message) is not None
    balance = status == 402 or (not not_ready and _BALANCE.search(message) is not None)
    again = (temporary or status in _TEMPORARY or not_ready) and not balance
    return ApiError(status, message, temporary=again, not_ready=not_ready, balance=balance)


def _complains(body: object) -> bool:
    """Whether the body of a 2xx says that it went wrong."""
    if not isinstance(body, Mapping):
        return False
    error = body.get("error")
    if values.truth(body.get("ok")) is False or (error and not _is_zero(error)):
        return True
    # A status of gRPC: no answer of the API has a code and a message, and nothing else.
    return bool(values.whole(body.get("code"))) and "message" in body and "ok" not in body


def _is_zero(error: object) -> bool:
    """An error that is emitted though there is none: code 0 and no words."""
    return isinstance(error, Mapping) and not any(error.values())


def _amounts_to(body: object) -> int:
    """The HTTP status of a complaint that came with a 2xx."""
    outer = values.optional_mapping(body) or {}
    inner = values.optional_mapping(outer.get("error")) or {}
    code = values.whole(inner.get("code")) or values.whole(outer.get("code")) or 0
    known = _GRPC.get(code, code)
    return known if 400 <= known < 600 else 400


def _words(body: object, text: str, *, is_json: bool) -> str:
    """The words for people: the most exact first."""
    if not is_json:
        return _page_words(text)
    if isinstance(body, str):
        return _safe(body)
    outer = values.optional_mapping(body) or {}
    error = outer.get("error")
    inner = values.optional_mapping(error) or {}
    said = (inner.get("description"), inner.get("message"), outer.get("message"), error, outer.get("detail"))
    return next((words for one in said if isinstance(one, str) and (words := _safe(one))), "")


def _page_words(text: str) -> str:
    """What a page or plain text says; broken JSON says nothing that is fit to be shown."""
    text = text[:_MOST_READ].strip()
    if text[:1] in {"{", "["}:
        return "an answer that breaks off"
    title = _TITLE.search(text)
    return _safe(_UNSEEN.sub(" ", text)) or (_safe(title[1]) if title else "")


def _safe(text: str) -> str:
    """Plain words on one line, without markup, credentials or signatures."""
    plain = html.unescape(_TAG.sub(" ", text)) if "<" in text else text
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in plain).split())
    hidden = _ALONE.sub("...", _AFTER.sub(r"\1...", _NAMED.sub(r"\1...", redact(line))))
    return hidden if len(hidden) <= _LONGEST else f"{hidden[: _LONGEST - 3]}..."


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"status {status}"
