"""ffmpeg failing: that output is failed with its last meaningful line, the others finish, attempts are bounded."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress

import psutil
import pytest

from builders_project import Project, generated, tiny

SPEC = f"""\
version: 1
project: failing
presets:
  good: {tiny()}
encodes:
  clip:
    source: "{generated()}"
    outputs:
      good: good
      bad: {{extends: good, video: {{codec: hevc, width: 8, height: 8}}}}
"""


@pytest.fixture
def project(tmp_path):
    """A project with an output whose encoder refuses its parameters."""
    made = Project(tmp_path)
    made.write("specs/encodes.yaml", SPEC)
    return made


def test_an_encoder_that_rejects_its_parameters(project):
    """One output fails with the encoder's words, the other finishes, exit 3."""
    result = project.apply()
    records = project.records()

    assert (3, "complete", "failed") == (result.code, records["clip/good"]["status"], records["clip/bad"]["status"])
    assert "Image size is too small" in records["clip/bad"]["error"]
    assert "Image size is too small" in result.out + result.err
    assert "Apply complete!" not in result.out
    assert {"clip/good.mp4"} == set(project.files())


def test_attempts_are_bounded_until_the_spec_changes(project):
    """The next apply retries only what failed; after its attempts it is left alone, until the spec changes."""
    project.apply()
    good = project.files()["clip/good.mp4"]
    assert 3 == project.apply().code
    assert good == project.files()["clip/good.mp4"]

    spent = project.apply()
    plan = project.run("plan", "--detailed-exitcode")
    assert (0, 0) == (spent.code, plan.code)
    assert "2 of 2 attempts used" in plan.out + plan.err
    assert 2 == project.records()["clip/bad"]["attempt"]

    assert 3 == project.apply("--rerun", "clip/bad").code
    project.write("specs/encodes.yaml", SPEC.replace("width: 8, height: 8", "height: 64"))
    project.apply().ok()
    assert "complete" == project.records()["clip/bad"]["status"]


def test_status_says_what_to_do(project):
    """Status puts the failed output first, with the command that tries it again."""
    project.apply()
    project.apply()
    text = project.run("status").ok().out

    assert text.index("clip/bad") < text.index("Fine")
    assert "reconciler apply --rerun clip/bad" in text


def test_ffmpeg_killed_from_outside(tmp_path):
    """An ffmpeg that somebody kills fails its output, and the other encode finishes."""
    project = Project(tmp_path)
    project.write(
        "specs/encodes.yaml",
        f"""\
        version: 1
        project: killed
        presets:
          good: {tiny()}
        encodes:
          a-long: {{source: "{generated(900)}", outputs: [good]}}
          b-short: {{source: "{generated(1)}", outputs: [good]}}
        """,
    )
    process = project.start("apply", "--auto-approve", "--parallelism", "1")
    victim = wait_for_ffmpeg(process)
    os.kill(victim, signal.SIGKILL)
    process.communicate(timeout=60)
    records = project.records()

    assert (3, "failed", "complete") == (
        process.returncode,
        records["a-long/good"]["status"],
        records["b-short/good"]["status"],
    )
    assert "killed" in records["a-long/good"]["error"]
    assert {"b-short/good.mp4"} == set(project.files())


def test_a_full_disk(tmp_path):
    """An output for which the disk has no room fails as such; the others finish; with room, the next apply makes it."""
    project = Project(tmp_path)
    project.write(
        "specs/encodes.yaml",
        f"""\
        version: 1
        project: full
        presets:
          small: {tiny()}
          large: {{extends: small, video: {{height: 480, crf: 0}}}}
        encodes:
          large: {{source: "{generated(4, size="640x480")},noise=alls=40:allf=t", outputs: [large]}}
          small: {{source: "{generated(1)}", outputs: [small]}}
        """.replace(
            ":duration=4[out0];sine=frequency=440:duration=4[out1],noise=alls=40:allf=t",
            ":duration=4,noise=alls=40:allf=t[out0];sine=frequency=440:duration=4[out1]",
        ),
    )
    mount = tmp_path / "outputs/large"
    mount.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", mount], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system can only be mounted by root")
    try:
        result = project.apply()
        records = project.records()
        assert (3, "failed", "complete") == (
            result.code,
            records["large/large"]["status"],
            records["small/small"]["status"],
        )
        assert "No space left on device" in records["large/large"]["error"]
        assert [] == list(mount.iterdir())
        subprocess.run(["mount", "-o", "remount,size=200m", mount], check=True)
        project.apply().ok()
        assert "complete" == project.records()["large/large"]["status"]
    finally:
        subprocess.run(["umount", mount], check=True)


def wait_for_ffmpeg(process):
    """The pid of the ffmpeg that a running apply started."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.Error):  # one that just ended
                if "-progress" in child.cmdline():
                    return child.pid
        time.sleep(0.02)
    raise AssertionError("no ffmpeg was started")
