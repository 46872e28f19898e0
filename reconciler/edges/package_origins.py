"""Where the files of a package come from on their way to a copy: a folder of this machine, or a provider's links."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import requests

from reconciler.core.copies import FromLink
from reconciler.core.errors import RejectedError
from reconciler.core.playlists import Package, follow
from reconciler.edges.delivered_packages import files_of
from reconciler.io.download import Watch
from reconciler.io.link_stream import LinkStream
from reconciler.io.linked_packages import LARGEST_TEXT, file_url

_PIECE = 1 << 20


class PackageOrigin(Protocol):
    """A package that is to be copied: names of its media, and of its playlists, the one that opens it last.

    `total` is the size of all of it in bytes, where that is known.
    """

    media: tuple[str, ...]
    playlists: tuple[str, ...]
    total: int | None

    def opened(self, name: str, watch: Watch) -> tuple[Iterable[bytes], int | None]:
        """The bytes of one file, and how many they are, if that is known. Raises RejectedError, UnavailableError."""


class FolderOrigin:
    """Implements PackageOrigin for a folder. Raises RejectedError for one that cannot be read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        media, playlists = files_of(folder)
        self.media, self.playlists = tuple(media), tuple(playlists)
        self.total: int | None = sum(size_of(folder / name) for name in (*media, *playlists))

    def opened(self, name: str, watch: Watch) -> tuple[Iterable[bytes], int | None]:  # noqa: ARG002 - as PackageOrigin has it
        """See PackageOrigin."""
        path = self._folder / name
        return file_pieces(path), size_of(path)


class LinkedOrigin:
    """Implements PackageOrigin for what a provider holds: its playlists are read at once, and say what belongs to it.

    Raises RejectedError for playlists that cannot be followed, and as LinkStream.
    """

    def __init__(self, origin: FromLink, session: requests.Session, watch: Watch) -> None:
        self._origin, self._session, self._link = origin, session, origin.url
        package = self._followed(watch)
        self.media, self.playlists = package.media, tuple(package.playlists)
        self._texts = package.playlists
        self.total: int | None = None

    def opened(self, name: str, watch: Watch) -> tuple[Iterable[bytes], int | None]:
        """See PackageOrigin."""
        if name in self._texts:
            return (self._texts[name],), len(self._texts[name])
        stream = self._stream(name, watch)
        stream.begin()
        return stream.pieces(), stream.total

    def text(self, name: str) -> bytes:
        """The content of a playlist."""
        return self._texts[name]

    def link(self, name: str) -> FromLink:
        """What opens one file; a fresh link is one to the whole package."""
        return FromLink(file_url(self._link, name), lambda: self._renewed(name), self._origin.private)

    def _followed(self, watch: Watch) -> Package:
        silent = Watch(lambda _done, _total: None, watch.cancelled, watch.sleep)
        try:
            return follow(lambda name: self._whole(name, silent))
        except ValueError as error:
            raise RejectedError(f"the package cannot be copied: {error}") from None

    def _whole(self, name: str, watch: Watch) -> bytes:
        content, stream = b"", self._stream(name, watch)
        stream.begin()
        for piece in stream.pieces():
            content += piece
            if len(content) > LARGEST_TEXT:
                raise RejectedError(f"the package cannot be copied: {name} is too long for a playlist")
        return content

    def _stream(self, name: str, watch: Watch) -> LinkStream:
        return LinkStream(self._session, file_url(self._link, name), lambda: self._renewed(name), watch)

    def _renewed(self, name: str) -> str:
        self._link = self._origin.renew()
        return file_url(self._link, name)


def file_pieces(path: Path) -> Iterator[bytes]:
    """The bytes of a file. Raises RejectedError where it cannot be read."""
    try:
        with path.open("rb", buffering=0) as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise RejectedError(f"{path.name} cannot be read: {error.strerror or error}") from error


def size_of(path: Path) -> int:
    """How long a file is, in bytes. Raises RejectedError where that cannot be told."""
    try:
        return path.stat().st_size
    except OSError as error:
        raise RejectedError(f"{path.name} cannot be read: {error.strerror or error}") from error
