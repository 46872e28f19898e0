"""Averages that were missed: what is asked for next, and when it is enough."""

from __future__ import annotations

import pytest

from builders_ffmpeg import asked
from reconciler.core.parameters import Video
from reconciler.ffmpeg.averages import Tries, Try, another, in_two_passes, notes, tries_for

PICTURE = {"codec": "vp9", "bitrate": 400_000, "passes": 2}


def video(**fields):
    """A picture of 400k in two passes."""
    return Video.model_validate({**PICTURE, **fields})


@pytest.mark.parametrize(
    ("tries", "expected"),
    [
        ([Try(400_000, 390_000)], 400_000),
        ([Try(400_000, 360_000)], 444_444),
        ([Try(400_000, 440_000)], 363_636),
        ([Try(400_000, 360_000), Try(444_444, 440_000)], 422_222),
        ([Try(400_000, 360_000), Try(444_444, 398_000)], 444_444),
        ([Try(400_000, 360_000), Try(444_444, 380_000)], 467_836),
    ],
    ids=["near", "too little", "too much", "on both sides", "near now", "still too little"],
)
def test_what_is_asked_for_next(tries, expected):
    """In proportion to what came, or between what came on both sides."""
    assert expected == another(video(), tries)


def test_a_picture_that_needs_no_more_is_left_alone():
    """A still picture comes to a tenth of its average, whatever is asked for; and nothing is tried twice."""
    assert 400_000 == another(video(), [Try(400_000, 40_000)])
    assert 444_444 == another(video(), [Try(400_000, 360_000), Try(444_444, 350_000)])


def test_bounds_hold():
    """No more is asked for than the ceiling, and no less than the floor."""
    assert 420_000 == another(video(max_bitrate=420_000), [Try(400_000, 300_000)])
    assert 390_000 == another(video(min_bitrate=390_000), [Try(400_000, 500_000)])


def test_the_nearest_try_is_kept():
    """A second try that is worse does not take the place of the first."""
    wanted = asked(video=PICTURE)
    tries = Tries(wanted)
    assert tries.add(wanted, {"": 370_000})
    assert not tries.add(tries.next(), {"": 450_000})
    assert tries.missed == pytest.approx(-0.075)
    assert tries.add(tries.next(), {"": 402_000})
    assert tries.next() is None


def test_only_what_missed_is_asked_for_anew():
    """The other variants of a package keep their rates, and one of a quality has none."""
    quality = {"codec": "h264", "crf": 30}
    variants = {"a": {"video": {**PICTURE, "codec": "h264"}}, "b": {"video": {**PICTURE, "codec": "h264"}}}
    wanted = asked(container="hls", video=None, audio=None, variants={**variants, "c": {"video": quality}})
    tries = Tries(wanted)
    tries.add(wanted, {"a": 400_000, "b": 500_000})
    rates = {name: each.bitrate for name, each in in_two_passes(tries.next()).items()}
    assert {"a": 400_000, "b": 320_000} == rates


def test_a_missed_average_is_told():
    """With what came, what was asked for and which picture it is."""
    assert ["the picture came out at 40k instead of 400k (-90.0%)"] == list(notes(asked(video=PICTURE), {"": 40_000}))
    assert [] == list(notes(asked(video=PICTURE), {"": 405_000}))


def test_long_sources_are_encoded_once_more_at_most():
    """More passes over hours would cost more than they bring."""
    assert (3, 1) == (tries_for(5), tries_for(3600))
