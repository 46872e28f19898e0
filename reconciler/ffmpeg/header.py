"""What the header of an open media file says; no packet is counted, and little of the file is read."""

from __future__ import annotations

from fractions import Fraction
from typing import IO, cast

import av
import av.container

from reconciler.ffmpeg.facts import AudioTrack, MediaFacts, VideoTrack
from reconciler.ffmpeg.formats import FORMAT_WHITELIST, PROTOCOL_WHITELIST
from reconciler.ffmpeg.probe import is_cover

# What the header leaves open is looked for in so many bytes and microseconds.
_LOOK = {"probesize": "1000000", "analyzeduration": "1000000"}


class Watched:
    """A file that remembers how reading failed, since a demuxer takes a failure for the end of the file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.failure: OSError | None = None

    def read(self, size: int = -1) -> bytes:
        """As the file's own."""
        try:
            return self._file.read(size)
        except OSError as error:
            self.failure = error
            raise

    def seek(self, offset: int, whence: int = 0) -> int:
        """As the file's own."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """As the file's own."""
        return self._file.tell()


def read_header(file: Watched) -> MediaFacts:
    """What a file holds, by its header. A track ends where the header says so of it, else where the file ends.

    Raises av.FFmpegError for what is no media; and OSError where reading failed, which is no fault of the file,
    though to the demuxer it is all the same.
    """
    options = {"format_whitelist": FORMAT_WHITELIST, "protocol_whitelist": PROTOCOL_WHITELIST, **_LOOK}
    file.seek(0)
    try:
        with av.open(cast("IO[bytes]", file), "r", options=options, metadata_errors="replace") as container:
            facts = described(container)
    except av.FFmpegError as error:
        if file.failure is not None:
            raise file.failure from error
        raise
    if file.failure is not None:
        raise file.failure
    return facts


def described(container: av.container.InputContainer) -> MediaFacts:
    """What an open container says of itself."""
    duration = container.duration / 1_000_000 if container.duration else None
    moving = [stream for stream in container.streams if not is_cover(stream)]
    return MediaFacts(
        container=container.format.name,
        start=0.0,
        duration=duration,
        video=tuple(_video(stream, duration) for stream in moving if isinstance(stream, av.VideoStream)),
        audio=tuple(_audio(stream, duration) for stream in moving if isinstance(stream, av.AudioStream)),
    )


def _end(stream: av.VideoStream | av.AudioStream, duration: float | None) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return duration or 0.0


def _video(stream: av.VideoStream, duration: float | None) -> VideoTrack:
    context, rate = stream.codec_context, stream.average_rate
    return VideoTrack(
        codec=context.codec.canonical_name,
        start=0.0,
        end=_end(stream, duration),
        packets=stream.frames,
        frame=float(1 / rate) if rate else 0.0,
        gap=0.0,
        width=context.width,
        height=context.height,
        pixel_format=context.pix_fmt or "",
        frame_rate=Fraction(rate.numerator, rate.denominator) if rate else None,
    )


def _audio(stream: av.AudioStream, duration: float | None) -> AudioTrack:
    context = stream.codec_context
    return AudioTrack(
        codec=context.codec.canonical_name,
        start=0.0,
        end=_end(stream, duration),
        packets=stream.frames,
        frame=0.0,
        gap=0.0,
        channels=context.layout.nb_channels,
        layout=context.layout.name,
        sample_rate=context.sample_rate or 0,
        language=stream.language,
    )
