"""The real program on real pipes and a real terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from fcntl import ioctl
from pathlib import Path

import pytest

from builders_project import Project, generated, ladder_spec, tiny

ESCAPE = re.compile(r"\x1b[\[\]()][0-9;?]*[A-Za-z]?")


class Terminal:
    """A terminal of some width on which one command runs."""

    def __init__(self, project, *arguments, columns=80, **environment):
        self.shown = ""
        master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        env = project.env(TERM="xterm-256color", **environment)
        if not env.get("NO_COLOR"):
            env.pop("NO_COLOR", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", *arguments],
            cwd=project.folder,
            env=env,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            # So that ^C is a signal, as on any terminal; no thread of ours holds a lock here.
            preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - see above
        )
        os.close(slave)
        self.master = master

    def wait_for(self, text, seconds=60):
        """Read until the screen has shown `text`."""
        until = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < until, f"never shown: {text}\n{self.shown}"
            self._read(0.2)
        return self

    def type(self, text):
        """Type on the keyboard."""
        os.write(self.master, text.encode())
        return self

    def end(self):
        """Read to the end; the exit code."""
        while self._read(60):
            pass
        os.close(self.master)
        return self.process.wait(60)

    def _read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            read = os.read(self.master, 65536)
        except OSError:
            return False
        self.shown += read.decode(errors="replace")
        return bool(read)

    @property
    def plain(self):
        """What was shown, without escapes."""
        return ESCAPE.sub("", self.shown).replace("\r\n", "\n")


@pytest.fixture
def project(tmp_path):
    """A project of one encode with two tiny outputs."""
    made = Project(tmp_path)
    made.write("specs/encodes.yaml", ladder_spec())
    return made


def test_the_program_runs_as_a_module_and_as_a_script(project):
    """`python -m reconciler` and the console script are the same program."""
    script = Path(sys.executable).parent / "reconciler"
    as_script = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)

    assert project.program("--version").ok().out == as_script.stdout


@pytest.mark.parametrize(
    "arguments", [("plan",), ("plan", "--json"), ("--help",), ("explain", "--presets")], ids=" ".join
)
def test_a_closed_pipe_ends_quietly(project, arguments):
    """When the reader goes away (`| head -1`) there is no traceback, no complaint and no other exit code."""
    read, write = os.pipe()
    process = project.start(*arguments, stdout=write)
    os.close(write)
    os.close(read)
    _, err = process.communicate(timeout=60)

    assert (0, "") == (process.returncode, err)


def test_a_reader_that_stops_changes_no_exit_code(project):
    """--detailed-exitcode says 2 whether somebody reads the plan or not."""
    read, write = os.pipe()
    process = project.start("plan", "--detailed-exitcode", stdout=write)
    os.close(write)
    os.close(read)
    process.communicate(timeout=60)

    assert 2 == process.returncode


def test_an_apply_goes_on_when_nobody_reads(project):
    """Neither a closed stdout nor a closed stderr stops an apply that was approved."""
    for arguments in (("apply", "--auto-approve", "--json"), ("apply", "--auto-approve", "--rerun", "clip")):
        read, write = os.pipe()
        process = project.start(*arguments, stdout=write, stderr=write)
        os.close(write)
        os.close(read)
        assert 0 == process.wait(60)

    assert {("complete", 2)} == {(each["status"], each["attempt"]) for each in project.records().values()}


def test_no_escapes_without_a_terminal(project):
    """Into a pipe or a file nothing is coloured, with or without NO_COLOR."""
    plain = project.program("plan", env={"NO_COLOR": ""}).ok()

    assert "\x1b" not in plain.out + plain.err
    assert plain.out == project.program("plan").ok().out


def test_a_terminal_is_coloured_unless_asked_not_to(project):
    """Colour on a terminal; none with NO_COLOR, --no-color or a dumb terminal, and then the same words."""
    coloured = Terminal(project, "plan", NO_COLOR="")
    dull = [
        Terminal(project, "plan", NO_COLOR="1"),
        Terminal(project, "plan", "--no-color", NO_COLOR=""),
        Terminal(project, "--no-color", "plan", NO_COLOR=""),
    ]
    assert [0] * 4 == [each.end() for each in (coloured, *dull)]

    assert "\x1b[32m  +\x1b[0m clip/big" in coloured.shown
    assert [] == [each for each in dull if "\x1b" in each.shown or each.plain != coloured.plain]


def test_sixty_columns(project):
    """On a narrow terminal every line fits, and no address is cut."""
    terminal = Terminal(project, "plan", columns=60)
    terminal.end()

    assert [] == [line for line in terminal.plain.splitlines() if len(line) > 60]
    assert "  + clip/small  h264 64p crf 33, aac 64k\n      to outputs/clip/small.mp4\n" in terminal.plain


def test_names_in_other_scripts(project):
    """Wide, combining and right-to-left names are planned, encoded and listed."""
    project.write("specs/encodes.yaml", ladder_spec(name="映画-né-مرحبا"))
    terminal = Terminal(project, "apply", "--auto-approve", columns=60)

    assert 0 == terminal.end()
    assert "映画-né-مرحبا/small" in terminal.plain
    assert {"映画-né-مرحبا/big.mp4", "映画-né-مرحبا/small.mp4"} == set(project.files())
    out = project.program("output", env={"PYTHONIOENCODING": "ascii"}).ok().out
    assert "\\u6620\\u753b-n\\xe9-" in out


def test_an_apply_on_a_terminal_asks(project):
    """Only the whole word yes starts an apply; then there are bars, and at the end a table."""
    terminal = Terminal(project, "apply", NO_COLOR="")
    terminal.wait_for('Encode 2 outputs on this machine? Only "yes" starts them: ').type("yes\n")

    assert 0 == terminal.end()
    assert "Nothing has started" not in terminal.plain
    assert "0 of 2 done. Ctrl-C stops cleanly; run apply again to go on." in terminal.plain
    assert "  clip/big    outputs/clip/big.mp4 " in terminal.plain
    assert {"clip/big", "clip/small"} == set(project.records())


@pytest.mark.parametrize("answer", ["y\n", "no\n", "\n", "YES\n", "\x04"])
def test_any_other_answer_starts_nothing(project, answer):
    """Every answer but yes, and none at all, exits 1 with nothing started."""
    terminal = Terminal(project, "apply")
    terminal.wait_for("starts them: ").type(answer)

    assert 1 == terminal.end()
    assert 'nothing was started: the answer was not "yes"' in terminal.plain
    assert not (project.folder / "outputs").exists()


def test_ctrl_c_at_the_question(project):
    """Ctrl-C instead of an answer exits 130, quietly, and the lock is free."""
    terminal = Terminal(project, "apply")
    terminal.wait_for("starts them: ").type("\x03")

    assert 130 == terminal.end()
    assert "Traceback" not in terminal.plain
    project.apply().ok()


def test_ctrl_c_during_an_encode(project):
    """The first Ctrl-C stops cleanly within seconds, records, exits 130, and apply goes on."""
    spec = f"""\
