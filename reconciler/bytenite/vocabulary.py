"""The words of ByteNite's encoding document beside ours, for both ways.

Only what was seen in real documents is taken for known; what is a guess says so. A value that ours has and
these tables have not is refused before anything is sent, and one that theirs has and these have not is passed
through as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from reconciler.core import units
from reconciler.core.parameters import Video

RateMode = Literal["variable_bitrate", "constant_bitrate", "constant_quality"]

# Our field in `video`, by the document's name and rate control mode: what that mode was seen with. The document
# may say more than we send (`constant_quality` beside `max_bitrate`), so reading has a table of its own.
RATES: Mapping[RateMode, Mapping[str, str]] = {
    "variable_bitrate": {
        "avg_bitrate": "bitrate",
        "max_bitrate": "max_bitrate",
        "min_bitrate": "min_bitrate",
        "buffer_size": "buffer_size",
    },
    "constant_bitrate": {"target_bitrate": "bitrate"},
    "constant_quality": {"crf": "crf", "buffer_size": "buffer_size"},
}
READ_RATES: Mapping[RateMode, Mapping[str, str]] = {
    **RATES,
    "constant_bitrate": {**RATES["constant_bitrate"], "buffer_size": "buffer_size"},
    "constant_quality": {**RATES["constant_quality"], "max_bitrate": "max_bitrate"},
}

# The settings that an encoder's `codec_params` were seen with: their name, and ours in `video`.
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "libx264": {"preset": "preset", "tune": "tune", "profile": "profile", "level": "level"},
    "libx265": {"preset": "preset", "tune": "tune", "profile": "profile"},
    "libvpx-vp9": {"cpu_used": "preset"},
}

# The heights that have a name of their own; any other is "custom".
HEIGHTS: Mapping[int, str] = {480: "480p", 540: "540p", 720: "720p", 1080: "1080p"}

# "2.0" was seen; the others are how the field writes them.
CHANNELS: Mapping[int, str] = {1: "1.0", 2: "2.0", 6: "5.1"}
READ_CHANNELS: Mapping[str, int] = {**{text: count for count, text in CHANNELS.items()}, "2.1": 3, "7.1": 8}

# A guess: only "" was seen.
ROTATIONS: Mapping[int, str] = {0: "", 90: "90", 180: "180", 270: "270"}
FLIPS = ("horizontal", "vertical")

# The colours that a spec may name, as the document writes them.
COLOURS: Mapping[str, str] = {
    "black": "#000000", "white": "#ffffff", "gray": "#808080", "silver": "#c0c0c0", "red": "#ff0000",
    "maroon": "#800000", "orange": "#ffa500", "yellow": "#ffff00", "olive": "#808000", "lime": "#00ff00",
    "green": "#008000", "teal": "#008080", "aqua": "#00ffff", "blue": "#0000ff", "navy": "#000080",
    "fuchsia": "#ff00ff", "purple": "#800080",
}  # fmt: skip
COLOUR_NAMES: Mapping[str, str] = {text: name for name, text in COLOURS.items()}


def rate_mode(video: Video) -> RateMode:
    """The rate control mode that says what `video` asks for."""
    if video.crf is not None or video.bitrate is None:
        return "constant_quality"
    return "constant_bitrate" if video.mode == "cbr" else "variable_bitrate"


def sample_rate_text(hertz: int) -> str:
    """`48khz`, as seen; `44.1khz` is a guess in the same manner."""
    return f"{format((Decimal(hertz) / 1000).normalize(), 'f')}khz"


def frame_rate_text(rate: str) -> str:
    """`30`, as seen; broadcast rates in the decimals that everybody writes (`29.97`), odd ones as a fraction."""
    exact = Fraction(rate)
    for digits in (0, 1, 2, 3):
        text = f"{float(exact):.{digits}f}"
        near = abs(Fraction(text) - exact) * 10_000 <= exact  # 23.98 is too far from 23.976
        if near and units.frame_rate(text) == rate:
            return text
    return rate
