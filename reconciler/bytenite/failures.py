"""What can go wrong between us and a ByteNite server, and the words for it."""

from __future__ import annotations

from collections.abc import Iterator

import requests
import urllib3

from reconciler.bytenite.complaints import ApiError
from reconciler.core.errors import CredentialsError, ProviderError, RejectedError, UnavailableError
from reconciler.io.answers import in_words

HOSTED = "api.bytenite.com"


class AnsweredError(RejectedError):
    """The server says no. `status` is the HTTP status that its answer amounts to; `not_ready`: not yet."""

    def __init__(self, words: str, *, status: int, not_ready: bool = False) -> None:
        super().__init__(words)
        self.status = status
        self.not_ready = not_ready


class TroubledError(UnavailableError):
    """The server answered that it cannot now, or answered what cannot be read; `status` as it answered."""

    def __init__(self, words: str, *, status: int) -> None:
        super().__init__(words)
        self.status = status


class UnansweredError(UnavailableError):
    """No answer came: nobody knows whether the call was carried out. `resolves`: the host has an address."""

    def __init__(self, words: str, *, resolves: bool = True) -> None:
        super().__init__(words)
        self.resolves = resolves


class NoTokenError(UnavailableError):
    """No token could be had, so the call itself was never made."""


def failure(provider: str, call: str, error: ApiError) -> ProviderError:
    """The exception for a complaint of the server."""
    words = f"{provider}: {call} was answered {error.status}: {error.message}"
    if error.balance:
        return CredentialsError(f"{provider}: the balance does not suffice: {error.message}")
    if error.status == requests.codes.unauthorized:
        return CredentialsError(f"{words}. Is the API key right, and has it not expired or been revoked?")
    if error.not_ready:
        return AnsweredError(words, status=error.status, not_ready=True)
    if error.temporary:
        return TroubledError(f"{words}. Try again later.", status=error.status)
    return AnsweredError(words, status=error.status)


def unanswered(provider: str, host: str, call: str, error: Exception) -> UnavailableError:
    """The exception for a call that got no answer."""
    if does_not_resolve(error):
        gone = "; the hosted service may be gone" if host == HOSTED else ""
        return UnansweredError(
            f"{provider}: {host} does not resolve{gone}; `reconciler serve` speaks the same API: "
            f"providers.{provider}.api_url",
            resolves=False,
        )
    return UnansweredError(f"{provider}: {call} got no answer from {host}: {in_words(error)}. Try again later.")


def does_not_resolve(error: BaseException) -> bool:
    """Whether a name server knows no address of the host."""
    return any(isinstance(one, urllib3.exceptions.NameResolutionError) for one in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error with what it was made from: urllib3 keeps a `reason`, requests an argument."""
    found: BaseException | None = error
    while found is not None:
        yield found
        hidden = next(
            (one for one in (getattr(found, "reason", None), *found.args) if isinstance(one, BaseException)), None
        )
        found = hidden or found.__cause__ or found.__context__
