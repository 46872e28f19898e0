"""Whether an output is whole. ffmpeg's exit code 0 proves nothing, so every file is looked at.

It must hold just the tracks that were asked for, as they were asked for; each must end where its source track
(trimmed) ends; its last pictures and sounds must decode; and the source must have been read without serious
damage. What fails this is suspect: it is kept for a look, and never counts as made.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

import av
import av.container
import av.stream

from reconciler.core.encode import Trim
from reconciler.core.languages import language
from reconciler.core.parameters import Parameters
from reconciler.ffmpeg.arguments import has_audio, has_video
from reconciler.ffmpeg.complaints import Complaints
from reconciler.ffmpeg.encoders import pixel_format_of
from reconciler.ffmpeg.facts import AudioTrack, MediaFacts, Track, VideoTrack, video_track, wanted_span
from reconciler.ffmpeg.geometry import is_deinterlaced, output_rate, output_size
from reconciler.ffmpeg.media import Packets, open_media, read_packets
from reconciler.ffmpeg.probe import FirstPicture, describe, is_cover
from reconciler.ffmpeg.sound import channels_of, codec_delay
from reconciler.ffmpeg.tail import Tail, decode_tail
from reconciler.ffmpeg.tonemap import is_brought_down, kept_light
from reconciler.ffmpeg.tracks import Chosen, chosen, is_copied

# Of a long last group of pictures only the first frames are decoded: the rest of the file is held together by
# its packets, which are all read, and this look should cost milliseconds.
_TAIL_FRAMES = 32
# A search in Ogg comes behind the last of its pages, which are about a second long, or to no place at all.
_TAIL_SOUND = (0.5, 3.0, math.inf)

# Clocks of containers are as coarse as a millisecond.
_CLOCK = 0.002

# A few broken places are what a recording off the air has; more of them, or a hole that goes with them, mean
# that the source is damaged. One error a ten seconds is allowed on top.
_ERRORS_ALLOWED = 20
_ERRORS_EVERY = 10.0
_HOLE = 0.5


@dataclass(frozen=True, slots=True)
class Wish:
    """What an output is held against: what was asked for, and what the source holds."""

    parameters: Parameters
    trim: Trim
    source: MediaFacts


@dataclass(frozen=True, slots=True)
class Finding:
    """What looking at an output gave: its facts, what is wrong with it, what is merely odd."""

    facts: MediaFacts | None
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def verify(
    file: str | BinaryIO, wish: Wish, complaints: Complaints, *, shifted: bool = False, tail: bool = True
) -> Finding:
    """Look at one output, by its path or open.

    `shifted`: its clock begins anywhere, so only lengths are compared. `tail`: its last pictures and sounds are
    decoded, too.
    """
    try:
        with open_media(file) as container:
            first = FirstPicture(container)
            packets = read_packets(container, first.take)
            facts = describe(container, packets, first=replace(first.look, rotation=None))
            facts = _set_back(facts, wish) if shifted else facts
            wrong = [*_unlike(facts, wish), *_too_short(facts, wish)]
            wrong += _broken_tail(container, packets) if tail else []
    except (av.FFmpegError, OSError) as error:
        return Finding(None, (f"the file cannot be opened: {error.strerror or error}",))
    damage = list(_damage(facts, wish, complaints))
    notes = [*([] if damage else _scratches(complaints)), *_dimmed(facts, wish)]
    return Finding(facts, (*damage, *wrong), tuple(notes))


def _set_back(facts: MediaFacts, wish: Wish) -> MediaFacts:
    """The facts on a clock on which the picture, else the sound, begins when its source does."""
    pairs = list(_pairs(facts, wish))
    if not pairs:
        return facts
    _, made, source, _ = pairs[0]
    by = made.start - wanted_span(wish.source, source, wish.trim)[0]
    video = tuple(replace(track, start=track.start - by, end=track.end - by) for track in facts.video)
    audio = tuple(replace(track, start=track.start - by, end=track.end - by) for track in facts.audio)
    return replace(facts, start=0.0, video=video, audio=audio)


def _unlike(facts: MediaFacts, wish: Wish) -> Iterator[str]:
    """Tracks that are not what was asked for."""
    wanted = wish.parameters
    video, audio = has_video(wanted), expected_sounds(wanted, wish.source)
    if len(facts.video) != video or len(facts.audio) != audio:
        tracks = f"{len(facts.video)} video and {len(facts.audio)} audio tracks"
        yield f"it holds {tracks} instead of {video:d} and {audio:d}"
        return
    if video:
        yield from _unlike_video(facts.video[0], wish)
    sounds: list[Chosen | None] = list(chosen(wanted.audio, wish.source)) if wanted.audio is not None else []
    for made, track in zip(facts.audio, sounds or [None], strict=False):
        yield from _unlike_audio(made, track, wish)


def _unlike_video(made: VideoTrack, wish: Wish) -> Iterator[str]:
    video, source = wish.parameters.video, video_track(wish.source)
    assert video is not None, "an output with a picture"
    assert source is not None, "an output of a source with a picture"
    size = output_size(video, source).canvas
    expected = {
        "codec": (video.codec, made.codec),
        "size": ("{}x{}".format(*size), f"{made.width}x{made.height}"),
        # A source of full range stays one, which some readers call by an older name of its own.
        "pixel format": (pixel_format_of(video), made.pixel_format.replace("yuvj", "yuv")),
        "pixel aspect": ("1", str(made.pixel_aspect)),
    }
    rate = output_rate(video, source)
    if rate is not None and made.packets > 2 and made.frame_rate is not None:
        close = abs(float(made.frame_rate) - float(rate)) < 0.01 * float(rate)
        expected["frame rate"] = (str(rate), str(rate if close else made.frame_rate))
    brought_down = is_brought_down(video, source)
    expected["dynamic range"] = ((None if brought_down else source.hdr) or "SDR", made.hdr or "SDR")
    for name, (asked, got) in expected.items():
        if asked != got:
            yield f"its {name} is {got} instead of {asked}"
    if made.interlaced and is_deinterlaced(video, source):
        yield "it is interlaced"


def _unlike_audio(made: AudioTrack, track: Chosen | None, wish: Wish) -> Iterator[str]:
    audio = wish.parameters.audio
    assert audio is not None, "an output with sound"
    source = track.facts if track is not None else None
    if source is not None and is_copied(wish.parameters, source, wish.trim):
        codec, channels, rate = source.codec, source.channels, source.sample_rate
    else:
        codec, channels = audio.codec or "", channels_of(audio, source) or 2
        # Opus always says 48 kHz, whatever went in (RFC 7845, section 5.1).
        rate = made.sample_rate if codec == "opus" or audio.sample_rate is None else audio.sample_rate
    if made.codec != codec:
        yield f"its audio codec is {made.codec} instead of {codec}"
    if made.channels != channels:
        yield f"it has {made.channels} audio channels instead of {channels}"
    if made.sample_rate != rate:
        yield f"its sample rate is {made.sample_rate} instead of {rate}"
    said = track.language if track is not None and audio.tracks is not None else None
    # mov knows a hundred languages and no others.
    known = wish.parameters.container != "mov" or language(made.language) != "und"
    if known and said not in {None, language(made.language)}:
        yield f"an audio track is in {language(made.language)} instead of {said}"


def _too_short(facts: MediaFacts, wish: Wish) -> Iterator[str]:
    """Tracks that do not end when their source tracks end."""
    for kind, made, source, tolerance in _pairs(facts, wish):
        expected = wanted_span(wish.source, source, wish.trim)[1]
        if math.isfinite(expected) and abs(made.end - expected) > tolerance + _CLOCK:
            yield f"its {kind} ends at {made.end:.2f} s instead of {expected:.2f} s"


def _pairs(facts: MediaFacts, wish: Wish) -> Iterator[tuple[str, Track, Track, float]]:
    """Each track that was made, the track it was made from, and by how much their ends may differ."""
    picture = video_track(wish.source)
    if facts.video and picture is not None:
        made = facts.video[0]
        frame = max(made.frame, picture.frame, 1 / float(made.frame_rate or 1000))
        # The last frame before a trim's end is shown to its own end, on a clock of the encoder's that rounds.
        yield "picture", made, picture, frame if wish.trim.end is None else 1.5 * frame
    audio = wish.parameters.audio
    if facts.audio and audio is not None:
        sounds = [each.facts for each in chosen(audio, wish.source) if each.facts is not None]
        for heard, sound in zip(facts.audio, sounds, strict=False):
            yield "sound", heard, sound, sound.frame + codec_delay(heard)
        if not sounds and picture is not None:
            yield "sound", facts.audio[0], picture, codec_delay(facts.audio[0])


def _broken_tail(container: av.container.InputContainer, packets: dict[int, Packets]) -> Iterator[str]:
    for stream in container.streams:
        seen = packets.get(stream.index)
        if seen is None or stream.type not in {"video", "audio"} or is_cover(stream):
            continue
        kind = "picture" if stream.type == "video" else "sound"
        tail = _tail(container, stream, seen)
        if tail.broken or not tail.frames:
            yield f"the end of its {kind} cannot be decoded"


def _tail(container: av.container.InputContainer, stream: av.stream.Stream, seen: Packets) -> Tail:
    """The end of a track, decoded; of a sound as much as it takes to find it."""
    if stream.type == "video":
        return decode_tail(container, stream, seen.last_keyframe, _TAIL_FRAMES)
    tail = Tail(0, 0, ends_whole=False)
    for seconds in _TAIL_SOUND:
        if not tail.frames and not tail.broken:
            tail = decode_tail(container, stream, max(seen.start, seen.end - seconds))
    return tail


def _damage(facts: MediaFacts, wish: Wish, complaints: Complaints) -> Iterator[str]:
    """What was lost on the way into the output, though it looks whole."""
    source = wish.source
    cut = source.truncated or ("it ends in the middle of a packet" if complaints.cut_off else None)
    if cut is not None and (wish.trim.end is None or wish.trim.end > _readable(wish) + _CLOCK):
        yield f"the source is cut off at {_readable(wish):.2f} s: {cut}"
    allowed = _ERRORS_ALLOWED + facts.end / _ERRORS_EVERY
    if complaints.source_errors > allowed:
        yield f"the source is damaged: {complaints.source_errors} errors, the first: {complaints.first_source_error}"
    elif complaints.source_errors:
        yield from _holes(facts, wish)


def _holes(facts: MediaFacts, wish: Wish) -> Iterator[str]:
    """Parts of a steady track that are missing; uneven frame rates have pauses of their own."""
    for kind, made, source, _ in _pairs(facts, wish):
        hole = max(made.gap, source.gap) - made.frame
        uneven = isinstance(source, VideoTrack) and source.variable
        if hole > _HOLE and not uneven:
            yield f"the source is damaged: {hole:.1f} s of the {kind} are missing"


def _readable(wish: Wish) -> float:
    """Up to where every track that is used could be read, counted from the file's start."""
    wanted, source = wish.parameters, wish.source
    tracks: list[Track] = []
    if has_video(wanted) and (picture := video_track(source)) is not None:
        tracks.append(picture)
    if has_audio(wanted) and wanted.audio is not None:
        tracks += [each.facts for each in chosen(wanted.audio, source) if each.facts is not None]
    return min((track.end - source.start for track in tracks), default=0.0)


def _dimmed(facts: MediaFacts, wish: Wish) -> Iterator[str]:
    """HDR10 that lost what its master said: ffmpeg carries it along by itself, but not past a split of the decode."""
    video = wish.parameters.video
    light = kept_light(video, video_track(wish.source)) if video is not None else None
    made = facts.video[0].light if facts.video else None
    if light is not None and facts.video and (made is None or not made.is_like(light)):
        yield "what the source says of its brightness (HDR10 metadata) was not carried over"


def _scratches(complaints: Complaints) -> Iterator[str]:
    if complaints.source_errors:
        errors = "1 error" if complaints.source_errors == 1 else f"{complaints.source_errors} errors"
        yield f"{errors} while the source was read, the first: {complaints.first_source_error}"


def expected_sounds(wanted: Parameters, source: MediaFacts) -> int:
    """How many tracks of sound there are to be: those that were chosen of the source, or one that is made up."""
    if not has_audio(wanted) or wanted.audio is None:
        return 0
    return len(chosen(wanted.audio, source)) if source.audio else int(wanted.audio.missing == "silence")
