"""Downloads that end whole or not at all, and go on where a connection broke."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.io import answers
from reconciler.io.answers import BROKEN, RANGE_NOT_SATISFIABLE, Validators
from reconciler.io.part import Part
from reconciler.io.redact import shown

CHUNK = 1 << 18
TRIES = 6
# So much more than ever before makes a broken connection count as a new one: large files break often.
PROGRESS = 1 << 20
_LOOK_FOR_CANCEL = 0.2
_NAP = 0.5


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


def download(session: requests.Session, url: str, target: Path, watch: Watch, *, limit: int) -> Downloaded:
    """Fetch `url` to `target`, which appears only when it is whole; at most `limit` bytes.

    A part left by a broken connection or an earlier process is gone on with if the server still has the same
    version. Raises RejectedError where trying again would not help, UnavailableError where it may (UnreachableError
    if no answer came at all).
    """
    part = Part(target.with_name(target.name + ".part"))
    part.load()
    tries, furthest, problem = 0, part.size, ""
    last: Exception | None = None
    while tries < TRIES:
        pause(watch, url, min(2.0 ** (tries - 1), 10.0) if tries else 0.0)
        tries += 1
        try:
            if _once(session, url, part, watch, limit):
                part.finish(target)
                return Downloaded(part.size, part.digest.hexdigest(), part.validators)
            problem, last = "the server stopped", None
        except BROKEN as error:
            check_cancelled(watch, url)
            answers.refuse_hopeless(error, url)
            problem, last = answers.in_words(error), error
        if part.size > 0:
            problem += f" ({_progress(part)})"
        if part.size >= furthest + PROGRESS:
            tries, furthest = 0, part.size
    words = f"{shown(url)} cannot be fetched: {problem}, {TRIES} times. Try again later."
    raise answers.unavailable(last, words)


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
        with answers.get(session, url, headers) as response:
            if response.status_code == requests.codes.not_modified:
                return True, known
            # The first byte of an empty file cannot be had, but its version is told.
            if response.status_code != RANGE_NOT_SATISFIABLE:
                answers.refuse_status(response, url)
            found = answers.validators(response)
    except BROKEN as error:
        answers.refuse_hopeless(error, url)
        raise answers.unavailable(error, f"{shown(url)} cannot be reached: {answers.in_words(error)}") from error
    return bool(known.strong and found.strong) and known.agrees(found), found


def pause(watch: Watch, url: str, seconds: float) -> None:
    """Wait, and look for a cancel before and meanwhile. Raises UnavailableError for one."""
    check_cancelled(watch, url)
    while seconds > 0:
        watch.sleep(min(seconds, _NAP))
        seconds -= _NAP
        check_cancelled(watch, url)


def check_cancelled(watch: Watch, url: str) -> None:
    """Raise UnavailableError if the download was cancelled."""
    if watch.cancelled():
        raise UnavailableError(f"the download of {shown(url)} was stopped; the next apply goes on with it")


def _once(session: requests.Session, url: str, part: Part, watch: Watch, limit: int) -> bool:
    """One request; whether the file is whole after it."""
    asked = part.size > 0 and bool(part.validators.strong)
    headers = {"Range": f"bytes={part.size}-", "If-Range": part.validators.strong} if asked else {}
    with answers.get(session, url, headers) as response, _cut_on_cancel(response, watch.cancelled):
        if asked and response.status_code == RANGE_NOT_SATISFIABLE:
            return _ends_there(response, part)
        answers.refuse_status(response, url)
        found = answers.validators(response)
        if response.status_code != requests.codes.partial_content:
            part.restart(found)
        elif not (asked and answers.range_start(response) == part.size and part.validators.agrees(found)):
            _begin_again(part)
        total = found.total if found.total is not None else part.validators.total
        _check_room(url, part, total, limit)
        _receive(response, url, part, watch, limit=limit, total=total)
    return part.size == total if total is not None else True


def _ends_there(response: requests.Response, part: Part) -> bool:
    """Nothing follows what is here: then the part is the whole file, if it is one of the same version."""
    found = answers.validators(response)
    if found.total != part.size or not part.validators.agrees(found):
        _begin_again(part)
    return True


def _begin_again(part: Part) -> None:
    """Forget a part that the server's answer does not go on with; the next request asks for the whole file."""
    part.restart(Validators())
    raise requests.HTTPError("the server sent another part of the file than was asked for")


def _receive(response: requests.Response, url: str, part: Part, watch: Watch, *, limit: int, total: int | None) -> None:
    with closing(part.append(_chunks(response))) as sizes:
        for size in sizes:
            if size > limit:
                part.discard()
                raise RejectedError(f"{shown(url)} is larger than the limit of {limit:,} bytes")
            watch.report(size, total)
            check_cancelled(watch, url)
    # A body without a length ends just so when it was cut on cancel.
    check_cancelled(watch, url)


def _chunks(response: requests.Response) -> Iterator[bytes]:
    """The body as it comes over the line; one that is shorter than announced is an error of urllib3's."""
    if response.raw.chunked:
        yield from response.raw.stream(CHUNK, decode_content=False)
        return
    # As much as there is, not a whole CHUNK: over a slow line that would come once a minute.
    while chunk := response.raw.read1(CHUNK, decode_content=False):
        yield chunk


@contextmanager
def _cut_on_cancel(response: requests.Response, cancelled: Callable[[], bool]) -> Iterator[None]:
    """Cut the connection as soon as `cancelled` says so, though the server may send nothing for long."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_LOOK_FOR_CANCEL):
            if cancelled():
                # A connection that is already gone needs no cut.
                with suppress(OSError, ValueError, RuntimeError):
                    response.raw.shutdown()
                return

    watcher = threading.Thread(target=watch, name="cancelled download", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _check_room(url: str, part: Part, total: int | None, limit: int) -> None:
    if total is None:
        return
    if total > limit:
        part.discard()
        raise RejectedError(f"{shown(url)} has {total:,} bytes, more than the limit of {limit:,}")
    free = part.free()
    if total - part.size > free:
        raise UnavailableError(
            f"{shown(url)} needs {total - part.size:,} bytes, but {part.path.parent} has {free:,} free"
        )


def _progress(part: Part) -> str:
    total = f" of {part.validators.total:,}" if part.validators.total is not None else ""
    return f"{part.size:,}{total} bytes are here"
