"""Subtitles drawn into the picture: text by libass, pictures as a layer. Pure.

Text is drawn on the scaled picture, so that its letters are sharp, and on the source's own clock, so that it stays
in time with a trimmed source. While a job runs all text is ASS in a file of ours, since ffmpeg's filter for other
kinds would open whatever such a file claims to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from reconciler.core import units
from reconciler.core.encode import Trim
from reconciler.core.parameters import Parameters
from reconciler.core.subtitle_fields import is_file
from reconciler.ffmpeg.escaping import escaped
from reconciler.ffmpeg.facts import MediaFacts, VideoTrack
from reconciler.ffmpeg.formats import GLOBAL
from reconciler.ffmpeg.graph import Layer
from reconciler.ffmpeg.inserts import Inserts
from reconciler.ffmpeg.subtitles import is_pictures, missing, number

_EVENT = "Dialogue:"
_STYLE, _FIELDS = 3, 9  # where an event names its style, and where its text begins
_STYLING = re.compile(r"\{[^}]*\}|\\[Nnh]")
_NOT_FOUND = re.compile(r"failed to find any fallback with glyph 0x([0-9A-Fa-f]+)")
_A_LINE = 40


def asked(wanted: Parameters) -> str | None:
    """What is burnt in: a track of the source or a file; None if nothing is."""
    return wanted.subtitles.burn_in if wanted.subtitles is not None else None


def impossible(wanted: Parameters, facts: MediaFacts) -> str | None:
    """Why subtitles cannot be burnt in; None if they can, as far as the source can tell."""
    wish = asked(wanted)
    return None if wish is None or is_file(wish) else missing(wish, facts)


def is_text(wish: str, facts: MediaFacts | None) -> bool:
    """Whether they are letters, not pictures."""
    track = None if is_file(wish) or facts is None else number(wish, facts)
    return track is None or facts is None or not is_pictures(facts.subtitles[track])


def drawn(
    wish: str | None, trim: Trim, path: str, facts: MediaFacts | None, inserts: Inserts, *, hdr: bool = False
) -> list[str]:
    """The filters that draw text on the pictures of the source at `path`; none where there is no text to draw.

    `hdr`: on pictures that stay HDR.
    """
    if wish is None or not is_text(wish, facts):
        return []
    text, fonts = inserts.text(wish, hdr=hdr), inserts.fonts
    if text is not None:
        draws = f"ass=filename={escaped(text)}" + (f":fontsdir={escaped(fonts)}" if fonts is not None else "")
    elif is_file(wish):
        draws = f"subtitles=filename={escaped(wish)}"
    else:
        draws = f"subtitles=filename={escaped(path)}:stream_index={number(wish, facts) or 0}"
    if not trim.start:
        return [draws]
    return [f"setpts=PTS+round({trim.start}/TB)", draws, f"setpts=PTS-round({trim.start}/TB)"]


def layer(
    wish: str | None, facts: MediaFacts | None, track: VideoTrack | None, source: int, lead: float
) -> Layer | None:
    """Subtitles that are pictures, over the whole picture of the source, which is the input of that number.

    `lead` is how many seconds too early the source is read.
    """
    if wish is None or is_text(wish, facts) or track is None:
        return None
    width, height, _ = track.upright
    clock = (f"setpts=PTS-{units.number(lead)}/TB",) if lead else ()
    scaled = f"scale={width}:{height}:flags=bicubic"
    return Layer(f"{source}:s:{number(wish, facts) or 0}", (*clock, scaled), "overlay")


def reading(opened: Sequence[str], track: int, file: str) -> list[str]:
    """The arguments of the process that turns a track of text into ASS."""
    plain = ["-map_metadata", "-1", "-map_chapters", "-1", "-vn", "-an", "-dn"]
    return [*GLOBAL, *opened, "-map", f"0:s:{track}", "-c:s", "ass", *plain, "-f", "ass", f"file:{file}"]


def letters(text: str) -> str:
    """The different letters of subtitles in ASS, sorted; empty if there are no cues that say anything."""
    return "".join(sorted({letter for used in _letters(text).values() for letter in used}))


def sheet(text: str) -> str:
    """Subtitles in ASS that hold each letter of others once, in each of the styles that it has there."""
    head = text.partition(f"\n{_EVENT}")[0]
    events = [
        f"{_EVENT} 0,0:00:00.00,0:00:10.00,{style},,0,0,0,,{_spread(used)}" for style, used in _letters(text).items()
    ]
    return "\n".join([head, *events, ""])


def _letters(text: str) -> dict[str, set[str]]:
    """The letters of each style."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        fields = line.split(",", _FIELDS)
        if line.startswith(_EVENT) and len(fields) > _FIELDS:
            said = _STYLING.sub("", fields[_FIELDS])
            found.setdefault(fields[_STYLE], set()).update(each for each in said if each.isprintable() and each != " ")
    return {style: used for style, used in found.items() if used}


def _spread(used: Iterable[str]) -> str:
    """Letters on several lines, without those that ASS takes for commands."""
    safe = "".join(sorted(set(used) - set("{}\\")))
    return "\\N".join(safe[at : at + _A_LINE] for at in range(0, len(safe), _A_LINE))


def looking_for_fonts(file: str, fonts: str | None, part: str) -> list[str]:
    """The arguments of the process that draws a sheet of letters once; it writes nothing, and is known by `part`."""
    folder = f":fontsdir={escaped(fonts)}" if fonts is not None else ""
    blank = ["-f", "lavfi", "-i", "color=black:size=320x240:rate=1:duration=1"]
    draws = f"ass=filename={escaped(file)}{folder}"
    return [*GLOBAL, *blank, "-vf", draws, "-frames:v", "1", "-f", "null", f"file:{part}"]


def not_drawn(lines: Sequence[str], of: str) -> str:
    """The letters that no font has, by what was said while the sheet was drawn; all of them if there is no font."""
    codes = {int(match[1], 16) for line in lines if (match := _NOT_FOUND.search(line)) is not None}
    return of if 0 in codes else "".join(letter for letter in of if ord(letter) in codes)
