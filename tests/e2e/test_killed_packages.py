"""kill -9 while packages are made and replaced: the next apply finishes, and no half of a package is ever seen."""

from __future__ import annotations

import signal
import time

import m3u8
import pytest

from builders_killed import finished, journal, strays
from builders_project import Project, generated
from reconciler.io import trees

SPEC = f"""\
version: 1
project: killed
encodes:
  one:
    source: "{generated(2)}"
    outputs:
      web:
        container: cmaf
        segment: {{duration: 0.5s}}
        video: {{codec: h264, crf: CRF, preset: ultrafast}}
        audio: {{codec: aac, bitrate: 64k}}
        variants: {{big: {{}}, small: {{video: {{height: 64}}}}}}
      old:
        container: hls
        segment: {{type: ts, duration: 1s}}
        video: {{codec: h264, crf: CRF, preset: ultrafast}}
        audio: {{codec: aac, bitrate: 64k}}
"""
BOTH = ("one/web", "one/old")


def write(project, crf):
    """The spec, for a quality."""
    project.write("specs/encodes.yaml", SPEC.replace("CRF", str(crf)))


def check_whole(project):
    """Every package there is opens, names all its files, and holds no others."""
    for folder in (project.folder / "outputs").glob("one/[!.]*"):
        named = {"master.m3u8", *(["manifest.mpd"] if folder.name == "web" else [])}
        master = m3u8.load(str(folder / "master.m3u8"))
        for each in [*master.playlists, *master.media]:
            index = m3u8.load(str(folder / each.uri))
            stream = each.uri.partition("/")[0]
            files = [segment.uri for segment in index.segments] + [part.uri for part in index.segment_map]
            named |= {each.uri, *(f"{stream}/{name}" for name in files)}
        assert sorted(named) == trees.members(folder)


def check_recovery(project):
    """The next apply finishes what is left and cleans up; what was verified is the very same package."""
    check_whole(project)
    before = finished(project)
    project.apply().ok()
    check_whole(project)
    records = project.records()

    assert dict.fromkeys(BOTH, "complete") == {address: records[address]["status"] for address in BOTH}
    for address, (_, changed) in before.items():
        assert changed == (project.folder / "outputs" / address).stat().st_mtime_ns
    for address in BOTH:
        folder = project.folder / "outputs" / address
        output = records[address]["output"]
        assert (output["size"], output["sha256"]) == (trees.size(folder), trees.digest(folder))
    assert {"old", "web"} == {path.name for path in (project.folder / "outputs/one").iterdir()}
    assert [] == strays(project)
    assert 0 == project.run("plan", "--detailed-exitcode").code


def killed_after(project, lines):
    """An apply that is killed as soon as its journal has so many lines."""
    process = project.start("apply", "--auto-approve")
    while process.poll() is None and len(journal(project)) < lines:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize("lines", range(1, 12))
def test_killed_after_each_journal_line(tmp_path, lines):
    """New packages."""
    project = Project(tmp_path)
    write(project, 30)
    killed_after(project, lines)
    check_recovery(project)


@pytest.mark.parametrize("lines", range(7, 12))
def test_killed_while_packages_are_replaced(tmp_path, lines):
    """The old package is there, whole, until the new one is."""
    project = Project(tmp_path)
    write(project, 30)
    project.apply().ok()
    write(project, 40)
    killed_after(project, lines)
    check_recovery(project)


@pytest.mark.parametrize("moment", [0.5, 0.9, 1.4])
def test_killed_at_any_moment(tmp_path, moment):
    """Killed after a while, wherever that is, replacing packages that are there."""
    project = Project(tmp_path)
    write(project, 30)
    project.apply().ok()
    write(project, 40)
    process = project.start("apply", "--auto-approve")
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    check_recovery(project)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_interrupted_and_resumed(tmp_path, number):
    """Ctrl-C and SIGTERM end a package within 5 s and leave no folder of it."""
    project = Project(tmp_path)
    write(project, 30)
    spec = project.folder / "specs/encodes.yaml"
    spec.write_text(spec.read_text().replace("duration=2", "duration=600"))
    process = project.start("apply", "--auto-approve")
    while not strays(project):
        time.sleep(0.02)
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=20)
    assert (130, True) == (process.returncode, time.monotonic() - began < 5)
    assert {} == project.files()
    write(project, 30)
    check_recovery(project)
