"""The containers that are read and written, and the only ways in which ffmpeg may open a source.

Playlists (HLS, DASH, concat) are not among the formats: they name other files and URLs, which ffmpeg would
open.
"""

from __future__ import annotations

from reconciler.core.encode import Trim
from reconciler.core.units import number
from reconciler.ffmpeg.facts import MediaFacts

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

_MUXERS = {"mp4": "mp4", "mov": "mov", "mkv": "matroska", "webm": "webm", "m4a": "ipod"}
_FASTSTART = {"mp4", "mov", "m4a"}


# Streams without an index: a seek lands anywhere, and the picture is lost up to the next keyframe.
_SEEKS_BLINDLY = {"mpegts", "mpeg"}


def lead_in(start: float, facts: MediaFacts | None) -> float:
    """How long before a trim's start reading must begin, so that its first picture can be decoded."""
    if facts is None or facts.container not in _SEEKS_BLINDLY or not facts.video:
        return 0.0
    return min(start, facts.video[0].group + 1)


def input_arguments(path: str, trim: Trim, lead: float = 0.0) -> list[str]:
    """How a local file is opened: as a file and nothing else, whatever its name or its content says.

    Reading begins `lead` seconds before the trim does; each output has to skip them.
    """
    whitelists = ["-protocol_whitelist", PROTOCOL_WHITELIST, "-format_whitelist", FORMAT_WHITELIST]
    return [*whitelists, *_trim(Trim(number(trim.start - lead), trim.end)), "-i", f"file:{path}"]


def generated_arguments(graph: str, trim: Trim) -> list[str]:
    """How a generated source is opened; `lavfi.check` has looked at the graph."""
    return ["-f", "lavfi", *_trim(trim), "-i", graph]


def output_arguments(container: str, path: str, *, faststart: bool) -> list[str]:
    """The container and the file; no metadata, chapters, data or subtitles come along by themselves."""
    options = ["-map_metadata", "-1", "-map_chapters", "-1", "-dn", "-sn", "-max_muxing_queue_size", "1024"]
    if faststart and container in _FASTSTART:
        options += ["-movflags", "+faststart"]
    return [*options, "-f", _MUXERS[container], f"file:{path}"]


def _trim(trim: Trim) -> list[str]:
    """Before the input, so that the part before the start is skipped, not decoded; exact all the same."""
    start = ["-ss", str(trim.start)] if trim.start else []
    length = ["-t", str(number(trim.end - trim.start))] if trim.end is not None else []
    return [*start, *length]
