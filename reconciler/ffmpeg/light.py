"""What an HDR10 picture says of its master: the display it was made on, and how bright it gets.

Read from the side data of a decoded frame, which is FFmpeg's AVMasteringDisplayMetadata and AVContentLightMetadata.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import av
from av.sidedata.sidedata import SideData, SideDataContainer

_RATIONALS = struct.Struct("=20i2i")
_LEVELS = struct.Struct("=2I")
# Encoders write fractions of their own.
_CLOSE = 0.01


@dataclass(frozen=True, slots=True)
class Light:
    """Primaries, white point and luminances (cd/m2) of the display; the most light of a pixel and of a frame."""

    display: tuple[float, ...] = ()
    levels: tuple[int, ...] = ()

    def is_like(self, other: Light) -> bool:
        """Whether both say the same, but for rounding."""
        same = len(self.display) == len(other.display) and all(
            abs(one - two) <= _CLOSE * max(abs(one), abs(two), _CLOSE)
            for one, two in zip(self.display, other.display, strict=True)
        )
        return same and self.levels == other.levels


def light_of(frame: av.VideoFrame) -> Light | None:
    """What a frame says; None if it says nothing."""
    display: tuple[float, ...] = ()
    levels: tuple[int, ...] = ()
    data = cast("SideDataContainer", frame.side_data)
    if "MASTERING_DISPLAY_METADATA" in data:
        display = _display(data["MASTERING_DISPLAY_METADATA"])
    if "CONTENT_LIGHT_LEVEL" in data:
        levels = _LEVELS.unpack_from(data["CONTENT_LIGHT_LEVEL"])
    return Light(display, levels) if display or any(levels) else None


def x265_light(light: Light) -> list[str]:
    """Parameters of x265, in its whole numbers: 0.00002 for places, 0.0001 cd/m2."""
    said: list[str] = []
    if light.display:
        places = [round(place * 50_000) for place in light.display[:8]]
        least, most = (round(each * 10_000) for each in light.display[8:])
        said.append(f"master-display={_written(places, most, least)}")
    return said + ([f"max-cll={light.levels[0]},{light.levels[1]}"] if light.levels else [])


def svt_light(light: Light) -> list[str]:
    """Parameters of SVT-AV1."""
    said: list[str] = []
    if light.display:
        places = [f"{place:.5f}" for place in light.display[:8]]
        least, most = (f"{each:.4f}" for each in light.display[8:])
        said.append(f"mastering-display={_written(places, most, least)}")
    return said + ([f"content-light={light.levels[0]},{light.levels[1]}"] if light.levels else [])


def _written(places: Sequence[object], most: object, least: object) -> str:
    """In the order in which encoders read it: green, blue, red, white, luminances."""
    red, green, blue, white = (f"({places[at]},{places[at + 1]})" for at in range(0, 8, 2))
    return f"G{green}B{blue}R{red}WP{white}L({most},{least})"


def _display(data: SideData) -> tuple[float, ...]:
    *numbers, _, _ = _RATIONALS.unpack_from(data)
    return tuple(over / under if under else 0.0 for over, under in zip(numbers[::2], numbers[1::2], strict=True))
