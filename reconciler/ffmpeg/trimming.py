"""The part of a source that is encoded: where reading begins, and what is cut off exactly.

Reading begins at the trim's start (`-ss` before the input: what lies before is skipped and ffmpeg drops the
frames up to the very place). The end is cut by filters, by time and for each track alike: ffmpeg's `-t` counts
from the first frame of each track, so a picture that begins late would run on behind the end.
"""

from __future__ import annotations

from reconciler.core.encode import Trim
from reconciler.core.units import number
from reconciler.ffmpeg.facts import MediaFacts
from reconciler.ffmpeg.subtitles import is_pictures

# Streams without an index: a seek lands anywhere, and the picture is lost up to the next keyframe.
_SEEKS_BLINDLY = {"mpegts", "mpeg"}
# Seconds: longer than most subtitles are on.
_A_CUE = 10.0

_NAMES = {"video": ("trim", "setpts"), "audio": ("atrim", "asetpts")}


def lead_in(trim: Trim, facts: MediaFacts | None) -> float:
    """How long before the trim's start reading must begin, so that its first picture can be decoded.

    Subtitles that are pictures may be on by then.
    """
    if facts is None or not facts.video:
        return 0.0
    group = facts.video[0].group + 1 if facts.container in _SEEKS_BLINDLY else 0.0
    return min(trim.start, max(group, _A_CUE if any(map(is_pictures, facts.subtitles)) else 0.0))


def seek(trim: Trim, lead: float = 0.0) -> list[str]:
    """The options before the input."""
    start = number(trim.start - lead)
    return ["-ss", str(start)] if start > 0 else []


def filters(kind: str, trim: Trim, lead: float) -> list[str]:
    """The filters that cut off what was read too early, and what lies behind the end."""
    cut, shift = _NAMES[kind]
    bounds = [f"start={number(lead)}"] if lead else []
    bounds += [f"end={number(trim.end - trim.start + lead)}"] if trim.end is not None else []
    chain = [f"{cut}={':'.join(bounds)}"] if bounds else []
    return [*chain, f"{shift}=PTS-{number(lead)}/TB"] if lead else chain
