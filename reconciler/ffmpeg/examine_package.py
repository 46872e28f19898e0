"""Whether a package of HLS that somebody else made can be whole, without fetching more than its ends.

Every file that its playlists name must be there; of each stream the first and the last segment are opened, and must
lie as far apart as the playlist says.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import IO

import av

from reconciler.core.encode import Output
from reconciler.core.playlists import Package, Stream, follow
from reconciler.core.ports import Examined, PackageFiles
from reconciler.ffmpeg.damage import missing_end
from reconciler.ffmpeg.examine import another_length, sound_notes, source_facts, unlike
from reconciler.ffmpeg.facts import MediaFacts
from reconciler.ffmpeg.header import described
from reconciler.ffmpeg.media import open_media, read_packets
from reconciler.ffmpeg.notes import clock, output_summary

# What a playlist rounds, and what the last packet of sound is filled up with, in seconds.
_TOLERANCE = 0.3
_MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class _Seen:
    """One stream: its tracks, and what is wrong with it."""

    facts: MediaFacts
    wrong: tuple[str, ...] = ()


_NOTHING = MediaFacts("hls", 0.0, None, (), ())


def examine_package(files: PackageFiles, output: Output, source: IO[bytes] | None = None) -> Examined:
    """See core.ports.ExaminePackage."""
    try:
        package = follow(files.read)
    except (ValueError, FileNotFoundError) as error:
        return Examined("", wrong=(f"its playlists cannot be followed: {error}",))
    sizes = files.sizes(package.media)
    missing = [f"{name} is {'empty' if size == 0 else 'not there'}" for name, size in sizes.items() if not size]
    seen = [_stream(files, stream, sizes) for stream in package.streams]
    facts = _together(seen)
    origin, notes = source_facts(source)
    wrong = [*_few(missing), *(each for one in seen for each in one.wrong)]
    if not missing:
        wrong += [*unlike(facts, output, origin), *_uneven(package, seen, output, origin)]
        notes += sound_notes(facts, output.parameters, origin)
    size = sum(size or 0 for size in sizes.values()) + sum(map(len, package.playlists.values()))
    return Examined(_summary(package, facts), facts.duration, tuple(wrong), tuple(notes), size)


def _few(sentences: list[str]) -> list[str]:
    more = len(sentences) - _MOST_TOLD
    return [*sentences[:_MOST_TOLD], *([f"and so are {more} more files"] if more > 0 else [])]


def _stream(files: PackageFiles, stream: Stream, sizes: Mapping[str, int | None]) -> _Seen:
    """Open the ends of a stream."""
    ends = (*stream.openings, stream.segments[0], stream.segments[-1])
    if not all(sizes.get(name) for name in ends):
        return _Seen(_NOTHING)
    opening = b"".join(files.read(name) for name in stream.openings[:1])
    first, last = (opening + files.read(name) for name in (stream.segments[0], stream.segments[-1]))
    try:
        facts, start, _ = _opened(first)
        _, _, end = _opened(last)
    except av.FFmpegError as error:
        return _Seen(_NOTHING, (f"{stream.playlist} leads to what cannot be opened as media: {error.strerror}",))
    seconds = end - start
    tracks = replace(facts, duration=seconds)
    return _Seen(tracks, tuple(_wrong(stream, seconds, last)))


def _wrong(stream: Stream, seconds: float, last: bytes) -> Iterator[str]:
    cut = missing_end(io.BytesIO(last), len(last))
    if cut is not None:
        yield f"{stream.segments[-1]} is cut off: {cut}"
    elif abs(seconds - stream.seconds) > _TOLERANCE:
        yield f"{stream.playlist} says that it plays {stream.seconds:.2f} s, and its segments play {seconds:.2f} s"
    if not stream.ended:
        yield f"{stream.playlist} does not say that it is complete"


def _opened(data: bytes) -> tuple[MediaFacts, float, float]:
    """What a segment holds, and when it begins and ends, in seconds. Raises av.FFmpegError."""
    with open_media(io.BytesIO(data)) as container:
        facts = described(container)
        packets = read_packets(container)
    if not packets:
        raise av.InvalidDataError(0, "it holds nothing")
    main = packets[min(packets)]
    return facts, main.start, main.end


def _uneven(package: Package, seen: list[_Seen], output: Output, source: MediaFacts | None) -> Iterator[str]:
    """Streams that are not as long as the longest of them, and as nothing in the source."""
    longest = max((one.facts.duration or 0.0 for one in seen), default=0.0)
    for stream, one in zip(package.streams, seen, strict=True):
        if source is not None and one.facts.duration is not None and one.facts.duration < longest:
            yield from another_length(one.facts.duration, output, source, f"{stream.playlist}: its")


def _together(seen: list[_Seen]) -> MediaFacts:
    """All streams as the one rendition that they are parts of."""
    lengths = [one.facts.duration for one in seen if one.facts.duration is not None]
    return MediaFacts(
        container="hls",
        start=0.0,
        duration=max(lengths, default=None),
        video=tuple(track for one in seen for track in one.facts.video),
        audio=tuple(track for one in seen for track in one.facts.audio),
    )


def _summary(package: Package, facts: MediaFacts) -> str:
    """`0:02.0 hls, 12 files, 160x120 25 fps h264, aac stereo 48k`."""
    described = output_summary(facts).partition(" ")[2]
    count = len(package.media) + len(package.playlists)
    return f"{clock(facts.duration or 0.0)} hls, {count} files, {described}"
