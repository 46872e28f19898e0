"""What the encoders and containers can do, as data: the facts that `combinations` judges by.

Found by trying each value on the ffmpeg 9.0.2 of the imageio-ffmpeg wheel and comparing the bits: a setting
that an encoder takes and ignores counts as one that it cannot do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# How bits are shared out: by quality, by quality under a ceiling, by an average, at a constant rate.
RateControl = Literal["crf", "capped", "vbr", "cbr"]

FULL = frozenset({"yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"})
DEFAULT_PIXEL_FORMAT = "yuv420p"


@dataclass(frozen=True, slots=True)
class EncoderFacts:
    """One encoder of ffmpeg.

    `acts` says which fields, beside `crf` or `bitrate`, change something under each rate control. `profiles`
    gives the pixel formats that each profile is for. `buffered`: a ceiling is ignored without a buffer size.
    """

    codec: str
    crf_max: int
    presets: tuple[str, ...]
    tunes: tuple[str, ...]
    profiles: Mapping[str, frozenset[str]]
    levels: tuple[str, ...]
    pixel_formats: frozenset[str]
    acts: Mapping[RateControl, frozenset[str]]
    crf_whole: bool = False
    buffered: bool = False


_X26X_PRESETS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
)  # fmt: skip
_X26X_RATES: Mapping[RateControl, frozenset[str]] = {
    "crf": frozenset(),
    "capped": frozenset({"max_bitrate", "buffer_size"}),
    "vbr": frozenset({"max_bitrate", "buffer_size"}),
    "cbr": frozenset({"buffer_size"}),
}
_AV1_PROFILES = {
    "main": frozenset({"yuv420p", "yuv420p10le"}),
    "high": frozenset({"yuv444p", "yuv444p10le"}),
    "professional": frozenset({"yuv422p", "yuv422p10le"}),
}

ENCODERS: Mapping[str, EncoderFacts] = {
    "libx264": EncoderFacts(
        codec="h264",
        crf_max=51,
        presets=_X26X_PRESETS,
        tunes=("film", "animation", "grain", "stillimage", "psnr", "ssim", "fastdecode", "zerolatency"),
        profiles={
            "baseline": frozenset({"yuv420p"}),
            "main": frozenset({"yuv420p"}),
            "high": frozenset({"yuv420p"}),
            "high10": frozenset({"yuv420p10le"}),
            "high422": frozenset({"yuv422p", "yuv422p10le"}),
            "high444": frozenset({"yuv444p", "yuv444p10le"}),
        },
        levels=(
            "1.0", "1b", "1.1", "1.2", "1.3", "2.0", "2.1", "2.2", "3.0", "3.1", "3.2",
            "4.0", "4.1", "4.2", "5.0", "5.1", "5.2", "6.0", "6.1", "6.2",
        ),
        pixel_formats=FULL,
        acts=_X26X_RATES,
        buffered=True,
    ),
    "libx265": EncoderFacts(
        codec="hevc",
        crf_max=51,
        presets=_X26X_PRESETS,
        tunes=("psnr", "ssim", "grain", "zerolatency", "fastdecode", "animation"),
        profiles={
            "main": frozenset({"yuv420p"}),
            "main10": frozenset({"yuv420p10le"}),
            "main422-10": frozenset({"yuv422p", "yuv422p10le"}),
            "main444-8": frozenset({"yuv444p"}),
            "main444-10": frozenset({"yuv444p10le"}),
        },
        levels=("1.0", "2.0", "2.1", "3.0", "3.1", "4.0", "4.1", "5.0", "5.1", "5.2", "6.0", "6.1", "6.2"),
        pixel_formats=FULL,
        acts=_X26X_RATES,
        buffered=True,
    ),
    "libvpx-vp9": EncoderFacts(
        codec="vp9",
        crf_max=63,
        presets=tuple(str(speed) for speed in range(6)),  # 6 to 8 give the bits of 5 (deadline good)
        tunes=("psnr", "ssim", "film", "screen"),
        profiles={
            "0": frozenset({"yuv420p"}),
            "1": frozenset({"yuv422p", "yuv444p"}),
            "2": frozenset({"yuv420p10le"}),
            "3": frozenset({"yuv422p10le", "yuv444p10le"}),
        },
        levels=("1.0", "1.1", "2.0", "2.1", "3.0", "3.1", "4.0", "4.1", "5.0", "5.1", "5.2", "6.0", "6.1", "6.2"),
        pixel_formats=FULL,
        acts={
            "crf": frozenset(),
            "capped": frozenset({"max_bitrate"}),
            "vbr": frozenset({"min_bitrate"}),
            "cbr": frozenset({"buffer_size"}),
        },
    ),
    "libsvtav1": EncoderFacts(
        codec="av1",
        crf_max=63,
        presets=tuple(str(speed) for speed in range(-1, 12)),  # 12 and 13 are mapped to 11
        tunes=("vq", "psnr", "ssim", "ms_ssim", "vmaf"),
        profiles={"main": _AV1_PROFILES["main"]},
        levels=(
            "2.0", "2.1", "3.0", "3.1", "4.0", "4.1", "5.0", "5.1", "5.2", "5.3", "6.0", "6.1", "6.2", "6.3",
        ),
        pixel_formats=_AV1_PROFILES["main"],
        acts={
            "crf": frozenset(),
            "capped": frozenset({"max_bitrate", "buffer_size"}),
            "vbr": frozenset({"min_bitrate", "buffer_size"}),  # a ceiling is refused: only with crf
            "cbr": frozenset({"buffer_size"}),
        },
        crf_whole=True,
    ),
    "libaom-av1": EncoderFacts(
        codec="av1",
        crf_max=63,
        presets=tuple(str(speed) for speed in range(7)),  # 7 and 8 give the bits of 6 (usage good)
        tunes=("psnr", "ssim"),
        profiles=_AV1_PROFILES,
        levels=(),  # taken and ignored
        pixel_formats=FULL,
        acts={"crf": frozenset(), "capped": frozenset({"max_bitrate"}), "vbr": frozenset(), "cbr": frozenset()},
    ),
}  # fmt: skip

DEFAULT_ENCODERS: Mapping[str, str] = {
    "h264": "libx264",
    "hevc": "libx265",
    "vp9": "libvpx-vp9",
    "av1": "libsvtav1",
}


@dataclass(frozen=True, slots=True)
class ContainerFacts:
    """What a container holds; `faststart` is for those whose index can move to the front.

    `tracks` is how many tracks of sound there may be, None for any number.
    """

    video: tuple[str, ...]
    audio: tuple[str, ...]
    faststart: bool = False
    tracks: int | None = None


CONTAINERS: Mapping[str, ContainerFacts] = {
    "mp4": ContainerFacts(("h264", "hevc", "vp9", "av1"), ("aac", "opus"), faststart=True),
    "mov": ContainerFacts(("h264", "hevc"), ("aac",), faststart=True),
    "mkv": ContainerFacts(("h264", "hevc", "vp9", "av1"), ("aac", "mp3", "flac", "opus")),
    "webm": ContainerFacts(("vp9", "av1"), ("opus",)),
    "m4a": ContainerFacts((), ("aac",), faststart=True),
    "mp3": ContainerFacts((), ("mp3",), tracks=1),
    "ogg": ContainerFacts((), ("opus",), tracks=1),
    "flac": ContainerFacts((), ("flac",), tracks=1),
    # Stills are no tracks.
    "jpg": ContainerFacts((), ()),
    "png": ContainerFacts((), ()),
    "webp": ContainerFacts((), ()),
    # Subtitles are none, either.
    "vtt": ContainerFacts((), ()),
    "srt": ContainerFacts((), ()),
    # Packages: what the players of each kind take.
    "hls": ContainerFacts(("h264", "hevc", "av1"), ("aac",)),
    "dash": ContainerFacts(("h264", "hevc", "av1"), ("aac", "opus")),
    "cmaf": ContainerFacts(("h264", "hevc", "av1"), ("aac",)),
}


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """One audio codec. Bitrates are bits a second: the lowest in all, the highest a channel at 48 kHz.

    `bitrates` are the only ones that there are, at sample rates from 32 kHz on; a codec without loss has none.
    """

    sample_rates: tuple[int, ...]
    channels: frozenset[int]
    lowest: int
    highest: int
    bitrates: tuple[int, ...] = ()
    lossless: bool = False


AUDIO: Mapping[str, AudioFacts] = {
    "aac": AudioFacts(
        (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000),
        frozenset({1, 2, 3, 4, 5, 6, 8}),
        6_000,
        288_000,  # 6144 bits a frame of 1024 samples, and a channel: more is clamped
    ),
    "opus": AudioFacts((8_000, 12_000, 16_000, 24_000, 48_000), frozenset({1, 2, 3, 4, 5, 6, 8}), 6_000, 256_000),
    "mp3": AudioFacts(
        (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
        frozenset({1, 2}),
        8_000,
        320_000,
        tuple(1000 * each for each in (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)),
    ),
    "flac": AudioFacts(
        (8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000, 176_400, 192_000),
        frozenset({1, 2, 3, 4, 5, 6, 8}),
        0,
        0,
        lossless=True,
    ),
}

_PCM = ("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_f32le")

# The sound that each container can take over as it is, by ffmpeg's names of codecs.
COPYABLE: Mapping[str, tuple[str, ...]] = {
    "mp4": ("aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"),
    "mov": ("aac", "mp3", "ac3", "alac", *_PCM),
    "mkv": ("aac", "mp3", "mp2", "ac3", "eac3", "dts", "truehd", "opus", "vorbis", "flac", "alac", *_PCM),
    "webm": ("opus", "vorbis"),
    "m4a": ("aac", "alac"),
    "mp3": ("mp3",),
    "ogg": ("opus", "vorbis", "flac"),
    "flac": ("flac",),
}

# The colours that ffmpeg and every browser agree on by name; any other is written #rrggbb.
COLOURS = (
    "black", "white", "gray", "silver", "red", "maroon", "orange", "yellow", "olive", "lime",
    "green", "teal", "aqua", "blue", "navy", "fuchsia", "purple",
)  # fmt: skip
