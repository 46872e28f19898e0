"""What ffmpeg is told: one process that makes all outputs of a job from one decode. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.encode import Source, Trim
from reconciler.core.packages import is_package, segment_type
from reconciler.core.parameters import Audio, Parameters
from reconciler.core.units import number
from reconciler.ffmpeg import encoders, geometry, sound, trimming
from reconciler.ffmpeg.facts import AudioTrack, MediaFacts, VideoTrack, wanted_span
from reconciler.ffmpeg.formats import generated_arguments, input_arguments, output_arguments
from reconciler.ffmpeg.graph import Feed, Maps, graph
from reconciler.ffmpeg.packages import layout, muxer_arguments
from reconciler.ffmpeg.trimming import lead_in, seek

_GLOBAL = [
    *("-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning"),
    *("-progress", "pipe:1", "-stats_period", "0.5", "-y"),
]
# Options that begin a line of their own where a command is shown.
_LINE_STARTS = {
    *("-f", "-protocol_whitelist", "-filter_complex", "-map", "-vf", "-c:v", "-c:a", "-map_metadata", "-movflags")
}


@dataclass(frozen=True, slots=True)
class Target:
    """One output of a process: what it shall be, and the file, or the package's folder, that it is written to."""

    parameters: Parameters
    path: str


def arguments(
    source: Source, path: str, targets: Sequence[Target], *, facts: MediaFacts | None, threads: int | None = None
) -> list[str]:
    """The arguments of the ffmpeg process that makes `targets`.

    `path` is the source as a local file; a generated source needs none. `facts` None means that nothing is
    known of the source yet: sizes become expressions and sound is taken to be there.
    """
    targets = [each for target in targets for each in _parts(target, facts)]
    opened = generated_arguments(source.location) if source.kind == "lavfi" else input_arguments(path)
    words = [*_GLOBAL, *seek(source.trim, lead_in(source.trim, facts)), *opened]
    if facts is not None and any(_silent(target.parameters, facts) for target in targets):
        words += _silence(source.trim, facts)
    shared, mapped = graph([_feeds(target.parameters, source.trim, facts) for target in targets])
    words += shared
    for target, maps in zip(targets, mapped, strict=True):
        words += _output(target, maps, facts, threads)
    return words


def has_video(parameters: Parameters) -> bool:
    """Whether an output has a picture."""
    return parameters.video is not None and parameters.video.codec not in {None, "none"}


def has_audio(parameters: Parameters) -> bool:
    """Whether an output is to have sound."""
    return parameters.audio is not None and parameters.audio.codec not in {None, "none"}


def video_track(facts: MediaFacts | None) -> VideoTrack | None:
    """The picture that is encoded: the first that is no attached image."""
    return facts.video[0] if facts is not None and facts.video else None


def audio_track(audio: Audio, facts: MediaFacts | None) -> AudioTrack | None:
    """The sound that is asked for; None if the source has it not, or is not known."""
    track = audio.track or 0
    return facts.audio[track] if facts is not None and track < len(facts.audio) else None


def _feeds(wanted: Parameters, trim: Trim, facts: MediaFacts | None) -> list[Feed]:
    """The tracks that an output is made from, and what is done to them: picture first."""
    feeds: list[Feed] = []
    lead = lead_in(trim, facts)
    if has_video(wanted) and wanted.video is not None:
        chain = [*trimming.filters("video", trim, lead), *geometry.filters(wanted.video, video_track(facts))]
        feeds.append(Feed("video", "0:V:0", tuple(chain)))
    if has_audio(wanted) and wanted.audio is not None:
        track = audio_track(wanted.audio, facts)
        chain = sound.filters(wanted.audio, track)
        if facts is None or track is not None:
            chain = [*trimming.filters("audio", trim, lead), *chain]
            feeds.append(Feed("audio", f"0:a:{wanted.audio.track or 0}", tuple(chain)))
        elif _silent(wanted, facts):
            feeds.append(Feed("audio", "1:a:0", tuple(chain)))
    return feeds


def _output(target: Target, maps: Maps, facts: MediaFacts | None, threads: int | None) -> list[str]:
    wanted = target.parameters
    packed = is_package(wanted)
    container: str = wanted.container or "mp4"
    if packed:
        container = {"fmp4": "mp4"}.get(segment_type(wanted), "ts")
    words: list[str] = []
    if "video" in maps and wanted.video is not None:
        picture = encoders.options(wanted.video, container, video_track(facts), threads, from_first=packed)
        words += [*maps["video"], *picture]
    if "audio" in maps and wanted.audio is not None:
        words += [*maps["audio"], *sound.options(wanted.audio)]
    if packed:
        return words + muxer_arguments(wanted, target.path)
    return words + output_arguments(container, target.path, faststart=wanted.faststart is not False)


def _parts(target: Target, facts: MediaFacts | None) -> list[Target]:
    """What ffmpeg writes for an output: one file, or the streams of a package."""
    if not is_package(target.parameters):
        return [target]
    streams = layout(target.parameters, facts).streams
    return [Target(stream.parameters, f"{target.path}/{stream.name}") for stream in streams]


def _silent(wanted: Parameters, facts: MediaFacts) -> bool:
    """Whether an output gets made-up silence, since the source has no sound at all."""
    audio = wanted.audio
    return has_audio(wanted) and audio is not None and audio.missing == "silence" and not facts.audio


def _silence(trim: Trim, facts: MediaFacts) -> list[str]:
    """Silence that is as long as the picture."""
    track = video_track(facts)
    length = wanted_span(facts, track, trim)[1] if track is not None else facts.end
    return ["-f", "lavfi", "-t", str(number(length)), "-i", "anullsrc=channel_layout=stereo:sample_rate=48000"]


def shell(command: Sequence[str]) -> str:
    """A command for people to read and to paste: quoted, one group of options a line."""
    lines: list[list[str]] = [[]]
    for word in command:
        if word in _LINE_STARTS:
            lines.append([])
        lines[-1].append(shlex.quote(word))
    return " \\\n  ".join(" ".join(line) for line in lines)
