"""Whether an output that somebody else made can be whole, from its header and little else.

The source is not at hand, so only what holds for any source is asked: that the file is not cut off, that it holds
the tracks that were asked for, in the codecs, the sizes and the rates that were asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import IO, BinaryIO, cast

import av
import av.container

from reconciler.core.encode import Output
from reconciler.core.parameters import Audio, Parameters, Video
from reconciler.core.ports import Examined
from reconciler.ffmpeg.arguments import has_audio, has_video
from reconciler.ffmpeg.damage import missing_end
from reconciler.ffmpeg.facts import AudioTrack, MediaFacts, VideoTrack
from reconciler.ffmpeg.formats import FORMAT_WHITELIST, PROTOCOL_WHITELIST
from reconciler.ffmpeg.notes import output_summary
from reconciler.ffmpeg.probe import is_cover

_FORMATS = {
    "mp4": "mp4",
    "mov": "mov",
    "m4a": "m4a",
    "mkv": "matroska",
    "webm": "webm",
    "mp3": "mp3",
    "ogg": "ogg",
    "flac": "flac",
}
# What the header leaves open is looked for in so many bytes and microseconds.
_LOOK = {"probesize": "1000000", "analyzeduration": "1000000"}


def examine(file: IO[bytes], size: int, output: Output) -> Examined:
    """See core.ports.Examine."""
    watched = _Watched(file)
    try:
        file.seek(0)
        cut = missing_end(cast("BinaryIO", watched), size)
        file.seek(0)
        options = {"format_whitelist": FORMAT_WHITELIST, "protocol_whitelist": PROTOCOL_WHITELIST, **_LOOK}
        with av.open(watched, "r", options=options, metadata_errors="replace") as container:
            facts = _facts(container)
    except av.FFmpegError as error:
        # A link that broke is no fault of the file, though to the demuxer it is all the same.
        if watched.failure is not None:
            raise watched.failure from error
        return Examined("", wrong=(f"it cannot be opened as media: {error.strerror}",))
    if watched.failure is not None:
        raise watched.failure
    wrong = [*([f"the file is cut off: {cut}"] if cut else []), *_unlike(facts, output.parameters)]
    return Examined(output_summary(facts), facts.duration, tuple(wrong), tuple(_notes(facts, output.parameters)))


class _Watched:
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


def _facts(container: av.container.InputContainer) -> MediaFacts:
    """What the header says; no packet is counted."""
    duration = container.duration / 1_000_000 if container.duration else None
    moving = [stream for stream in container.streams if not is_cover(stream)]
    return MediaFacts(
        container=container.format.name,
        start=0.0,
        duration=duration,
        video=tuple(_video(stream, duration) for stream in moving if isinstance(stream, av.VideoStream)),
        audio=tuple(_audio(stream, duration) for stream in moving if isinstance(stream, av.AudioStream)),
    )


def _video(stream: av.VideoStream, duration: float | None) -> VideoTrack:
    context, rate = stream.codec_context, stream.average_rate
    return VideoTrack(
        codec=context.codec.canonical_name,
        start=0.0,
        end=duration or 0.0,
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
        end=duration or 0.0,
        packets=stream.frames,
        frame=0.0,
        gap=0.0,
        channels=context.layout.nb_channels,
        layout=context.layout.name,
        sample_rate=context.sample_rate or 0,
    )


def _unlike(facts: MediaFacts, wanted: Parameters) -> Iterator[str]:
    """What is not as it was asked for, whatever the source."""
    if not facts.duration:
        yield "it has no length"
    container = _FORMATS.get(wanted.container or "")
    if container is not None and container not in facts.container.split(","):
        yield f"it is {facts.container} instead of {wanted.container}"
    video, audio = has_video(wanted), has_audio(wanted)
    needed = audio and wanted.audio is not None and wanted.audio.missing in {"silence", "error"}
    if len(facts.video) != video or not needed <= len(facts.audio) <= audio:
        yield (
            f"it holds {len(facts.video)} video and {len(facts.audio)} audio tracks instead of {video:d} and {audio:d}"
        )
        return
    if facts.video and wanted.video is not None:
        yield from _unlike_video(facts.video[0], wanted.video)
    if facts.audio and wanted.audio is not None:
        yield from _unlike_audio(facts.audio[0], wanted.audio)


def _unlike_video(made: VideoTrack, video: Video) -> Iterator[str]:
    if video.codec is not None and made.codec != video.codec:
        yield f"its codec is {made.codec} instead of {video.codec}"
    if video.pixel_format is not None and made.pixel_format != video.pixel_format:
        yield f"its pixel format is {made.pixel_format} instead of {video.pixel_format}"
    yield from _unlike_size(made, video)
    if isinstance(video.fps, str) and made.frame_rate is not None and made.frame_rate > Fraction(video.fps) * 101 / 100:
        yield f"its frame rate is {float(made.frame_rate):.5g} instead of {video.fps}"


def _unlike_size(made: VideoTrack, video: Video) -> Iterator[str]:
    """A picture may be smaller than asked, since its source may be; not larger, nor of another shape than its bars."""
    sides = [("width", made.width, video.width), ("height", made.height, video.height)]
    asked = [(name, got, limit) for name, got, limit in sides if limit is not None]
    if not (made.width and made.height):
        yield "its picture has no size"
    for name, got, limit in asked:
        if got > limit + 1:
            yield f"its {name} is {got} instead of {limit}"
    # One side of the box is filled where small pictures are to be enlarged.
    if video.avoid_upscaling is False and asked and all(got < limit - 1 for _, got, limit in asked):
        yield f"its size is {made.width}x{made.height}, less than was asked for"
    if video.pad is not None and video.pad.aspect is not None:
        across, down = map(Fraction, video.pad.aspect.split(":"))
        if abs(made.width - made.height * across / down) > 2 * max(Fraction(1), across / down):
            yield f"its size is {made.width}x{made.height} instead of the shape {video.pad.aspect}"


def _unlike_audio(made: AudioTrack, audio: Audio) -> Iterator[str]:
    if audio.codec is not None and made.codec != audio.codec:
        yield f"its audio codec is {made.codec} instead of {audio.codec}"
    if audio.channels is not None and made.channels != audio.channels:
        yield f"it has {made.channels} audio channels instead of {audio.channels}"
    # Opus always says 48 kHz, whatever went in (RFC 7845, section 5.1).
    if audio.sample_rate is not None and made.codec != "opus" and made.sample_rate != audio.sample_rate:
        yield f"its sample rate is {made.sample_rate} instead of {audio.sample_rate}"


def _notes(facts: MediaFacts, wanted: Parameters) -> Iterator[str]:
    if has_audio(wanted) and not facts.audio:
        yield "it has no sound: the source has none, or the provider left it out"