version: 1
project: test
encodes:
  long: {{source: "{generated(600, size="640x360")}", outputs: {{big: {tiny()}}}}}
"""
    project.write("specs/encodes.yaml", spec)
    terminal = Terminal(project, "apply", "--auto-approve")
    terminal.wait_for("encoding").type("\x03")
    began = time.monotonic()

    assert 130 == terminal.end()
    assert time.monotonic() - began < 6
    assert "Error: interrupted: 0 encoded, 0 failed, 1 not run, in " in terminal.plain
    assert "To go on: reconciler apply\n" in terminal.plain
    assert {} == project.files()
    assert "1 to resume" in project.run("plan").ok().out
    project.write("specs/encodes.yaml", spec.replace("duration=600", "duration=1"))
    project.apply().ok()


def test_a_terminal_that_is_closed_stops_an_apply_cleanly(project):
    """Closing the window is an interrupt like any other: everything is recorded."""
    spec = f"""\
version: 1
project: test
encodes:
  long: {{source: "{generated(600, size="640x360")}", outputs: {{big: {tiny()}}}}}
"""
    project.write("specs/encodes.yaml", spec)
    terminal = Terminal(project, "apply", "--auto-approve")
    terminal.wait_for("encoding")
    terminal.process.send_signal(signal.SIGHUP)
    os.close(terminal.master)

    assert 130 == terminal.process.wait(20)
    assert {} == project.files()
    assert not (project.folder / "state/encodes.journal.jsonl").exists()


def test_errors_go_to_stderr_and_results_to_stdout(project):
    """A script can keep them apart."""
    good, bad = project.program("plan"), project.program("plan", "--specs", "missing")

    assert ("", True) == (good.err, good.out.startswith("specs/ (1 file)"))
    assert ("", 1) == (bad.out, bad.code)
    assert bad.err.startswith("Error: ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_result_that_cannot_be_written_is_told(tmp_path):
    """Exit 1 with words on stderr and no traceback, as text and as JSON."""
    for arguments in (["output"], ["output", "--json"], ["plan", "--json"]):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "reconciler", *arguments],
                cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
        assert (1, False) == (done.returncode, "Traceback" in done.stderr)
        assert done.stderr.startswith("Error: ")
