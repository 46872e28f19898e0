"""What checks ask for, and what is said of an output that does not meet them."""

from __future__ import annotations

from dataclasses import fields

import msgspec
import pytest
from pydantic import ValidationError

from reconciler.core.checks import (
    CheckResult,
    Checks,
    ChecksSpec,
    Decoded,
    Measured,
    Scores,
    TrackEnd,
    asked_of,
    failures,
    impossible,
    judge,
    largest_size,
    over,
    subsample,
    unmet,
    vmaf_model,
)

ALL = Checks(0.1, "full", "80%", 1_000_000, 90, 80, 0.95, 0.1)


def test_the_model_and_its_value_hold_the_same():
    """No check can be written that is not carried."""
    assert list(ChecksSpec.model_fields) == [field.name for field in fields(Checks)]


@pytest.mark.parametrize(
    ("written", "size"),
    [
        (1200000, 1_200_000),
        ("40MB", 40_000_000),
        ("1.5 GB", 1_500_000_000),
        ("800k", 800_000),
        ("12b", 12),
        ("80%", "80%"),
        ("80.50 %", "80.5%"),
        ("100%", "100%"),
    ],
)
def test_sizes(written, size):
    """Bytes with their units, or a share of the source."""
    assert size == largest_size(written)
    assert size == ChecksSpec(max_size=written).max_size


@pytest.mark.parametrize("written", ["", "0", "-1", "0%", "big", "1.5", "1 furlong", True, None, "9" * 40, "inf%"])
def test_no_sizes(written):
    """What is none says what would be right."""
    with pytest.raises(ValueError, match="40MB"):
        largest_size(written)


def test_nothing_else_may_be_asked():
    """A score beyond its scale, and a check that nobody knows, are refused."""
    for wrong in (
        {"min_vmaf": 101},
        {"min_ssim": 1.5},
        {"max_gap": 0},
        {"decode": "all"},
        {"vmaf": 90},
        {"min_vmaf": True},
    ):
        with pytest.raises(ValidationError):
            ChecksSpec.model_validate(wrong)


def test_levels_lie_over_each_other():
    """What is said counts, null takes away, the rest stays."""
    base = Checks(min_vmaf=90, decode="full")
    said = ChecksSpec.model_validate({"min_vmaf": None, "max_gap": "100ms"})
    assert Checks(decode="full", max_gap=0.1) == over(base, said)
    assert (False, True) == (Checks().asked, base.asked)


def test_what_needs_the_source():
    """Sizes in bytes, decoding and gaps do not."""
    assert not Checks(decode="full", max_size=9, max_bitrate=9, max_gap=1).needs_source
    for name in ("duration_tolerance", "min_vmaf", "min_vmaf_p1", "min_ssim"):
        assert Checks(**{name: 1}).needs_source
    assert Checks(max_size="80%").needs_source


def test_what_was_measured_covers_what_asks_no_more():
    """Every check that was met is met when it asks for as much or less, and has to be made when it asks for more."""
    met, less = asked_of(ALL), Checks(0.2, "tail", "90%", 2_000_000, 80, 70, 0.9, 0.2)
    more = Checks(0.05, "full", "70%", 900_000, 95, 85, 0.99, 0.05)
    assert {field.name for field in fields(Checks)} == met.keys()
    assert ((), (), ()) == (unmet(ALL, met), unmet(less, met), unmet(Checks(), {}))
    assert tuple(met) == unmet(ALL, {})
    assert tuple(name for name in met if name != "decode") == unmet(more, met)
    assert ("max_size",) == unmet(Checks(max_size=5), {"max_size": "80%"})
    assert ("max_size",) == unmet(Checks(max_size="80%"), {"max_size": 5})
    assert () == unmet(Checks(decode="tail"), {})


def test_checks_that_make_no_sense():
    """Pictures are not compared where there are none; a generated source has no size."""
    assert ["min_vmaf", "min_vmaf_p1", "min_ssim"] == [
        name for name, _ in impossible(ALL, has_picture=False, generated=False)
    ]
    assert ["max_size"] == [name for name, _ in impossible(ALL, has_picture=True, generated=True)]
    assert [] == list(impossible(ALL, has_picture=True, generated=False))


def test_of_stills_and_subtitles_only_the_size_is_checked():
    """Whatever else is asked of them is told before anything runs, rather than passed over."""
    told = [name for name, _ in impossible(ALL, has_picture=True, generated=False, only_size=True)]
    assert ["duration_tolerance", "max_bitrate", "min_vmaf", "min_vmaf_p1", "min_ssim", "max_gap"] == told
    assert [] == list(impossible(Checks(max_size=5, decode="full"), has_picture=True, generated=False, only_size=True))


