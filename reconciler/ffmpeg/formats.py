"""The containers that are read and written, and the only ways in which ffmpeg may open a source.

Playlists (HLS, DASH, concat) are not among the formats: they name other files and URLs, which ffmpeg would
open.
"""

from __future__ import annotations

# Demuxers by the names that ffmpeg matches its format_whitelist against.
READABLE = (
    "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska,webm",
    "mpegts",
    "mpeg",
    "avi",
    "mxf",
    "flv",
    "asf",
    "ogg",
    "nut",
    "ivf",
    "dv",
    "yuv4mpegpipe",
    "wav",
    "w64",
    "aiff",
    "flac",
    "mp3",
    "aac",
    "ac3",
    "eac3",
)
FORMAT_WHITELIST = ",".join(READABLE)
PROTOCOL_WHITELIST = "file,pipe"

# Those of images and of subtitles that stand beside a source.
IMAGES = "png_pipe,jpeg_pipe,webp_pipe"
SUBTITLES = "srt,webvtt,ass"

# What every process is told before its inputs.
GLOBAL = (
    *("-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning"),
    *("-progress", "pipe:1", "-stats_period", "0.5", "-y"),
)

# No metadata, chapters, data or subtitles come along by themselves.
PLAIN = ("-map_metadata", "-1", "-map_chapters", "-1", "-dn", "-sn", "-max_muxing_queue_size", "1024")

_MUXERS = {
    "mp4": "mp4",
    "mov": "mov",
    "mkv": "matroska",
    "webm": "webm",
    "m4a": "ipod",
    "mp3": "mp3",
    "ogg": "ogg",
    "flac": "flac",
}
_FASTSTART = {"mp4", "mov", "m4a"}


def input_arguments(path: str) -> list[str]:
    """How a local file is opened: as a file and nothing else, whatever its name or its content says."""
    return ["-protocol_whitelist", PROTOCOL_WHITELIST, "-format_whitelist", FORMAT_WHITELIST, "-i", f"file:{path}"]


def image_arguments(path: str) -> list[str]:
    """How an image is opened: as one picture, whatever its content says."""
    return ["-protocol_whitelist", PROTOCOL_WHITELIST, "-format_whitelist", IMAGES, "-i", f"file:{path}"]


def text_arguments(path: str) -> list[str]:
    """How a file of subtitles is opened."""
    return ["-protocol_whitelist", PROTOCOL_WHITELIST, "-format_whitelist", SUBTITLES, "-i", f"file:{path}"]


def generated_arguments(graph: str) -> list[str]:
    """How a generated source is opened; `lavfi.check` has looked at the graph."""
    return ["-f", "lavfi", "-i", graph]


def output_arguments(container: str, path: str, *, faststart: bool) -> list[str]:
    """The container and the file."""
    options = [*PLAIN]
    if faststart and container in _FASTSTART:
        options += ["-movflags", "+faststart"]
    return [*options, "-f", _MUXERS[container], f"file:{path}"]
