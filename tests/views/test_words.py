"""Numbers as people say them."""

from __future__ import annotations

import pytest

from reconciler.views.words import clock, count, moment, sequence, size, span, value


@pytest.mark.parametrize(
    ("words", "octets"),
    [("0 B", 0), ("999 B", 999), ("1.0 kB", 1000), ("142.8 MB", 142_800_000), ("1.0 GB", 999_960_000)],
)
def test_sizes(words, octets):
    """Sizes use units of a thousand and never say 1000.0."""
    assert words == size(octets)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("0 s", 0),
        ("0.8 s", 0.84),
        ("14 s", 13.6),
        ("1 m", 59.7),
        ("5 m 48 s", 348),
        ("3 h 12 m", 11_520),
        ("2 h", 7_200),
        ("2 d 4 h", 187_200),
    ],
)
def test_spans(words, seconds):
    """Durations use the two largest units."""
    assert words == span(seconds)


def test_clock():
    """What is left reads like a clock."""
    assert ["0:00", "2:11", "1:02:11"] == [clock(seconds) for seconds in (-1, 131, 3731)]


def test_counts():
    """One is singular, thousands are grouped."""
    assert ["1 output", "0 outputs", "1,204 outputs"] == [count(number, "output") for number in (1, 0, 1204)]


def test_sequences():
    """Long lists say how many more there are."""
    assert ["a", "a and b", "a, b and c", "a, b, c and 2 more"] == [
        sequence(names) for names in ("a", "ab", "abc", "abcde")
    ]


@pytest.mark.parametrize(
    ("said", "field", "canonical"),
    [
        ("192k", "audio.bitrate", 192_000),
        ("4500k", "video.max_bitrate", 4_500_000),
        ("1500500", "video.bitrate", 1_500_500),
        ("44.1k", "audio.sample_rate", 44_100),
        ("2s", "video.keyframe_interval", 2),
        ("1.5s", "source.trim.start", 1.5),
        ("true", "faststart", True),
        ("not set", "video.crf", None),
        ("23", "video.crf", 23),
        ("sha256 0123456789ab", "video.watermark.image", f"sha256:{'0123456789ab':0<64}"),
        (r"\x1b[2J", "source", "\x1b[2J"),
    ],
)
def test_values_are_said_in_the_units_of_the_specs(said, field, canonical):
    """Bits a second, hertz and seconds are written as in a spec, and only where that is exact."""
    assert said == value(field, canonical)


def test_moments():
    """A time of the state is read; what is no time is shown as it is."""
    assert ["Mon 21 Sep 14:12 UTC", r"\x07soon"] == [moment("2026-09-21T14:12:00Z"), moment("\x07soon")]
