"""The built-in presets: plain data, frozen for `version: 1`.

A change here would encode catalogues again, so a better preset gets a new name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Section = Mapping[str, str | int]
Plain = Mapping[str, str | Section]


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A preset that exists without being declared; `parameters` as a spec would write them."""

    description: str
    parameters: Plain


def _sound(bitrate: str) -> Section:
    return {"codec": "aac", "bitrate": bitrate, "channels": 2, "sample_rate": 48_000}


def _h264(height: int, crf: int, sound: str) -> Plain:
    video: Section = {"codec": "h264", "height": height, "crf": crf, "preset": "medium", "profile": "high"}
    return {"container": "mp4", "video": {**video, "pixel_format": "yuv420p"}, "audio": _sound(sound)}


def _hevc(height: int, crf: int, sound: str) -> Plain:
    video: Section = {"codec": "hevc", "height": height, "crf": crf, "preset": "medium", "profile": "main"}
    return {"container": "mp4", "video": {**video, "pixel_format": "yuv420p"}, "audio": _sound(sound)}


def _vp9(height: int, crf: int) -> Plain:
    video: Section = {"codec": "vp9", "height": height, "crf": crf, "preset": "2", "pixel_format": "yuv420p"}
    return {"container": "webm", "video": video, "audio": {**_sound("128k"), "codec": "opus"}}


def _av1(height: int, crf: int) -> Plain:
    video: Section = {"codec": "av1", "height": height, "crf": crf, "preset": "8", "pixel_format": "yuv420p"}
    return {"container": "mp4", "video": video, "audio": _sound("128k")}


BUILT_IN: Mapping[str, BuiltIn] = {
    "2160p-h264": BuiltIn("4K H.264 in MP4, high quality, stereo AAC", _h264(2160, 20, "192k")),
    "1080p-h264": BuiltIn("Full HD H.264 in MP4, plays everywhere, stereo AAC", _h264(1080, 21, "192k")),
    "720p-h264": BuiltIn("HD H.264 in MP4, plays everywhere, stereo AAC", _h264(720, 23, "128k")),
    "480p-h264": BuiltIn("SD H.264 in MP4, plays everywhere, stereo AAC", _h264(480, 24, "96k")),
    "360p-h264": BuiltIn("small H.264 in MP4 for thin lines, stereo AAC", _h264(360, 25, "96k")),
    "1080p-hevc": BuiltIn("Full HD HEVC in MP4, about two thirds of H.264's size", _hevc(1080, 24, "192k")),
    "720p-hevc": BuiltIn("HD HEVC in MP4, about two thirds of H.264's size", _hevc(720, 26, "128k")),
    "1080p-vp9": BuiltIn("Full HD VP9 and Opus in WebM, for browsers", _vp9(1080, 31)),
    "720p-vp9": BuiltIn("HD VP9 and Opus in WebM, for browsers", _vp9(720, 32)),
    "1080p-av1": BuiltIn("Full HD AV1 in MP4, the smallest, for recent devices", _av1(1080, 30)),
    "720p-av1": BuiltIn("HD AV1 in MP4, the smallest, for recent devices", _av1(720, 32)),
    "audio-aac": BuiltIn("sound only: stereo AAC in M4A", {"container": "m4a", "audio": _sound("128k")}),
    "audio-opus": BuiltIn(
        "sound only: stereo Opus in WebM",
        {"container": "webm", "video": {"codec": "none"}, "audio": {**_sound("96k"), "codec": "opus"}},
    ),
}
