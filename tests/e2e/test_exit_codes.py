"""Every exit code, from the real program, with and without a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from builders_project import Project, generated, ladder_spec, tiny
from builders_remote import instant_clip, remote_project
from builders_server import serving_api
from builders_state import end, holder
from builders_terminal import on_a_terminal
from reconciler.views.workflows import workflow_files

TESTS = Path(__file__).parents[1]


@pytest.fixture
def project(tmp_path):
    """A project of one encode with two tiny outputs."""
    made = Project(tmp_path / "project")
    made.write("specs/encodes.yaml", ladder_spec())
    return made


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """What a server's outputs are copies of."""
    return instant_clip(tmp_path_factory.mktemp("instant"))


def both(project, *arguments, **environment):
    """The exit codes of a command without and with a terminal, and what it said there."""
    plain = project.program(*arguments, env=environment)
    code, shown = on_a_terminal(project, *arguments, **environment)
    assert "Traceback" not in plain.out + plain.err + shown
    return {plain.code, code}, plain.out + plain.err + shown


def test_0_done_or_nothing_to_do(project):
    """A plan with changes, an apply that made them, and the next ones that find nothing."""
    assert {0} == both(project, "plan")[0]
    assert 0 == project.program("apply", "--auto-approve").code
    assert {0} == both(project, "plan", "--detailed-exitcode")[0]
    codes, said = both(project, "apply")
    assert ({0}, 2) == (codes, said.count("No changes."))


def test_1_error(project):
    """A broken spec, for plan and apply; an apply that nobody can approve; an answer that is not yes."""
    assert 1 == project.program("apply").code
    assert 1 == on_a_terminal(project, "apply", answers=[("starts them: ", "no\n")])[0]
    project.write("specs/bad.yaml", "encodes: {x: {source: a.mov, outputs: [nothing]}}\n")
    for command in (("plan",), ("apply", "--auto-approve"), ("validate",)):
        codes, said = both(project, *command)
        assert ({1}, True) == (codes, "specs/bad.yaml:1:" in said)


def test_2_changes_present_only_when_asked(project):
    """2 is said by --detailed-exitcode alone, of a plan that is made and of one that was saved."""
    assert {2} == both(project, "plan", "--detailed-exitcode", "--out", "plan.json")[0]
    assert {2} == both(project, "plan", "--detailed-exitcode", "--json")[0]
    assert {2} == both(project, "show", "plan.json", "--detailed-exitcode")[0]
    assert {0} == both(project, "show", "plan.json")[0]
    assert {64} == both(project, "show", "clip/big", "--detailed-exitcode")[0]


def test_3_applied_in_part(project):
    """What failed is recorded; the same apply again tries it again, and a plan of it is no failure."""
    project.write("m/broken.mov", "this is no video")
    project.write(
        "specs/more.yaml", f"encodes: {{b: {{source: m/broken.mov, attempts: 5, outputs: {{x: {tiny()}}}}}}}\n"
    )
    codes, said = both(project, "apply", "--auto-approve")

    assert ({3}, True) == (codes, "failed" in said)
    assert {0} == both(project, "plan")[0]
    assert "complete" == project.records()["clip/big"]["status"]


def test_4_refused_by_a_limit_or_protection(project):
    """Apply refuses; plan shows it, and exits 4 only when asked."""
    codes, said = both(project, "apply", "--auto-approve", "--max-jobs", "0")
    assert ({4}, True) == (codes, "--allow max_jobs" in said)
    assert {0} == both(project, "plan", "--max-jobs", "0")[0]
    assert {4} == both(project, "plan", "--max-jobs", "0", "--fail-on-limits", "--detailed-exitcode")[0]

    project.write("specs/encodes.yaml", ladder_spec().replace("    outputs", "    protect: true\n    outputs"))
    project.apply().ok()
    project.write("specs/encodes.yaml", ladder_spec(crf=20))
    codes, said = both(project, "apply", "--auto-approve")
    assert ({4}, True) == (codes, "clip/big is protected" in said)


