"""Whether an output that somebody else made can be whole, from its header and little else.

It must not be cut off, and hold the tracks that were asked for, in the codecs, the sizes and the rates that were
asked for. Where the header of its source can be read too, it must be as long, and sound where that sounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import IO, BinaryIO, cast

import av

from reconciler.core.encode import Output
from reconciler.core.parameters import Audio, Parameters, Video
from reconciler.core.ports import Examined
from reconciler.ffmpeg.arguments import has_audio, has_video
from reconciler.ffmpeg.damage import missing_end
from reconciler.ffmpeg.facts import AudioTrack, MediaFacts, VideoTrack
from reconciler.ffmpeg.header import Watched, read_header
from reconciler.ffmpeg.notes import output_summary
from reconciler.ffmpeg.verify import expected_sounds

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
# By so many seconds a length may differ from that of the source, as headers have both.
_TOLERANCE = 0.5
# Formats whose headers, or ends, say how long they are.
_LENGTHS_KNOWN = ("mp4", "matroska", "mpegts", "wav", "flac")


def examine(file: IO[bytes], size: int, output: Output, source: IO[bytes] | None = None) -> Examined:
    """See core.ports.Examine."""
    watched = Watched(file)
    file.seek(0)
    cut = missing_end(cast("BinaryIO", watched), size)
    try:
        facts = read_header(watched)
    except av.FFmpegError as error:
        return Examined("", wrong=(f"it cannot be opened as media: {error.strerror}",))
    origin, notes = source_facts(source)
    wrong = [*([f"the file is cut off: {cut}"] if cut else []), *unlike(facts, output, origin)]
    notes += sound_notes(facts, output.parameters, origin)
    return Examined(output_summary(facts), facts.duration, tuple(wrong), tuple(notes))


def source_facts(source: IO[bytes] | None) -> tuple[MediaFacts | None, list[str]]:
    """What the header of a source says, or a note that nobody compared with it: it cannot be had, or says nothing."""
    with suppress(av.FFmpegError, OSError):
        if source is not None:
            return read_header(Watched(source)), []
    return None, ["its source could not be looked at: whether it is as long, and sounds, was not compared"]


def unlike(facts: MediaFacts, output: Output, source: MediaFacts | None) -> Iterator[str]:
    """What is not as it was asked for, and as its source has it where that is known."""
    yield from _unlike(facts, output.parameters, source)
    if source is not None and facts.duration:
        yield from another_length(facts.duration, output, source)


def another_length(seconds: float, output: Output, source: MediaFacts, whose: str = "its") -> Iterator[str]:
    """A length that no track of the source explains: headers count pauses and run-ups in different ways."""
    trim = output.source.trim
    tracks = [source.duration, *(track.end for track in (*source.video, *source.audio))]
    ends = [end if trim.end is None else min(end, float(trim.end)) for end in tracks if end]
    lengths = [end - float(trim.start) for end in ends]
    if not lengths or not any(name in source.container for name in _LENGTHS_KNOWN):
        return
    nearest = min(lengths, key=lambda length: abs(length - seconds))
    tolerance = max(_TOLERANCE, float(output.checks.duration_tolerance or 0))
    if abs(nearest - seconds) > tolerance:
        yield f"{whose} length is {seconds:.2f} s instead of the {nearest:.2f} s of its source (within {tolerance:g} s)"


def _unlike(facts: MediaFacts, wanted: Parameters, source: MediaFacts | None) -> Iterator[str]:
    """What is not as it was asked for."""
    if not facts.duration:
        yield "it has no length"
    container = _FORMATS.get(wanted.container or "")
    if container is not None and container not in facts.container.split(","):
        yield f"it is {facts.container} instead of {wanted.container}"
    video, (least, most) = has_video(wanted), _sounds(wanted, source)
    if len(facts.video) != video or not least <= len(facts.audio) <= most:
        why = ", since its source has sound" if source is not None and least > len(facts.audio) and source.audio else ""
        held = f"{len(facts.video)} video and {len(facts.audio)} audio tracks"
        yield f"it holds {held} instead of {video:d} and {most}{why}"
        return
    if facts.video and wanted.video is not None:
        yield from _unlike_video(facts.video[0], wanted.video)
    if facts.audio and wanted.audio is not None:
        yield from _unlike_audio(facts.audio[0], wanted.audio)


def _sounds(wanted: Parameters, source: MediaFacts | None) -> tuple[int, int]:
    """How many tracks of sound there must be, and may be."""
    if source is not None:
        number = expected_sounds(wanted, source)
        return number, number
    needed = wanted.audio is not None and wanted.audio.missing in {"silence", "error"}
    return int(has_audio(wanted) and needed), int(has_audio(wanted))


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


def sound_notes(facts: MediaFacts, wanted: Parameters, source: MediaFacts | None) -> Iterator[str]:
    """That there is no sound where some was asked for."""
    if has_audio(wanted) and not facts.audio:
        why = "the source has none, or the provider left it out" if source is None else "the source has none"
        yield f"it has no sound: {why}"
