"""Calls to a ByteNite server: with a token, within a rate, in time, and again where that is safe.

What may be asked again is said by each call: `always` (it changes nothing, or the same every time), `refused`
(it may make a second thing, so only after an answer that says that nothing was done), `never` (it costs money).
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import requests
from pydantic import SecretStr

from reconciler import __version__
from reconciler.bytenite.access import Access, AuthForm
from reconciler.bytenite.failures import (
    AnsweredError,
    NoTokenError,
    TroubledError,
    UnansweredError,
    failure,
    unanswered,
)
from reconciler.bytenite.limits import Limiter, back_off, retry_after
from reconciler.bytenite.tokens import Tokens
from reconciler.bytenite.wire import Token, WireError, error_of, read_token
from reconciler.core.errors import CredentialsError, ProviderError, RejectedError, UnavailableError
from reconciler.io.answers import BROKEN

CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
TRIES = 5

Repeat = Literal["always", "refused", "never"]

_UNAUTHORIZED, _TOO_MANY = 401, 429
# What a server answers that has no such path: it may be another server.
_NOTHING_THERE = frozenset({404, 405, 501})
_KEY = "Is the API key right?"
# A name that does not resolve will hardly do so in a moment.
_TRIES_TO_RESOLVE = 2

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One call below the root. `tries` is how often it may be made in all, where it may be repeated."""

    method: str
    path: str
    body: object = None
    query: Mapping[str, str] = field(default_factory=dict)
    repeat: Repeat = "always"
    tries: int = TRIES

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Clocks:
    """Time and chance: `now` is the wall clock, `monotonic` and `sleep` are in seconds."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    dice: random.Random = field(default_factory=random.Random)


class Client:
    """Makes calls. Safe in threads."""

    def __init__(self, access: Access, limiter: Limiter, clocks: Clocks, session: requests.Session) -> None:
        self.access = access
        self._limiter, self._clocks, self._session = limiter, clocks, session
        self._tokens = Tokens(self._exchange, clocks.monotonic)
        self._form: AuthForm = access.auth
        # Whether the server has ever taken the form in which the token is sent.
        self._form_proven = False

    def call(self, call: Call) -> object:
        """The JSON of the answer, None if it is empty.

        Raises AnsweredError, CredentialsError, TroubledError, UnansweredError and NoTokenError (see failures).
        """
        return self._repeated(call, self._authorized)

    def check_credentials(self) -> None:
        """Get a token, if there is none that is good. Raises as `call`."""
        self._tokens.get()

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def _repeated(self, call: Call, send: Callable[[Call], requests.Response]) -> object:
        """Make a call until it is answered for good, or may not be made again."""
        attempt = 0
        while True:
            attempt += 1
            asked: float | None = None
            try:
                response = send(call)
                asked = retry_after(response.headers.get("Retry-After"), self._clocks.now())
                return self._read(call, response)
            except TroubledError as error:
                again = call.repeat == "always" or (call.repeat == "refused" and error.status == _TOO_MANY)
                problem: ProviderError = error
            except UnansweredError as error:
                again = call.repeat == "always" and (error.resolves or attempt < _TRIES_TO_RESOLVE)
                problem = error
            if not again or attempt >= call.tries:
                raise problem
            pause = back_off(attempt, self._clocks.dice) if asked is None else asked
            if asked is not None:
                self._limiter.close_for(asked)
            _log.debug("%s: again in %.1f s, since %s", call, pause, problem)
            self._clocks.sleep(pause)

    def _authorized(self, call: Call) -> requests.Response:
        """One call with a token; a refused token is replaced once, and an unproven form by the other once."""
        refused: SecretStr | None = None
        for form, anew in self._ways():
            self._limiter.wait()
            if anew and refused is not None:
                self._tokens.drop(refused)
            token = refused = self._tokens.get()
            response = self._request(call, _Authorization(token, form))
            if response.status_code != _UNAUTHORIZED:
                self._form, self._form_proven = form, True
                break
        return response

    def _ways(self) -> list[tuple[AuthForm, bool]]:
        """The forms to try in turn, and whether with a new token."""
        other: AuthForm = "bearer" if self._form == "raw" else "raw"
        first, again = (self._form, False), (self._form, True)
        return [first, again] if self._form_proven else [first, (other, False), again]

    def _exchange(self) -> Token:
        """Get a token for the API key."""
        body = {"apiKey": self.access.api_key.get_secret_value().strip()}
        call = Call("POST", "/auth/access_token", body)
        try:
            return read_token(self._repeated(call, self._anonymous))
        except WireError as error:
            raise CredentialsError(f"{self.access.name}: no token was given: {error}") from error
        except RejectedError as error:
            nothing_there = isinstance(error, AnsweredError) and error.status in _NOTHING_THERE
            asked = "Is api_url that of a ByteNite API, and the API key right?" if nothing_there else _KEY
            raise CredentialsError(f"{str(error).rstrip('.')}. {asked}") from error
        except UnavailableError as error:
            # It was tried often enough: whoever wanted the token does not begin again.
            raise NoTokenError(str(error)) from error

    def _anonymous(self, call: Call) -> requests.Response:
        self._limiter.wait()
        return self._request(call, _Authorization(None, "raw"))

    def _request(self, call: Call, authorization: _Authorization) -> requests.Response:
        began = self._clocks.monotonic()
        try:
            # Redirects are not followed: a token goes where it was meant to go, a POST stays one.
            response = self._session.request(
                call.method,
                self.access.root + call.path,
                json=call.body,
                params=dict(call.query),
                auth=authorization,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
            )
        except BROKEN as error:
            _log.debug("%s: no answer after %d ms", call, 1000 * (self._clocks.monotonic() - began))
            raise unanswered(self.access.name, self.access.host, str(call), error) from error
        took = 1000 * (self._clocks.monotonic() - began)
        _log.debug("%s %d %d ms", call, response.status_code, took)
        return response

    def _read(self, call: Call, response: requests.Response) -> object:
        """The JSON of an answer, or the exception that it amounts to."""
        name, status = self.access.name, response.status_code
        if response.is_redirect or 300 <= status < 400:
            raise RejectedError(f"{name}: {call} is redirected, which is not followed; is api_url right?")
        text = response.content.decode("utf-8", errors="replace")
        error = error_of(status, text)
        if error is not None:
            raise failure(name, str(call), error)
        if not text.strip():
            return None
        return json.loads(text)


class _Authorization(requests.auth.AuthBase):
    """Puts a token into a request, or nothing: no file of passwords on this machine is asked."""

    def __init__(self, token: SecretStr | None, form: AuthForm) -> None:
        self._token, self._form = token, form

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            secret = self._token.get_secret_value()
            request.headers["Authorization"] = secret if self._form == "raw" else f"Bearer {secret}"
        return request


def api_session(access: Access) -> requests.Session:
    """A session for the API: the proxies and certificates of the environment count, but not on this machine."""
    made = requests.Session()
    made.trust_env = not access.loopback
    made.headers["User-Agent"] = f"encode-reconciler/{__version__}"
    made.headers["Accept"] = "application/json"
    return made
