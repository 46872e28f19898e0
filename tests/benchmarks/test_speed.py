"""The bars of speed, each a ratio or a limit measured in one run.

Run with `pytest tests/benchmarks -s`. Those that encode a minute of 1080p are marked slow and take some minutes.
"""

from __future__ import annotations

import os
import resource
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import time

import pytest
from msgspec.structs import replace

from builders_project import Project
from builders_specs import load
from reconciler.core.state import Evidence, JobRecord, OutputRecord, Record, SourceRecord, empty
from reconciler.ffmpeg import binary
from reconciler.store import snapshot

DODO = '''\
"""Ten thousand tasks with nothing to do: the peer of the planning benchmark."""
DOIT_CONFIG = {"verbosity": 0, "reporter": "zero"}


def nothing():
    """Do nothing."""


def task_all():
    """One task an output, each with its source file and a number that stands for its settings."""
    from doit.tools import config_changed
    for n in range(10_000):
        uptodate = [config_changed({"crf": n % 4})]
        yield {"name": str(n), "actions": [nothing], "file_dep": [f"masters/{n // 4}.mov"], "uptodate": uptodate}
'''


def cpu(*command, **options):
    """Wall and CPU seconds of a command.

    It has a session of its own, as the ffmpeg of an apply has: Linux shares processors out by session.
    """
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, start_new_session=True, **options)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def pairs(first, second, runs):
    """The median ratio of first to second, run in turn."""
    ratios = [first() / second() for _ in range(runs)]
    return statistics.median(ratios), ratios


def test_help_costs_little():
    """Reconciler --help costs at most 100 ms over python -c pass."""
    help_text = [cpu(sys.executable, "-m", "reconciler", "--help")[0] for _ in range(9)]
    nothing = [cpu(sys.executable, "-c", "pass")[0] for _ in range(9)]
    extra = statistics.median(help_text) - statistics.median(nothing)
    print(f"\n--help over python -c pass: {extra * 1000:.0f} ms")

    assert extra < 0.1


@pytest.fixture
def catalogue(tmp_path):
    """10,000 outputs: 2,500 local masters in a CSV file, four renditions each."""
    project = Project(tmp_path)
    (tmp_path / "masters").mkdir()
    for number in range(2_500):
        (tmp_path / f"masters/{number}.mov").write_bytes(b"master %d" % number)
    rows = "\n".join(f"title-{number},masters/{number}.mov" for number in range(2_500))
    project.write("titles.csv", f"slug,file\n{rows}\n")
    project.write(
        "specs/catalogue.yaml",
        """\
        version: 1
        project: catalogue
        encodes:
          title:
            for_each: {file: titles.csv, key: slug}
            source: ${each.value.file}
            outputs: [1080p-h264, 720p-h264, 480p-h264, audio-aac]
        """,
    )
    return project


def pretend_applied(project):
    """Write the state and the files that an apply of all outputs would leave."""
    loaded = load(project.folder)
    records = {}
    for output in loaded.desired.outputs:
        stat = (project.folder / output.source.location).stat()
        path = project.folder / output.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        records[output.address] = Record(
            rev=7,
            status="complete",
            fingerprint=output.fingerprint,
            manifest=dict(output.manifest),
            source=SourceRecord(
                identity=output.source.identity,
                evidence=Evidence(size=stat.st_size, mtime_ns=stat.st_mtime_ns),
                sha256="ab" * 32,
            ),
            provider="local",
            job=JobRecord(id="8c9f1c62-2b3c-5d0e-9d55-6b1f6a7c0f3a", name="rc-catalogue-8c9f1c62", phase="started"),
            output=OutputRecord(
                name=output.name,
                path=output.path,
                size=1,
                sha256="cd" * 32,
                host=socket.gethostname(),
                summary="0:10 h264",
            ),
            encoder="ffmpeg n9.0.2",
            updated_at="2026-01-01T00:00:00Z",
        )
    snapshot.write(project.folder / "state/encodes.json", replace(empty("catalogue"), records=records))


def test_planning_ten_thousand_new_outputs(catalogue):
    """Planning 10,000 new outputs takes a few seconds."""
    walls = [
        cpu(sys.executable, "-m", "reconciler", "plan", cwd=catalogue.folder, env=catalogue.env())[0] for _ in range(3)
    ]
    print(f"\nplan of 10,000 new outputs: {statistics.median(walls):.2f} s")

    assert statistics.median(walls) < 4


def test_planning_ten_thousand_unchanged_outputs_beats_doit(catalogue):
    """Planning 10,000 unchanged outputs is faster than doit going over 10,000 tasks that are up to date."""
    pretend_applied(catalogue)
    (catalogue.folder / "dodo.py").write_text(DODO)
    doit = [sys.executable, "-m", "doit"]
    subprocess.run(doit, cwd=catalogue.folder, check=True, capture_output=True)
    plan = [sys.executable, "-m", "reconciler", "plan", "--detailed-exitcode"]
    ratio, ratios = pairs(
        lambda: cpu(*plan, cwd=catalogue.folder, env=catalogue.env())[1],
        lambda: cpu(*doit, cwd=catalogue.folder)[1],
        5,
    )
    wall = cpu(*plan, cwd=catalogue.folder, env=catalogue.env())
    print(f"\nplan of 10,000 unchanged outputs: {wall[0]:.2f} s wall, {wall[1]:.2f} s CPU")
    print(f"against doit: {ratio:.2f} {[round(each, 2) for each in ratios]}")

    assert ratio < 1


