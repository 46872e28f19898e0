"""The sources of jobs, opened here for a look at their headers: what was made is compared with what it was made of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast
from urllib.parse import urlsplit

import requests

from reconciler.bytenite.data_sources import Sign
from reconciler.core.encode import Source
from reconciler.core.errors import ProviderError
from reconciler.core.ports import Fetch
from reconciler.core.provider_types import from_environment
from reconciler.io.ranged import LinkError, RangedFile

# The index of a long film, which may stand at its end.
_LIMIT = 32 * 1024 * 1024


@dataclass(slots=True)
class Origins:
    """Opens sources. Safe in threads. A server that gave no answer once is not asked again."""

    fetch: Fetch
    environment: Mapping[str, str]
    links: Callable[[], requests.Session]
    sign: Sign
    _silent: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def opened(self, source: Source) -> Iterator[IO[bytes] | None]:
        """A source that can be read and sought in; None where it cannot be had from here."""
        with self.links() as session:
            file = None
            with suppress(ProviderError, OSError):
                file = self._open(source, session)
            try:
                yield file
            finally:
                if file is not None:
                    file.close()

    def _open(self, source: Source, session: requests.Session) -> IO[bytes] | None:
        """Raises ProviderError, OSError."""
        if source.kind == "file":
            return Path(self.fetch(source, _untold, _never).path).open("rb")
        if source.kind == "store":
            source = self.sign(source)
        if source.kind != "http":
            return None
        said = (source.location, source.username, source.password)
        url, username, password = (from_environment(text, self.environment, source.identity) for text in said)
        if username:
            session.auth = (username, password)
        return self._asked(session, url)

    def _asked(self, session: requests.Session, url: str) -> IO[bytes] | None:
        server = urlsplit(url).netloc
        with self._lock:
            if server in self._silent:
                return None
        try:
            return cast("IO[bytes]", RangedFile(session, url, limit=_LIMIT, tries=1))
        except LinkError as error:
            if error.status is None:
                with self._lock:
                    self._silent.add(server)
            raise


def _untold(_done: int, _total: int | None) -> None:
    """Nobody follows this."""


def _never() -> bool:
    """Nobody ends this."""
    return False
