"""A package of HLS behind the link of the playlist that opens it: its other files lie beside and below that."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urljoin, urlsplit

import requests

from reconciler.core.playlists import OPENER
from reconciler.io.ranged import LinkError, RangedFile, size_of

# What a playlist, and what a segment, may have at most, in bytes.
LARGEST_TEXT = 16 * 1024 * 1024
_LARGEST_SEGMENT = 64 * 1024 * 1024
_AT_ONCE = 8
_GONE = frozenset({404, 410})


class LinkedPackage:
    """Implements core.ports.PackageFiles. The signature of the link stands in its path, or the files need none."""

    def __init__(self, session: requests.Session, link: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Nothing is asked yet."""
        self._session, self._link, self._sleep = session, link, sleep

    def url(self, name: str) -> str:
        """What opens one file."""
        return file_url(self._link, name)

    def read(self, name: str) -> bytes:
        """See core.ports.PackageFiles. Raises LinkError; FileNotFoundError for what the opening playlist leads to."""
        limit = LARGEST_TEXT if name.endswith(".m3u8") else _LARGEST_SEGMENT
        try:
            with RangedFile(self._session, self.url(name), limit=limit, sleep=self._sleep) as file:
                return file.read()
        except LinkError as error:
            if error.status in _GONE and name != OPENER:
                raise FileNotFoundError(f"{name} is not there") from error
            raise

    def sizes(self, names: Sequence[str]) -> Mapping[str, int | None]:
        """See core.ports.PackageFiles. Raises LinkError."""
        with ThreadPoolExecutor(_AT_ONCE, "look at segments") as pool:
            return dict(zip(names, pool.map(self._size, names), strict=True))

    def _size(self, name: str) -> int | None:
        try:
            return size_of(self._session, self.url(name), sleep=self._sleep)
        except LinkError as error:
            if error.status in _GONE:
                return None
            raise


def file_url(link: str, name: str) -> str:
    """What opens a file of the package whose opening playlist `link` opens."""
    return link if name == OPENER else urljoin(link, quote(name))


def is_package_link(link: str) -> bool:
    """Whether a link leads to a playlist of HLS."""
    return urlsplit(link).path.endswith(".m3u8")
