"""A writer that is killed at any line of its closing leaves the state that it had recorded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent.parent

# One process that forks for every line: the child closes a writer and dies at that line as by kill -9.
KILLER = """\
import os, shutil, sys
from pathlib import Path
from builders_state import PROJECT, known, noon
from reconciler.core.state import Approval
from reconciler.store.store import Writer, read

folder = Path(sys.argv[1])
HOUSE = ("reconciler/store", "reconciler/io")


def recorded(state):
    with Writer(state, PROJECT, now=noon) as writer:
        writer.record("written", records={"a/1": known(1), "a/2": known(1), "a/3": known(1)})
    writer = Writer(state, PROJECT, now=noon)
    writer.record("written", records={"a/1": known(2), "b/1": known(1)})
    writer.record("moved", records={"b/2": known(1)}, removed={"a/2": 2})
    writer.record("approved", approved={"p": Approval("now", ("encode b/1 ff",))})
    writer.record("moved", records={"a/2": known(3)}, removed={"a/3": 2})
    shutil.copytree(state.parent, folder / "killed")
    writer.close()
    return read(state, PROJECT).snapshot


def die_at(left):
    def trace(frame, what, _):
        nonlocal left
        left -= what == "line" and any(room in frame.f_code.co_filename for room in HOUSE)
        if left < 0:
            os._exit(9)
        return trace
    return trace


def child(state, line):
    writer = Writer(state, PROJECT, now=noon)
    sys.settrace(die_at(line))
    writer.close()
    os._exit(0)


expected, line, code = recorded(folder / "whole" / "encodes.json"), 0, 9
assert ["a/1", "a/2", "b/1", "b/2"] == list(expected.records)
while code == 9:
    state = folder / str(line) / "encodes.json"
    shutil.copytree(folder / "killed", state.parent)
    pid = os.fork()
    if pid == 0:
        child(state, line)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    found = read(state, PROJECT)
    assert (expected, ()) == (found.snapshot, found.warnings), line
    Writer(state, PROJECT).close()
    assert expected == read(state, PROJECT).snapshot, line
    left = {path.name for path in state.parent.iterdir()}
    assert {"encodes.json", "backups", ".lock"} == left, (line, left)
    shutil.rmtree(state.parent)
    line += 1
print(line, code)
"""


def test_a_kill_at_every_line_of_close_leaves_what_was_recorded(tmp_path):
    """Before, between and after backup, snapshot and journal: readers find it all, and so does the next writer."""
    command = [sys.executable, "-c", KILLER, str(tmp_path)]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
    assert "" == done.stderr
    lines, code = map(int, done.stdout.split())

    assert 0 == code, "the last child closed to its end, so every line was tried"
    assert lines > 50
