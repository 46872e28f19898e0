"""Subtitles of a source as files of their own."""

from __future__ import annotations

import pytest

from builders_ffmpeg import PROGRAM, encode, local, made, output
from reconciler.core.ports import NotMade, Suspect, Verified
from reconciler.views.asked import asked

BARE = {"video": None, "audio": None}


def test_a_track_becomes_webvtt(clips, tmp_path):
    """With its times and every letter."""
    result, file = made(tmp_path, local(clips.subtitled()), container="vtt", **BARE)
    assert isinstance(result, Verified), result
    assert result.summary == "0:05.0 vtt, 2 cues"
    assert () == result.notes
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line]
    assert ["WEBVTT", "00:00.500 --> 00:01.500", "eng één", "00:03.000 --> 00:05.000", "eng two"] == lines


@pytest.mark.parametrize("track", [1, "nl", "nld"])
def test_a_track_is_chosen(clips, tmp_path, track):
    """By its number or its language."""
    result, file = made(tmp_path, local(clips.subtitled()), container="srt", **BARE, subtitles={"track": track})
    assert isinstance(result, Verified), result
    assert "nld two" in file.read_text(encoding="utf-8")
    assert "00:00:03,000 --> 00:00:05,000" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("container", "cues"),
    [
        ("vtt", ["00:00.000 --> 00:00.500", "00:02.000 --> 00:03.000"]),
        ("srt", ["00:00:00,000 --> 00:00:00,500", "00:00:02,000 --> 00:00:03,000"]),
    ],
)
def test_the_subtitles_of_a_part(clips, tmp_path, container, cues):
    """They are in time with a trimmed picture; what reaches over an end of the trim is cut off there."""
    result, file = made(tmp_path, local(clips.subtitled(), start=1, end=4), container=container, **BARE)
    assert isinstance(result, Verified), result
    lines = file.read_text(encoding="utf-8").splitlines()
    assert cues == [line for line in lines if "-->" in line]
    assert ["eng één", "eng two"] == [line for line in lines if line.startswith("eng")]
    assert (["1", "2"] if container == "srt" else []) == [line for line in lines if line.isdecimal()]


def test_what_is_cut_off_is_not_counted(clips, tmp_path):
    """Cues before and behind the part are gone; the video beside it is trimmed as ever."""
    source = local(clips.subtitled(), start=2, end=6)
    results = encode(tmp_path, source, output(source), output(source, "text", container="srt", **BARE))
    assert all(isinstance(result, Verified) for result in results.values()), results
    assert "0:03.0 srt, 1 cue" == results["text"].summary
    text = (tmp_path / results["text"].path).read_text(encoding="utf-8")
    assert "1\n00:00:01,000 --> 00:00:03,000\neng two\n\n" == text


def test_subtitles_come_with_the_video(clips, tmp_path):
    """One process makes a video and both of its languages."""
    source = local(clips.subtitled())
    others = [output(source, name, container="vtt", **BARE, subtitles={"track": name}) for name in ("eng", "nld")]
    results = encode(tmp_path, source, output(source), *others)
    assert all(isinstance(result, Verified) for result in results.values()), results
    assert "nld two" in (tmp_path / results["nld"].path).read_text(encoding="utf-8")


def test_what_is_not_there_is_told(clips, tmp_path):
    """No subtitles, or none in that language."""
    result, _ = made(tmp_path, local(clips.plain()), container="vtt", **BARE)
    assert result == NotMade("the source has no subtitles")
    result, _ = made(tmp_path, local(clips.subtitled()), container="vtt", **BARE, subtitles={"track": "fra"})
    assert result == NotMade("there is no subtitle track fra: the source has eng, nld")


def test_a_file_without_cues_is_suspect(clips, tmp_path):
    """An empty file is nothing that anybody asked for."""
    program = tmp_path / "ffmpeg"
    empty = 'for word; do :; done; case "$word" in *.part) echo WEBVTT > "${word#file:}";; esac'
    program.write_text(f'#!/bin/sh\n{PROGRAM} "$@"; code=$?\n{empty}\nexit $code\n')
    program.chmod(0o755)
    source = local(clips.subtitled())
    (result,) = encode(tmp_path, source, output(source, container="vtt", **BARE), program=str(program)).values()
    assert isinstance(result, Suspect), result
    assert result.error == "it holds no subtitles"


def test_a_plan_says_what_subtitles_are():
    """In few words."""
    assert "vtt track eng" == asked({"container": "vtt", "subtitles.track": "eng"}).words()
    assert "srt track 0" == asked({"container": "srt"}).words()
