"""Which generated sources are allowed."""

from __future__ import annotations

import pytest

from reconciler.core import lavfi
from reconciler.core.encode import Trim


def test_a_test_picture_with_sound_is_allowed():
    """A picture and a tone of known length are what generated sources are for."""
    graph = "testsrc2=size=1280x720:rate=25:duration=10[out0];sine=frequency=440:duration=8[out1]"
    assert lavfi.check(graph, Trim()) == lavfi.Lengths(video=10.0, audio=8.0)


def test_filters_may_follow():
    """A chain of harmless filters keeps the length of its source."""
    assert lavfi.check("testsrc2=d=5,noise=alls=20:allf=t", Trim()) == lavfi.Lengths(video=5.0, audio=None)


def test_lengths_that_differ_are_not_known():
    """Two pictures of different length may be combined in many ways."""
    assert lavfi.check("color=d=5[a];testsrc=d=3[b];[a][b]overlay", Trim()) == lavfi.Lengths(video=None, audio=None)


def test_a_trim_is_an_end():
    """A source without end is allowed if only a part of it is used."""
    assert lavfi.check("testsrc2", Trim(0, 2)) == lavfi.Lengths(video=None, audio=None)


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        ("testsrc2", "needs an end"),
        ("testsrc2=duration=-1", "needs an end"),
        ("testsrc2=d=5[out0];sine[out1]", "needs an end"),
        ("null", "begins with a filter that makes"),
        ("movie=/etc/passwd", '"movie" is not one of those'),
        ("amovie=/etc/passwd", '"amovie" is not one of those'),
        ("testsrc2=d=5,subtitles=/etc/passwd", '"subtitles" is not one of those'),
        ("testsrc2=d=5,drawtext=textfile=/etc/passwd", '"drawtext" is not one of those'),
        ("testsrc2=d=5,lut3d=/etc/passwd", '"lut3d" is not one of those'),
        ("life=filename=/etc/passwd:d=3", '"life" is not one of those'),
        ("cellauto=filename=/etc/passwd:d=3", '"cellauto" is not one of those'),
        ("testsrc2=d=5[a];movie=/etc/passwd[b];[a][b]overlay", '"movie" is not one of those'),
        ("[in]movie@here=/etc/passwd", "cannot be read as a filter"),
        ("sws_flags=bicubic;testsrc2=d=1", '"sws_flags" is not one of those'),
        ("testsrc2=/size=/etc/passwd:d=3", "cannot be read as an option"),
        ("testsrc2=d='5'", "without quotes"),
        ("testsrc2=d=5\\,movie=/etc/passwd", "without quotes"),
        ("testsrc2=d=5\nmovie=/etc/passwd", "without quotes"),
        ("", "cannot be read as a filter"),
    ],
)
def test_what_is_not_allowed_is_said(graph, said):
    """Endless sources, filters that read files, and everything that can be read in two ways are refused."""
    with pytest.raises(ValueError, match=said):
        lavfi.check(graph, Trim())
