"""Sources: brought to this machine for an encode, looked at for a plan."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISREG
from urllib.parse import quote, urlsplit

import requests

from reconciler.core.encode import Source
from reconciler.core.errors import CredentialsError, NotReadyError, ProviderError, RejectedError, UnavailableError
from reconciler.core.ports import Fetched, SourceSeen
from reconciler.core.provider_types import from_environment
from reconciler.edges.object_sources import signed
from reconciler.edges.source_cache import Entry, Kept, SourceCache
from reconciler.io.answers import PrivateAddressError, UnreachableError, Validators
from reconciler.io.download import Watch, check_cancelled, download, look, pause
from reconciler.io.http import session
from reconciler.io.redact import shown

# How often a server is asked whether it still has what is kept, and how long another process is waited for.
_LOOKS = 3
_WAIT_SECONDS = 0.2
# Where people name the certificates of their own authorities, for curl and requests alike.
_AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_ENVIRONMENT = re.compile(r"^\$\{env\.([A-Za-z_][A-Za-z0-9_]*)\}$")


@dataclass(frozen=True, slots=True)
class Trust:
    """What flags and environment allow: private addresses, folders of absolute paths, variables, bytes a source."""

    allow_private: bool = False
    media_roots: tuple[Path, ...] = ()
    max_bytes: int = 1 << 40


class SourceFetcher:
    """Brings sources to this machine. Holds what it fetched in use until `close`."""

    def __init__(
        self,
        project: Path,
        cache: SourceCache,
        environment: Mapping[str, str],
        trust: Trust,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._project, self._cache, self._environment, self._trust = project, cache, environment, trust
        self._sleep = sleep
        self._session = session(allow_private=trust.allow_private, authorities=_authorities(environment))
        self._private = session(allow_private=True, authorities=_authorities(environment))
        self._entries: list[Entry] = []
        self._done: dict[str, Fetched] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._silent: set[str] = set()
        self._mutex = threading.Lock()

    def fetch(
        self, source: Source, report: Callable[[int, int | None], None], cancelled: Callable[[], bool]
    ) -> Fetched:
        """The source as a local file. Raises RejectedError, UnavailableError."""
        if source.kind == "file":
            return self._local(source, report, cancelled)
        with self._mutex:
            lock = self._locks.setdefault(source.identity, threading.Lock())
        with lock:
            if source.identity in self._done:
                return replace(self._done[source.identity], seconds=0.0, cached=True)
            opened = self._opened(source)
            with _named(source, self._url(opened)):
                fetched = self._remote(opened, Watch(report, cancelled, self._sleep))
            self._done[source.identity] = fetched
            return fetched

    def probe(self, source: Source) -> Validators:
        """What a remote source's server says of it now, by one ranged GET. Raises as `fetch`."""
        url = self._url(self._opened(source))
        with _named(source, url), self._answering(url):
            return look(self._session_for(source), url, Validators())[1]

    def close(self) -> None:
        """Let other processes remove what was fetched."""
        for entry in self._entries:
            entry.release()
        self._session.close()
        self._private.close()

    def _session_for(self, source: Source) -> requests.Session:
        """What a provider at a private address holds lies at one, too; anything else only by the user's word."""
        return self._private if source.private else self._session

    def _local(
        self, source: Source, report: Callable[[int, int | None], None], cancelled: Callable[[], bool]
    ) -> Fetched:
        began = time.monotonic()
        path = confined(self._project, source.location, self._trust.media_roots)
        try:
            stat = path.stat()
            if not S_ISREG(stat.st_mode):
                raise RejectedError(f"{source.location} is not a file")
            # Only a pin must be known before the encode; whoever encodes computes any other digest beside it.
            digest = None
            if source.sha256 is not None:
                digest = self._cache.digest(path, lambda done: _follow(source, done, stat.st_size, report, cancelled))
            path.open("rb").close()
        except OSError as error:
            raise RejectedError(f"{source.location} cannot be read: {error.strerror}") from error
        seen = SourceSeen(source.identity, size=stat.st_size, mtime_ns=stat.st_mtime_ns, sha256=digest)
        return Fetched(str(path), seen, stat.st_size, time.monotonic() - began, cached=True)

    def _remote(self, source: Source, watch: Watch) -> Fetched:
        began = time.monotonic()
        url = self._url(source)
        try:
            entry, kept, cached = self._brought(source, url, watch)
        except OSError as error:
            raise UnavailableError(
                f"the cache of sources, {self._cache.folder}, cannot be used: {error.strerror or error}.\n"
                "RECONCILER_CACHE names another folder."
            ) from error
        seen = SourceSeen(source.identity, size=kept.size, sha256=kept.sha256)
        return Fetched(str(entry.folder / kept.file), seen, kept.size, time.monotonic() - began, cached)

    @contextmanager
    def _answering(self, url: str) -> Iterator[None]:
        """Ask no server again that gave no answer in this run. Raises UnavailableError."""
        server = _server(url)
        if server in self._silent:
            raise UnavailableError(f"{shown(url)} cannot be reached: {server} gave no answer before, in this run")
        try:
            yield
        except UnreachableError:
            self._silent.add(server)
            raise

    def _brought(self, source: Source, url: str, watch: Watch) -> tuple[Entry, Kept, bool]:
        """The entry that holds a source's content now, and whether it was there before."""
        entry = self._cache.entry(source.identity)
        entry.use()
        self._entries.append(entry)
        with entry.fetching(lambda: pause(watch, url, _WAIT_SECONDS)):
            check_cancelled(watch, url)
            kept = entry.kept()
            if kept is not None and self._still_good(source, url, kept, watch):
                entry.touch()
                return entry, kept, True
            target = entry.folder / "fetched"
            with self._answering(url):
                got = download(self._session_for(source), url, target, watch, limit=self._trust.max_bytes)
            kept = entry.keep(target, got.size, got.sha256, got.validators)
        self._cache.evict()
        return entry, kept, False

    def _still_good(self, source: Source, url: str, kept: Kept, watch: Watch) -> bool:
        """Whether what is kept is what the server has. A pinned source needs no server, a dead link is no loss."""
        if source.sha256 == kept.sha256:
            return True
        with self._answering(url):
            for tried in range(1, _LOOKS):
                try:
                    return self._same(source, url, kept)
                except UnavailableError:
                    pause(watch, url, 2.0 ** (tried - 1))
            return self._same(source, url, kept)

    def _same(self, source: Source, url: str, kept: Kept) -> bool:
        try:
            return look(self._session_for(source), url, kept.validators)[0]
        except PrivateAddressError:
            # Fetched when that was allowed, perhaps for another project.
            raise
        except RejectedError:
            return True

    def _opened(self, source: Source) -> Source:
        """An object in a store, behind a link that opens it; anything else as it is."""
        try:
            return signed(source, self._environment) if source.kind == "store" else source
        except CredentialsError as error:
            raise NotReadyError(str(error)) from None

    def _url(self, source: Source) -> str:
        """The URL to fetch, with its login where it has one: requests sends that to its own host only."""
        url = self._address(source)
        if not source.username:
            return url
        password = self._password(source)
        scheme, _, rest = url.partition("://")
        return f"{scheme}://{quote(source.username, safe='')}:{quote(password, safe='')}@{rest}"

    def _password(self, source: Source) -> str:
        if not source.password:
            return ""
        try:
            return from_environment(source.password, self._environment, source.identity)
        except CredentialsError as error:
            raise NotReadyError(str(error)) from None

    def _address(self, source: Source) -> str:
        match = _ENVIRONMENT.match(source.location)
        if match is None:
            return source.location
        url = self._environment.get(match[1])
        if not url:
            raise NotReadyError(f"{source.identity}: the environment variable {match[1]} is not set; it holds the URL")
        if not url.lower().startswith(("http://", "https://")):
            raise RejectedError(f"{source.identity}: {match[1]} must hold an http or https URL")
        return url


