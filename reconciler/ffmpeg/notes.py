"""Sentences about media: what is odd about a source, what becomes of it, what was made."""

from __future__ import annotations

import math
from collections.abc import Iterator

from reconciler.core.encode import Source, Trim
from reconciler.core.packages import is_package, singles
from reconciler.core.parameters import Parameters
from reconciler.core.ports import Fetched
from reconciler.core.subtitle_fields import KINDS as SUBTITLES
from reconciler.ffmpeg import burn_in
from reconciler.ffmpeg.arguments import audio_track, has_audio, has_video
from reconciler.ffmpeg.facts import AudioTrack, MediaFacts, VideoTrack, video_track
from reconciler.ffmpeg.geometry import is_deinterlaced, output_rate, output_size, turned
from reconciler.ffmpeg.sound import channels_of
from reconciler.ffmpeg.tracks import Chosen, chosen, is_copied

_OTHERS = {
    "subtitle": "subtitles are not copied",
    "cover": "the attached cover picture is not copied",
    "data": "the data track (timecode or the like) is not copied",
    "attachment": "attached files are not copied",
}
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
_NOTABLE = 0.1
_RANGE = {True: "HDR is brought down to SDR", False: "the source is SDR: there is nothing to tone-map"}


def source_line(source: Source, fetched: Fetched, facts: MediaFacts) -> str:
    """`fetched bbb.mp4 158 MB in 14 s: 10:34, 1920x1080, 30 fps, audio 5.1`; or `cached`, or `read` from a disk."""
    name = source.identity.partition("?")[0].rstrip("/").rpartition("/")[2] or source.identity
    verb = "read" if source.kind == "file" else "cached" if fetched.cached else "fetched"
    took = f" in {_seconds(fetched.seconds)}" if verb == "fetched" else ""
    return f"{verb} {name} {megabytes(fetched.size)}{took}: {', '.join(_described(facts))}"


def output_summary(facts: MediaFacts) -> str:
    """`10:34 1920x1080 30 fps h264, aac stereo 48k`."""
    pictures = [" ".join([f"{one.width}x{one.height}", *_rate(one), one.codec]) for one in facts.video]
    sounds = [f"{one.codec} {channels(one)} {one.sample_rate / 1000:g}k" for one in facts.audio]
    return f"{clock(facts.end)} {', '.join(pictures + sounds)}"


def notes(wanted: Parameters, facts: MediaFacts, trim: Trim) -> list[str]:
    """What is odd about a source, as far as it concerns one output, and what is done about it."""
    found = [*_about_file(facts, trim)]
    for single in singles(wanted).values():
        found += [*_about_video(single, facts), *_about_audio(single, facts, trim)]
    used = wanted.container in SUBTITLES or burn_in.asked(wanted) is not None
    known = {_OTHERS["subtitle"]} if used else set[str]()
    return [note for note in dict.fromkeys(found) if note not in known]


def clock(seconds: float) -> str:
    """`10:34`, `1:02:03`; below ten seconds with a decimal, since there it matters."""
    if not math.isfinite(seconds):
        return "no known length"
    if seconds < 10:
        return f"0:{seconds:04.1f}"
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def megabytes(size: int) -> str:
    """A size as people say it."""
    for unit, one in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)):
        if size >= one:
            return f"{size / one:.1f} {unit}" if size < 10 * one else f"{size / one:.0f} {unit}"
    return f"{size} bytes"


def channels(sound: AudioTrack) -> str:
    """`stereo`, `5.1`; a layout that has no short name by its count."""
    return _LAYOUTS.get(sound.channels, f"{sound.channels} channels")


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def _described(facts: MediaFacts) -> Iterator[str]:
    yield clock(facts.end)
    picture = video_track(facts)
    if picture is not None:
        yield "{}x{}".format(*picture.upright[:2])
        yield from _rate(picture)
    if len(facts.audio) > 1:
        yield f"{len(facts.audio)} audio tracks"
    for sound in facts.audio[:1]:
        yield f"audio {channels(sound)}"


def _rate(picture: VideoTrack) -> list[str]:
    return [f"{float(picture.frame_rate):.5g} fps"] if picture.frame_rate else []


def _about_file(facts: MediaFacts, trim: Trim) -> Iterator[str]:
    if facts.duration is None and facts.container != "lavfi":
        yield f"the source does not say how long it is; its packets end at {clock(facts.end)}"
    if facts.truncated is not None and trim.end is not None:
        yield f"the source is cut off behind the part that is used: {facts.truncated}"
    for kind in dict.fromkeys(facts.others):
        if kind in _OTHERS:
            yield _OTHERS[kind]


