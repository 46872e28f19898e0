"""Outputs that cannot be made, seen beforehand."""

from __future__ import annotations

import pytest

from builders_ffmpeg import AAC, H264, asked
from reconciler.core.encode import Trim
from reconciler.ffmpeg.feasible import impossible
from reconciler.ffmpeg.probe import probe

WHOLE = Trim()
ALL = {"libx264", "libx265", "aac", "libopus"}
CROPPED = "the crop leaves nothing of the picture, which is"
SOUND = {"container": "m4a", "video": None}


def reason(path, *, trim=WHOLE, available=ALL, **parameters):
    """Why an output cannot be made of a clip."""
    return impossible(asked(**parameters), probe(str(path)), trim, available)


@pytest.mark.parametrize(
    ("clip", "parameters", "said"),
    [
        ("plain", {}, None),
        ("sound_only", {}, "the source has no picture"),
        ("sound_only", SOUND, None),
        ("silent", {}, None),
        ("silent", {"audio": {**AAC, "missing": "error"}}, "the source has no sound"),
        ("silent", {"audio": {**AAC, "missing": "silence"}}, None),
        ("silent", SOUND, "the source has no sound, so nothing would be left of this output"),
        ("silent", {**SOUND, "audio": {**AAC, "missing": "silence"}}, None),
        ("plain", {"audio": {**AAC, "track": 1}}, "there is no audio track 1: the source has 1 audio track"),
        ("eight_mono", {"audio": {**AAC, "track": 8}}, "there is no audio track 8: the source has 8 audio tracks"),
        ("eight_mono", {"audio": {**AAC, "track": 7}}, None),
        ("plain", {"video": {**H264, "crop": {"top": 60, "bottom": 60}}}, f"{CROPPED} 160x120"),
        ("portrait", {"video": {**H264, "crop": {"left": 120}}}, f"{CROPPED} 120x160"),
        ("plain", {"video": {**H264, "crop": {"top": 58, "bottom": 58}}}, None),
    ],
)  # fmt: skip
def test_what_a_source_cannot_give(clips, clip, parameters, said):
    """Missing pictures, sounds and tracks, and crops that leave nothing."""
    assert said == reason(getattr(clips, clip)(), **parameters)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_hdr_never_silently_becomes_eight_bits(clips, transfer):
    """An HDR master is refused where nothing would tone-map it, and accepted where its bits fit."""
    path = clips.hdr(transfer)
    said = reason(path, audio=None)
    assert said.startswith("the source is HDR (")
    assert "yuv420p10le" in said
    ten_bit = {"codec": "hevc", "crf": 30, "pixel_format": "yuv420p10le"}
    assert reason(path, video=ten_bit, audio=None) is None


def test_a_build_without_the_encoder(clips):
    """The encoder that is missing is named."""
    assert reason(clips.plain(), available={"aac"}) == "this ffmpeg has no encoder libx264"
    assert reason(clips.plain(), available={"libx264"}) == "this ffmpeg has no encoder aac"


def test_a_trim_behind_the_end(clips):
    """There is nothing at 2.5 s of a clip of two."""
    assert reason(clips.plain(), trim=Trim(2.5)) == "the trim starts at 2.5 s, the source ends at 2.00 s"
    assert reason(clips.plain(), trim=Trim(1.5, 9)) is None


def test_an_image_that_would_never_be_seen(clips):
    """A watermark that comes after the end of what is encoded is told, that of a trim too."""
    mark = {**H264, "watermark": {"image": "logo.png", "start": 1}}
    assert reason(clips.plain(), video=mark) is None
    late = reason(clips.plain(), video=mark, trim=Trim(0.2, 1.2))
    assert "the watermark would come at 1 s, the output ends at 1.00 s" == late
