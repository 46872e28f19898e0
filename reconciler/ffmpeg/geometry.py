"""The picture's way from source to output: fields, frame rate, crop, rotation, scaling, range, bars.

Sizes work like this. The source is turned upright, cropped, rotated and flipped; `width` and `height` are
then a box that the picture fits in with its shape kept and its pixels made square. With `pad`, the box takes
the padded shape, so `height: 720` with `pad: 16:9` is 1280x720 whatever the source. Unless `avoid_upscaling`
is off, a smaller picture stays as it is. Sizes are whole multiples of the pixels that share a colour (even
ones, for 4:2:0), halves rounded down.

Where the source is known the filters hold plain numbers; where it is not (a plan is offline) they hold the
same rule as ffmpeg expressions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from reconciler.core.codecs import DEFAULT_PIXEL_FORMAT
from reconciler.core.parameters import Crop, FrameRateLimit, Video
from reconciler.ffmpeg import tonemap
from reconciler.ffmpeg.facts import VideoTrack

# Added before rounding down: nearest whole number, halves down, and safe from the last bit of a product.
_ROUNDING = 0.499

# How many pixels across and down share a colour, by the kind of pixel format.
_CHROMA = {"420": (2, 2), "422": (2, 1), "444": (1, 1)}

_ROTATIONS = {90: ["transpose=clock"], 180: ["hflip", "vflip"], 270: ["transpose=cclock"]}
_FLIPS = {"horizontal": ["hflip"], "vertical": ["vflip"], "both": ["hflip", "vflip"]}


@dataclass(frozen=True, slots=True)
class Box:
    """The largest picture that is asked for; None where there is no limit.

    `shape` is that of the bars, `step` how many pixels across and down share a colour.
    """

    width: int | None
    height: int | None
    shape: Fraction | None
    upscale: bool
    step: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Size:
    """A picture and the canvas it stands on, in pixels."""

    picture: tuple[int, int]
    canvas: tuple[int, int]


def filters(video: Video, track: VideoTrack | None, drawn: Sequence[str] = ()) -> list[str]:
    """The video filters, in order; `track` None writes expressions instead of numbers.

    `drawn` is what is drawn on the scaled picture, before bars are added.
    """
    return [*frames(video, track), *shape(video, track, drawn)]


def frames(video: Video, track: VideoTrack | None) -> list[str]:
    """The first of the filters: those that make frames of fields, and as many as are wanted."""
    return [*_whole_pictures(video, track), *_rate(video, track)]


def shape(video: Video, track: VideoTrack | None, drawn: Sequence[str] = ()) -> list[str]:
    """The rest of the filters, which give each frame its shape and its colours."""
    chain = [*_crop(video.crop, track), *_turn(video)]
    brought_down = tonemap.filters(video, track, video.pixel_format or DEFAULT_PIXEL_FORMAT)
    if track is None:
        box = _box(video)
        chain += [*_scale_expression(box), *brought_down, *drawn, *_pad_expression(box, video)]
    else:
        size = output_size(video, track)
        chain += [*_scale(video, track, size), *brought_down, *drawn, *_pad(video, size)]
    return [*chain, "setsar=1"]


def is_deinterlaced(video: Video, track: VideoTrack | None) -> bool:
    """Whether fields are made whole pictures; while the source is not known, if it might be."""
    return video.deinterlace == "on" or (video.deinterlace == "auto" and (track is None or track.interlaced))


def output_size(video: Video, track: VideoTrack) -> Size:
    """The size that an output of this source will have."""
    width, height, pixel_aspect = turned(video, track)
    box = _box(video)
    shown = width * pixel_aspect
    limits = [Fraction(1)] if not box.upscale else []
    limits += [Fraction(box.width) / shown] if box.width else []
    limits += [Fraction(box.height) / height] if box.height else []
    scale = min(limits, default=Fraction(1))
    across, down = box.step
    picture = whole(shown * scale, across), whole(height * scale, down)
    return Size(picture, _canvas(picture, box))


def turned(video: Video, track: VideoTrack) -> tuple[int, int, Fraction]:
    """Width, height and pixel aspect after crop and rotation, before scaling."""
    width, height, pixel_aspect = track.upright
    crop = video.crop or Crop()
    width -= (crop.left or 0) + (crop.right or 0)
    height -= (crop.top or 0) + (crop.bottom or 0)
    if (video.rotate or 0) % 180 == 90:
        return height, width, 1 / pixel_aspect
    return width, height, pixel_aspect


def output_rate(video: Video, track: VideoTrack | None) -> Fraction | None:
    """The frame rate that the output is brought to; None where the source's own is kept."""
    if isinstance(video.fps, FrameRateLimit):
        limit = Fraction(video.fps.max)
        if track is None or track.frame_rate is None:
            return None
        fastest = max(float(track.frame_rate), track.peak_rate or 0) if track.variable else float(track.frame_rate)
        return limit if fastest > float(limit) * 1.001 else None
    return Fraction(video.fps) if video.fps is not None else None


