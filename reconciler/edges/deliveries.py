"""Copies of finished outputs: made in a folder or an object store, looked at, taken away again.

A copy has its final name only when it is whole and is what it was to be: in a folder it is written under another
name first; in a store an upload in parts is completed last, after the digest of all its bytes was compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import requests

from reconciler.core.copies import DeliveredCopy, FromFile, FromLink, Presence, Request
from reconciler.core.errors import ProviderError, RejectedError, UnavailableError
from reconciler.core.targets import Target
from reconciler.edges.delivered_folders import FolderCopies
from reconciler.edges.delivered_packages import StoredPackage
from reconciler.edges.package_origins import FolderOrigin, LinkedOrigin, PackageOrigin, file_pieces, size_of
from reconciler.edges.parcels import Counted, Parcel, media_type
from reconciler.io.download import Watch, pause
from reconciler.io.link_stream import LinkStream
from reconciler.io.stores import Patience, Store, abandonable

Report = Callable[[int, int | None], None]

AT_ONCE = 4
# How often an upload is begun anew, beside what the store's own library tries again.
_TRIES = 4


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
        if not request.target.remote:
            with self._outside.new_session(_is_private(request)) as session:
                return self._folders.deliver(request, watch, session)
        store = self._store(request.target)
        what = f"the delivery to {request.target.where}"
        return abandonable(lambda: self._upload(store, request, watch), cancelled, what)

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
        """Upload until it is whole; a file that broke off is begun anew, some times."""
        with self._outside.new_session(_is_private(request)) as session:
            again = _again(store, request, session, watch)
            for tried in range(_TRIES):
                try:
                    return again()
                except UnavailableError:
                    if tried == _TRIES - 1 or watch.cancelled():
                        raise
                    pause(watch, request.target.where, 2.0**tried)
        raise AssertionError("the last try returns or raises")


def _again(store: Store, request: Request, session: requests.Session, watch: Watch) -> Callable[[], DeliveredCopy]:
    """What uploads, and may be called again after UnavailableError: of a package, what is there is not sent again."""
    if not request.target.package:
        return lambda: _uploaded(store, request, session, watch)
    package, begun = StoredPackage(store, request.target.key), list[Parcel]()

    def send() -> DeliveredCopy:
        if not begun:
            begun.append(Parcel(package, _package_origin(request, session, watch), request, watch))
        return begun[0].send()

    return send


def _package_origin(request: Request, session: requests.Session, watch: Watch) -> PackageOrigin:
    if isinstance(request.origin, FromLink):
        return LinkedOrigin(request.origin, session, watch)
    return FolderOrigin(Path(request.origin.path))


def _uploaded(store: Store, request: Request, session: requests.Session, watch: Watch) -> DeliveredCopy:
    target = request.target
    flow, total = _opened(request, session, watch)
    counted = Counted(flow, watch, total, target.where, request)
    store.put(target.key, counted.pieces(), total, media_type(target.key))
    found = store.look(target.key)
    if found is None or found.size != counted.size:
        raise UnavailableError(f"{target.where} is not there as it was sent. Try again.")
    return DeliveredCopy(target.where, counted.size, counted.digest.hexdigest(), found.etag)


def _is_private(request: Request) -> bool:
    """Whether what is copied may be read from a private address."""
    return isinstance(request.origin, FromLink) and request.origin.private


def _opened(request: Request, session: requests.Session, watch: Watch) -> tuple[Iterable[bytes], int | None]:
    """The bytes of a file that is to be copied, and how many they are, if that is known."""
    origin = request.origin
    if isinstance(origin, FromFile):
        path = Path(origin.path)
        return file_pieces(path), size_of(path)
    stream = LinkStream(session, origin.url, origin.renew, watch)
    stream.begin()
    return stream.pieces(), stream.total
