"""A file behind a link that is read here and there by ranged requests, never as a whole.

The link carries its own signature: no credential of ours is sent along, and the session it is read through says
which addresses may be connected to.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests

from reconciler.core.errors import RejectedError
from reconciler.io.answers import BROKEN, RANGE_NOT_SATISFIABLE, get, in_words, range_start, refuse_hopeless, validators
from reconciler.io.redact import shown

# What may be transferred of one file, in bytes.
LIMIT = 4 * 1024 * 1024

_BLOCK = 32 * 1024
# Blocks that are asked for at once when a file is read in order: doubled with every request, up to this many.
_MOST_BLOCKS = 16
_TRIES = 3
_NAP = 0.3
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_CONTENT_RANGE = re.compile(r"bytes \d{1,18}-\d{1,18}/\d{1,18}")


class LinkError(OSError):
    """A link cannot be read as it should; `status` is what the server answered, where that is why."""

    def __init__(self, words: str, *, status: int | None = None) -> None:
        super().__init__(words)
        self.status = status


class RangedFile(io.RawIOBase):
    """A file of `size` bytes that can be read and sought in."""

    def __init__(
        self,
        session: requests.Session,
        url: str,
        *,
        limit: int = LIMIT,
        sleep: Callable[[float], None] = time.sleep,
        tries: int = _TRIES,
    ) -> None:
        """Ask for the first block, which also tells the size. Raises LinkError."""
        super().__init__()
        self._session, self._url, self._sleep, self._tries = session, url, sleep, tries
        self._left = limit
        self._blocks: dict[int, bytes] = {}
        self._position = 0
        self._last, self._ahead = -1, 1
        # Set by a server that knows no ranges: what was read of the whole file, from its beginning.
        self._head: bytes | None = None
        self.size = -1
        self._fetch(0, 1)

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be sought in."""
        return True

    def tell(self) -> int:
        """The position, in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position; nothing is asked for until something is read."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise ValueError("a position before the beginning of the file")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer, which typing calls Buffer from 3.12 on
        """Fill `buffer` as far as the file goes. Raises LinkError."""
        view = memoryview(buffer).cast("B")
        data = self._read(self._position, min(len(view), max(0, self.size - self._position)))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def read(self, size: int | None = -1, /) -> bytes:
        """The next `size` bytes, fewer only at the end of the file."""
        rest = max(0, self.size - self._position)
        data = self._read(self._position, rest if size is None or size < 0 else min(size, rest))
        self._position += len(data)
        return data

    def _read(self, start: int, count: int) -> bytes:
        if self._head is not None:
            return self._of_head(start, count)
        end = start + count
        numbers = range(start // _BLOCK, (end - 1) // _BLOCK + 1) if count else range(0)
        for number in numbers:
            if number not in self._blocks:
                self._fetch(number, self._wanted(number, numbers[-1]))
        data = b"".join(self._blocks[number] for number in numbers)
        skipped = start - numbers[0] * _BLOCK if count else 0
        return data[skipped : skipped + count]

    def _of_head(self, start: int, count: int) -> bytes:
        assert self._head is not None, "a server without ranges"
        if start + count > len(self._head):
            raise self._too_much()
        return self._head[start : start + count]

    def _wanted(self, number: int, last: int) -> int:
        """How many blocks to ask for at once: more and more while a file is read in order."""
        self._ahead = min(2 * self._ahead, _MOST_BLOCKS) if number == self._last + 1 else 1
        there = max(1, -(-self.size // _BLOCK) - number)
        return min(max(self._ahead, last - number + 1), there)

    def _fetch(self, number: int, count: int) -> None:
        """Bring blocks, with another try where the trouble may pass."""
        words = ""
        for attempt in range(self._tries):
            if attempt:
                self._sleep(_NAP * 2**attempt)
            try:
                status = self._ask(number, count)
            except BROKEN as error:
                _refuse(error, self._url)
                words = in_words(error)
                continue
            if status not in _PASSING:
                return
            words = f"it answered {status}"
        times = f", {self._tries} times" if self._tries > 1 else ""
        raise LinkError(f"{shown(self._url)} cannot be read: {words}{times}")

    def _ask(self, number: int, count: int) -> int:
        """One request; the status. What it brings is kept."""
        start = number * _BLOCK
        room = min(count * _BLOCK, self._left)
        if room <= 0:
            raise self._too_much()
        with _asked(self._session, self._url, start, start + room - 1) as response:
            status = response.status_code
            if status == requests.codes.partial_content:
                self._keep(number, start, room, response)
            elif status == requests.codes.ok and number == 0 and self.size < 0:
                self._keep_head(response)
            elif status == RANGE_NOT_SATISFIABLE and start == 0:
                self.size, self._head = 0, b""
            elif status not in _PASSING:
                raise LinkError(f"{shown(self._url)} answered {status}", status=status)
            return status

    def _keep(self, number: int, start: int, room: int, response: requests.Response) -> None:
        total = validators(response).total
        said = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if said is None or range_start(response) != start or total is None or self.size not in {-1, total}:
            raise LinkError(f"{shown(self._url)} gives another part of the file than was asked for")
        self.size = total
        wanted = min(room, total - start)
        data = response.raw.read(wanted, decode_content=False)
        self._left -= len(data)
        if len(data) < wanted:
            raise requests.ConnectionError("the answer ended too early")
        for index in range(-(-len(data) // _BLOCK)):
            block = data[index * _BLOCK : (index + 1) * _BLOCK]
            if len(block) == _BLOCK or start + index * _BLOCK + len(block) == total:
                self._blocks[number + index] = block
                self._last = number + index
        if number not in self._blocks:
            raise self._too_much()

    def _keep_head(self, response: requests.Response) -> None:
        """A server that sends all of it: as much is taken as may be."""
        total = validators(response).total
        if total is None:
            raise LinkError(f"{shown(self._url)} does not say how long the file is")
        wanted = min(total, self._left)
        data = response.raw.read(wanted, decode_content=False)
        self._left -= len(data)
        if len(data) < wanted:
            raise requests.ConnectionError("the answer ended too early")
        self.size, self._head = total, data

    def _too_much(self) -> LinkError:
        return LinkError(f"{shown(self._url)} cannot be looked at with the few bytes that are read of it")


def size_of(session: requests.Session, url: str, *, sleep: Callable[[float], None] = time.sleep) -> int:
    """How long a file is, by its first byte: a signed link refuses HEAD. Raises LinkError."""
    words = ""
    for attempt in range(_TRIES):
        if attempt:
            sleep(_NAP * 2**attempt)
        try:
            with _asked(session, url, 0, 0) as response:
                total, status = validators(response).total, response.status_code
        except BROKEN as error:
            _refuse(error, url)
            words = in_words(error)
            continue
        if status in {requests.codes.ok, requests.codes.partial_content} and total is not None:
            return total
        if status == RANGE_NOT_SATISFIABLE:
            return 0
        if status not in _PASSING:
            raise LinkError(f"{shown(url)} answered {status}", status=status)
        words = f"it answered {status}"
    raise LinkError(f"{shown(url)} cannot be read: {words}, {_TRIES} times")


@contextmanager
def _asked(session: requests.Session, url: str, first: int, last: int) -> Iterator[requests.Response]:
    try:
        response = get(session, url, {"Range": f"bytes={first}-{last}"})
    except RejectedError as error:
        raise LinkError(str(error)) from error
    with response:
        yield response


def _refuse(error: Exception, url: str) -> None:
    """Raise for what no second try mends."""
    try:
        refuse_hopeless(error, url)
    except RejectedError as refused:
        raise LinkError(str(refused)) from error
