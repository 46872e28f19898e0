"""A file behind a link, read in order to its end, whatever breaks on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import requests

from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.io import answers
from reconciler.io.answers import BROKEN, PrivateAddressError, Validators
from reconciler.io.download import CHUNK, PROGRESS, TRIES, Watch, check_cancelled, pause
from reconciler.io.redact import shown

# How often a link may die while one file is read.
_RENEWALS = 20
_DEAD = frozenset({400, 401, 403, 410})


class LinkStream:
    """The bytes of one version of a file. `total` is its length, as soon as `begin` has asked for it.

    No credential is sent along: the link carries its own. A connection that breaks is gone on with by Range, a
    link that died is renewed by `renew`.
    """

    def __init__(self, session: requests.Session, url: str, renew: Callable[[], str], watch: Watch) -> None:
        self._session, self._url, self._renew, self._watch = session, url, renew, watch
        self._version = Validators()
        self._renewals = self._renewed_at = 0
        self._first: requests.Response | None = None
        self.done = 0
        self.total: int | None = None

    def begin(self) -> None:
        """Ask for the file. Raises RejectedError, UnavailableError."""
        self._first = self._again(self._ask)
        self._version = answers.validators(self._first)
        self.total = self._version.total

    def pieces(self) -> Iterator[bytes]:
        """All of it, in order. Raises as `begin`, and for content that changed meanwhile."""
        tries, furthest = 0, 0
        while True:
            problem = ""
            try:
                response = self._first or self._again(self._ask)
                self._first = None
                with response:
                    yield from self._received(response)
            except BROKEN as error:
                answers.refuse_hopeless(error, self._url)
                problem = answers.in_words(error)
            if self.done == self.total or (self.total is None and not problem):
                return
            problem = problem or "the server stopped"
            tries, furthest = (0, self.done) if self.done >= furthest + PROGRESS else (tries + 1, furthest)
            if tries >= TRIES:
                words = f"{shown(self._url)} cannot be read: {problem} ({self.done:,} bytes came). Try again later."
                raise UnavailableError(words)
            pause(self._watch, self._url, min(2.0 ** (tries - 1), 10.0) if tries else 0.0)

    def _again(self, ask: Callable[[], requests.Response]) -> requests.Response:
        """One answer, with other tries where asking breaks."""
        for tried in range(1, TRIES + 1):
            check_cancelled(self._watch, self._url)
            try:
                return ask()
            except BROKEN as error:
                answers.refuse_hopeless(error, self._url)
                if tried == TRIES:
                    words = f"{shown(self._url)} cannot be reached: {answers.in_words(error)}. Try again later."
                    raise answers.unavailable(error, words) from error
                pause(self._watch, self._url, min(2.0 ** (tried - 1), 10.0))
        raise AssertionError("the last try returns or raises")

    def _ask(self) -> requests.Response:
        headers = {"Range": f"bytes={self.done}-"} if self.done else {}
        if self.done and self._version.strong:
            headers["If-Range"] = self._version.strong
        response = answers.get(self._session, self._url, headers)
        try:
            if response.status_code in _DEAD and self._may_renew():
                response.close()
                self._url = self._renew()
                return self._ask()
            answers.refuse_status(response, self._url)
        except BaseException:
            response.close()
            raise
        return response

    def _may_renew(self) -> bool:
        """A fresh link that brought nothing is not renewed again: then it is not its age."""
        if self._renewals and (self.done == self._renewed_at or self._renewals >= _RENEWALS):
            return False
        self._renewals, self._renewed_at = self._renewals + 1, self.done
        return True

    def _received(self, response: requests.Response) -> Iterator[bytes]:
        """What one answer brings, from where we are; what is here already is skipped."""
        skip = 0
        if self.done:
            if not self._version.agrees(answers.validators(response)):
                raise UnavailableError(f"{shown(self._url)} changed while it was read. Try again.")
            if response.status_code != requests.codes.partial_content:
                skip = self.done
            elif answers.range_start(response) != self.done:
                raise requests.HTTPError("the server sent another part of the file than was asked for")
        for chunk in _chunks(response):
            check_cancelled(self._watch, self._url)
            piece, skip = chunk[skip:], max(0, skip - len(chunk))
            if piece:
                self.done += len(piece)
                if self.total is not None and self.done > self.total:
                    raise RejectedError(f"{shown(self._url)} is longer than it says")
                yield piece


def renewable(error: RejectedError) -> bool:
    """Whether a fresh link might help where one was refused."""
    return not isinstance(error, PrivateAddressError)


def _chunks(response: requests.Response) -> Iterator[bytes]:
    if response.raw.chunked:
        yield from response.raw.stream(CHUNK, decode_content=False)
        return
    while chunk := response.raw.read1(CHUNK, decode_content=False):
        yield chunk
