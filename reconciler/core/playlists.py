"""What a package of HLS consists of, told by its playlists (RFC 8216). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from posixpath import dirname
from urllib.parse import unquote, urlsplit

from reconciler.core.packages import MASTER

# What the playlist that opens a package is called with us, whatever its server calls it.
OPENER = MASTER

_URI = re.compile(r'[:,]URI="([^"]*)"')
_SECONDS = re.compile(r"#EXTINF:([0-9]{1,9}(?:\.[0-9]{1,12})?)")
_STREAM, _RENDITION, _OPENING = "#EXT-X-STREAM-INF:", "#EXT-X-MEDIA:", "#EXT-X-MAP:"
_KEY = "#EXT-X-KEY:"
_UNFIT = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")
_MOST_PLAYLISTS, _MOST_FILES, _LONGEST = 200, 100_000, 500


@dataclass(frozen=True, slots=True)
class Stream:
    """One playlist of segments: the files that open them (none in a transport stream), and how long it says it is.

    `playlist` and all names are paths below the package. `ended` is whether it says that nothing follows.
    """

    playlist: str
    openings: tuple[str, ...]
    segments: tuple[str, ...]
    seconds: float
    ended: bool


@dataclass(frozen=True, slots=True)
class Package:
    """A package: its streams, and the texts of its playlists by name, the one that opens it last."""

    streams: tuple[Stream, ...]
    playlists: dict[str, bytes]

    @property
    def media(self) -> tuple[str, ...]:
        """The names of everything that is no playlist."""
        names = (name for stream in self.streams for name in (*stream.openings, *stream.segments))
        return tuple(dict.fromkeys(names))


def follow(read: Callable[[str], bytes]) -> Package:
    """Read the playlist that opens a package, and those that it leads to.

    `read` gives the content of a file by its name. Raises ValueError, with a sentence, for what leads out of the
    package or is no playlist; and what `read` raises.
    """
    opener = read(OPENER)
    lines = _lines(opener, OPENER)
    below = list(dict.fromkeys(_playlists(lines)))
    if not below:
        return Package((_stream(OPENER, lines),), {OPENER: opener})
    if len(below) > _MOST_PLAYLISTS:
        raise ValueError(f"{OPENER} names {len(below)} playlists")
    texts = {name: read(name) for name in below}
    streams = tuple(_stream(name, _lines(text, name)) for name, text in texts.items())
    return Package(streams, {**texts, OPENER: opener})


def _lines(content: bytes, name: str) -> list[str]:
    lines = [line.strip() for line in content.decode("utf-8", "replace").removeprefix("\ufeff").splitlines()]
    if not lines or not lines[0].startswith("#EXTM3U"):
        raise ValueError(f"{name} is no playlist")
    return [line for line in lines if line]


def _playlists(lines: list[str]) -> Iterator[str]:
    """What a master playlist leads to: the line behind each variant, and the renditions beside them."""
    expected = False
    for line in lines:
        if line.startswith(_RENDITION) and (match := _URI.search(line)) is not None:
            yield _inside(match[1], OPENER)
        if not line.startswith("#") and expected:
            yield _inside(line, OPENER)
        expected = line.startswith(_STREAM) or (expected and line.startswith("#"))


def _stream(name: str, lines: list[str]) -> Stream:
    if any(line.startswith(_KEY) and "METHOD=NONE" not in line for line in lines):
        raise ValueError(f"{name} is encrypted")
    maps = (_URI.search(f":{line.removeprefix(_OPENING)}") for line in lines if line.startswith(_OPENING))
    openings = tuple(dict.fromkeys(_inside(match[1], name) for match in maps if match is not None))
    segments = tuple(dict.fromkeys(_inside(line, name) for line in lines if not line.startswith("#")))
    if not segments:
        raise ValueError(f"{name} names no segments")
    if len(segments) > _MOST_FILES:
        raise ValueError(f"{name} names {len(segments):,} segments")
    seconds = sum(float(match[1]) for line in lines if (match := _SECONDS.match(line)) is not None)
    return Stream(name, openings, segments, seconds, "#EXT-X-ENDLIST" in lines)


def _inside(uri: str, playlist: str) -> str:
    """The path below the package that a playlist leads to. Raises ValueError for what leads elsewhere."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise ValueError(f"{playlist} leads to something that is no URL") from None
    if parts.scheme or parts.netloc or parts.query or parts.fragment or parts.path.startswith("/"):
        raise ValueError(f"{playlist} leads out of the package: only files beside and below it belong to it")
    path = unquote(parts.path, errors="strict") if _is_text(parts.path) else ""
    name = f"{dirname(playlist)}/{path}".lstrip("/")
    if _UNFIT.search(name) or len(name) > _LONGEST or any(step == "" or step[0] == "." for step in name.split("/")):
        raise ValueError(f"{playlist} leads to a file whose name cannot be taken over")
    return name


def _is_text(path: str) -> bool:
    try:
        unquote(path, errors="strict")
    except UnicodeDecodeError:
        return False
    return True
