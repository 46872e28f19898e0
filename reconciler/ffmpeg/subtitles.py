"""Subtitles of a source as a file of their own, in WebVTT or SubRip."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.core.encode import Trim
from reconciler.core.languages import language
from reconciler.core.parameters import Parameters
from reconciler.ffmpeg.facts import MediaFacts, SubtitleTrack

# ffmpeg's names of encoder and muxer.
_FORMATS = {"vtt": "webvtt", "srt": "srt"}
# Decoders of subtitles that are pictures, by the names that the probe has for them.
_PICTURES = frozenset({"pgssub", "dvdsub", "dvbsub", "xsub"})
_CUE = re.compile(r"^(?:(\d+):)?(\d\d):(\d\d)[.,](\d{3}) --> (?:(\d+):)?(\d\d):(\d\d)[.,](\d{3})", re.MULTILINE)


def track_of(wanted: Parameters, facts: MediaFacts | None) -> int | None:
    """The number of the track that a file is made of; None if there is none."""
    return number(_asked(wanted), facts)


def number(asked: str, facts: MediaFacts | None) -> int | None:
    """A track by its number or its language; None if there is none. Of a source that is not known, the first."""
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
    track = track_of(wanted, facts)
    if track is None:
        return missing(_asked(wanted), facts)
    if is_pictures(facts.subtitles[track]):
        return f"subtitle track {track} is made of pictures ({facts.subtitles[track].codec}), not of text"
    return f"the source is cut off: {facts.truncated}" if facts.truncated is not None else None


def missing(asked: str, facts: MediaFacts) -> str | None:
    """A sentence if the source has no such track."""
    if not facts.subtitles:
        return "the source has no subtitles"
    if number(asked, facts) is None:
        return f"there is no subtitle track {asked}: the source has {', '.join(map(_named, facts.subtitles))}"
    return None


def is_pictures(track: SubtitleTrack) -> bool:
    """Whether they are pictures of letters, as discs have them."""
    return track.codec in _PICTURES


def wrong(part: Path, wanted: Parameters) -> tuple[list[str], int, float]:
    """What is wrong with the file, how many cues it has, and when the last one ends."""
    text = part.read_text(encoding="utf-8", errors="strict")
    ends = [_seconds(match.groups()[4:]) for match in _CUE.finditer(text)]
    said = [] if ends else ["it holds no subtitles"]
    if wanted.container == "vtt" and not text.startswith("WEBVTT"):
        said.append("it does not begin with WEBVTT")
    return said, len(ends), max(ends, default=0.0)


def cut_file(part: Path, trim: Trim) -> None:
    """Make of the subtitles of a whole source those of a part of it. Raises OSError."""
    part.write_text(cut(part.read_text(encoding="utf-8"), trim), encoding="utf-8")


def cut(text: str, trim: Trim) -> str:
    """The cues that are seen within a trim, on its clock; those that reach over its ends are cut off there."""
    kept: list[str] = []
    cues = 0
    for block in re.split(r"\n{2,}", text.strip("\n")):
        match = _CUE.search(block)
        if match is None:
            kept.append(block)
            continue
        start, end = (max(0.0, _seconds(match.groups()[at : at + 4]) - trim.start) for at in (0, 4))
        last = trim.end - trim.start if trim.end is not None else end
        if start < last and end > 0:
            cues += 1
            times = f"{_clock(start, match[0])} --> {_clock(min(end, last), match[0])}"
            counted = f"{cues}\n" if block[: match.start()].strip().isdecimal() else ""
            kept.append(f"{counted}{times}{block[match.end() :]}")
    return "\n\n".join([*kept, ""])


def _clock(seconds: float, like: str) -> str:
    """A time as SubRip or WebVTT writes it; WebVTT leaves hours out where there are none."""
    whole = round(seconds * 1000)
    hours, rest = divmod(whole, 3_600_000)
    minutes = f"{rest // 60_000:02}:{rest // 1000 % 60:02}"
    if "," in like:
        return f"{hours:02}:{minutes},{rest % 1000:03}"
    return f"{f'{hours:02}:' if hours else ''}{minutes}.{rest % 1000:03}"


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, thousandths = (int(part or 0) for part in parts)
    return 3600 * hours + 60 * minutes + seconds + thousandths / 1000


def _asked(wanted: Parameters) -> str:
    return (wanted.subtitles.track if wanted.subtitles is not None else None) or "0"


def _named(track: SubtitleTrack) -> str:
    return language(track.language)
