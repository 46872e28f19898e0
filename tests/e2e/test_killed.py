"""kill -9 at many moments and at every journal line: the next apply finishes, and leaves nothing behind."""

from __future__ import annotations

import signal
import time

import pytest

from builders_killed import finished, journal, strays
from builders_project import Project, generated, tiny

SPEC = f"""\
version: 1
project: killed
presets:
  big: {tiny(30)}
  small: {{extends: big, video: {{height: 64}}}}
encodes:
  one: {{source: "{generated(2)}", outputs: [big, small]}}
  two: {{source: "{generated(2, rate=24)}", outputs: [big]}}
"""
EVERY = {"one/big", "one/small", "two/big"}


def check_recovery(project):
    """The next apply finishes what is left and cleans up; what had finished is the very same file."""
    before = finished(project)
    project.apply().ok()
    records, files = project.records(), project.files()

    assert dict.fromkeys(EVERY, "complete") == {address: record["status"] for address, record in records.items()}
    assert {f"{address}.mp4" for address in EVERY} == set(files)
    assert before == {address: files[f"{address}.mp4"] for address in before}
    assert [] == strays(project)
    assert not (project.folder / "state/encodes.journal.jsonl").exists()
    assert 0 == project.run("plan", "--detailed-exitcode").code


@pytest.mark.parametrize("lines", range(1, 17))
def test_killed_after_each_journal_line(tmp_path, lines):
    """Killed as soon as a journal line is there: the next apply goes on from it."""
    project = Project(tmp_path)
    project.write("specs/encodes.yaml", SPEC)
    process = project.start("apply", "--auto-approve")
    while process.poll() is None and len(journal(project)) < lines:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    check_recovery(project)


@pytest.mark.parametrize("moment", [0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.3])
def test_killed_at_any_moment(tmp_path, moment):
    """Killed after a while, wherever that is."""
    project = Project(tmp_path)
    project.write("specs/encodes.yaml", SPEC)
    process = project.start("apply", "--auto-approve")
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    check_recovery(project)


def test_killed_three_times_in_a_row(tmp_path):
    """A recovery that is killed itself is recovered from."""
    project = Project(tmp_path)
    project.write("specs/encodes.yaml", SPEC)
    for _ in range(3):
        process = project.start("apply", "--auto-approve")
        time.sleep(0.7)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    check_recovery(project)


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGINT]])
def test_interrupted_in_seconds_and_resumed(tmp_path, signals):
    """Ctrl-C and SIGTERM end an apply within 5 s with exit 130, everything recorded, nothing left running."""
    project = Project(tmp_path)
    project.write("specs/encodes.yaml", SPEC.replace("duration=2", "duration=600"))
    process = project.start("apply", "--auto-approve")
    while not strays(project):
        time.sleep(0.02)
    began = time.monotonic()
    for number in signals:
        process.send_signal(number)
        time.sleep(0.05)
    process.communicate(timeout=20)

    assert (130, True) == (process.returncode, time.monotonic() - began < 5)
    assert ([], {}) == (strays(project), project.files())
    assert not (project.folder / "state/encodes.journal.jsonl").exists()
    project.write("specs/encodes.yaml", SPEC)
    check_recovery(project)


def test_a_second_apply_is_told_who_holds_the_lock(tmp_path):
    """While one apply runs, another exits 6 and names the holder; after kill -9 the lock is free."""
    project = Project(tmp_path)
    project.write("specs/encodes.yaml", SPEC.replace("duration=2", "duration=600"))
    first = project.start("apply", "--auto-approve")
    while not strays(project):
        time.sleep(0.02)
    second = project.apply()

    assert 6 == second.code
    assert f"pid {first.pid}" in second.err
    assert "state is locked by" in second.err
    first.send_signal(signal.SIGKILL)
    first.communicate()
    project.write("specs/encodes.yaml", SPEC)
    check_recovery(project)
