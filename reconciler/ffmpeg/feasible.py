"""Outputs that cannot be made of a source: seen before anything is encoded."""

from __future__ import annotations

from collections.abc import Collection

from reconciler.core.codecs import COPYABLE
from reconciler.core.encode import Trim
from reconciler.core.packages import singles
from reconciler.core.parameters import Audio, Parameters, Video
from reconciler.core.subtitle_fields import KINDS as SUBTITLES
from reconciler.ffmpeg import burn_in, encoders, stills, subtitles
from reconciler.ffmpeg.arguments import has_audio, has_video
from reconciler.ffmpeg.facts import MediaFacts, VideoTrack, video_track, wanted_span
from reconciler.ffmpeg.geometry import turned
from reconciler.ffmpeg.sound import encoder_of as sound_encoder_of
from reconciler.ffmpeg.tracks import chosen, not_there


def impossible(wanted: Parameters, facts: MediaFacts, trim: Trim, available: Collection[str]) -> str | None:
    """Why an output cannot be made, in a sentence; None if it can. `available` are the build's encoders."""
    if facts.end and trim.start >= facts.end:
        return f"the trim starts at {trim.start} s, the source ends at {facts.end:.2f} s"
    if wanted.container in SUBTITLES:
        return subtitles.impossible(wanted, facts)
    reason = burn_in.impossible(wanted, facts)
    if reason is not None:
        return reason
    if wanted.stills is not None:
        encoder = stills.encoder_of(wanted)
        missing = None if encoder in available else f"this ffmpeg has no encoder {encoder}"
        return missing or stills.impossible(wanted, facts, trim)
    for name, single in singles(wanted).items():
        reason = _single(single, facts, available) or _unseen(single, facts, trim)
        if reason is not None:
            return f"variant {name}: {reason}" if name else reason
    return None


def _single(wanted: Parameters, facts: MediaFacts, available: Collection[str]) -> str | None:
    reason = None
    if has_video(wanted) and wanted.video is not None:
        reason = _video(wanted.video, video_track(facts), available)
    if reason is None and has_audio(wanted) and wanted.audio is not None:
        reason = _audio(wanted, wanted.audio, facts, available)
    return reason or (_not_copied(wanted, facts) if wanted.audio is not None else None)


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
    if track.hdr and video.tonemap is None and not pixel_format.endswith("10le"):
        return (
            f"the source is HDR ({track.hdr}) and {pixel_format} is not: its colours would come out wrong. "
            f"Ask for tonemap: hable to make it SDR, or for pixel_format: yuv420p10le to keep it"
        )
    return None


def _unseen(wanted: Parameters, facts: MediaFacts, trim: Trim) -> str | None:
    """Why an image over a picture would never be seen."""
    track, mark = video_track(facts), wanted.video.watermark if wanted.video is not None else None
    if track is None or mark is None or mark.start is None:
        return None
    end = wanted_span(facts, track, trim)[1]
    if not facts.end or mark.start < end:
        return None
    return f"the watermark would come at {mark.start} s, the output ends at {end:.2f} s"


def _audio(wanted: Parameters, audio: Audio, facts: MediaFacts, available: Collection[str]) -> str | None:
    if audio.codec != "copy" and sound_encoder_of(audio) not in available:
        return f"this ffmpeg has no encoder {sound_encoder_of(audio)}"
    if facts.audio:
        return not_there(audio, facts)
    if audio.missing == "error":
        return "the source has no sound"
    if not has_video(wanted) and audio.missing != "silence":
        return "the source has no sound, so nothing would be left of this output"
    return None


def _not_copied(wanted: Parameters, facts: MediaFacts) -> str | None:
    """Why sound that is to be copied cannot be."""
    audio = wanted.audio
    if audio is None or audio.codec != "copy":
        return None
    for track in chosen(audio, facts):
        codec = track.facts.codec if track.facts is not None else ""
        if codec not in COPYABLE.get(wanted.container or "", ()):
            return f"the source's sound is {codec}, which {wanted.container} cannot hold: write a codec"
    return None
