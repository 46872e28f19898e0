"""Human units become canonical numbers, or a sentence that says what would be right."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core import units


@pytest.mark.parametrize(
    ("read", "value", "canonical"),
    [
        (units.bitrate, "4500k", 4_500_000),
        (units.bitrate, "4.5M", 4_500_000),
        (units.bitrate, 4_500_000, 4_500_000),
        (units.bitrate, 4.5e6, 4_500_000),
        (units.bitrate, "4500 kbit/s", 4_500_000),
        (units.bitrate, "1g", 1_000_000_000),
        (units.bitrate, "192K", 192_000),
        (units.bitrate, "4 Mb/s", 4_000_000),
        (units.bitrate, "4MBIT/S", 4_000_000),
        (units.bitrate, "4500kbps", 4_500_000),
        (units.bitrate, "8Mbit", 8_000_000),
        (units.sample_rate, "48k", 48_000),
        (units.sample_rate, "48kHz", 48_000),
        (units.sample_rate, "44.1k", 44_100),
        (units.sample_rate, 48000, 48_000),
        (units.duration, 2, 2),
        (units.duration, "2s", 2),
        (units.duration, "2.0", 2),
        (units.duration, 1.5, 1.5),
        (units.duration, "1m30s", 90),
        (units.duration, "1h", 3600),
        (units.duration, "500ms", 0.5),
        (units.duration, "00:01:30", 90),
        (units.duration, "1:30.5", 90.5),
        (units.duration, "1d2h", 93_600),
        (units.duration, 1e-05, 0.00001),
        (units.frame_rate, 25, "25"),
        (units.frame_rate, 25.0, "25"),
        (units.frame_rate, "29.97", "30000/1001"),
        (units.frame_rate, 29.97, "30000/1001"),
        (units.frame_rate, "59.940", "60000/1001"),
        (units.frame_rate, "24000/1001", "24000/1001"),
        (units.frame_rate, 12.5, "25/2"),
        (units.frame_rate, "23.98", "24000/1001"),
        (units.frame_rate, 23.976024, "24000/1001"),
        (units.frame_rate, "29.97003", "30000/1001"),
        (units.frame_rate, 119.88, "120000/1001"),
        (units.frame_rate, 14.985, "15000/1001"),
        (units.frame_rate, "50.000", "50"),
        (units.frame_rate, "29.9", "299/10"),
        (units.frame_rate, "2997/100", "2997/100"),
        (units.aspect, "16:9", "16:9"),
        (units.aspect, "1920:1080", "16:9"),
        (units.aspect, "16/9", "16:9"),
        (units.aspect, "2.39:1", "239:100"),
        (units.aspect, 1.5, "3:2"),
        (units.number, 23.0, 23),
        (units.number, 23.1234567, 23.123457),
        (units.bitrate_text, 4_500_000, "4500k"),
        (units.bitrate_text, 4_500, "4500"),
    ],
)
def test_one_spelling(read, value, canonical):
    """However it is written, a value has one canonical form, of one type."""
    assert (type(canonical), canonical) == (type(read(value)), read(value))


@pytest.mark.parametrize(
    ("read", "value", "words"),
    [
        (units.bitrate, "fast", '"fast" is not a bitrate; write for example 4500k'),
        (units.bitrate, "4500kk", '"4500kk" is not a bitrate'),
        (units.bitrate, "4MB", '"4MB" counts bytes, a bitrate counts bits; write for example 4Mbit/s or 4M'),
        (units.bitrate, "1MB/s", '"1MB/s" counts bytes, a bitrate counts bits; write for example 1Mbit/s or 1M'),
        (units.bitrate, "500kBps", '"500kBps" counts bytes'),
        (units.bitrate, -1, '"-1" is not a bitrate'),
        (units.bitrate, "1.0001k", '"1.0001k" is not a whole number of bits a second'),
        (units.bitrate, True, "must be a bitrate such as 4500k or 4.5M"),
        (units.bitrate, float("nan"), '"nan" is not a bitrate'),
        (units.bitrate, "9" * 41, "must be a bitrate such as 4500k or 4.5M, not 41 characters"),
        (units.sample_rate, "48m", '"48m" is not a sample rate'),
        (units.duration, "soon", '"soon" is not a duration; write for example 2s'),
        (units.duration, -3, '"-3" is not a duration'),
        (units.duration, "", '"" is not a duration'),
        (units.duration, float("inf"), '"inf" is not a duration'),
        (units.duration, "1e999999", '"1e999999" is not a duration'),
        (units.duration, "99999999999", '"99999999999" is longer than any film'),
        (units.duration, "90:00", '"90:00" is not a duration'),
        (units.frame_rate, "0", '"0" is not a frame rate between 0 and 1000'),
        (units.frame_rate, "1/0", '"1/0" is not a frame rate'),
        (units.frame_rate, "25:1", '"25:1" is not a frame rate'),
        (units.frame_rate, "1e999999999", '"1e999999999" is not a frame rate'),
        (units.aspect, "wide", '"wide" is not a shape; write for example 16:9'),
        (units.aspect, "1:99", '"1:99" is not a shape between 1:10 and 10:1'),
        (units.aspect, {}, "must be a shape such as 16:9"),
        (units.number, float("inf"), "inf is not a number that can be used here"),
    ],
)
def test_what_is_no_unit(read, value, words):
    """What cannot be read is a ValueError that shows the value and an example."""
    with pytest.raises(ValueError, match=f"^{re.escape(words)}"):
        read(value)


@settings(deadline=None)
@given(st.integers(1, 2_000_000), st.sampled_from(["", "k", "K"]))
def test_bitrates_in_any_prefix(number, prefix):
    """A prefix is a factor of a thousand and nothing else."""
    assert number * (1000 if prefix else 1) == units.bitrate(f"{number}{prefix}")


@settings(deadline=None)
@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
def test_clocks_and_spans_agree(hours, minutes, seconds):
    """`1h2m3s`, `01:02:03` and 3723 are one duration."""
    total = hours * 3600 + minutes * 60 + seconds
    assert total == units.duration(f"{hours}:{minutes:02}:{seconds:02}")
    assert total == units.duration(f"{hours}h{minutes}m{seconds}s")
    assert total == units.duration(total)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=60), st.floats(), st.integers(), st.booleans(), st.none()))
def test_anything_is_read_or_refused(value):
    """Whatever stands there, a unit is read or refused with ValueError; nothing else is raised."""
    for read in (units.bitrate, units.sample_rate, units.duration, units.frame_rate, units.aspect):
        with suppress(ValueError):
            assert read(value) is not None
