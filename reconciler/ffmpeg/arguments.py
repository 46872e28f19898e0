"""What ffmpeg is told: one process that makes all outputs of a job from one decode. Pure.

Each output has its own filter chain on the same input track. ffmpeg decodes a track once however many
outputs use it, and gives every chain a thread of its own; a `split` filter makes the same files in the same
time (compared by digest), so each output reads just as it would alone.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.encode import Source
from reconciler.core.parameters import Audio, Parameters
from reconciler.core.units import number
from reconciler.ffmpeg import encoders, sound
from reconciler.ffmpeg.facts import AudioTrack, MediaFacts, VideoTrack, wanted_span
from reconciler.ffmpeg.formats import generated_arguments, input_arguments, lead_in, output_arguments
from reconciler.ffmpeg.geometry import filters

_GLOBAL = [
    *("-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning"),
    *("-progress", "pipe:1", "-stats_period", "0.5", "-y"),
]
# Options that begin a line of their own where a command is shown.
_LINE_STARTS = {"-f", "-protocol_whitelist", "-map", "-vf", "-c:v", "-c:a", "-map_metadata", "-movflags"}


@dataclass(frozen=True, slots=True)
class Target:
    """One output of a process: what it shall be, and the file that it is written to."""

    parameters: Parameters
    path: str


def arguments(
    source: Source, path: str, targets: Sequence[Target], *, facts: MediaFacts | None, threads: int | None = None
) -> list[str]:
    """The arguments of the ffmpeg process that makes `targets`.

    `path` is the source as a local file; a generated source needs none. `facts` None means that nothing is
    known of the source yet: sizes become expressions and sound is taken to be there.
    """
    lead = lead_in(source.trim.start, facts)
    if source.kind == "lavfi":
        options = [*_GLOBAL, *generated_arguments(source.location, source.trim)]
    else:
        options = [*_GLOBAL, *input_arguments(path, source.trim, lead)]
    if facts is not None and any(_silent(target.parameters, facts) for target in targets):
        options += _silence(source, facts, lead)
    for target in targets:
        options += _output(target, facts, lead, threads)
    return options


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
    number = audio.track or 0
    return facts.audio[number] if facts is not None and number < len(facts.audio) else None


def _output(target: Target, facts: MediaFacts | None, lead: float, threads: int | None) -> list[str]:
    wanted = target.parameters
    container = wanted.container or "mp4"
    options: list[str] = []
    if has_video(wanted) and wanted.video is not None:
        track = video_track(facts)
        options += ["-map", "0:V:0", "-vf", ",".join(filters(wanted.video, track))]
        options += encoders.arguments(wanted.video, container, track, threads)
    if has_audio(wanted) and wanted.audio is not None:
        options += _audio(wanted, wanted.audio, facts)
    options += ["-ss", str(number(lead))] if lead else []
    return options + output_arguments(container, target.path, faststart=wanted.faststart is not False)


def _audio(wanted: Parameters, audio: Audio, facts: MediaFacts | None) -> list[str]:
    track = audio_track(audio, facts)
    if facts is None or track is not None:
        return ["-map", f"0:a:{audio.track or 0}", *sound.arguments(audio, track)]
    if _silent(wanted, facts):
        return ["-map", "1:a:0", *sound.arguments(audio, None)]
    return []


def _silent(wanted: Parameters, facts: MediaFacts) -> bool:
    """Whether an output gets made-up silence, since the source has no sound at all."""
    audio = wanted.audio
    return has_audio(wanted) and audio is not None and audio.missing == "silence" and not facts.audio


def _silence(source: Source, facts: MediaFacts, lead: float) -> list[str]:
    """Silence that is as long as the picture."""
    track = video_track(facts)
    length = wanted_span(facts, track, source.trim)[1] if track is not None else facts.end
    return ["-f", "lavfi", "-t", str(number(length + lead)), "-i", "anullsrc=channel_layout=stereo:sample_rate=48000"]


def shell(command: Sequence[str]) -> str:
    """A command for people to read and to paste: quoted, one group of options a line."""
    lines: list[list[str]] = [[]]
    for word in command:
        if word in _LINE_STARTS:
            lines.append([])
        lines[-1].append(shlex.quote(word))
    return " \\\n  ".join(" ".join(line) for line in lines)
