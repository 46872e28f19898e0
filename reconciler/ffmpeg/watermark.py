"""An image over a picture: how large, where, how it gets the picture's colours, and when it is seen. Pure."""

from __future__ import annotations

from fractions import Fraction

from reconciler.core.codecs import DEFAULT_PIXEL_FORMAT
from reconciler.core.parameters import Video
from reconciler.core.watermark_fields import Watermark
from reconciler.ffmpeg import geometry, tonemap
from reconciler.ffmpeg.brightness import LINEAR, SIGNALS
from reconciler.ffmpeg.facts import UNKNOWN_COLOUR, VideoTrack
from reconciler.ffmpeg.graph import Layer

_WIDTH, _MARGIN = "10%", "2%"
_PLACES = {
    "top_left": ("{margin}", "{margin}"),
    "top_right": ("W-w-{margin}", "{margin}"),
    "bottom_left": ("{margin}", "H-h-{margin}"),
    "bottom_right": ("W-w-{margin}", "H-h-{margin}"),
    "center": ("(W-w)/2", "(H-h)/2"),
}

# The matrices of H.273 as filters call them, each with the name that `scale` has for what it is made of.
_MATRICES = {
    1: ("bt709", "bt709"),
    5: ("bt470bg", "bt601"),
    6: ("smpte170m", "bt601"),
    7: ("smpte240m", "smpte240m"),
    9: ("bt2020nc", "bt2020"),
}
# Players take a picture of so many lines that says nothing for one of HD.
_LINES_OF_HD = 720

# From BT.709 to BT.2020 in linear light (ITU-R BT.2087).
_WIDER = "rr=0.6274:rg=0.3293:rb=0.0433:gr=0.0691:gg=0.9195:gb=0.0114:br=0.0164:bg=0.0880:bb=0.8956"


def layer(mark: Watermark, stream: str, video: Video, track: VideoTrack | None) -> Layer:
    """The image over a picture that has come through `geometry.filters`; `track` None writes expressions."""
    canvas = geometry.output_size(video, track).canvas if track is not None else None
    width = _pixels(mark.width or _WIDTH, canvas, "rw")
    margin = _pixels(mark.margin if mark.margin is not None else _MARGIN, canvas, "W")
    across, down = (place.format(margin=margin) for place in _PLACES[mark.position or "top_right"])
    matrix, of_scale = _matrix(video, track, canvas)
    pixels = (video.pixel_format or DEFAULT_PIXEL_FORMAT).removesuffix("le").removeprefix("yuv")
    faded = tuple(_faded(mark, None if track is None or tonemap.is_brought_down(video, track) else track.hdr))
    sized = (
        f"scale=w={width}:h=-1:flags=bicubic:out_color_matrix={of_scale}:out_range=tv",
        f"format=yuva{pixels}{'le' if pixels.endswith('10') else ''}",
        f"setparams=colorspace={matrix}:range=tv",
    )
    over = f"overlay=x={across}:y={down}:format={_overlay_format(pixels)}{_shown(mark)}"
    if width.startswith("rw"):
        return Layer(stream, faded, over, sized=sized)
    return Layer(stream, (*faded, *sized), over)


def _pixels(length: str | int, canvas: tuple[int, int] | None, whole: str) -> str:
    """A length in pixels; a share of a width that is not known yet is an expression."""
    if isinstance(length, int):
        return str(length)
    share = Fraction(length.removesuffix("%")) / 100
    return f"{whole}*{float(share):g}" if canvas is None else str(max(1, round(canvas[0] * share)) if share else 0)


def _overlay_format(pixels: str) -> str:
    """`420p10` is `yuv420p10`, but `420p` is `yuv420`."""
    return f"yuv{pixels.removesuffix('p')}"


def _faded(mark: Watermark, hdr: str | None) -> list[str]:
    """The image with its opacity, and, for a picture that stays HDR, with its colours and its brightness."""
    opacity = f"aa={mark.opacity}" if mark.opacity is not None else ""
    if hdr is not None:
        linear, signal = (":".join(f"{colour}='{curve}'" for colour in "rgb") for curve in (LINEAR, SIGNALS[hdr]))
        wider = f"colorchannelmixer={_WIDER}{':' if opacity else ''}{opacity}"
        return ["format=rgba64le", f"lutrgb={linear}", wider, f"lutrgb={signal}"]
    return ["format=rgba", *([f"colorchannelmixer={opacity}"] if opacity else [])]


def _matrix(video: Video, track: VideoTrack | None, canvas: tuple[int, int] | None) -> tuple[str, str]:
    """The matrix of the picture as it says itself, and the one that it is made with."""
    if tonemap.is_brought_down(video, track):
        return _MATRICES[1]
    said = track.matrix if track is not None else UNKNOWN_COLOUR
    if said in _MATRICES:
        return _MATRICES[said]
    lines = canvas[1] if canvas is not None else video.height or _LINES_OF_HD
    return "unknown", "bt709" if lines >= _LINES_OF_HD else "bt601"


def _shown(mark: Watermark) -> str:
    """When it is seen, on the clock of the output."""
    bounds = [f"gte(t\\,{mark.start})"] if mark.start else []
    bounds += [f"lt(t\\,{mark.end})"] if mark.end is not None else []
    return f":enable={'*'.join(bounds)}" if bounds else ""
