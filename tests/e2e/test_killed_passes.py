"""kill -9 while and after every kind of ffmpeg that an apply runs: the next one finishes, and leaves nothing behind."""

from __future__ import annotations

import signal
import time

import pytest

from builders_ffmpeg import PROGRAM
from builders_killed import finished, strays
from builders_project import Project
from reconciler.io import trees
from reconciler.io.hashing import sha256

PICTURE = "codec: h264, preset: ultrafast, height: 90"
TWICE = f"{{{PICTURE}, bitrate: 60k, passes: 2}}"
HEAD = """\
version: 1
project: killed
encodes:
  clip:
    source: "lavfi:testsrc2=size=320x180:rate=25:duration=SECONDS[out0];sine=frequency=440:duration=SECONDS[out1]"
    outputs:
"""
LOUD = "audio: {codec: aac, bitrate: 96k, loudness: {target: -20}}"
MADE = f"""\
{HEAD}
      loud: {{container: m4a, {LOUD}}}
      pack: {{container: hls, segment: {{type: ts, duration: 1s}}, video: {TWICE}, {LOUD}}}
      sheet: {{container: jpg, stills: {{every: 1s, width: 80, grid: 2x2}}}}
      twice: {{container: mp4, video: {TWICE}, audio: {{codec: none}}}}
"""
SEARCHED = f"""\
{HEAD}
      good: {{container: mp4, video: {{{PICTURE}, quality: {{vmaf: 60}}, autocrop: true}}, audio: {{codec: none}}}}
"""
# What each kind of process has among its arguments.
KINDS = {
    "the source is heard": (MADE, '*"print_format=json"*'),
    "pictures are looked at first": (MADE, '*"-pass 1"*'),
    "all is encoded": (MADE, '*"-pass 2"*'),
    "averages are met": (MADE, '*"/again-"*'),
    "a file is heard": (MADE, '*"loud."*".part"*"print_format=json"*'),
    "a package is heard": (MADE, '*"stream.ts"*"print_format=json"*'),
    "bars are looked for": (SEARCHED, '*"cropdetect"*'),
    "a sample is encoded": (SEARCHED, '*"sample.mkv"*"libx264"*|*"libx264"*"sample.mkv"*'),
    "a sample is compared": (SEARCHED, '*"libvmaf"*'),
}
# What becomes of the apply, whose process is the parent, at the first process of that kind.
KILLED = {
    "while": '"$FFMPEG" "$@" & sleep 0.1; kill -9 $PPID; exit',
    "after": '"$FFMPEG" "$@"; kill -9 $PPID; exit',
}


def spec(text, seconds=2):
    """A spec whose clip is so long."""
    return text.replace("SECONDS", str(seconds))


def ffmpeg_that(project, pattern, action):
    """An ffmpeg that does something else once, with the first arguments that match; it misses averages by a fifth."""
    program, once = project.folder / "ffmpeg", project.folder / "once"
    program.write_text(f"""\
#!/bin/sh
FFMPEG={PROGRAM}
case "$*" in {pattern}) if [ ! -e {once} ]; then : > {once}; {action}; fi;; esac
case "$*" in *again*) ;; *"-pass 2"*)
  rate=no
  for word; do
    shift
    [ $rate = yes ] && word=$((word * 4 / 5))
    rate=no; [ "$word" = -b:v ] && rate=yes
    set -- "$@" "$word"
  done;;
esac
exec "$FFMPEG" "$@"
""")
    program.chmod(0o755)
    return {"RECONCILER_FFMPEG": str(program)}, once


def check_recovery(project):
    """The next apply finishes: all is whole, what was verified is the very same, no process, log or sample is left."""
    before = finished(project)
    project.apply().ok()
    paths = {address: project.folder / record["output"]["path"] for address, record in project.records().items()}
    assert {"complete"} == {record["status"] for record in project.records().values()}
    assert before == {address: (paths[address].stat().st_size, paths[address].stat().st_mtime_ns) for address in before}
    assert sorted(paths.values()) == sorted((project.folder / "outputs/clip").iterdir())
    digests = {address: trees.digest(path) if path.is_dir() else sha256(path) for address, path in paths.items()}
    assert digests == {address: record["output"]["sha256"] for address, record in project.records().items()}
    assert [] == strays(project)
    assert 0 == project.run("plan", "--detailed-exitcode").code


@pytest.mark.parametrize(
    ("kind", "moment"),
    [*((kind, "while") for kind in KINDS), *((kind, "after") for kind, (text, _) in KINDS.items() if text == MADE)],
)
def test_killed_at_every_kind_of_process(tmp_path, kind, moment):
    """Killed while such a process runs, which then runs on, or when it has ended and nobody knows."""
    text, pattern = KINDS[kind]
    project = Project(tmp_path)
    project.write("specs/encodes.yaml", spec(text))
    environment, once = ffmpeg_that(project, pattern, KILLED[moment])
    process = project.start("apply", "--auto-approve", env=environment)
    process.communicate(timeout=120)
    assert (True, -signal.SIGKILL) == (once.exists(), process.returncode)
    check_recovery(project)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("kind", ["the source is heard", "pictures are looked at first"])
def test_interrupted_in_a_pass_and_resumed(tmp_path, kind, number):
    """Ctrl-C and SIGTERM end a pass within 5 s with exit 130, and leave no file of it."""
    name = "loud: " if kind == "the source is heard" else "twice: "
    text = HEAD + next(line for line in MADE.splitlines() if line.lstrip().startswith(name))
    project = Project(tmp_path)
    project.write("specs/encodes.yaml", spec(text, seconds=600))
    environment, once = ffmpeg_that(project, KINDS[kind][1], ":")
    process = project.start("apply", "--auto-approve", env=environment)
    while not once.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    began = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=60)
    assert (130, True) == (process.returncode, time.monotonic() - began < 5)
    assert ([], {}) == (strays(project), project.files())
    project.write("specs/encodes.yaml", spec(text))
    check_recovery(project)