def whole(length: Fraction, step: int) -> int:
    """The nearest multiple of `step` pixels, halves down, at least 2."""
    return max(2, step * math.floor(float(length) / step + _ROUNDING))


def _whole_pictures(video: Video, track: VideoTrack | None) -> list[str]:
    """One picture of two fields; what says that it is none of fields is left alone, unless all is to be treated."""
    which = "all" if video.deinterlace == "on" else "interlaced"
    return [f"bwdif=mode=send_frame:deint={which}"] if is_deinterlaced(video, track) else []


def _rate(video: Video, track: VideoTrack | None) -> list[str]:
    if isinstance(video.fps, FrameRateLimit) and track is None:
        return [f"fps={_escaped(f'min(source_fps,{video.fps.max})')}"]
    rate = output_rate(video, track)
    return [f"fps={rate}"] if rate is not None else []


def _crop(crop: Crop | None, track: VideoTrack | None) -> list[str]:
    if crop is None:
        return []
    left, top = crop.left or 0, crop.top or 0
    across, down = left + (crop.right or 0), top + (crop.bottom or 0)
    if not across and not down:
        return []
    width, height = (f"iw-{across}", f"ih-{down}")
    if track is not None:
        width, height = str(track.upright[0] - across), str(track.upright[1] - down)
    return [f"crop={width}:{height}:{left}:{top}"]


def _turn(video: Video) -> list[str]:
    return [*_ROTATIONS.get(video.rotate or 0, []), *_FLIPS.get(video.flip or "", [])]


def _box(video: Video) -> Box:
    """What `width`, `height` and `pad` limit the picture to."""
    width, height = video.width, video.height
    upscale = video.avoid_upscaling is False
    step = _CHROMA[(video.pixel_format or DEFAULT_PIXEL_FORMAT)[3:6]]
    shape = Fraction(video.pad.aspect.replace(":", "/")) if video.pad and video.pad.aspect else None
    if shape is not None and width and (height is None or Fraction(width, height) <= shape):
        height = whole(width / shape, step[1])
    elif shape is not None and height:
        width = whole(height * shape, step[0])
    return Box(width, height, shape, upscale, step)


def _canvas(picture: tuple[int, int], box: Box) -> tuple[int, int]:
    """The smallest canvas of the box's shape that holds the picture."""
    if box.shape is None:
        return picture
    width, height = picture
    across, down = box.step
    return max(width, whole(height * box.shape, across)), max(height, whole(width / box.shape, down))


def _scale(video: Video, track: VideoTrack, size: Size) -> list[str]:
    width, height, pixel_aspect = turned(video, track)
    if (width, height) == size.picture and pixel_aspect == 1:
        return []
    return [f"scale={size.picture[0]}:{size.picture[1]}:flags=bicubic"]


def _pad(video: Video, size: Size) -> list[str]:
    if size.canvas == size.picture:
        return []
    return [f"pad={size.canvas[0]}:{size.canvas[1]}:(ow-iw)/2:(oh-ih)/2:color={_color(video)}"]


def _scale_expression(box: Box) -> list[str]:
    limits = ["1"] if not box.upscale else []
    limits += [f"{box.width}/(iw*sar)"] if box.width else []
    limits += [f"{box.height}/ih"] if box.height else []
    scale = f"*{_least(limits)}" if limits != ["1"] else ""
    width, height = (
        _escaped(f"max(2,{step}*floor({length}{scale}/{step}+{_ROUNDING}))")
        for length, step in zip(("iw*sar", "ih"), box.step, strict=True)
    )
    return [f"scale=w={width}:h={height}:flags=bicubic"]


def _least(limits: list[str]) -> str:
    """The least of several, with the min() of two arguments that ffmpeg has."""
    if not limits:
        return "1"
    *rest, last = limits
    return f"min({_least(rest)},{last})" if rest else last


def _pad_expression(box: Box, video: Video) -> list[str]:
    if box.shape is None:
        return []
    over, under = box.shape.numerator, box.shape.denominator
    across, down = box.step
    width = _escaped(f"max(iw,{across}*floor(ih*{over}/{under}/{across}+{_ROUNDING}))")
    height = _escaped(f"max(ih,{down}*floor(iw*{under}/{over}/{down}+{_ROUNDING}))")
    return [f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2:color={_color(video)}"]


def _escaped(expression: str) -> str:
    """An expression inside a filter chain, where a bare comma would end the filter."""
    return expression.replace(",", "\\,")


def _color(video: Video) -> str:
    color = (video.pad.color if video.pad else None) or "black"
    return color.replace("#", "0x")
