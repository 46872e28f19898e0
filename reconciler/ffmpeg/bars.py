"""Black bars around a picture, found by looking at all of it. Pure but for the filter's own words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reconciler.core.parameters import Crop
from reconciler.ffmpeg.facts import VideoTrack

# Darker than this share of full brightness is black: the filter's own default.
FILTER = "cropdetect=limit=0.0941176:round=2:reset=0:skip=0"

_SAID = re.compile(r"crop=(-?\d+):(-?\d+):(\d+):(\d+)")
# Narrower bars are blurred edges, and a picture that would lose more than this share of a side is merely dark.
_NARROWEST = 4
_MOST = 0.5


def read_bars(lines: Sequence[str], track: VideoTrack) -> Crop:
    """The bars that were found, in pixels of the upright picture; the last line that tells counts them all in."""
    width, height, _ = track.upright
    found = next((match for line in reversed(lines) if (match := _SAID.search(line)) is not None), None)
    if found is None:
        return Crop()
    across, down, left, top = map(int, found.groups())
    if across < _MOST * width or down < _MOST * height:
        return Crop()
    return Crop(top=_bar(top), bottom=_bar(height - top - down), left=_bar(left), right=_bar(width - left - across))


def _bar(pixels: int) -> int:
    """A whole number of pixels that share a colour."""
    return pixels // 2 * 2 if pixels >= _NARROWEST else 0


def words(crop: Crop) -> str:
    """`20 pixels off the top, 20 off the bottom`; `none`."""
    edges = {name: getattr(crop, name) for name in ("top", "bottom", "left", "right")}
    return ", ".join(f"{pixels} pixels off the {name}" for name, pixels in edges.items() if pixels) or "none"