def test_5_not_the_plan_that_was_approved(project):
    """An id that is not that of the plan, and a saved plan that the specs have left behind."""
    project.run("plan", "--out", "plan.json").ok()
    project.write("specs/encodes.yaml", ladder_spec(crf=20))

    assert {5} == both(project, "apply", "--expect", "0123456789abcdef")[0]
    assert {5} == both(project, "apply", "plan.json")[0]
    assert {5} == both(project, "apply", "plan.json", "--max-jobs", "0")[0]


def test_6_the_state_is_locked(project):
    """Somebody else writes the state: apply names them, and plan, which takes no lock, goes on."""
    other = holder(project.folder / "state/encodes.json", TESTS)
    codes, said = both(project, "apply", "--auto-approve")
    plans, _ = both(project, "plan")
    end(other)

    assert ({6}, True) == (codes, f"pid {other.pid}" in said)
    assert {0} == plans


def test_7_still_running(tmp_path, clip):
    """The time to wait is over: the job runs on, and the next apply brings it in."""
    with serving_api(tmp_path, instant=clip, instant_seconds=8.0) as api:
        project = remote_project(tmp_path / "project", api)
        first = project.program("apply", "--auto-approve", "--wait-timeout", "1s")
        code, _ = on_a_terminal(project, "apply", "--auto-approve", "--wait-timeout", "1s")
        last = project.apply()

    assert (7, 7, 0) == (first.code, code, last.code)


def test_8_credentials(tmp_path, clip):
    """A key that is not set, and one that the server does not know, stop everything; a plan needs none."""
    with serving_api(tmp_path, instant=clip) as api:
        project = remote_project(tmp_path / "project", api)
        missing, said = both(project, "apply", "--auto-approve", BYTENITE_API_KEY="")
        wrong, also = both(project, "apply", "--auto-approve", BYTENITE_API_KEY="wrong-key-0123456789")
        plans, _ = both(project, "plan", BYTENITE_API_KEY="")

    assert ({8}, {8}, {0}) == (missing, wrong, plans)
    assert "BYTENITE_API_KEY is not set" in said
    assert "wrong-key-0123456789" not in said + also


def test_64_bad_usage(project):
    """Whatever is wrong with the arguments; never 2, which means something else."""
    for arguments in (("plan", "--nothing"), ("apply", "--target", "no/such"), ("bogus",), ("plan", "--allow", "all")):
        assert {64} == both(project, *arguments)[0], arguments


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("terminal", [False, True])
def test_130_interrupted_as_a_runner_does_it(project, number, terminal):
    """SIGINT and SIGTERM during an encode: recorded, no journal left, exit 130, and the next apply goes on."""
    project.write("specs/encodes.yaml", ladder_spec(seconds=600, source=generated(600, size="640x360")))
    if terminal:
        code = _interrupted_on_a_terminal(project, number)
    else:
        process = project.start("apply", "--auto-approve")
        _wait_for_the_encode(project)
        process.send_signal(number)
        process.communicate(timeout=30)
        code = process.returncode

    assert 130 == code
    assert not (project.folder / "state/encodes.journal.jsonl").exists()
    assert "2 to resume" in project.run("plan").ok().out


