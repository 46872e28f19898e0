"""The checks of a spec on what a provider holds: the file is brought here, measured, and thrown away."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import requests

from reconciler.commands.sending import Threads
from reconciler.core.checks import CheckResult
from reconciler.core.copies import FromLink
from reconciler.core.encode import Output
from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.core.ports import Fetch
from reconciler.core.state import Record
from reconciler.edges.package_origins import LinkedOrigin
from reconciler.ffmpeg import binary
from reconciler.ffmpeg.comparison import Subject
from reconciler.ffmpeg.package_quality import check_output
from reconciler.ffmpeg.quality import Checker
from reconciler.io.download import Watch
from reconciler.io.link_stream import LinkStream
from reconciler.io.linked_packages import is_package_link
from reconciler.io.redact import redact


class Inspector:
    """Implements core.ports.Inspect."""

    def __init__(
        self, fetch: Fetch, environment: Mapping[str, str], new_session: Callable[[bool], requests.Session], cpus: int
    ) -> None:
        self._fetch, self._environment, self._new_session, self._cpus = fetch, environment, new_session, cpus

    def __call__(
        self, held: FromLink, output: Output, cancelled: Callable[[], bool] = lambda: False
    ) -> tuple[CheckResult, ...]:
        """See core.ports.Inspect."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reconciler-checks-")))
            path = folder / f"output.{output.parameters.container or 'media'}"
            if is_package_link(held.url):
                self._bring_package(held, path, stack)
            else:
                self._bring(held, path, stack)
            return self.inspect(path, output, cancelled)

    def inspect(self, path: Path, output: Output, cancelled: Callable[[], bool]) -> tuple[CheckResult, ...]:
        """What was measured of a file on this machine. Raises as core.ports.Inspect."""
        subtitles = output.parameters.subtitles
        if output.checks.compares and subtitles is not None and subtitles.burn_in is not None:
            raise RejectedError("subtitles in its picture are compared only while it is made")
        checker = Checker(binary.find(self._environment), self._environment, time.monotonic, threads=self._cpus)
        subject = Subject(str(path), output.parameters, output.source, self._source(output))
        return check_output(checker, subject, output.checks, _untold, cancelled)

    def _bring(self, held: FromLink, path: Path, stack: ExitStack) -> None:
        session = stack.enter_context(self._new_session(held.private))
        stream = LinkStream(session, held.url, held.renew, _WATCH)
        stream.begin()
        _write(path, stream.pieces())

    def _bring_package(self, held: FromLink, folder: Path, stack: ExitStack) -> None:
        session = stack.enter_context(self._new_session(held.private))
        package = LinkedOrigin(held, session, _WATCH)
        for name in (*package.media, *package.playlists):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            pieces, _ = package.opened(name, _WATCH)
            _write(folder / name, pieces)

    def _source(self, output: Output) -> str | None:
        """The source as a file here, if a check compares with it."""
        if not output.checks.needs_source or output.source.kind == "lavfi":
            return None
        return self._fetch(output.source, lambda _done, _total: None, _never).path


class Measuring:
    """Implements apply.hands.Measure: one file after another, beside what else goes on."""

    def __init__(self, inspector: Inspector, project: Path) -> None:
        self._inspector, self._project = inspector, project
        self._threads = Threads("measure", 1)
        self._closed = threading.Event()
        self._pending: list[Future[tuple[CheckResult, ...]]] = []

    def __call__(
        self, output: Output, record: Record, link: FromLink | None, cancelled: Callable[[], bool]
    ) -> Future[tuple[CheckResult, ...]]:
        """See apply.hands.Measure."""
        pending: Future[tuple[CheckResult, ...]] = Future()
        stopped = lambda: self._closed.is_set() or cancelled()  # noqa: E731 - a fact in one line
        self._threads.put(lambda: self._measured(output, record, link, stopped), pending)
        self._pending.append(pending)
        return pending

    def close(self) -> None:
        """End what is still being measured, so that no process of it outlives this one."""
        self._closed.set()
        wait(self._pending, _GRACE)

    def _measured(
        self, output: Output, record: Record, link: FromLink | None, cancelled: Callable[[], bool]
    ) -> tuple[CheckResult, ...]:
        assert record.output is not None, "only a finished file is measured"
        if cancelled():
            raise UnavailableError("it was stopped")
        try:
            if link is None:
                return self._inspector.inspect(self._project / (record.output.path or ""), output, cancelled)
            return self._inspector(replace(link, url=link.renew()), output, cancelled)
        except OSError as error:
            raise UnavailableError(redact(str(error))) from error


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)


def _untold(_fraction: float) -> None:
    """How far a measurement is, is not shown for what runs elsewhere."""


def _never() -> bool:
    return False


# How long a measurement is waited for after it was told to end, in seconds.
_GRACE = 5.0

_WATCH = Watch(lambda _done, _total: None, _never, time.sleep)
