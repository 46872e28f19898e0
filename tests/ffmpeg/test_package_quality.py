"""Packages are checked stream by stream, under the names of their variants."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from builders_ffmpeg import AAC, H264, PROGRAM, encode, local, output
from reconciler.core.checks import Checks, failures
from reconciler.ffmpeg.comparison import Subject
from reconciler.ffmpeg.package_quality import check_output
from reconciler.ffmpeg.quality import Checker

VARIANTS = {"big": {"video": {"height": 120, "crf": 20}}, "small": {"video": {"height": 60, "crf": 45}}}


def packaged(project, source, kind):
    """A package of two variants, and what it was to be."""
    wanted = output(
        source, container="hls", video=H264, audio=AAC, variants=_complete(), segment={"type": kind, "duration": 1}
    )
    (result,) = encode(project, source, wanted).values()
    return Subject(str(project / result.path), wanted.parameters, source, source.location)


def _complete():
    return {name: {"video": {**H264, **said["video"]}, "audio": AAC} for name, said in VARIANTS.items()}


def check(subject, checks, folder, told=None):
    """The results of all checks."""
    checker = Checker(PROGRAM, {}, time.monotonic, threads=1)
    follow = (told if told is not None else []).append
    return check_output(checker, subject, checks, follow, lambda: False, folder=folder)


@pytest.mark.parametrize("kind", ["fmp4", "ts"])
def test_each_stream_is_checked(clips, tmp_path, kind):
    """Lengths, decoding and scores of each, sizes of all; nothing of it is left behind."""
    subject = packaged(tmp_path, local(clips.plain()), kind)
    scratch, told = tmp_path / "scratch", []
    scratch.mkdir()
    results = check(subject, Checks(decode="full", min_vmaf=1, max_size="1%"), scratch, told)

    names = [result.name for result in results]
    assert names.count("max_size") == 1
    assert {"big/duration", "big/decode", "big/min_vmaf", "small/min_vmaf"} <= set(names)
    assert ("audio/duration" in names, "audio/min_vmaf" in names) == (kind == "fmp4", False)
    assert {"max_size"} == {result.name for result in results if not result.passed}, failures(results)
    assert told[-1] <= 1.0
    assert [] == list(scratch.iterdir())


def test_the_variant_that_fails_is_named(clips, tmp_path):
    """With its own score."""
    subject = packaged(tmp_path, local(clips.plain()), "fmp4")
    results = check(subject, Checks(min_vmaf=60), tmp_path)
    assert failures(results).startswith("small/min_vmaf: measured ")
    assert "big/" not in failures(results)


def test_a_stream_that_is_gone(clips, tmp_path):
    """Is told; so is a package that is gone."""
    subject = packaged(tmp_path, local(clips.plain()), "fmp4")
    shutil.rmtree(Path(subject.path, "small"))
    results = check(subject, Checks(), tmp_path)
    assert "small/whole: measured it is not there, asked for a whole stream" == failures(results)
    shutil.rmtree(subject.path)
    assert "whole: measured it is not there, asked for a whole package" == failures(check(subject, Checks(), tmp_path))


def test_a_file_is_checked_as_it_is(clips, tmp_path):
    """Under no name but its own."""
    source = local(clips.plain())
    wanted = output(source)
    (result,) = encode(tmp_path, source, wanted).values()
    subject = Subject(str(tmp_path / result.path), wanted.parameters, source, source.location)
    assert ["tracks", "duration", "duration"] == [each.name for each in check(subject, Checks(), tmp_path)]