def test_planning_ten_thousand_written_out(tmp_path):
    """10,000 outputs written out as YAML, without any fan-out, are planned in a few seconds."""
    project = Project(tmp_path)
    encodes = "\n".join(
        f"  title-{n}:\n    source: https://cdn.example.com/masters/{n}.mov\n    labels: {{season: '{n // 100}'}}\n"
        f"    outputs:\n      720p: {{extends: 720p-h264, video: {{crf: {20 + n % 5}}}}}"
        for n in range(10_000)
    )
    project.write("specs/all.yaml", f"version: 1\nproject: written\nencodes:\n{encodes}\n")
    wall, used = cpu(sys.executable, "-m", "reconciler", "plan", cwd=tmp_path, env=project.env())
    print(f"\nplan of 10,000 written-out encodes: {wall:.2f} s wall, {used:.2f} s CPU")

    assert wall < 10


@pytest.fixture(scope="session")
def minute(tmp_path_factory):
    """A minute of 1080p with sound as edit suites export it: H.264 High with B-frames and CABAC, 20 Mbit/s, grain."""
    path = tmp_path_factory.mktemp("minute") / "minute.mp4"
    source = "testsrc2=size=1920x1080:rate=25:duration=60,noise=alls=8:allf=t"
    command = [binary.find({}), "-v", "error", "-f", "lavfi", "-i", source, "-f", "lavfi", "-i", "sine=duration=60"]
    coding = ["-c:v", "libx264", "-preset", "superfast", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    rate = ["-b:v", "20M", "-maxrate", "25M", "-bufsize", "12M"]
    subprocess.run([*command, *coding, *rate, str(path)], check=True)
    return path


class Bench:
    """A project that encodes some renditions of the clip with one preset of x264: by apply, or by hand."""

    def __init__(self, folder, clip, preset):
        self.project, self._clip, self._preset = Project(folder), clip, preset

    def apply(self, *outputs):
        """Wall and CPU seconds of an apply of these outputs, from nothing."""
        self._begin(*outputs)
        command = [sys.executable, "-m", "reconciler", "apply", "--auto-approve"]
        return cpu(*command, cwd=self.project.folder, env=self.project.env())

    def bare(self, *outputs):
        """Wall and CPU seconds of the one ffmpeg command that the plan shows for them, run by nobody."""
        self._begin(*outputs)
        text = self.project.run("plan", "--show-commands").ok().out.replace("\\\n", " ")
        (command,) = [line for line in text.splitlines() if "ffmpeg" in line and " -i " in line]
        (self.project.folder / "outputs/minute").mkdir(parents=True)
        return cpu(binary.find({}), *shlex.split(command)[1:], cwd=self.project.folder)

    def _begin(self, *outputs):
        shutil.rmtree(self.project.folder, ignore_errors=True)
        (self.project.folder / "masters").mkdir(parents=True)
        os.link(self._clip, self.project.folder / "masters/minute.mp4")
        self.project.write(
            "specs/bench.yaml",
            f"""\
            version: 1
            project: bench
            presets:
              1080p:
                container: mp4
                video: {{codec: h264, height: 1080, crf: 23, preset: {self._preset}}}
                audio: {{codec: aac, bitrate: 128k}}
              720p: {{extends: 1080p, video: {{height: 720}}}}
              480p: {{extends: 1080p, video: {{height: 480}}}}
            encodes:
              minute: {{source: masters/minute.mp4, outputs: [{", ".join(outputs)}]}}
            """,
        )


def compared(what, first, second, runs):
    """The median ratio of the walls of first to second; every pair is printed as it comes, with its CPU.

    Every other pair is run the other way round, so that a load that grows or shrinks favours neither.
    """
    ratios = []
    print(f"\n{what}")
    for number in range(runs):
        if number % 2:
            (other_wall, other_used), (wall, used) = second(), first()
        else:
            (wall, used), (other_wall, other_used) = first(), second()
        ratios.append(wall / other_wall)
        walls = f"wall {wall:.2f} / {other_wall:.2f} s = {ratios[-1]:.3f}"
        print(f"  {walls}, CPU {used:.1f} / {other_used:.1f} s = {used / other_used:.3f}", flush=True)
    print(f"  median {statistics.median(ratios):.3f}")
    return statistics.median(ratios)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_an_apply_costs_at_most_three_percent_over_its_ffmpeg_command(tmp_path, minute):
    """Apply of a 720p rendition with x264's own preset, medium, against the bare ffmpeg command: at most 1.03."""
    bench = Bench(tmp_path / "project", minute, "medium")
    ratio = compared("apply against bare ffmpeg", lambda: bench.apply("720p"), lambda: bench.bare("720p"), 3)

    assert ratio <= 1.03


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_fused_ladder_beats_one_ffmpeg_a_rung(tmp_path, minute):
    """A three-rung ladder (veryfast) in one process against three ffmpeg runs in a row: below 0.95."""
    bench = Bench(tmp_path / "project", minute, "veryfast")
    rungs = ("1080p", "720p", "480p")

    def one_by_one():
        each = [bench.bare(rung) for rung in rungs]
        return sum(wall for wall, _ in each), sum(used for _, used in each)

    assert compared("fused ladder against three runs", lambda: bench.bare(*rungs), one_by_one, 2) < 0.95
