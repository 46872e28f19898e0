"""Downloads that end whole or not at all, and go on where a connection broke."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import requests
import urllib3

from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.io import atomic
from reconciler.io.http import CONNECT_SECONDS, READ_SECONDS, AddressRefusedError
from reconciler.io.redact import shown

CHUNK = 1 << 18
TRIES = 6
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, ConnectionError, TimeoutError)
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_RANGE_NOT_SATISFIABLE = 416


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


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A whole file: its size, digest and version."""

    size: int
    sha256: str
    validators: Validators


@dataclass(frozen=True, slots=True)
class Watch:
    """Who follows a download: `report` is told bytes so far and in all, `cancelled` may end it."""

    report: Callable[[int, int | None], None]
    cancelled: Callable[[], bool]
    sleep: Callable[[float], None]


@dataclass(slots=True)
class _Part:
    """The part of a file that is here: its path, its digest so far, and the version that it is of."""

    path: Path
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    validators: Validators = field(default_factory=Validators)

    @property
    def note(self) -> Path:
        return self.path.with_name(self.path.name + ".json")

    def load(self) -> None:
        """Take up what an earlier run left, if its version is known."""
        try:
            self.validators = Validators(**json.loads(self.note.read_text()))
            with self.path.open("rb") as file:
                self.digest = hashlib.file_digest(file, "sha256")
            self.size = self.path.stat().st_size
        except (OSError, ValueError, TypeError):
            self.restart(Validators())

    def restart(self, validators: Validators) -> None:
        """Begin again with a known version."""
        self.size, self.digest, self.validators = 0, hashlib.sha256(), validators
        self.path.write_bytes(b"")
        self.note.write_text(json.dumps(asdict(validators)))

    def finish(self, target: Path) -> None:
        """Give the whole file its final name."""
        atomic.fsync_file(self.path)
        atomic.publish(self.path, target)
        self.note.unlink(missing_ok=True)


def download(session: requests.Session, url: str, target: Path, watch: Watch, *, limit: int) -> Downloaded:
    """Fetch `url` to `target`, which appears only when it is whole; at most `limit` bytes.

    A part left by a broken connection or an earlier process is gone on with if the server still has the same
    version. Raises RejectedError where trying again would not help, UnavailableError where it may.
    """
    part = _Part(target.with_name(target.name + ".part"))
    part.load()
    problem = "the connection broke"
    for attempt in range(TRIES):
        if attempt:
            watch.sleep(min(2.0 ** (attempt - 1), 10.0))
        before = part.size
        try:
            if _once(session, url, part, watch, limit):
                part.finish(target)
                return Downloaded(part.size, part.digest.hexdigest(), part.validators)
        except _BROKEN as error:
            _refuse_address(error, url)
            problem = _in_words(error)
        _check_cancelled(watch, url)
        if part.size > before:
            problem = f"the connection broke after {part.size:,} bytes"
    total = f" of {part.validators.total:,}" if part.validators.total is not None else ""
    raise UnavailableError(f"{shown(url)} cannot be fetched: {problem}{total}, {TRIES} times. Try again later.")


