"""What a server's answer says of a file, and in which words it is refused."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

import requests
import urllib3

from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.io.http import CONNECT_SECONDS, MAX_REDIRECTS, READ_SECONDS, AddressRefusedError
from reconciler.io.redact import shown

BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, ConnectionError, TimeoutError)
RANGE_NOT_SATISFIABLE = 416

_WHOLE_OR_PART = frozenset({200, 203, 206})
_PASSING = frozenset({408, 425, 429})
# Server errors that no second try mends; all others may pass.
_FOR_GOOD = frozenset({501, 505})
# Encodings that change the bytes; `aws-chunked`, which S3 keeps of an upload, does not.
_COMPRESSED = frozenset({"gzip", "x-gzip", "compress", "x-compress", "deflate", "br", "zstd"})
_LONGEST_NUMBER = 18


class PrivateAddressError(RejectedError):
    """A source leads to an address that is not public, and nobody allowed that."""


class UnreachableError(UnavailableError):
    """A server that gave no answer at all."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server says of a file's version; `total` in bytes."""

    etag: str = ""
    modified: str = ""
    total: int | None = None

    @property
    def strong(self) -> str:
        """What a request may say in If-Range; empty where nothing tells two versions apart."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified

    def agrees(self, other: Validators) -> bool:
        """Whether nothing that both say differs. A server need not repeat all of it with a part (RFC 9110 15.3.7)."""
        mine, theirs = (self.etag, self.modified, self.total), (other.etag, other.modified, other.total)
        return all(one == two or not one or not two for one, two in zip(mine, theirs, strict=True))


def get(session: requests.Session, url: str, headers: dict[str, str]) -> requests.Response:
    """Ask for `url`; the body is not read yet. Raises what is in BROKEN, and RejectedError for what is no URL."""
    try:
        return session.get(url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS))
    except requests.TooManyRedirects as error:
        raise RejectedError(f"{shown(url)} redirects more than {MAX_REDIRECTS} times") from error
    except ValueError as error:
        # What requests cannot take as a URL, at first or after a redirect.
        raise RejectedError(f"{shown(url)} is, or redirects to, something that is no http or https URL") from error


def validators(response: requests.Response) -> Validators:
    """The version that an answer is of."""
    total = response.headers.get("Content-Range", "").rpartition("/")[2]
    if response.status_code not in {requests.codes.partial_content, RANGE_NOT_SATISFIABLE}:
        total = response.headers.get("Content-Length", "")
    return Validators(_text(response, "ETag"), _text(response, "Last-Modified"), _number(total))


def range_start(response: requests.Response) -> int | None:
    """The first byte that a 206 brings."""
    return _number(response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0])


def refuse_status(response: requests.Response, url: str) -> None:
    """Raise for an answer that brings no file: RejectedError, or requests.HTTPError where it may pass."""
    status = response.status_code
    if status in _PASSING or (status >= requests.codes.server_error and status not in _FOR_GOOD):
        raise requests.HTTPError(f"the server answered {_named(status)}")
    if status in {401, 403}:
        raise RejectedError(
            f"{shown(url)} answered {_named(status)}: a signed link may have expired, or needs credentials"
        )
    if status not in _WHOLE_OR_PART:
        raise RejectedError(f"{shown(url)} answered {_named(status)}")
    encoding = response.headers.get("Content-Encoding", "").lower()
    if any(name.strip() in _COMPRESSED for name in encoding.split(",")):
        raise RejectedError(f"{shown(url)} is sent compressed ({encoding[:40]}), though its plain bytes were asked for")


def refuse_hopeless(error: Exception, url: str) -> None:
    """Raise RejectedError for a failure that no second try mends: a refused address, a wrong certificate."""
    for cause in _causes(error):
        if isinstance(cause, AddressRefusedError):
            raise PrivateAddressError(
                f"{shown(url)} is refused: {cause}. If that is meant: --allow-private-sources"
            ) from error
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise RejectedError(f"{shown(url)} is refused: its certificate does not prove who it is") from error


def unavailable(last: Exception | None, words: str) -> UnavailableError:
    """What to raise in the end, by what happened last; None if the server ended its answer too early."""
    # Only asking raises these; a body that breaks off raises urllib3's own.
    unanswered = isinstance(last, requests.ConnectionError | requests.Timeout)
    return UnreachableError(words) if unanswered else UnavailableError(words)


def in_words(error: Exception) -> str:
    """What broke, without the URL that libraries put into their messages."""
    if isinstance(error, requests.HTTPError):
        return str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return "no secure connection"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError):
        return "no answer in time"
    if any(isinstance(cause, urllib3.exceptions.NameResolutionError) for cause in _causes(error)):
        return "its name does not resolve"
    return "no connection" if isinstance(error, requests.ConnectionError) else "the connection broke"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error with all that it was made from: libraries hide causes in arguments, reasons and contexts."""
    found: BaseException | None = error
    while found is not None:
        yield found
        yield from (each for each in found.args if isinstance(each, BaseException))
        reason = getattr(found, "reason", None)
        found = reason if isinstance(reason, BaseException) else found.__cause__ or found.__context__


def _named(status: int) -> str:
    """A status in the standard's words; a server's own could hold anything."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _text(response: requests.Response, header: str) -> str:
    """A header that can be sent back as it is; empty where it cannot."""
    value = response.headers.get(header, "").strip()
    return value if value.isascii() and value.isprintable() else ""


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER else None
