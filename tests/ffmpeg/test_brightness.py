"""Colours of graphics for pictures of high dynamic range."""

from __future__ import annotations

import pytest

from reconciler.ffmpeg.brightness import dimmed, signal


@pytest.mark.parametrize(("share", "pq", "hlg"), [(0, 0, 0), (1, 0.5806, 0.75), (0.5, 0.427, 0.4125)])
def test_signals(share, pq, hlg):
    """White is 58 % of PQ and 75 % of HLG, black is black (ITU-R BT.2408, table 1)."""
    assert [pq, hlg] == pytest.approx([signal(share, "PQ"), signal(share, "HLG")], abs=0.002)


def test_only_colours_are_dimmed():
    """In styles and in the text, with or without zeros in front; what says how clear something is stays."""
    style = "Style: Default,Arial,16,&Hffffff,&H00FFFFFF,&H0,&H80000000,0,1\n"
    assert "Style: Default,Arial,16,&H00949494,&H00949494,&H00000000,&H80000000,0,1\n" == dimmed(style, "PQ")
    said = r"Dialogue: 0,0:00:00.50,0:00:01.50,Default,,0,0,0,,{\c&HFFFFFF&\3c&H0&\1a&H80&\alpha&HFF&}R&H is &Hello"
    assert dimmed(said, "PQ") == said.replace("&HFFFFFF&", "&H00949494&").replace(r"\3c&H0&", r"\3c&H00000000&")