GOOD = Measured(
    size=800_000,
    tracks=(1, 1, 1, 1),
    ends=(TrackEnd("picture", 10.0, 10.0, 0.04),),
    seconds=10.0,
    gaps=(("picture", 0.04), ("sound", 0.021)),
    source_size=1_000_000,
    decoded=Decoded(0),
    vmaf=Scores(93.456, 85.1, "vmaf_v0.6.1"),
    ssim=Scores(0.97, 0.96, "all planes"),
)


def test_an_output_that_meets_everything():
    """Every check has a result, with what was measured."""
    results = judge(ALL, GOOD)
    assert failures(results) is None
    assert {
        "tracks": "1 video and 1 audio track",
        "duration": "10.00 s",
        "decode": "0 errors",
        "max_size": "80.0%",
        "max_bitrate": "640k bit/s",
        "max_gap": "0.040 s",
        "min_vmaf": "93.46",
        "min_vmaf_p1": "85.10",
        "min_ssim": "0.9700",
    } == {result.name: result.measured for result in results}


@pytest.mark.parametrize(
    ("checks", "measured", "words"),
    [
        ({}, {"broken": "no index"}, "whole: measured no index, asked for a whole file"),
        (
            {},
            {"tracks": (1, 0, 1, 1)},
            "tracks: measured 1 video and 0 audio tracks, asked for 1 video and 1 audio track",
        ),
        (
            {},
            {"ends": (TrackEnd("picture", 9.0, 10.0, 0.04),)},
            "duration: measured 9.00 s, asked for 10.00 s within 0.04 s (the end of the picture)",
        ),
        (
            {"duration_tolerance": 0.5},
            {"ends": (TrackEnd("sound", 10.6, 10.0, 0.04),)},
            "duration: measured 10.60 s, asked for 10.00 s within 0.50 s (the end of the sound)",
        ),
        ({}, {"decoded": Decoded(1, "bad slice")}, "decode: measured 1 error, asked for no errors (bad slice)"),
        ({"max_size": 799_999}, {}, "max_size: measured 800,000 bytes, asked for at most 799,999 bytes"),
        (
            {"max_size": "79.9%"},
            {},
            "max_size: measured 80.0%, asked for at most 79.9% of the source (800,000 of 1,000,000 bytes)",
        ),
        (
            {"max_bitrate": 600_000},
            {},
            "max_bitrate: measured 640k bit/s, asked for at most 600k bit/s (the average of the file)",
        ),
        (
            {"max_gap": 0.05},
            {"gaps": (("picture", 0.08), ("sound", 0.02))},
            "max_gap: measured 0.080 s, asked for at most 0.05 s (in the picture)",
        ),
        ({"min_vmaf": 95}, {}, "min_vmaf: measured 93.46, asked for at least 95 (vmaf_v0.6.1)"),
        ({"min_vmaf_p1": 86}, {}, "min_vmaf_p1: measured 85.10, asked for at least 86 (vmaf_v0.6.1)"),
        ({"min_ssim": 0.98}, {}, "min_ssim: measured 0.9700, asked for at least 0.98 (all planes)"),
    ],
)
def test_what_is_not_met_says_measured_against_asked(checks, measured, words):
    """One line, with both values."""
    found = {name: getattr(GOOD, name) for name in (field.name for field in fields(Measured))}
    assert words == failures(judge(Checks(**checks), Measured(**{**found, **measured})))


def test_a_longer_tolerance_is_the_users_own():
    """It replaces the usual one, in both directions."""
    ends = (TrackEnd("picture", 9.7, 10.0, 0.04),)
    assert failures(judge(Checks(duration_tolerance=0.5), Measured(1, ends=ends))) is None
    assert failures(judge(Checks(), Measured(1, ends=ends))) is not None


def test_results_can_be_recorded():
    """As JSON, and back."""
    result = CheckResult("min_vmaf", "at least 90", "93.46", passed=True)
    assert result == msgspec.json.decode(msgspec.json.encode(result), type=CheckResult)


def test_how_pictures_are_scored():
    """Large ones with the model for large screens, long ones at every fifth frame."""
    assert ("vmaf_v0.6.1", "vmaf_4k_v0.6.1") == (vmaf_model(1920, 1080), vmaf_model(3840, 2160))
    assert (1, 5) == (subsample(3000), subsample(90_000))
