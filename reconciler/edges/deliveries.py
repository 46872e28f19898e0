"""Copies of finished outputs: made in a folder or an object store, looked at, taken away again.

A copy has its final name only when it is whole and is what it was to be: in a folder it is written under another
name first; in a store an upload in parts is completed last, after the digest of all its bytes was compared.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from reconciler.core.delivery import DeliveredCopy, FromFile, FromLink, Presence, Request, Target
from reconciler.core.errors import ProviderError, RejectedError, UnavailableError
from reconciler.edges.delivered_folders import FolderCopies
from reconciler.edges.delivered_packages import StoredPackage, files_of
from reconciler.io.download import Watch, pause
from reconciler.io.hashing import sha256
from reconciler.io.link_stream import LinkStream
from reconciler.io.stores import Patience, Store, abandonable

Report = Callable[[int, int | None], None]

AT_ONCE = 4
# How often an upload is begun anew, beside what the store's own library tries again.
_TRIES = 4
_PIECE = 1 << 20
_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".m4s": "video/iso.segment",
    ".ts": "video/mp2t",
    ".mkv": "video/x-matroska",
    ".m4a": "audio/mp4",
}


@dataclass(frozen=True, slots=True)
class Outside:
    """What deliveries work with: the environment (credentials of stores), sessions that check
    addresses unless private ones are meant, sleep.

    Local folders lie in `project`, or in one of `roots`.
    """

    project: Path
    roots: tuple[Path, ...]
    environment: Mapping[str, str]
    new_session: Callable[[bool], requests.Session]
    sleep: Callable[[float], None]
    patience: Patience = field(default_factory=Patience)


class Deliveries:
    """Makes copies and looks after them; every method may be called from several threads at once.

    All raise CredentialsError where a store does not let us in, RejectedError where trying again would not help,
    UnavailableError where it may, or after a cancel.
    """

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._folders = FolderCopies(outside.project, outside.roots)

    def deliver(self, request: Request, report: Report, cancelled: Callable[[], bool]) -> DeliveredCopy:
        """Make one copy. `report` is told bytes so far and in all; a cancel ends it within seconds."""
        watch = Watch(report, cancelled, self._outside.sleep)
        if request.target.package and isinstance(request.origin, FromLink):
            raise RejectedError(f"{request.target.where} cannot be made: a package behind a link is many files")
        if not request.target.remote:
            with self._outside.new_session(_is_private(request)) as session:
                return self._folders.deliver(request, watch, session)
        store = self._store(request.target)
        what = f"the delivery to {request.target.where}"
        return abandonable(lambda: self._upload(store, request, watch), cancelled, what)

    def deliver_all(
        self,
        requests: Mapping[str, Request],
        report: Callable[[str, int, int | None], None],
        cancelled: Callable[[], bool],
        at_once: int = AT_ONCE,
    ) -> Iterator[tuple[str, DeliveredCopy | ProviderError]]:
        """Make several copies, some at a time; each is told when it is there, or why it is not.

        `report` is told the name of the copy first. After a cancel no further one is begun.
        """

        def one(name: str, request: Request) -> tuple[str, DeliveredCopy | ProviderError]:
            if cancelled():
                return name, UnavailableError(f"the delivery to {request.target.where} was not begun")
            try:
                return name, self.deliver(request, lambda done, total: report(name, done, total), cancelled)
            except ProviderError as error:
                return name, error

        with ThreadPoolExecutor(at_once, "deliver") as pool:
            running = [pool.submit(one, name, request) for name, request in requests.items()]
            for done in as_completed(running):
                yield done.result()

    def look(self, target: Target) -> Presence | None:
        """What stands where a copy is expected; None if nothing does."""
        if not target.remote:
            return self._folders.look(target)
        store = self._store(target)
        if target.package:
            return StoredPackage(store, target.key).look()
        found = store.look(target.key)
        return None if found is None else Presence(found.size, found.etag)

    def look_all(self, targets: Iterable[Target], at_once: int = AT_ONCE) -> dict[str, Presence | ProviderError | None]:
        """As `look`, several at a time, by `where`."""

        def one(target: Target) -> tuple[str, Presence | ProviderError | None]:
            try:
                return target.where, self.look(target)
            except ProviderError as error:
                return target.where, error

        with ThreadPoolExecutor(at_once, "look at copies") as pool:
            return dict(pool.map(one, targets))

    def remove(self, target: Target, copy: DeliveredCopy) -> None:
        """Take away the copy that was made; one that is not there is no error.

        Raises RejectedError for what is not that copy any more: it is left alone.
        """
        if not target.remote:
            self._folders.remove(target, copy)
            return
        store = self._store(target)
        if target.package:
            StoredPackage(store, target.key).remove(copy)
            return
        found = store.look(target.key)
        if found is None:
            return
        if copy.etag is None or not Presence(found.size, found.etag).is_copy(copy):
            raise RejectedError(f"{target.where} is not the copy that was made: it is left alone")
        store.remove(target.key)

    def _store(self, target: Target) -> Store:
        assert target.kind != "folder", "a store"
        return Store(target.kind, target.root, self._outside.environment, self._outside.patience)

    def _upload(self, store: Store, request: Request, watch: Watch) -> DeliveredCopy:
        """Upload until it is whole; what broke off is begun anew, some times."""
        for tried in range(_TRIES):
            try:
                return self._uploaded(store, request, watch)
            except UnavailableError:
                if tried == _TRIES - 1 or watch.cancelled():
                    raise
                pause(watch, request.target.where, 2.0**tried)
        raise AssertionError("the last try returns or raises")

    def _uploaded(self, store: Store, request: Request, watch: Watch) -> DeliveredCopy:
        target = request.target
        if isinstance(request.origin, FromFile) and target.package:
            return self._package(store, request, Path(request.origin.path), watch)
        with self._outside.new_session(_is_private(request)) as session:
            flow, total = _opened(request, session, watch)
            counted = _Counted(flow, watch, total, request)
            store.put(target.key, counted.pieces(), total, media_type(target.key))
        found = store.look(target.key)
        if found is None or found.size != counted.size:
            raise UnavailableError(f"{target.where} is not there as it was sent. Try again.")
        return DeliveredCopy(target.where, counted.size, counted.digest.hexdigest(), found.etag)

    def _package(self, store: Store, request: Request, folder: Path, watch: Watch) -> DeliveredCopy:
        """Every file of a package; playlists last, once all they lead to is there and is what it was to be."""
        package = StoredPackage(store, request.target.key)
        segments, playlists = files_of(folder)
        total = sum((folder / name).stat().st_size for name in (*segments, *playlists))
        parcel = _Parcel(package, request.target, folder, watch, total)
        for name in segments:
            parcel.send(name)
        for name in playlists:
            package.note(name, (folder / name).stat().st_size, sha256(folder / name))
        request.refuse_other(package.size, package.digest)
        for name in playlists:
            parcel.send(name)
        return package.complete(request.target.where)


@dataclass(slots=True)
class _Parcel:
    """The files of a package on their way; `done` of `total` bytes are there."""

    package: StoredPackage
    target: Target
    folder: Path
    watch: Watch
    total: int
    done: int = 0

    def send(self, name: str) -> None:
        """Upload one file."""
        path, before, watch = self.folder / name, self.done, self.watch
        size = path.stat().st_size
        follow = Watch(lambda more, _: watch.report(before + more, self.total), watch.cancelled, watch.sleep)
        counted = _Counted(_file_pieces(path), follow, size, Request(self.target, FromFile(str(path))))
        self.package.put(name, counted.pieces(), size, media_type(name))
        self.package.note(name, counted.size, counted.digest.hexdigest())
        self.done += counted.size


def _is_private(request: Request) -> bool:
    """Whether what is copied may be read from a private address."""
    return isinstance(request.origin, FromLink) and request.origin.private


def media_type(name: str) -> str | None:
    """What kind of media a file is, by its name."""
    ending = Path(name).suffix.lower()
    return _TYPES.get(ending) or mimetypes.guess_type(name)[0]


def _opened(request: Request, session: requests.Session, watch: Watch) -> tuple[Iterable[bytes], int | None]:
    """The bytes of what is to be copied, and how many they are, if that is known."""
    origin = request.origin
    if isinstance(origin, FromFile):
        path = Path(origin.path)
        try:
            return _file_pieces(path), path.stat().st_size
        except OSError as error:
            raise RejectedError(f"{path.name} cannot be read: {error.strerror or error}") from error
    stream = LinkStream(session, origin.url, origin.renew, watch)
    stream.begin()
    return stream.pieces(), stream.total


def _file_pieces(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb", buffering=0) as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise RejectedError(f"{path.name} cannot be read: {error.strerror or error}") from error


@dataclass(slots=True)
class _Counted:
    """Bytes on their way: counted, hashed, told, and compared with what they were to be before the last is given."""

    flow: Iterable[bytes]
    watch: Watch
    total: int | None
    request: Request
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def pieces(self) -> Iterator[bytes]:
        """The bytes. Raises RejectedError if they are not those that were asked for."""
        where = self.request.target.where
        for piece in self.flow:
            if self.watch.cancelled():
                raise UnavailableError(f"the delivery to {where} was stopped; the next apply begins it anew")
            self.size += len(piece)
            self.digest.update(piece)
            yield piece
            self.watch.report(self.size, self.total)
        if self.total not in {None, self.size}:
            raise UnavailableError(f"what was to be {where} ended after {self.size:,} bytes of {self.total:,}")
        self.request.refuse_other(self.size, self.digest.hexdigest())
