"""Outputs that cannot be made of a source: seen before anything is encoded."""

from __future__ import annotations

from collections.abc import Collection

from reconciler.core.encode import Trim
from reconciler.core.packages import singles
from reconciler.core.parameters import Audio, Parameters, Video
from reconciler.ffmpeg import encoders
from reconciler.ffmpeg.arguments import has_audio, has_video, video_track
from reconciler.ffmpeg.facts import MediaFacts, VideoTrack
from reconciler.ffmpeg.geometry import turned
from reconciler.ffmpeg.sound import encoder_of as sound_encoder_of


def impossible(wanted: Parameters, facts: MediaFacts, trim: Trim, available: Collection[str]) -> str | None:
    """Why an output cannot be made, in a sentence; None if it can. `available` are the build's encoders."""
    if facts.end and trim.start >= facts.end:
        return f"the trim starts at {trim.start} s, the source ends at {facts.end:.2f} s"
    for name, single in singles(wanted).items():
        reason = _single(single, facts, available)
        if reason is not None:
            return f"variant {name}: {reason}" if name else reason
    return None


def _single(wanted: Parameters, facts: MediaFacts, available: Collection[str]) -> str | None:
    reason = None
    if has_video(wanted) and wanted.video is not None:
        reason = _video(wanted.video, video_track(facts), available)
    if reason is None and has_audio(wanted) and wanted.audio is not None:
        reason = _audio(wanted, wanted.audio, facts, available)
    return reason


def _video(video: Video, track: VideoTrack | None, available: Collection[str]) -> str | None:
    encoder = encoders.encoder_of(video)
    if track is None:
        return "the source has no picture"
    if encoder not in available:
        return f"this ffmpeg has no encoder {encoder}"
    width, height, _ = turned(video, track)
    if width < 2 or height < 2:
        shown = "{}x{}".format(*track.upright[:2])
        return f"the crop leaves nothing of the picture, which is {shown}"
    pixel_format = encoders.pixel_format_of(video)
    if track.hdr and not pixel_format.endswith("10le"):
        return (
            f"the source is HDR ({track.hdr}) and {pixel_format} is not: its colours would come out wrong. "
            f"Ask for pixel_format: yuv420p10le, or encode from an SDR master"
        )
    return None


def _audio(wanted: Parameters, audio: Audio, facts: MediaFacts, available: Collection[str]) -> str | None:
    encoder = sound_encoder_of(audio)
    if encoder not in available:
        return f"this ffmpeg has no encoder {encoder}"
    if facts.audio:
        number = audio.track or 0
        tracks = "1 audio track" if len(facts.audio) == 1 else f"{len(facts.audio)} audio tracks"
        return f"there is no audio track {number}: the source has {tracks}" if number >= len(facts.audio) else None
    if audio.missing == "error":
        return "the source has no sound"
    if not has_video(wanted) and audio.missing != "silence":
        return "the source has no sound, so nothing would be left of this output"
    return None
