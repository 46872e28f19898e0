"""Looking into a media file: what its header says, and where its packets really end.

PyAV reads it in this process, without decoding but for one frame, whose rotation PyAV shows nowhere else.
"""

from __future__ import annotations

import statistics
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.stream

from reconciler.core.errors import RejectedError
from reconciler.ffmpeg.damage import cut_off, open_ended
from reconciler.ffmpeg.facts import AudioTrack, MediaFacts, SubtitleTrack, VideoTrack
from reconciler.ffmpeg.light import Light, light_of
from reconciler.ffmpeg.media import Packets, open_media, read_packets
from reconciler.ffmpeg.tail import decode_tail

# Containers whose header states the duration, so that a shorter content is a cut-off file. A transport or
# program stream has no such header: what is called its duration is measured from what is there.
_DECLARING = {"mov", "matroska", "webm", "avi", "mxf", "asf", "wav", "w64", "flac", "nut"}

# Headers round, and edit lists shift; what is missing must be more than this, in seconds, to count.
_ROUNDING = 0.5

# Steps between frames that differ by less are one rate, written in a coarse clock (Matroska's: 1 ms).
_JITTER = 0.0021


@dataclass(frozen=True, slots=True)
class Look:
    """What a picture says of itself: how far it must be turned clockwise (None: nothing seen), fields, brightness."""

    rotation: int | None = None
    interlaced: bool = False
    light: Light | None = None


NOT_SEEN = Look()


def probe(path: str) -> MediaFacts:
    """Look at a source; RejectedError if it is no media file, or not whole enough to be opened."""
    name = Path(path).name
    truncated: str | None = None
    try:
        truncated = cut_off(Path(path))
        with open_media(path) as container:
            first = FirstPicture(container)
            packets = read_packets(container, first.take)
            truncated = truncated or _shorter(container, packets) or _transport_end(container, path, packets)
            return describe(container, packets, truncated=truncated, first=first.look)
    except av.InvalidDataError:
        why = truncated or "it is not one of the media formats that are read, or it is broken"
        raise RejectedError(f"{name} cannot be read: {why}") from None
    except (av.FFmpegError, OSError) as error:
        raise RejectedError(f"{name} cannot be read: {error.strerror or error}") from None


def describe(
    container: av.container.InputContainer,
    packets: dict[int, Packets],
    *,
    truncated: str | None = None,
    first: Look = NOT_SEEN,
) -> MediaFacts:
    """The facts of an open file; `first` is what its first picture says of itself.

    Covers are listed among the others: they are no pictures that move.
    """
    video: list[VideoTrack] = []
    audio: list[AudioTrack] = []
    others: list[str] = []
    for stream in container.streams:
        if is_cover(stream):
            others.append("cover")
        elif isinstance(stream, av.VideoStream) and stream.index in packets:
            video.append(_video(stream, packets[stream.index], NOT_SEEN if video else first))
        elif isinstance(stream, av.AudioStream) and stream.index in packets:
            audio.append(_audio(stream, packets[stream.index]))
        elif stream.type not in {"video", "audio"}:
            others.append(stream.type or "unknown")
    return MediaFacts(
        container=container.format.name,
        start=(container.start_time or 0) / 1_000_000,
        duration=container.duration / 1_000_000 if container.duration else None,
        video=tuple(video),
        audio=tuple(audio),
        others=tuple(others),
        truncated=truncated,
        subtitles=tuple(
            SubtitleTrack(stream.codec_context.name if stream.codec_context else "", stream.metadata.get("language"))
            for stream in container.streams.subtitles
        ),
    )


