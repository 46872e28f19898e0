"""Bytes on their way into an object store: one file, or all files of a package."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.core.copies import DeliveredCopy, Request
from reconciler.core.errors import UnavailableError
from reconciler.edges.delivered_packages import StoredPackage
from reconciler.edges.package_origins import PackageOrigin
from reconciler.io.download import Watch

_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".m4s": "video/iso.segment",
    ".ts": "video/mp2t",
    ".mkv": "video/x-matroska",
    ".m4a": "audio/mp4",
}


def media_type(name: str) -> str | None:
    """What kind of media a file is, by its name."""
    ending = Path(name).suffix.lower()
    return _TYPES.get(ending) or mimetypes.guess_type(name)[0]


@dataclass(slots=True)
class Counted:
    """Bytes on their way to `where`: counted, hashed, told. `request` is what they are compared with in the end."""

    flow: Iterable[bytes]
    watch: Watch
    total: int | None
    where: str
    request: Request | None = None
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def pieces(self) -> Iterator[bytes]:
        """The bytes. Raises RejectedError if they are not those that were asked for, before the last is given."""
        for piece in self.flow:
            if self.watch.cancelled():
                raise UnavailableError(f"the delivery to {self.where} was stopped; the next apply begins it anew")
            self.size += len(piece)
            self.digest.update(piece)
            yield piece
            self.watch.report(self.size, self.total)
        if self.total not in {None, self.size}:
            raise UnavailableError(f"what was to be {self.where} ended after {self.size:,} bytes of {self.total:,}")
        if self.request is not None:
            self.request.refuse_other(self.size, self.digest.hexdigest())


@dataclass(slots=True)
class Parcel:
    """The files of a package on their way; those that are there already are not sent again by a second `send`."""

    package: StoredPackage
    origin: PackageOrigin
    request: Request
    watch: Watch
    done: int = 0
    _sent: set[str] = field(default_factory=set)

    def send(self) -> DeliveredCopy:
        """Every file; playlists last, once all they lead to is there and is what it was to be.

        Raises RejectedError, UnavailableError; after that it may be called again.
        """
        for name in self.origin.media:
            self._file(name)
        for name in self.origin.playlists:
            self._noted(name)
        self.request.refuse_other(self.package.size, self.package.digest)
        for name in self.origin.playlists:
            self._file(name)
        return self.package.complete(self.request.target.where)

    def _noted(self, name: str) -> None:
        pieces, _ = self.origin.opened(name, self.watch)
        content = b"".join(pieces)
        self.package.note(name, len(content), hashlib.sha256(content).hexdigest())

    def _file(self, name: str) -> None:
        if name in self._sent:
            return
        before, watch = self.done, self.watch
        follow = Watch(lambda more, _: watch.report(before + more, self.origin.total), watch.cancelled, watch.sleep)
        flow, size = self.origin.opened(name, follow)
        counted = Counted(flow, follow, size, f"{self.request.target.where}/{name}")
        self.package.put(name, counted.pieces(), size, media_type(name))
        self.package.note(name, counted.size, counted.digest.hexdigest())
        self.done += counted.size
        self._sent.add(name)
