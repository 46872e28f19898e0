"""The sources of a server's jobs: fetched through the shared cache, let go of when their job ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from reconciler.core.encode import Source
from reconciler.core.ports import Fetched
from reconciler.edges.source_cache import SourceCache
from reconciler.edges.sources import SourceFetcher, Trust

# What fetched sources may take together in the data folder, in bytes; those in use do not count.
CACHE_BYTES = 10_000_000_000
_AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


class ServedSources:
    """Implements server.ports.Sources. Each use has a fetcher of its own, since a fetcher never asks twice."""

    def __init__(self, data: Path, environment: Mapping[str, str], *, allow_private: bool) -> None:
        """`data` is the folder of the server. Of the environment, only the certificates are heeded."""
        self._data = data
        self._cache = SourceCache(data / "cache", CACHE_BYTES)
        self._environment = {name: environment[name] for name in _AUTHORITIES if name in environment}
        self._trust = Trust(allow_private=allow_private)
        self._open: dict[str, list[SourceFetcher]] = {}
        self._lock = threading.Lock()

    def fetch(
        self, source: Source, report: Callable[[int, int | None], None], cancelled: Callable[[], bool]
    ) -> Fetched:
        """See core.ports.Fetch; the file is kept until `release`."""
        fetcher = self._fetcher()
        with self._lock:
            self._open.setdefault(source.identity, []).append(fetcher)
        return fetcher.fetch(source, report, cancelled)

    def size(self, source: Source) -> int | None:
        """See server.ports.Sources."""
        fetcher = self._fetcher()
        try:
            return fetcher.probe(source).total
        finally:
            fetcher.close()

    def release(self, source: Source) -> None:
        """See server.ports.Sources."""
        with self._lock:
            fetchers = self._open.get(source.identity, [])
            fetcher = fetchers.pop() if fetchers else None
            if not fetchers:
                self._open.pop(source.identity, None)
        if fetcher is not None:
            fetcher.close()

    def _fetcher(self) -> SourceFetcher:
        return SourceFetcher(self._data, self._cache, self._environment, self._trust)