def _authorities(environment: Mapping[str, str]) -> str | None:
    """The file of certificates that the environment names; one that is not there is as none."""
    named = (environment.get(name) for name in _AUTHORITIES)
    return next((path for path in named if path and Path(path).is_file()), None)


def _server(url: str) -> str:
    """Host and port of a URL; the same for all that are no URL, which nobody is asked for."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def _follow(
    source: Source, done: int, total: int, report: Callable[[int, int | None], None], cancelled: Callable[[], bool]
) -> None:
    """Tell how far the reading of a local source is, and end it if it was cancelled."""
    report(done, total)
    if cancelled():
        raise UnavailableError(f"the reading of {source.location} was stopped; the next apply begins it anew")


@contextmanager
def _named(source: Source, url: str) -> Iterator[None]:
    """Errors name the source, and not a URL of the environment: its path may be as secret as its query."""
    try:
        yield
    except ProviderError as error:
        told = str(error).replace(shown(url), source.identity)
        if source.kind == "store":
            raise type(error)(told) from None
        if _ENVIRONMENT.match(source.location) is None:
            raise
        path = re.split("[?#]", url.partition("://")[2].partition("/")[2])[0]
        raise type(error)(told.replace(path, "...") if len(path) > 3 else told) from None


def confined(project: Path, location: str, media_roots: Sequence[Path]) -> Path:
    """The file at `location`, symlinks resolved. Raises RejectedError if it lies outside project and media roots."""
    try:
        path = (project / location).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        # A loop of links is a RuntimeError before Python 3.13, an OSError since.
        raise RejectedError(f"{location} leads nowhere") from error
    if any(path.is_relative_to(root.resolve()) for root in (project, *media_roots)):
        return path
    raise RejectedError(f"{location} leads out of the project folder; allow its folder with --media-root DIR")


def in_words(source: Source, found: Validators) -> str:
    """What a look at a remote source found, as a line."""
    size = f"{found.total:,} bytes" if found.total is not None else "size not told"
    version = "a version that can be told apart" if found.strong else "no version: a change would not be seen"
    return f"{shown(source.identity)}: reachable, {size}, {version}"
