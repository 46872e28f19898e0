"""The facts of a generated (lavfi) source: what its first frame looks like, and how long it says it will be."""

from __future__ import annotations

import io
import math
import subprocess
from collections.abc import Mapping
from dataclasses import replace

import av

from reconciler.core import lavfi
from reconciler.core.encode import Source
from reconciler.core.errors import RejectedError
from reconciler.ffmpeg.complaints import Complaints
from reconciler.ffmpeg.facts import MediaFacts
from reconciler.ffmpeg.media import open_media, read_packets
from reconciler.ffmpeg.probe import describe
from reconciler.ffmpeg.process import environment_for

_SECONDS = 60


def check_source(source: Source) -> lavfi.Lengths:
    """The lengths of a generated source; RejectedError if it is not allowed or never ends."""
    try:
        return lavfi.check(source.location, source.trim)
    except ValueError as error:
        raise RejectedError(f"source {source.identity}: {error}") from None


def generated_facts(source: Source, program: str, environment: Mapping[str, str]) -> MediaFacts:
    """The facts of a generated source, from a look at its first frame.

    Tracks whose end is not known before they are made end at infinity.
    """
    lengths = check_source(source)
    first = io.BytesIO(_first_frame(source, program, environment))
    try:
        with open_media(first, "nut") as container:
            facts = describe(container, read_packets(container))
    except (av.FFmpegError, OSError):
        raise RejectedError(f"source {source.identity}: ffmpeg makes nothing of it") from None
    pictures, sounds = _or_never(lengths.video), _or_never(lengths.audio)
    video = tuple(replace(track, start=0.0, end=pictures, gap=track.frame) for track in facts.video)
    audio = tuple(replace(track, start=0.0, end=sounds, gap=track.frame) for track in facts.audio)
    return replace(facts, container="lavfi", start=0.0, duration=None, video=video, audio=audio)


def _or_never(length: float | None) -> float:
    return length if length is not None else math.inf


def _first_frame(source: Source, program: str, environment: Mapping[str, str]) -> bytes:
    """One picture and one block of sound, uncompressed."""
    command = [program, "-hide_banner", "-nostdin", "-loglevel", "level+error", "-f", "lavfi", "-i", source.location]
    command += ["-map", "0:v?", "-map", "0:a?", "-t", "0.1", "-c:v", "rawvideo", "-frames:v", "1"]
    command += ["-c:a", "pcm_s16le", "-f", "nut", "pipe:1"]
    try:
        made = subprocess.run(
            command,
            capture_output=True,
            check=False,
            env=environment_for(environment),
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RejectedError(f"source {source.identity}: its first frame was not made: {error}") from None
    if made.returncode != 0:
        complaints = Complaints()
        for line in made.stderr.decode("utf-8", "replace").splitlines():
            complaints.add(line)
        raise RejectedError(f"source {source.identity}: {complaints.reason() or 'ffmpeg makes nothing of it'}")
    return made.stdout
