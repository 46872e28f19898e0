"""The sound of an output in ffmpeg's options: track, layout, encoder."""

from __future__ import annotations

from reconciler.core.parameters import Audio
from reconciler.ffmpeg.facts import AudioTrack

_ENCODERS = {"aac": "aac", "opus": "libopus"}

# The layout of each channel count that both encoders write in the plain way. Others ("5.1(side)", which is
# what AC-3 decodes to) make AAC files that few players read, and make libopus refuse.
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 5: "5.0", 6: "5.1", 8: "7.1"}
_LAYOUTS_OF_FOUR = {"aac": "4.0", "opus": "quad"}

# Longer holes in a source's sound are filled with silence, so that picture and sound stay together.
_HOLE = 0.1


def encoder_of(audio: Audio) -> str:
    """The encoder's name in ffmpeg."""
    return _ENCODERS[audio.codec or "aac"]


def options(audio: Audio) -> list[str]:
    """The encoder of one output's sound and its options."""
    words = ["-c:a", encoder_of(audio)]
    words += ["-b:a", str(audio.bitrate)] if audio.bitrate else []
    words += ["-ac", str(audio.channels)] if audio.channels in {1, 2} else []
    return words + (["-ar", str(audio.sample_rate)] if audio.sample_rate else [])


def filters(audio: Audio, track: AudioTrack | None) -> list[str]:
    """What is done to the sound on its way. `track` None: nothing is known of the source yet."""
    return [*_filled(track), *_layout(audio, audio.codec or "aac", track)]


def layout_of(channels: int, codec: str) -> str | None:
    """The layout that an output of so many channels gets; None leaves the source's."""
    return _LAYOUTS_OF_FOUR[codec] if channels == 4 else _LAYOUTS.get(channels)


def holes(track: AudioTrack) -> bool:
    """Whether a source's sound has holes that must be filled."""
    return track.gap - track.frame > _HOLE


def _filled(track: AudioTrack | None) -> list[str]:
    return ["aresample=async=1"] if track is not None and holes(track) else []


def _layout(audio: Audio, codec: str, track: AudioTrack | None) -> list[str]:
    channels = audio.channels or (track.channels if track is not None else None)
    layout = layout_of(channels, codec) if channels and channels > 2 else None
    if layout is None or (track is not None and track.layout == layout):
        return []
    return [f"aformat=channel_layouts={layout}"]
