"""What a media file holds, as far as encoding and verifying it is concerned: plain values, no files.

All times are seconds. Starts and ends are on the file's own clock, on which nothing need begin at zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from reconciler.core.encode import Trim
from reconciler.ffmpeg.light import Light

# Transfer characteristics of ITU-T H.273: PQ (SMPTE ST 2084) and HLG (ARIB STD-B67).
UNKNOWN_COLOUR = 2
_HDR_TRANSFERS = {16: "PQ", 18: "HLG"}


@dataclass(frozen=True, slots=True)
class Track:
    """What every audio or video track has.

    `start` and `end` come from its packets, never from a header. `frame` is how long its last packet plays,
    `gap` the longest step from one packet to the next.
    """

    codec: str
    start: float
    end: float
    packets: int
    frame: float
    gap: float


@dataclass(frozen=True, slots=True)
class VideoTrack(Track):
    """One picture track. `width` and `height` are as stored, before `rotation` (clockwise, in degrees).

    `frame_rate` is the usual one, `peak_rate` that of the two closest frames. `group` is how long the longest
    group of pictures is: so far back a keyframe may be. `transfer`, `primaries` and `matrix` are numbers of H.273.
    `interlaced` and `light` are those of the first picture.
    """

    width: int
    height: int
    pixel_format: str
    pixel_aspect: Fraction = Fraction(1)
    rotation: int = 0
    frame_rate: Fraction | None = None
    peak_rate: float | None = None
    variable: bool = False
    group: float = 0.0
    transfer: int = UNKNOWN_COLOUR
    primaries: int = UNKNOWN_COLOUR
    matrix: int = UNKNOWN_COLOUR
    interlaced: bool = False
    light: Light | None = None

    @property
    def upright(self) -> tuple[int, int, Fraction]:
        """Width, height and pixel aspect as a player shows them."""
        if self.rotation % 180 == 90:
            return self.height, self.width, 1 / self.pixel_aspect
        return self.width, self.height, self.pixel_aspect

    @property
    def hdr(self) -> str | None:
        """`PQ` or `HLG`; None for a picture of standard range."""
        return _HDR_TRANSFERS.get(self.transfer)


@dataclass(frozen=True, slots=True)
class AudioTrack(Track):
    """One sound track; `bitrate` is what its packets come to, in bits a second, if that is known."""

    channels: int
    layout: str
    sample_rate: int
    language: str | None = None
    bitrate: float | None = None


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """One track of subtitles."""

    codec: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """One media file.

    `start` is where its clock begins, `duration` what its header says (None where it says nothing). `others`
    names the kinds of tracks that are no picture and no sound. `truncated` is a sentence if the end of the
    file is missing.
    """

    container: str
    start: float
    duration: float | None
    video: tuple[VideoTrack, ...]
    audio: tuple[AudioTrack, ...]
    others: tuple[str, ...] = ()
    truncated: str | None = None
    subtitles: tuple[SubtitleTrack, ...] = ()

    @property
    def end(self) -> float:
        """When the last picture or sound ends, counted from the file's start."""
        return max((track.end - self.start for track in (*self.video, *self.audio)), default=0.0)


def video_track(facts: MediaFacts | None) -> VideoTrack | None:
    """The picture that is encoded: the first that is no attached image."""
    return facts.video[0] if facts is not None and facts.video else None


def wanted_span(media: MediaFacts, track: Track, trim: Trim) -> tuple[float, float]:
    """When a track starts and ends in an output that is trimmed so; the end is before the start if nothing is left."""
    start = max(track.start - media.start, trim.start) - trim.start
    end = track.end - media.start
    if trim.end is not None:
        end = min(end, trim.end)
    return start, end - trim.start
