"""What the fields of an output may say."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from reconciler.core.parameters import Parameters


def _video(**fields):
    return Parameters.model_validate({"video": fields}).video


def _audio(**fields):
    return Parameters.model_validate({"audio": fields}).audio


def test_nothing_is_asked_for_by_default():
    """Every field may be left out, and means then that nobody asked."""
    assert {
        "container": None,
        "video": None,
        "audio": None,
        "faststart": None,
        "segment": None,
        "variants": None,
        "stills": None,
        "subtitles": None,
    } == Parameters().model_dump()
    assert all(value is None for value in _video().model_dump().values())
    assert all(value is None for value in _audio().model_dump().values())


@pytest.mark.parametrize(
    ("field", "written", "canonical"),
    [
        ("codec", "h265", "hevc"),
        ("level", 4, "4.0"),
        ("level", 4.0, "4.0"),
        ("level", "40", "4.0"),
        ("level", 41, "4.1"),
        ("level", 4.1, "4.1"),
        ("level", "1b", "1b"),
        ("preset", 8, "8"),
        ("profile", 0, "0"),
        ("crf", 23.0, 23),
        ("bitrate", "4.5M", 4_500_000),
        ("buffer_size", "9M", 9_000_000),
        ("fps", 29.97, "30000/1001"),
        ("keyframe_interval", "2s", 2),
    ],
)
def test_words_and_numbers_of_the_picture(field, written, canonical):
    """Different spellings of a picture's field are one value."""
    assert canonical == getattr(_video(**{field: written}), field)


def test_a_frame_rate_may_be_a_ceiling():
    """`fps` is a rate, or a mapping with the highest."""
    assert "30000/1001" == _video(fps={"max": 29.97}).fps.max


def test_a_colour_is_written_in_any_case():
    """`#FF0000` and `Red` are as good as lower case."""
    assert "#ff0000" == _video(pad={"aspect": "16:9", "color": "#FF0000"}).pad.color
    assert "red" == _video(pad={"aspect": "16:9", "color": "Red"}).pad.color


@pytest.mark.parametrize(
    ("written", "channels"), [(2, 2), ("stereo", 2), ("mono", 1), (5.1, 6), ("5.1", 6), ("7.1", 8)]
)
def test_channels_are_counted_or_named(written, channels):
    """Layouts have names, and their numbers are not rounded."""
    assert channels == _audio(channels=written).channels


@pytest.mark.parametrize(
    "fields",
    [
        {"height": "720"},
        {"height": 720.5},
        {"height": True},
        {"height": 1},
        {"crf": "23"},
        {"crf": True},
        {"crf": -1},
        {"crf": 64},
        {"crf": float("inf")},
        {"bitrate": 0},
        {"bitrate": "3G"},
        {"rotate": 45},
        {"avoid_upscaling": "yes"},
        {"keyframe_interval": 0},
        {"fps": {"max": 30, "min": 1}},
        {"preset": "a b"},
        {"color": "red"},
    ],
)
def test_what_a_picture_cannot_say(fields):
    """Types are not guessed, and limits hold."""
    with pytest.raises(ValidationError):
        _video(**fields)