def test_130_as_github_cancels_a_job(project):
    """The step of the workflow, cancelled as the runner does it: only its first process is told, and it is in time."""
    project.write("specs/encodes.yaml", ladder_spec(seconds=600, source=generated(600, size="640x360")))
    plan = project.run("plan", "--out", "plan.json").ok()
    assert "2 to encode" in plan.out
    text = workflow_files(install=".", environment="prod")["reconciler-apply.yml"]
    (step,) = re.findall(r"- run: (exec reconciler apply .*)", text)
    project.write("step.sh", step)
    project.write("bin/reconciler", f'#!/bin/sh\nexec {sys.executable} -m reconciler "$@"\n').chmod(0o755)
    identifier = json.loads((project.folder / "plan.json").read_text())["plan_id"]
    path = f"{project.folder / 'bin'}:{os.environ['PATH']}"
    env = project.env(PATH=path, PLAN_ID=identifier, GITHUB_STEP_SUMMARY="summary.md")
    process = subprocess.Popen(
        ["bash", "-e", "step.sh"], cwd=project.folder, env=env,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    _wait_for_the_encode(project)

    assert 130 == _cancelled(process)
    assert "### Apply: interrupted: " in (project.folder / "summary.md").read_text()
    assert not (project.folder / "state/encodes.journal.jsonl").exists()
    assert {"clip/big", "clip/small"} == set(project.records())


def _cancelled(process):
    """What becomes of the first process of a step: SIGINT, 7.5 s later SIGTERM, 2.5 s later its end by force."""
    for number, patience in ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 10)):
        process.send_signal(number)
        try:
            return process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    return None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("terminal", [False, True])
def test_130_during_a_plan(project, number, terminal):
    """A plan that is stopped has changed nothing; it says so by its exit code and leaves no file."""
    program = "from reconciler.cli import main\nprint('up', flush=True)\nraise SystemExit(main(['plan']))"
    project.write("rows.csv", "key\n" + "".join(f"r{each}\n" for each in range(60_000)))
    each = f"for_each: {{file: rows.csv, key: key}}, source: '${{each.key}}.mov', outputs: {{x: {tiny()}}}"
    project.write("specs/encodes.yaml", f"version: 1\nproject: test\nencodes: {{e: {{{each}}}}}\n")
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=project.folder, env=project.env(), stdout=subprocess.PIPE, text=True,
        stdin=slave if terminal else subprocess.DEVNULL, stderr=slave if terminal else subprocess.STDOUT,
    )  # fmt: skip
    process.stdout.readline()
    time.sleep(0.7)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    os.close(slave)
    shown = os.read(master, 65536).decode() if terminal and select.select([master], [], [], 0)[0] else ""
    os.close(master)

    assert 130 == process.returncode, out + shown
    assert "Traceback" not in out + shown
    assert not (project.folder / "state").exists()


# The signal comes while an object is let go in the middle of the command, where Python ignores whatever is raised.
IGNORED = """
import os, sys
from reconciler.cli import main
class LetGo:
    def __del__(self):
        os.kill(os.getpid(), NUMBER)
        any(map(str, range(9)))
class Finder:
    def find_spec(name, *more):
        if name == "reconciler.commands.plan":
            LetGo()
sys.meta_path.insert(0, Finder)
raise SystemExit(main(["plan"]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_130_where_errors_are_ignored(project, number):
    """No place of the program swallows a signal, and none tells of it in a traceback."""
    program = IGNORED.replace("NUMBER", str(int(number)))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project.folder, env=project.env(), capture_output=True, text=True,
        check=False,
    )  # fmt: skip

    assert 130 == done.returncode, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def _wait_for_the_encode(project):
    """Until the journal says that the job was started."""
    journal = project.folder / "state/encodes.journal.jsonl"
    until = time.monotonic() + 60
    while not (journal.exists() and '"started"' in journal.read_text()):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert json.loads(journal.read_text().splitlines()[0])


def _interrupted_on_a_terminal(project, number):
    """As somebody's shell is ended while an apply runs in it."""
    found = []

    def interrupt():
        _wait_for_the_encode(project)
        for process in psutil.process_iter(["cmdline", "cwd"]):
            if process.info["cwd"] == str(project.folder) and "reconciler" in (process.info["cmdline"] or []):
                found.append(process.pid)
                process.send_signal(number)

    thread = threading.Thread(target=interrupt)
    thread.start()
    code, _ = on_a_terminal(project, "apply", "--auto-approve")
    thread.join()
    assert 1 == len(found)
    return code