def _about_video(wanted: Parameters, facts: MediaFacts) -> Iterator[str]:
    picture = video_track(facts)
    if not has_video(wanted) or wanted.video is None or picture is None:
        return
    if picture.rotation:
        yield f"the picture is turned upright, by {picture.rotation} degrees"
    if picture.pixel_aspect != 1:
        yield f"the source's pixels are not square ({picture.pixel_aspect}): the picture is scaled to square ones"
    if picture.interlaced:
        treated = is_deinterlaced(wanted.video, picture)
        yield "the source is interlaced" + (
            ": it is deinterlaced" if treated else ', and so is the output ("deinterlace: auto" helps)'
        )
    if wanted.video.tonemap is not None:
        yield _RANGE[picture.hdr is not None]
    if picture.variable and output_rate(wanted.video, picture) is None:
        kept = "the output a steady one, as players want it" if is_package(wanted) else "and so has the output"
        yield f"the source has a variable frame rate, {kept}"
    width, height, aspect = turned(wanted.video, picture)
    size = output_size(wanted.video, picture).picture
    asked = max(wanted.video.width or 0, wanted.video.height or 0)
    if (
        asked
        and wanted.video.avoid_upscaling is not False
        and _smaller(wanted, size, (float(width * aspect), float(height)))
    ):
        yield f"the source is only {width}x{height}: it is not scaled up"


def _smaller(wanted: Parameters, size: tuple[int, int], shown: tuple[float, float]) -> bool:
    """Whether the picture stayed below the asked size because its source is smaller."""
    assert wanted.video is not None, "an output with a picture"
    limits = [(wanted.video.width, size[0], shown[0]), (wanted.video.height, size[1], shown[1])]
    asked = [(limit, got, had) for limit, got, had in limits if limit is not None]
    return all(got < limit - 1 and had < limit for limit, got, had in asked)


def _about_audio(wanted: Parameters, facts: MediaFacts, trim: Trim) -> Iterator[str]:
    audio = wanted.audio
    if not has_audio(wanted) or audio is None:
        return
    if not facts.audio:
        silent = audio.missing == "silence"
        yield f"the source has no sound: the output {'gets silence' if silent else 'has none either'}"
        return
    tracks = chosen(audio, facts)
    if len(facts.audio) > 1 and audio.tracks is None:
        yield from (f"audio track {_numbered(track)} of {len(facts.audio)} is used" for track in tracks)
    elif len(facts.audio) > 1:
        named, count = ", ".join(map(_numbered, tracks)), len(facts.audio)
        are = f"track {named} of {count} is" if len(tracks) == 1 else f"tracks {named} of {count} are"
        yield f"audio {are} used"
    for sound in [track.facts for track in tracks if track.facts is not None]:
        if audio.copy_if is not None:
            yield _copied(wanted, sound, trim)
        made = channels_of(audio, sound)
        if made is not None and made < sound.channels and not is_copied(wanted, sound, trim):
            down = _LAYOUTS.get(made, f"{made} channels")
            yield f"audio {channels(sound)} is mixed down to {down}"
    picture = video_track(facts)
    first = audio_track(audio, facts)
    if has_video(wanted) and picture is not None and first is not None:
        yield from _against_picture(first, picture)


def _numbered(track: Chosen) -> str:
    return f"{track.number} ({track.language})" if track.language is not None else str(track.number)


def _copied(wanted: Parameters, sound: AudioTrack, trim: Trim) -> str:
    rate = f" {sound.bitrate / 1000:.0f}k" if sound.bitrate is not None else ""
    said = f"the sound ({sound.codec}{rate}) is"
    return f"{said} copied" if is_copied(wanted, sound, trim) else f"{said} encoded, not copied"


def _against_picture(sound: AudioTrack, picture: VideoTrack) -> Iterator[str]:
    if picture.start - sound.start > _NOTABLE:
        yield f"the picture starts {picture.start - sound.start:.2f} s after the sound"
    elif sound.start - picture.start > _NOTABLE:
        yield f"the sound starts {sound.start - picture.start:.2f} s after the picture"
    over = sound.end - picture.end
    if math.isfinite(over) and abs(over) > _NOTABLE:
        yield f"the sound ends {abs(over):.2f} s {'after' if over > 0 else 'before'} the picture"
