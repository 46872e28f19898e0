"""Sizes, shapes and turns of the picture."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from builders_media import ffmpeg
from reconciler.core.parameters import Video
from reconciler.ffmpeg.facts import VideoTrack
from reconciler.ffmpeg.geometry import filters, output_rate, output_size
from reconciler.ffmpeg.probe import probe

FULL_HD = VideoTrack(
    codec="h264", start=0, end=10, packets=250, frame=0.04, gap=0.04, width=1920, height=1080,
    pixel_format="yuv420p", frame_rate=Fraction(25),
)  # fmt: skip


def video(**fields):
    """A picture that is asked for."""
    return Video.model_validate({"codec": "h264", "crf": 23, **fields})


def canvas(track=FULL_HD, **fields):
    """The size that an output will have."""
    return output_size(video(**fields), track).canvas


def of(width, height, **fields):
    """A track of another size."""
    return replace(FULL_HD, width=width, height=height, **fields)


def test_the_shape_is_kept():
    """One side is enough: the other follows, even, halves rounded down."""
    assert canvas(height=720) == (1280, 720)
    assert canvas(width=640) == (640, 360)
    assert canvas(height=480) == (854, 480)
    assert canvas(of(1998, 1080), height=540) == (998, 540)


def test_both_sides_are_a_box():
    """With width and height the picture fits in, never stretched; bars only come with pad."""
    assert canvas(width=1280, height=1280) == (1280, 720)
    assert canvas(of(1080, 1920), width=1280, height=720) == (404, 720)


def test_nothing_is_scaled_up_unless_asked():
    """A smaller source stays as it is; avoid_upscaling: false enlarges it."""
    assert canvas(of(640, 360), height=720) == (640, 360)
    assert canvas(of(640, 360), height=720, avoid_upscaling=False) == (1280, 720)


def test_odd_sizes_become_even():
    """A source of odd size loses a line; 4:4:4 pixels share no colours and may be odd."""
    assert canvas(of(321, 241)) == (320, 240)
    assert canvas(of(321, 241), pixel_format="yuv444p") == (321, 241)
    assert canvas(of(321, 241), pixel_format="yuv422p") == (320, 241)


def test_pixels_become_square():
    """An anamorphic PAL picture of 720x576 at 16:11 is 1048 wide."""
    pal = of(720, 576, pixel_aspect=Fraction(16, 11))
    assert canvas(pal) == (1048, 576)
    assert canvas(pal, height=288) == (524, 288)


def test_a_phone_clip_is_upright():
    """A lying picture that is to be turned by 90 degrees counts as high, and so do its pixels."""
    phone = of(1920, 1080, rotation=90)
    assert canvas(phone) == (1080, 1920)
    assert canvas(phone, height=960) == (540, 960)
    assert canvas(of(720, 576, rotation=270, pixel_aspect=Fraction(16, 11)), width=288) == (288, 524)


def test_cropping_comes_first():
    """The crop is in pixels of the upright source; the rest is then scaled."""
    assert canvas(crop={"top": 138, "bottom": 138}, width=960) == (960, 402)
    assert canvas(crop={"left": 240, "right": 240}) == (1440, 1080)


def test_rotation_is_on_top():
    """A rotated picture is measured as it will stand."""
    assert canvas(rotate=90, height=720) == (404, 720)
    assert canvas(rotate=180, height=720) == (1280, 720)


def test_pad_brings_a_shape():
    """Bars fill up to the shape; the asked width or height is that of the whole."""
    scope = of(2048, 858)
    assert canvas(scope, pad={"aspect": "16:9"}) == (2048, 1152)
    assert canvas(scope, height=720, pad={"aspect": "16:9"}) == (1280, 720)
    assert canvas(scope, width=1280, pad={"aspect": "16:9"}) == (1280, 720)
    assert canvas(scope, width=1280, height=1280, pad={"aspect": "16:9"}) == (1280, 720)
    assert canvas(scope, width=4000, height=720, pad={"aspect": "16:9"}) == (1280, 720)
    assert canvas(of(640, 480), height=720, pad={"aspect": "16:9"}) == (854, 480)
    assert canvas(height=720, pad={"aspect": "16:9"}) == (1280, 720)


def test_a_frame_rate_limit_only_slows_down():
    """`fps: {max: 30}` leaves 25 alone, brings 50 down, and brings uneven rates that go above it down."""
    limit = video(fps={"max": 30})
    assert output_rate(limit, FULL_HD) is None
    assert output_rate(limit, replace(FULL_HD, frame_rate=Fraction(50))) == 30
    uneven = replace(FULL_HD, frame_rate=Fraction(24), peak_rate=60.0, variable=True)
    assert output_rate(limit, uneven) == 30
    assert output_rate(video(fps=29.97), FULL_HD) == Fraction(30000, 1001)


CASES = [
    {},
    {"height": 90},
    {"width": 64, "height": 90},
    {"height": 240, "avoid_upscaling": False},
    {"pad": {"aspect": "16:9", "color": "#ff8000"}},
    {"height": 90, "pad": {"aspect": "1:1", "color": "navy"}},
    {"crop": {"top": 10, "left": 20, "right": 2}},
    {"crop": {"top": 40, "bottom": 20}, "rotate": 90, "height": 80},
    {"rotate": 270, "flip": "both"},
    {"rotate": 180, "flip": "horizontal"},
    {"fps": 12, "flip": "vertical"},
    {"fps": {"max": 10}},
    {"pixel_format": "yuv444p", "width": 75},
]


@pytest.mark.parametrize("fields", CASES, ids=str)
@pytest.mark.parametrize("clip", ["plain", "portrait", "anamorphic"])
def test_numbers_and_expressions_are_one_rule(clips, tmp_path, clip, fields):
    """The size that is foretold is made, by a chain with numbers and by one without any facts."""
    path = getattr(clips, clip)()
    track, asked = probe(str(path)).video[0], video(**fields)
    for known in (track, None):
        made = tmp_path / f"{known is None}.mkv"
        pixels = ["-pix_fmt", asked.pixel_format or "yuv420p"]
        ffmpeg("-i", path, "-t", "0.4", "-vf", ",".join(filters(asked, known)), *pixels, "-c:v", "ffv1", made)
        got = probe(str(made)).video[0]
        assert (got.width, got.height) == output_size(asked, track).canvas
        assert got.pixel_aspect == 1
        assert got.rotation == 0
        rate = output_rate(asked, track)
        assert got.frame_rate == pytest.approx(rate or 25)


def corner(path, at):
    """The colour at a corner of the first frame, roughly."""
    x, y = at
    crop = f"crop=8:8:{x}:{y},scale=1:1,format=rgb24"
    return tuple(value > 127 for value in ffmpeg("-i", path, "-frames:v", "1", "-vf", crop, "-f", "rawvideo", "pipe:1"))


RED, BLACK = (True, False, False), (False, False, False)


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({}, "top left"),
        ({"rotate": 90}, "top right"),
        ({"rotate": 180}, "bottom right"),
        ({"rotate": 270}, "bottom left"),
        ({"flip": "horizontal"}, "top right"),
        ({"flip": "vertical"}, "bottom left"),
        ({"flip": "both"}, "bottom right"),
        ({"rotate": 90, "flip": "horizontal"}, "top left"),
    ],
    ids=str,
)
def test_turns_go_the_right_way(tmp_path, fields, at):
    """A red corner at the top left goes clockwise with `rotate`, and over with `flip`."""
    source, made = tmp_path / "corner.mkv", tmp_path / "made.mkv"
    if not source.exists():
        red = "color=black:size=64x64:rate=5:duration=0.2,format=rgb24,drawbox=x=0:y=0:w=16:h=16:color=red:t=fill"
        ffmpeg("-f", "lavfi", "-i", red, "-c:v", "ffv1", source)
    ffmpeg("-i", source, "-vf", ",".join(filters(video(**fields), None)), "-c:v", "ffv1", made)
    corners = {"top left": (2, 2), "top right": (54, 2), "bottom left": (2, 54), "bottom right": (54, 54)}
    assert {place: corner(made, xy) for place, xy in corners.items()} == {
        place: RED if place == at else BLACK for place in corners
    }
