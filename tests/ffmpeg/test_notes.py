"""Sentences about sources and outputs."""

from __future__ import annotations

import pytest

from builders_ffmpeg import AAC, H264, asked
from reconciler.core.encode import Source, Trim
from reconciler.core.ports import Fetched, SourceSeen
from reconciler.ffmpeg.notes import clock, megabytes, notes, output_summary, source_line
from reconciler.ffmpeg.probe import probe


def test_what_was_fetched(clips):
    """Name, size, time, length, size of the picture, rate and sound, in one line."""
    fetched = Fetched("/cache/x", SourceSeen("https://x/bbb.mp4"), 158_000_000, 14.2, cached=False)
    source = Source("http", "https://x/masters/bbb.mp4?v=2", "https://x/masters/bbb.mp4?v=2")
    said = source_line(source, fetched, probe(str(clips.surround())))
    assert said == "fetched bbb.mp4 158 MB in 14 s: 0:02.0, 160x120, 25 fps, audio 5.1"


def test_what_was_there_already(clips):
    """A source that needed no fetching says so, from the cache or from a disk."""
    fetched, facts = Fetched("/x", SourceSeen("clip.mov"), 1_500_000, 0.1, cached=True), probe(str(clips.eight_mono()))
    rest = "clip.mov 1.5 MB: 0:02.0, 160x120, 25 fps, 8 audio tracks, audio mono"
    for kind, verb in (("http", "cached"), ("file", "read")):
        assert source_line(Source(kind, "in/clip.mov", "in/clip.mov"), fetched, facts) == f"{verb} {rest}"


def test_what_was_made(clips):
    """Length, size, rate, codecs."""
    assert output_summary(probe(str(clips.plain()))) == "0:02.0 160x120 25 fps h264, aac stereo 48k"
    assert output_summary(probe(str(clips.sound_only()))) == "0:02.0 aac mono 48k"


@pytest.mark.parametrize(
    ("clip", "parameters", "said"),
    [
        ("plain", {}, []),
        ("surround", {}, ["audio 5.1 is mixed down to stereo"]),
        ("surround", {"audio": {"codec": "aac"}}, []),
        ("eight_mono", {}, ["audio track 0 of 8 is used"]),
        ("silent", {}, ["the source has no sound: the output has none either"]),
        ("silent", {"audio": {**AAC, "missing": "silence"}}, ["the source has no sound: the output gets silence"]),
        ("silent", {"audio": None}, []),
        ("long_subtitles", {}, ["subtitles are not copied"]),
        ("covered", {}, ["the attached cover picture is not copied"]),
        ("timecode", {}, ["the data track (timecode or the like) is not copied"]),
        ("long_sound", {}, ["the sound ends 1.50 s after the picture"]),
        ("long_sound", {"audio": None}, []),
        ("variable_rate", {"video": {**H264, "fps": 25}}, []),
        ("variable_rate", {}, ["the source has a variable frame rate, and so has the output"]),
        (
            "variable_rate",
            {"container": "hls"},
            ["the source has a variable frame rate, the output a steady one, as players want it"],
        ),
        ("portrait", {}, ["the picture is turned upright, by 270 degrees"]),
        ("live_webm", {}, ["the source does not say how long it is; its packets end at 0:02.0"]),
        ("plain", {"video": {**H264, "height": 240}}, ["the source is only 160x120: it is not scaled up"]),
        ("plain", {"video": {**H264, "height": 240, "avoid_upscaling": False}}, []),
        ("plain", {"video": {**H264, "height": 120}}, []),
        ("plain", {"video": {**H264, "width": 320, "height": 60}}, []),
        ("portrait", {"video": {**H264, "height": 160}}, ["the picture is turned upright, by 270 degrees"]),
    ],
)  # fmt: skip
def test_what_is_odd_is_said(clips, clip, parameters, said):
    """What a master has that a plain one has not, if it concerns the output, and nothing else."""
    assert said == notes(asked(**parameters), probe(str(getattr(clips, clip)())), Trim())


def test_both_ends_of_a_late_picture(clips):
    """A picture that starts late ends late, too."""
    first, second = notes(asked(), probe(str(clips.late_picture())), Trim())
    assert first.startswith("the picture starts 0.8")
    assert second.startswith("the sound ends 0.80 s before")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(5.31, "0:05.3"), (59.6, "1:00"), (634.2, "10:34"), (3723, "1:02:03"), (float("inf"), "no known length")],
)
def test_lengths(seconds, said):
    """Lengths as players show them."""
    assert said == clock(seconds)


@pytest.mark.parametrize(
    ("size", "said"), [(12, "12 bytes"), (1_500, "1.5 kB"), (158_300_000, "158 MB"), (2_000_000_000, "2.0 GB")]
)
def test_sizes(size, said):
    """Sizes in units of a thousand."""
    assert said == megabytes(size)
