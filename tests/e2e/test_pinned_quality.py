"""A quality is searched for once: what it came to is kept in the state."""

from __future__ import annotations

import json

import pytest

from builders_project import Project

SPEC = """\
version: 1
project: pins
encodes:
  a:
    source: "lavfi:testsrc2=size=320x180:rate=25:duration=2"
    outputs:
      web: {{container: mp4, video: {{codec: h264, preset: {preset}, quality: {{vmaf: {vmaf}}}}}, audio: {audio}}}
"""
SILENT = "{codec: none}"


def spec(*, preset="ultrafast", vmaf=85, audio=SILENT):
    """One output by its quality."""
    return SPEC.format(preset=preset, vmaf=vmaf, audio=audio)


def record(own):
    """What the state says of the output."""
    return json.loads((own.folder / "state/encodes.json").read_text())["records"]["a/web"]


@pytest.fixture
def own(tmp_path):
    """A project whose output was made."""
    made = Project(tmp_path)
    made.write("specs/a.yaml", spec())
    made.apply().ok()
    return made


def pinned(own, crf):
    """Another crf in the state than the one that was found, to see whether it is taken."""
    path = own.folder / "state/encodes.json"
    state = json.loads(path.read_text())
    state["records"]["a/web"]["pins"]["video.crf"] = crf
    path.write_text(json.dumps(state))


def test_a_lost_file_is_made_with_the_same_crf(own):
    """No search decides anew: what stands in the state is what is encoded."""
    assert record(own)["pins"]["video.crf"] > 4
    pinned(own, 47.5)
    (own.folder / "outputs/a/web.mp4").unlink()
    own.apply().ok()
    assert 47.5 == record(own)["pins"]["video.crf"]
    assert b"crf=47.5" in (own.folder / "outputs/a/web.mp4").read_bytes()
    assert "No changes" in own.run("plan").ok().out


def test_other_sound_keeps_the_crf(own):
    """The picture is the same, and so is what it came to."""
    pinned(own, 47.5)
    own.write("specs/a.yaml", spec(audio="{codec: aac, missing: silence}"))
    own.apply().ok()
    assert 47.5 == record(own)["pins"]["video.crf"]


@pytest.mark.parametrize("change", [{"vmaf": 70}, {"preset": "superfast"}])
def test_another_picture_is_searched_anew(own, change):
    """Another quality or another effort comes to another crf."""
    pinned(own, 47.5)
    own.write("specs/a.yaml", spec(**change))
    own.apply().ok()
    assert 47.5 != record(own)["pins"]["video.crf"]
