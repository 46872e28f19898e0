"""What servers say of the sources now: one ranged GET of a byte each, many at a time, never longer than it may be.

A GET, since a signed URL refuses HEAD. Nothing is tried twice: whoever asks can go on without an answer.
"""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

from reconciler.core.encode import Source
from reconciler.core.errors import ProviderError, RejectedError
from reconciler.core.evidence import Content, content_of
from reconciler.io import answers
from reconciler.io.answers import BROKEN, RANGE_NOT_SATISFIABLE
from reconciler.io.redact import shown

AT_ONCE = 24
SECONDS = 10.0

_ENVIRONMENT = re.compile(r"^\$\{env\.([A-Za-z_][A-Za-z0-9_]*)\}$")
_LOOK = 0.05
# As much of a body is read that the connection can be used again; a longer one costs more than a new connection.
_SHORT = 1024


@dataclass(frozen=True, slots=True)
class Unseen:
    """A source of which nothing was learnt.

    `server` (host and port) is named where it gave no answer, so that it can be told once for all its sources.
    """

    why: str
    server: str | None = None


@dataclass(slots=True)
class _Run:
    """One look at many sources, shared by its workers."""

    tasks: queue.SimpleQueue[Source]
    results: queue.SimpleQueue[tuple[str, Content | Unseen]]
    clock: Callable[[], float]
    begun: dict[str, float] = field(default_factory=dict)
    mutex: threading.Lock = field(default_factory=threading.Lock)

    def late(self, seconds: float) -> list[str]:
        """The sources that were begun so long ago."""
        with self.mutex:
            return [identity for identity, since in self.begun.items() if self.clock() - since > seconds]


class SourceLooks:
    """Looks at remote sources. A server that gave no answer is not asked again by the same object."""

    def __init__(
        self,
        environment: Mapping[str, str],
        new_session: Callable[[], requests.Session],
        clock: Callable[[], float],
        *,
        at_once: int = AT_ONCE,
        seconds: float = SECONDS,
    ) -> None:
        """`new_session` opens a session that checks addresses; each worker has one. `seconds` is for one source."""
        self._environment, self._new_session, self._clock = environment, new_session, clock
        self._at_once, self._seconds = at_once, seconds
        self._silent: set[str] = set()

    def look(
        self, sources: Iterable[Source], cancelled: Callable[[], bool] = lambda: False
    ) -> dict[str, Content | Unseen]:
        """What is seen of each remote source, by identity; each is asked once. Other kinds are left out.

        After a cancel, what was not seen yet is missing.
        """
        wanted = {source.identity: source for source in sources if source.kind == "http"}
        run = _Run(queue.SimpleQueue(), queue.SimpleQueue(), self._clock)
        for source in wanted.values():
            run.tasks.put(source)
        for _ in range(min(self._at_once, len(wanted))):
            self._work(run)
        found: dict[str, Content | Unseen] = {}
        while len(found) < len(wanted) and not cancelled():
            self._take(run, found)
        return found

    def _take(self, run: _Run, found: dict[str, Content | Unseen]) -> None:
        """Take one result, and give up what takes too long; its worker is lost, another one takes its place."""
        try:
            identity, seen = run.results.get(timeout=_LOOK)
            found.setdefault(identity, seen)
        except queue.Empty:
            for identity in run.late(self._seconds):
                with run.mutex:
                    run.begun.pop(identity, None)
                if identity not in found:
                    found[identity] = Unseen(f"no answer within {self._seconds:g} s")
                    self._work(run)

    def _work(self, run: _Run) -> None:
        # A daemon: a server that sends a byte now and then must not keep the program from ending.
        threading.Thread(target=self._until_done, args=(run,), name="look at sources", daemon=True).start()

    def _until_done(self, run: _Run) -> None:
        with self._new_session() as session:
            while True:
                try:
                    source = run.tasks.get_nowait()
                except queue.Empty:
                    return
                with run.mutex:
                    run.begun[source.identity] = run.clock()
                run.results.put((source.identity, self._seen(session, source)))
                with run.mutex:
                    run.begun.pop(source.identity, None)

    def _seen(self, session: requests.Session, source: Source) -> Content | Unseen:
        try:
            url = located(source, self._environment)
            server = urlsplit(url).netloc.rpartition("@")[2]
        except (RejectedError, ValueError) as error:
            return Unseen(str(error))
        if server in self._silent:
            return Unseen("it gave no answer before", server)
        try:
            return _asked(session, url)
        except _NoAnswerError as error:
            self._silent.add(server)
            return Unseen(str(error), server)
        except ProviderError as error:
            # The source is named by whoever tells it; a path from the environment may be a secret.
            return Unseen(_without(str(error), url))


class _NoAnswerError(Exception):
    """A server that could not be asked at all."""


def _asked(session: requests.Session, url: str) -> Content:
    """One byte, and all that the answer says. Raises ProviderError, _NoAnswerError."""
    try:
        with answers.get(session, url, {"Range": "bytes=0-0"}) as response:
            if response.status_code != RANGE_NOT_SATISFIABLE:
                answers.refuse_status(response, url)
            seen = content_of(response.status_code, response.headers)
            if int(response.headers.get("Content-Length") or _SHORT) < _SHORT:
                response.raw.read(_SHORT)
            return seen
    except BROKEN as error:
        answers.refuse_hopeless(error, url)
        if isinstance(error, requests.HTTPError):
            raise RejectedError(answers.in_words(error)) from error
        raise _NoAnswerError(answers.in_words(error)) from error
    except ValueError as error:
        raise RejectedError("its answer is no proper one") from error


def _without(words: str, url: str) -> str:
    """An error without the URL that it begins with."""
    name = shown(url)
    return words.removeprefix(f"{name} ").replace(name, "it")


def located(source: Source, environment: Mapping[str, str]) -> str:
    """The URL of a remote source, from the environment where the spec says so. Raises RejectedError."""
    match = _ENVIRONMENT.match(source.location)
    if match is None:
        return source.location
    url = environment.get(match[1])
    if not url:
        raise RejectedError(f"the environment variable {match[1]} is not set; it holds the URL")
    if not url.lower().startswith(("http://", "https://")):
        raise RejectedError(f"{match[1]} must hold an http or https URL")
    return url


def silent_servers(looked: Mapping[str, Content | Unseen]) -> Mapping[str, Sequence[str]]:
    """The servers that gave no answer, and which sources that concerns: one warning a server."""
    found: dict[str, list[str]] = {}
    for identity, seen in looked.items():
        if isinstance(seen, Unseen) and seen.server is not None:
            found.setdefault(seen.server, []).append(identity)
    return found
