"""Subtitles of a source as a file of their own, in WebVTT or SubRip."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.core.languages import language
from reconciler.core.parameters import Parameters
from reconciler.ffmpeg.facts import MediaFacts, SubtitleTrack

# ffmpeg's names of encoder and muxer.
_FORMATS = {"vtt": "webvtt", "srt": "srt"}
_PICTURES = {"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub"}
_CUE = re.compile(r"^(?:(\d+):)?(\d\d):(\d\d)[.,](\d{3}) --> (?:(\d+):)?(\d\d):(\d\d)[.,](\d{3})", re.MULTILINE)


def track_of(wanted: Parameters, facts: MediaFacts | None) -> int | None:
    """The number of the track that is asked for; None if there is none. Of a source that is not known, the first."""
    asked = (wanted.subtitles.track if wanted.subtitles is not None else None) or "0"
    if facts is None:
        return int(asked) if asked.isdecimal() else 0
    languages = [language(track.language) for track in facts.subtitles]
    if asked.isdecimal():
        return int(asked) if int(asked) < len(languages) else None
    return languages.index(asked) if asked in languages else None


def arguments(wanted: Parameters, path: str) -> list[str]:
    """The encoder of the subtitles, and the file."""
    form = _FORMATS[wanted.container or "vtt"]
    return ["-c:s", form, "-map_metadata", "-1", "-map_chapters", "-1", "-dn", "-f", form, f"file:{path}"]


def impossible(wanted: Parameters, facts: MediaFacts) -> str | None:
    """Why there can be no such file of a source; None if there can."""
    if not facts.subtitles:
        return "the source has no subtitles"
    track = track_of(wanted, facts)
    if track is None:
        asked = wanted.subtitles.track if wanted.subtitles is not None else "0"
        return f"there is no subtitle track {asked}: the source has {', '.join(map(_named, facts.subtitles))}"
    if facts.subtitles[track].codec in _PICTURES:
        return f"subtitle track {track} is made of pictures ({facts.subtitles[track].codec}), not of text"
    return f"the source is cut off: {facts.truncated}" if facts.truncated is not None else None


def wrong(part: Path, wanted: Parameters) -> tuple[list[str], int, float]:
    """What is wrong with the file, how many cues it has, and when the last one ends."""
    text = part.read_text(encoding="utf-8", errors="strict")
    ends = [_seconds(match.groups()[4:]) for match in _CUE.finditer(text)]
    said = [] if ends else ["it holds no subtitles"]
    if wanted.container == "vtt" and not text.startswith("WEBVTT"):
        said.append("it does not begin with WEBVTT")
    return said, len(ends), max(ends, default=0.0)


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, thousandths = (int(part or 0) for part in parts)
    return 3600 * hours + 60 * minutes + seconds + thousandths / 1000


def _named(track: SubtitleTrack) -> str:
    return language(track.language)