def look(session: requests.Session, url: str, known: Validators) -> tuple[bool, Validators]:
    """Ask for one byte: whether the server still has the `known` version, and the version it has.

    A ranged GET, since a signed URL refuses HEAD. Raises as `download`.
    """
    headers = {"Range": "bytes=0-0"}
    if known.etag:
        headers["If-None-Match"] = known.etag
    elif known.modified:
        headers["If-Modified-Since"] = known.modified
    try:
        with session.get(url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as response:
            if response.status_code == requests.codes.not_modified:
                return True, known
            _refuse_status(response, url)
            found = _validators(response)
    except _BROKEN as error:
        _refuse_address(error, url)
        raise UnavailableError(f"{shown(url)} cannot be reached: {_in_words(error)}") from error
    return bool(known.strong) and found == known, found


def _once(session: requests.Session, url: str, part: _Part, watch: Watch, limit: int) -> bool:
    """One request; whether the file is whole after it."""
    headers = {"Range": f"bytes={part.size}-", "If-Range": part.validators.strong} if _can_go_on(part) else {}
    with session.get(url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as response:
        if response.status_code == _RANGE_NOT_SATISFIABLE:
            whole = part.size == part.validators.total
            if not whole:
                part.restart(Validators())
            return whole
        _refuse_status(response, url)
        found = _validators(response)
        if response.status_code != requests.codes.partial_content or _start(response) != part.size:
            part.restart(found)
        _check_room(url, part, found.total, limit)
        _receive(response, url, part, watch, limit)
    return part.size == found.total if found.total is not None else True


def _receive(response: requests.Response, url: str, part: _Part, watch: Watch, limit: int) -> None:
    with part.path.open("ab") as file:
        for chunk in _chunks(response):
            _check_cancelled(watch, url)
            try:
                file.write(chunk)
            except OSError as error:
                raise UnavailableError(f"{part.path.parent}: {os.strerror(error.errno or 0)}") from error
            part.digest.update(chunk)
            part.size += len(chunk)
            if part.size > limit:
                raise RejectedError(f"{shown(url)} is larger than the limit of {limit:,} bytes")
            watch.report(part.size, part.validators.total)


def _chunks(response: requests.Response) -> Iterator[bytes]:
    """The body as it comes over the line; a body that is shorter than announced is an error of urllib3's."""
    yield from response.raw.stream(CHUNK, decode_content=False)


def _can_go_on(part: _Part) -> bool:
    return part.size > 0 and bool(part.validators.strong)


def _validators(response: requests.Response) -> Validators:
    total = response.headers.get("Content-Range", "").rpartition("/")[2]
    if response.status_code != requests.codes.partial_content:
        total = response.headers.get("Content-Length", "")
    return Validators(
        etag=response.headers.get("ETag", ""),
        modified=response.headers.get("Last-Modified", ""),
        total=int(total) if total.isdecimal() else None,
    )


def _start(response: requests.Response) -> int | None:
    """The first byte that a 206 brings."""
    first = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    return int(first) if first.isdecimal() else None


def _refuse_status(response: requests.Response, url: str) -> None:
    status = response.status_code
    if status in _PASSING:
        raise requests.HTTPError(f"the server answered {status} {response.reason}")
    if status in {401, 403}:
        raise RejectedError(
            f"{shown(url)} answered {status} {response.reason}: a signed link may have expired, or needs credentials"
        )
    if status >= requests.codes.bad_request:
        raise RejectedError(f"{shown(url)} answered {status} {response.reason}")


def _refuse_address(error: Exception, url: str) -> None:
    """Turn a refused address, however deep inside, into words that say which switch lifts it."""
    found: BaseException | None = error
    while found is not None:
        refused = next((cause for cause in (found, *found.args) if isinstance(cause, AddressRefusedError)), None)
        if refused is not None:
            raise RejectedError(
                f"{shown(url)} is refused: {refused}. If that is meant: --allow-private-sources"
            ) from error
        reason = getattr(found, "reason", None)
        found = reason if isinstance(reason, BaseException) else found.__cause__ or found.__context__


def _in_words(error: Exception) -> str:
    """What broke, without the URL that libraries put into their messages."""
    if isinstance(error, requests.HTTPError):
        return str(error)
    if isinstance(error, requests.TooManyRedirects):
        return "too many redirects"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate does not prove who it is"
    if isinstance(error, requests.Timeout | TimeoutError):
        return "no answer in time"
    if "NameResolutionError" in repr(error):
        return "its name does not resolve"
    return "the connection broke" if not isinstance(error, requests.ConnectionError) else "no connection"


def _check_room(url: str, part: _Part, total: int | None, limit: int) -> None:
    if total is None:
        return
    if total > limit:
        raise RejectedError(f"{shown(url)} has {total:,} bytes, more than the limit of {limit:,}")
    free = shutil.disk_usage(part.path.parent).free
    if total - part.size > free:
        raise UnavailableError(
            f"{shown(url)} needs {total - part.size:,} bytes, but {part.path.parent} has {free:,} free"
        )


def _check_cancelled(watch: Watch, url: str) -> None:
    if watch.cancelled():
        raise UnavailableError(f"the download of {shown(url)} was stopped; the next apply goes on with it")
