"""kill -9 while a source is measured, searched, looked at first or pictured: the next apply finishes all of it."""

from __future__ import annotations

import signal
import time

import pytest

from builders_killed import finished, strays
from builders_project import Project

PICTURE = "codec: h264, preset: ultrafast, height: 90"
SPEC = f"""\
version: 1
project: killed
encodes:
  clip:
    source: "lavfi:testsrc2=size=320x180:rate=25:duration=3[out0];sine=frequency=440:duration=3[out1]"
    outputs:
      loud: {{container: m4a, audio: {{codec: aac, bitrate: 96k, loudness: {{target: -20}}}}}}
      twice: {{container: mp4, video: {{{PICTURE}, bitrate: 200k, passes: 2}}, audio: {{codec: none}}}}
      good: {{container: mp4, video: {{{PICTURE}, quality: {{vmaf: 60}}, autocrop: true}}, audio: {{codec: none}}}}
      sheet: {{container: jpg, stills: {{every: 1s, width: 80, grid: 2x2}}}}
"""
EVERY = {f"clip/{name}" for name in ("loud", "twice", "good", "sheet")}


@pytest.mark.parametrize("moment", [0.4, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0, 2.5, 3.2])
def test_killed_at_any_moment(tmp_path, moment):
    """Killed after a while, wherever that is: no process, log or sample is left, and all is whole."""
    project = Project(tmp_path)
    project.write("specs/encodes.yaml", SPEC)
    process = project.start("apply", "--auto-approve")
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = finished(project)
    project.apply().ok()
    records = project.records()
    assert dict.fromkeys(EVERY, "complete") == {address: record["status"] for address, record in records.items()}
    made = {path.relative_to(tmp_path / "outputs/clip").as_posix() for path in tmp_path.glob("outputs/clip/*")}
    assert {"loud.m4a", "twice.mp4", "good.mp4", "sheet"} == made
    files = project.files()
    for address in before.keys() - {"clip/sheet"}:
        name = f"{address}.m4a" if address == "clip/loud" else f"{address}.mp4"
        assert before[address] == files[name]
    assert [] == strays(project)
    assert 0 == project.run("plan", "--detailed-exitcode").code
