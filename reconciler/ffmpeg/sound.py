"""The sound of an output in ffmpeg's options: encoder, layout, rate."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.parameters import Audio
from reconciler.ffmpeg.facts import AudioTrack
from reconciler.ffmpeg.tracks import holes

_ENCODERS = {"aac": "aac", "opus": "libopus", "mp3": "libmp3lame", "flac": "flac"}

# The layout of each channel count that all encoders write in the plain way. Others ("5.1(side)", which is
# what AC-3 decodes to) make AAC files that few players read, and make libopus refuse.
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 5: "5.0", 6: "5.1", 8: "7.1"}
_LAYOUTS_OF_FOUR = {"aac": "4.0", "opus": "quad", "flac": "quad"}
# MP3 holds two channels at most.
_MOST_CHANNELS = {"mp3": 2}


def encoder_of(audio: Audio) -> str:
    """The encoder's name in ffmpeg."""
    return _ENCODERS[audio.codec or "aac"]


def options(audio: Audio, copied: Sequence[bool] = (False,)) -> list[str]:
    """The encoder of one output's sound and its options; `copied` says so of each track."""
    if all(copied):
        return ["-c:a", "copy"]
    words = ["-c:a", encoder_of(audio)]
    words += [word for number, copy in enumerate(copied) if copy for word in (f"-c:a:{number}", "copy")]
    words += ["-b:a", str(audio.bitrate)] if audio.bitrate else []
    channels = channels_of(audio, None)
    words += ["-ac", str(channels)] if channels in {1, 2} else []
    return words + (["-ar", str(audio.sample_rate)] if audio.sample_rate else [])


def filters(audio: Audio, track: AudioTrack | None, *, late: bool = False) -> list[str]:
    """What is done to the sound on its way. `track` None: nothing is known of the source yet.

    `late` sound is given silence up to where the output begins.
    """
    return [*_filled(track, late=late), *_layout(audio, audio.codec or "aac", track), *_heard(audio, track)]


def channels_of(audio: Audio, track: AudioTrack | None) -> int | None:
    """How many channels an output has; None while that depends on a source that is not known."""
    had = track.channels if track is not None else None
    most = _MOST_CHANNELS.get(audio.codec or "")
    if audio.channels is not None or most is None:
        return audio.channels or had
    return min(had or most, most) if had is not None else None


def rate_of(audio: Audio, track: AudioTrack | None) -> int:
    """The sample rate of an output."""
    return audio.sample_rate or (track.sample_rate if track is not None and audio.codec != "opus" else 48_000)


def codec_delay(made: AudioTrack) -> float:
    """By how many seconds an encoded sound may be longer than what it was made of.

    A packet at each end: the last one is filled up, the first holds what the encoder looks ahead; MP3 has one more.
    """
    samples = 3 * 1152 if made.codec == "mp3" else 2 * 1024
    return samples / made.sample_rate if made.sample_rate else 0.1


def layout_of(channels: int, codec: str) -> str | None:
    """The layout that an output of so many channels gets; None leaves the source's."""
    return _LAYOUTS_OF_FOUR.get(codec) if channels == 4 else _LAYOUTS.get(channels)


def _filled(track: AudioTrack | None, *, late: bool) -> list[str]:
    if late:
        return ["aresample=async=1:first_pts=0"]
    return ["aresample=async=1"] if track is not None and holes(track) else []


def _layout(audio: Audio, codec: str, track: AudioTrack | None) -> list[str]:
    channels = channels_of(audio, track)
    layout = layout_of(channels, codec) if channels and channels > 2 else None
    if layout is None or (track is not None and track.layout == layout):
        return []
    return [f"aformat=channel_layouts={layout}"]


def _heard(audio: Audio, track: AudioTrack | None) -> list[str]:
    """Sound that is to be measured is first made what it will be: fewer channels are not as loud."""
    if audio.loudness is None:
        return []
    channels = channels_of(audio, track)
    layout = {1: "mono", 2: "stereo"}.get(channels or 0)
    mixed = [f"aformat=channel_layouts={layout}"] if layout and (track is None or track.layout != layout) else []
    return [*mixed, *([f"aresample={audio.sample_rate}"] if audio.sample_rate else [])]
