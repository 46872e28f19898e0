"""A package as streams: what ffmpeg encodes and cuts into segments, each in a folder of its own. Pure.

In fragmented MP4, the sound is a stream apart that all variants with the same sound share, as players like it
best: a change of variant never touches the sound, and it is stored once. In transport streams every variant holds
its own, since old players want it so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from reconciler.core.packages import SOUND, is_package, is_series, segment_seconds, segment_type, variants_of
from reconciler.core.parameters import Audio, FrameRateLimit, Parameters, Variant, Video
from reconciler.ffmpeg.facts import MediaFacts
from reconciler.ffmpeg.formats import PLAIN
from reconciler.ffmpeg.geometry import output_rate

INIT = "init.mp4"
INDEX = "index.m3u8"
MASTER = "master.m3u8"
MANIFEST = "manifest.mpd"
# So many pictures late is a pause; and a rate, in pictures a second, at which anything moves smoothly.
_PAUSE = 2.5
_LIVELY = 30

_ENDINGS = {"fmp4": "m4s", "ts": "ts"}


@dataclass(frozen=True, slots=True)
class Stream:
    """One folder of segments. `parameters` are those of a package with just these tracks."""

    name: str
    parameters: Parameters


@dataclass(frozen=True, slots=True)
class Member:
    """A variant by the names of its streams; `sound` is None where `main` holds it, or there is none."""

    name: str
    main: str
    sound: str | None


@dataclass(frozen=True, slots=True)
class Layout:
    """The streams of a package, and which of them each variant is made of."""

    streams: tuple[Stream, ...]
    members: tuple[Member, ...]


def layout(package: Parameters, facts: MediaFacts | None) -> Layout:
    """How a package of a source is stored; `facts` None takes sound to be there."""
    variants = {name: _possible(variant, facts) for name, variant in variants_of(package).items()}
    apart = segment_type(package) == "fmp4" and any(_shown(variant) for variant in variants.values())
    sounds = _sounds(variants) if apart else {}
    streams = [
        Stream(name, _stream(package, _steady(variant.video, facts), None if apart else variant.audio))
        for name, variant in variants.items()
    ]
    streams += [Stream(name, _stream(package, None, audio)) for name, audio in sounds.items()]
    by_audio = {audio.model_dump_json(): name for name, audio in sounds.items()}
    members = [
        Member(name, name, by_audio.get(variant.audio.model_dump_json()) if variant.audio is not None else None)
        for name, variant in variants.items()
    ]
    return Layout(tuple(streams), tuple(members))


def folders(parameters: Parameters, facts: MediaFacts | None) -> list[str]:
    """The folders in that of an output, or itself, which must be there before ffmpeg is; none for a single file."""
    if is_package(parameters):
        return [stream.name for stream in layout(parameters, facts).streams]
    return [""] if is_series(parameters) else []


def muxer_arguments(package: Parameters, folder: str) -> list[str]:
    """How ffmpeg writes one stream: its segments, and a playlist that is replaced by one of ours.

    Timestamps stay as they are, so that all streams begin when they begin in the source.
    """
    kind = segment_type(package)
    # Uneven pictures were made even on the way here, at a rate of our choice.
    steady = ["-fps_mode", "vfr"] if package.video is not None else []
    options = [*PLAIN, "-f", "hls", "-hls_time", str(segment_seconds(package)), "-hls_playlist_type", "vod"]
    if kind == "fmp4":
        # A picture that begins late says so in its segments: browsers pass over an edit list that does.
        flags = "+cmaf+skip_sidx" + ("+frag_discont" if package.video is not None else "")
        options = [*PLAIN, "-avoid_negative_ts", "disabled", *options[len(PLAIN) :], "-hls_segment_type", "fmp4"]
        options += ["-hls_fmp4_init_filename", INIT, "-hls_segment_options", f"movflags={flags}"]
    pattern = f"file:{folder}/segment-%05d.{_ENDINGS[kind]}"
    return [*steady, *options, "-hls_segment_filename", pattern, f"file:{folder}/{INDEX}"]


def is_segment(name: str) -> bool:
    """Whether a file of a stream's folder is one of its segments."""
    return name.startswith("segment-") and name.rpartition(".")[2] in _ENDINGS.values()


def _possible(variant: Variant, facts: MediaFacts | None) -> Variant:
    """A variant without the tracks that it does not ask for, or that the source cannot give."""
    video, audio = variant.video, variant.audio
    silent = facts is not None and not facts.audio
    if audio is not None and (audio.codec in {None, "none"} or (silent and audio.missing != "silence")):
        audio = None
    return Variant.model_construct(video=video if _shown(variant) else None, audio=audio)


def _shown(variant: Variant) -> bool:
    return variant.video is not None and variant.video.codec not in {None, "none"}


def _sounds(variants: Mapping[str, Variant]) -> dict[str, Audio]:
    """The different sounds of all variants by the names of their folders."""
    first: dict[str, tuple[str, Audio]] = {}
    for name, variant in variants.items():
        if variant.audio is not None:
            first.setdefault(variant.audio.model_dump_json(), (name, variant.audio))
    apart = len(first) > 1
    return {f"{SOUND}-{name}" if apart else SOUND: audio for name, audio in first.values()}


def _steady(video: Video | None, facts: MediaFacts | None) -> Video | None:
    """A picture of one rate, as players need it: over pauses they stop, and segments would lose their grid.

    Rates are guessed low where most pictures come late, as on a screen on which little moves.
    """
    track = facts.video[0] if facts is not None and facts.video else None
    if video is None or track is None or track.frame_rate is None or output_rate(video, track) is not None:
        return video
    if not track.variable and track.gap * track.frame_rate < _PAUSE:
        return video
    rate = max(track.frame_rate, Fraction(min(track.peak_rate or 0, _LIVELY)).limit_denominator(1001))
    limit = Fraction(video.fps.max) if isinstance(video.fps, FrameRateLimit) else rate
    return video.model_copy(update={"fps": str(min(rate, limit))})


def _stream(package: Parameters, video: Video | None, audio: Audio | None) -> Parameters:
    """A package of just these tracks, whose picture has a keyframe at the start of each segment at least."""
    if video is not None and video.keyframe_interval is None:
        video = video.model_copy(update={"keyframe_interval": segment_seconds(package)})
    return package.model_copy(update={"video": video, "audio": audio, "variants": None})