def is_cover(stream: av.stream.Stream) -> bool:
    """Whether a track is a still image that is attached to the file."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _video(stream: av.VideoStream, packets: Packets, first: Look) -> VideoTrack:
    context, aspect = stream.codec_context, stream.sample_aspect_ratio
    steps = [step for step in packets.steps if step > 0]
    return VideoTrack(
        codec=context.codec.canonical_name,
        start=packets.start,
        end=packets.end,
        packets=packets.count,
        frame=packets.frame,
        gap=max(steps, default=0.0),
        width=context.width,
        height=context.height,
        pixel_format=context.pix_fmt or "",
        pixel_aspect=Fraction(aspect.numerator, aspect.denominator) if aspect else Fraction(1),
        rotation=first.rotation or 0,
        frame_rate=_frame_rate(stream, steps),
        peak_rate=1 / min(steps) if steps else None,
        # Uneven here and there is a pause or a lost frame; uneven all the time is a way to record.
        variable=len(steps) - len(_usual(steps)) > max(2, 0.02 * len(steps)),
        group=packets.group,
        transfer=context.color_trc,
        primaries=context.color_primaries,
        matrix=context.colorspace,
        interlaced=first.interlaced,
        light=first.light,
    )


def _usual(steps: list[float]) -> list[float]:
    """The steps that are about as long as the one in the middle."""
    middle = statistics.median(steps) if steps else 0.0
    return [step for step in steps if abs(step - middle) <= max(_JITTER, 0.1 * middle)]


def _frame_rate(stream: av.VideoStream, steps: list[float]) -> Fraction | None:
    """The usual rate: an exact fraction of the header's where the packets agree with it, else theirs."""
    said = [Fraction(rate.numerator, rate.denominator) for rate in (stream.average_rate, stream.guessed_rate) if rate]
    usual = _usual(steps)
    if not usual:
        return next(iter(said), None)
    measured = len(usual) / sum(usual)
    close = [rate for rate in said if abs(float(rate) - measured) < 0.01 * measured]
    return next(iter(close), Fraction(measured).limit_denominator(1001))


def _audio(stream: av.AudioStream, packets: Packets) -> AudioTrack:
    context = stream.codec_context
    return AudioTrack(
        codec=context.codec.canonical_name,
        start=packets.start,
        end=packets.end,
        packets=packets.count,
        frame=packets.frame,
        gap=max(packets.steps, default=0.0),
        channels=context.layout.nb_channels,
        layout=context.layout.name,
        sample_rate=context.sample_rate or 0,
        language=stream.metadata.get("language"),
        bitrate=8 * packets.size / (packets.end - packets.start) if packets.end > packets.start else None,
    )


class FirstPicture:
    """The first frame of the picture, found on the way through the packets."""

    def __init__(self, container: av.container.InputContainer) -> None:
        moving = (stream for stream in container.streams.video if not is_cover(stream))
        self.look = NOT_SEEN
        self._index = next((stream.index for stream in moving), None)

    def take(self, packet: av.Packet[av.stream.Stream]) -> None:
        """Decode one packet after the other, until one gives a frame."""
        if self.look is not NOT_SEEN or packet.stream.index != self._index:
            return
        with suppress(av.FFmpegError):
            for frame in packet.decode():
                if self.look is NOT_SEEN and isinstance(frame, av.VideoFrame):
                    # The display matrix counts counter-clockwise.
                    self.look = Look(-frame.rotation % 360, frame.interlaced_frame, light_of(frame))


def _shorter(container: av.container.InputContainer, packets: dict[int, Packets]) -> str | None:
    """A sentence if the header promises more than could be read."""
    if not container.duration or not _DECLARING & set(container.format.name.split(",")):
        return None
    declared, start = container.duration / 1_000_000, (container.start_time or 0) / 1_000_000
    end = max((track.end for track in packets.values()), default=0.0)
    read = max(end, end - start)  # Matroska counts from zero, whenever the first picture comes
    return f"its header says {declared:.1f} s, {read:.1f} s can be read" if declared - read > _ROUNDING else None


def _transport_end(container: av.container.InputContainer, path: str, packets: dict[int, Packets]) -> str | None:
    """A sentence if the last pictures of a transport stream are missing, which it cannot say itself."""
    if container.format.name != "mpegts":
        return None
    for stream in container.streams.video:
        seen = packets.get(stream.index)
        if seen is not None and _missing_frames(seen):
            return "its last pictures are missing"
        if seen is not None and open_ended(Path(path)):
            # Opened anew: a decoder that has begun cannot be told to be strict.
            with open_media(path) as again:
                whole = decode_tail(again, again.streams[stream.index], seen.last_keyframe).ends_whole
            return None if whole else "its last picture is cut off"
    return None


def _missing_frames(packets: Packets) -> bool:
    """Whether a steady picture has a hole in its last frames: those that come later in the file are not there."""
    before, last = packets.steps[-120:-12], packets.steps[-12:]
    return len(before) > 24 and max(before) < 1.5 * min(before) and max(last) > 1.5 * max(before)
