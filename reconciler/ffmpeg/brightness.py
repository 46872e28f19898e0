"""The colours of graphics in a picture of high dynamic range: white at 203 cd/m2, as ITU-R BT.2408 has it. Pure."""

from __future__ import annotations

import math
import re

_WHITE = 203 / 10_000  # of the most that PQ can say
_SCENE = 0.265  # of the scene's light in HLG, which is 75 % of the signal

# The same as `signal` in two steps, as expressions of ffmpeg's lookup tables: to linear light, and from there.
LINEAR = "maxval*if(lte(val/maxval,0.04045),val/maxval/12.92,pow((val/maxval+0.055)/1.055,2.4))"
_POWER = f"pow({_WHITE}*val/maxval,0.1593017578)"
SIGNALS = {
    "PQ": f"maxval*pow((0.8359375+18.8515625*{_POWER})/(1+18.6875*{_POWER}),78.84375)",
    "HLG": (
        f"maxval*if(lte({_SCENE}*val/maxval,1/12),sqrt(3*{_SCENE}*val/maxval),"
        f"0.17883277*log(12*{_SCENE}*val/maxval-0.28466892)+0.55991073)"
    ),
}

_COLOUR = re.compile(r"(?P<before>\\[1-4]?c&H|[,:]\s*&H)(?P<digits>[0-9A-Fa-f]{1,8})(?=[&,\s]|$)", re.MULTILINE)


def signal(share: float, hdr: str) -> float:
    """The signal, from 0 to 1, for a component of an SDR colour, from 0 to 1; `hdr` is `PQ` or `HLG`."""
    linear = share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
    if hdr == "PQ":
        power = (_WHITE * linear) ** 0.1593017578
        return float(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)
    scene = _SCENE * linear
    if scene <= 1 / 12:
        return math.sqrt(3 * scene)
    return 0.17883277 * math.log(12 * scene - 0.28466892) + 0.55991073


def dimmed(text: str, hdr: str) -> str:
    """Subtitles in ASS with colours for a picture of high dynamic range, where theirs would glare."""
    return _COLOUR.sub(lambda match: f"{match['before']}{_dimmed(match['digits'], hdr)}", text)


def _dimmed(digits: str, hdr: str) -> str:
    """A colour of ASS: perhaps how clear it is, then blue, green and red, without zeros in front."""
    full = digits.rjust(8, "0")
    components = (int(full[at : at + 2], 16) for at in (2, 4, 6))
    return full[:2] + "".join(f"{round(255 * signal(each / 255, hdr)):02X}" for each in components)
