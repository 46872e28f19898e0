"""A package that ffmpeg has written, made whole: every segment looked at, every stream verified, playlists written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import av

from reconciler.core.packages import MANIFEST, MASTER, has_dash, has_hls, segment_seconds, segment_type
from reconciler.ffmpeg.arguments import audio_track, has_video
from reconciler.ffmpeg.codec_names import codec_name
from reconciler.ffmpeg.complaints import Complaints
from reconciler.ffmpeg.facts import MediaFacts, Track, video_track
from reconciler.ffmpeg.notes import channels, clock
from reconciler.ffmpeg.packages import INDEX, INIT, Stream, layout
from reconciler.ffmpeg.playlists import Choice, Rendition, manifest, master_playlist, media_playlist
from reconciler.ffmpeg.segments import Joined, Measured, broken_end, files_of, join_end, measure, stuff
from reconciler.ffmpeg.verify import Wish, verify
from reconciler.io import trees


@dataclass(frozen=True, slots=True)
class Packaged:
    """What came of a package: a summary and its length in seconds, what is wrong with it, what is merely odd."""

    summary: str
    seconds: float
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Made:
    """One stream, as it was made."""

    rendition: Rendition
    facts: MediaFacts
    wrong: tuple[str, ...]
    notes: tuple[str, ...]


class _BrokenError(Exception):
    """A stream of which no playlist can speak."""


def package(folder: Path, wish: Wish, complaints: Complaints) -> Packaged:
    """Look at all that ffmpeg wrote to a folder, and write the playlists that open it. Raises OSError."""
    plan = layout(wish.parameters, wish.source)
    try:
        made = {stream.name: _made(folder / stream.name, stream, wish, complaints) for stream in plan.streams}
    except _BrokenError as error:
        return Packaged("", 0.0, (str(error),))
    choices = [
        Choice(member.name, made[member.main].rendition, tuple(made[sound].rendition for sound in member.sounds))
        for member in plan.members
    ]
    _write(folder, wish, choices)
    strays = sorted(set(trees.members(folder)) - _expected(wish, choices))
    wrong = [each for stream in made.values() for each in stream.wrong]
    wrong += [f"it holds {strays[0]}, which no playlist names"] if strays else []
    notes = [each for stream in made.values() for each in stream.notes]
    summary, seconds = _summary(wish, made), max(stream.facts.end for stream in made.values())
    return Packaged(summary, seconds, tuple(dict.fromkeys(wrong)), tuple(dict.fromkeys(notes)))


def _made(folder: Path, stream: Stream, wish: Wish, complaints: Complaints) -> _Made:
    """Raises _BrokenError, OSError."""
    try:
        stuff(folder)
        pause = _pause(stream, wish)
        measured = measure(folder, pause)
        if segment_type(stream.parameters) == "fmp4" and not has_video(stream.parameters):
            measured = join_end(folder, measured, pause)
        names = [codec_name(codec, configuration) for codec, configuration in measured.configurations]
        broken = broken_end(folder)
    except (av.FFmpegError, ValueError) as error:
        raise _BrokenError(f"{stream.name} cannot be opened: {getattr(error, 'strerror', None) or error}") from None
    # A transport stream's clock begins anywhere.
    shifted = segment_type(stream.parameters) == "ts"
    with Joined(files_of(folder)) as whole:
        own = Wish(stream.parameters, wish.trim, wish.source)
        finding = verify(cast("BinaryIO", whole), own, complaints, shifted=shifted, tail=False)
    if finding.facts is None:
        raise _BrokenError(f"{stream.name}: {'; '.join(finding.wrong)}")
    wrong = tuple(f"{stream.name}: {each}" for each in [*finding.wrong, *broken])
    rendition = _rendition(stream, measured, names, finding.facts)
    return _Made(rendition, finding.facts, (*measured.wrong, *wrong), finding.notes)


def _pause(stream: Stream, wish: Wish) -> float:
    """The longest step between two pictures of the source, or packets of its sound."""
    if has_video(stream.parameters):
        track: Track | None = video_track(wish.source)
    else:
        track = audio_track(stream.parameters.audio, wish.source) if stream.parameters.audio is not None else None
    return track.gap if track is not None else 0.0


def _rendition(stream: Stream, measured: Measured, names: list[str], facts: MediaFacts) -> Rendition:
    video = facts.video[0] if facts.video else None
    audio = facts.audio[0] if facts.audio else None
    return Rendition(
        folder=stream.name,
        kind=segment_type(stream.parameters),
        codecs=tuple(names),
        ticks=measured.ticks,
        pieces=measured.pieces,
        width=video.width if video is not None else 0,
        height=video.height if video is not None else 0,
        frame_rate=video.frame_rate if video is not None else None,
        hdr=video.hdr if video is not None else None,
        channels=audio.channels if audio is not None else 0,
        sample_rate=audio.sample_rate if audio is not None else 0,
        group=stream.group,
        label=stream.label,
        language=stream.language,
    )


def _write(folder: Path, wish: Wish, choices: list[Choice]) -> None:
    for rendition in {stream.folder: stream for choice in choices for stream in choice.streams}.values():
        index = folder / rendition.folder / INDEX
        index.unlink(missing_ok=True)
        if has_hls(wish.parameters):
            index.write_text(media_playlist(rendition), encoding="utf-8")
    if has_hls(wish.parameters):
        (folder / MASTER).write_text(master_playlist(choices), encoding="utf-8")
    if has_dash(wish.parameters):
        text = manifest(choices, segment_seconds(wish.parameters))
        (folder / MANIFEST).write_text(text, encoding="utf-8")


def _expected(wish: Wish, choices: list[Choice]) -> set[str]:
    """Every file that the playlists lead to."""
    files = {MASTER} if has_hls(wish.parameters) else set[str]()
    files |= {MANIFEST} if has_dash(wish.parameters) else set()
    for stream in (stream for choice in choices for stream in choice.streams):
        names = [piece.name for piece in stream.pieces]
        names += [INDEX] if has_hls(wish.parameters) else []
        names += [INIT] if stream.kind == "fmp4" else []
        files |= {f"{stream.folder}/{name}" for name in names}
    return files


def _summary(wish: Wish, made: dict[str, _Made]) -> str:
    """`10:34 hls, 3 variants, 1920x1080 to 640x360 25 fps h264, aac stereo 48k`."""
    facts = [stream.facts for stream in made.values()]
    pictures = sorted((each for one in facts for each in one.video), key=lambda each: -each.height)
    sounds = [each for one in facts for each in one.audio]
    plan = layout(wish.parameters, wish.source)
    count = len(plan.members)
    said = [f"{wish.parameters.container}, {count} variant{'s' if count > 1 else ''}"]
    if pictures:
        sizes = list(dict.fromkeys(f"{each.width}x{each.height}" for each in (pictures[0], pictures[-1])))
        rate = f" {float(pictures[0].frame_rate):.5g} fps" if pictures[0].frame_rate else ""
        said.append(f"{' to '.join(sizes)}{rate} {'/'.join(dict.fromkeys(each.codec for each in pictures))}")
    if sounds:
        spoken = dict.fromkeys(stream.label for stream in plan.streams if stream.language is not None)
        languages = f" in {', '.join(spoken)}" if len(spoken) > 1 else ""
        said.append(f"{sounds[0].codec} {channels(sounds[0])} {sounds[0].sample_rate / 1000:g}k{languages}")
    return f"{clock(max(one.end for one in facts))} {', '.join(said)}"
