"""A local file on its way to the address that the provider gave for it, streamed."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import requests

from reconciler.bytenite.limits import back_off
from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.io.answers import BROKEN, in_words, refuse_hopeless
from reconciler.io.redact import shown

_TRIES = 3
_CONNECT_SECONDS, _PIECE_SECONDS = 5.0, 60.0
# What a storage server answers to an address whose signature has died.
_EXPIRED = frozenset({400, 401, 403, 404, 410})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class AddressExpiredError(RejectedError):
    """The address does not take the file; a new one may."""


def upload(
    session: requests.Session, url: str, path: Path, sleep: Callable[[float], None], dice: random.Random
) -> None:
    """Put a file, as often as it takes within reason; nothing of ours but its bytes and their number is sent.

    Raises AddressExpiredError, RejectedError, UnavailableError.
    """
    problem = ""
    for attempt in range(_TRIES):
        if attempt:
            sleep(back_off(attempt, dice))
        try:
            status = _put(session, url, path)
        except BROKEN as error:
            refuse_hopeless(error, url)
            problem = in_words(error)
            continue
        if status in _EXPIRED:
            raise AddressExpiredError(f"{shown(url)} does not take the upload of {path.name}: it answered {status}")
        if 200 <= status < 300:
            return
        if status not in _PASSING:
            raise RejectedError(f"{shown(url)} does not take the upload of {path.name}: it answered {status}")
        problem = f"it answered {status}"
    raise UnavailableError(f"{path.name} cannot be uploaded to {shown(url)}: {problem}, {_TRIES} times")


def _put(session: requests.Session, url: str, path: Path) -> int:
    try:
        with path.open("rb") as file:
            # requests sends the length of a file in advance and reads it piece by piece.
            timeout = (_CONNECT_SECONDS, _PIECE_SECONDS)
            with session.put(url, data=file, timeout=timeout, allow_redirects=False, stream=True) as response:
                return response.status_code
    except FileNotFoundError as error:
        raise RejectedError(f"{path.name} cannot be uploaded: it is not there any more") from error
