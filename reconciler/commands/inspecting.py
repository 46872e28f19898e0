"""The checks of a spec on what a provider holds: the file is brought here, measured, and thrown away."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

import requests

from reconciler.core.checks import CheckResult
from reconciler.core.copies import FromLink
from reconciler.core.encode import Output
from reconciler.core.ports import Fetch
from reconciler.edges.package_origins import LinkedOrigin
from reconciler.ffmpeg import binary
from reconciler.ffmpeg.comparison import Subject
from reconciler.ffmpeg.package_quality import check_output
from reconciler.ffmpeg.quality import Checker
from reconciler.io.download import Watch
from reconciler.io.link_stream import LinkStream
from reconciler.io.linked_packages import is_package_link


class Inspector:
    """Implements core.ports.Inspect."""

    def __init__(
        self, fetch: Fetch, environment: Mapping[str, str], new_session: Callable[[bool], requests.Session], cpus: int
    ) -> None:
        self._fetch, self._environment, self._new_session, self._cpus = fetch, environment, new_session, cpus

    def __call__(self, held: FromLink, output: Output) -> tuple[CheckResult, ...]:
        """See core.ports.Inspect."""
        program = binary.find(self._environment)
        checker = Checker(program, self._environment, time.monotonic, threads=self._cpus)
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reconciler-checks-")))
            path = folder / f"output.{output.parameters.container or 'media'}"
            if is_package_link(held.url):
                self._bring_package(held, path, stack)
            else:
                self._bring(held, path, stack)
            subject = Subject(str(path), output.parameters, output.source, self._source(output))
            return check_output(checker, subject, output.checks, _untold, _never)

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


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)


def _untold(_fraction: float) -> None:
    """How far a measurement is, is not shown for what runs elsewhere."""


def _never() -> bool:
    return False


_WATCH = Watch(lambda _done, _total: None, _never, time.sleep)
