"""A package as streams: what ffmpeg encodes and cuts into segments, each in a folder of its own. Pure.

In fragmented MP4, the sound is a stream apart that all variants with the same sound share, as players like it
best: a change of variant never touches the sound, and it is stored once. Several tracks are streams of one group, of
which players choose one. In transport streams every variant holds
its own, since old players want it so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, count

from reconciler.core.languages import name_of
from reconciler.core.packages import SOUND, is_package, is_series, segment_seconds, segment_type, variants_of
from reconciler.core.parameters import Audio, FrameRateLimit, Parameters, Variant, Video
from reconciler.ffmpeg.facts import MediaFacts, video_track
from reconciler.ffmpeg.formats import PLAIN
from reconciler.ffmpeg.geometry import output_rate
from reconciler.ffmpeg.tracks import chosen

INIT = "init.mp4"
INDEX = "index.m3u8"
# So many pictures late is a pause; and a rate, in pictures a second, at which anything moves smoothly.
_PAUSE = 2.5
_LIVELY = 30

_ENDINGS = {"fmp4": "m4s", "ts": "ts"}


@dataclass(frozen=True, slots=True)
class Stream:
    """One folder of segments. `parameters` are those of a package with just these tracks.

    Sound apart is in a `group`, with a label there and a language if that is known.
    """

    name: str
    parameters: Parameters
    group: str = ""
    label: str = ""
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A variant by the names of its streams; there are no `sounds` where `main` holds it, or there is none."""

    name: str
    main: str
    sounds: tuple[str, ...]


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
    by_audio: dict[str, tuple[str, ...]] = {}
    for group, audio in sounds.items():
        tracks = _tracks(package, group, audio, facts, {stream.name for stream in streams})
        streams += tracks
        by_audio[audio.model_dump_json()] = tuple(track.name for track in tracks)
    members = [
        Member(name, name, by_audio.get(variant.audio.model_dump_json(), ()) if variant.audio is not None else ())
        for name, variant in variants.items()
    ]
    return Layout(tuple(streams), tuple(members))


def _tracks(
    package: Parameters, group: str, audio: Audio, facts: MediaFacts | None, taken: Collection[str]
) -> list[Stream]:
    """The streams of a sound: one, or one for each track that is asked for."""
    tracks = chosen(audio, facts) if audio.tracks is not None else []
    if not tracks:
        return [Stream(group, _stream(package, None, audio), group, "audio")]
    streams: list[Stream] = []
    names, labels = set(taken), set[str]()
    for track in tracks:
        code = track.language or str(track.number)
        name = group if len(tracks) == 1 else _unlike(f"{group}-{code}", names, "-{}")
        label = _unlike(name_of(track.language) if track.language else f"Track {track.number + 1}", labels, " ({})")
        alone = audio.model_copy(update={"track": None, "tracks": str(track.number)})
        streams.append(Stream(name, _stream(package, None, alone), group, label, track.language))
        names.add(name)
        labels.add(label)
    return streams


def _unlike(name: str, taken: Collection[str], ending: str) -> str:
    """A name that is not taken: the wanted one, or the same with a number."""
    numbered = (name + ending.format(number) for number in count(2))
    return next(each for each in chain([name], numbered) if each not in taken)


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
    track = video_track(facts)
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
