"""A project folder to live in: write specs, run commands in this process or in their own, look at what they left."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

from reconciler.cli import main

# Small and fast: the picture hardly matters, the life of an output does.
TINY = (
    "{container: mp4, video: {codec: h264, height: 96, crf: CRF, preset: ultrafast}, audio: {codec: aac, bitrate: 64k}}"
)


@dataclass(frozen=True)
class Result:
    """What a run of the program left on the terminal."""

    code: int
    out: str
    err: str

    def ok(self):
        """This result, which must be a success; what was printed is shown when it is not."""
        assert 0 == self.code, f"exit {self.code}\n{self.out}\n{self.err}"
        return self


@dataclass
class Project:
    """A project in a temporary folder.

    `run` and `apply` are the command line in this process: what is read, said, done and recorded is what the program
    does, without the second that an interpreter takes to get ready. `program` and `start` are the program itself,
    where a process, a pipe, a signal or logs (-v) matter.
    """

    folder: Path
    environment: dict = field(default_factory=dict)

    def write(self, name, text):
        """Write a file (a spec by default); the folders above it are made."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    def env(self, **extra):
        """The environment of a run: nothing of the developer's but PATH, a cache of its own."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        cache = {"RECONCILER_CACHE": str(self.folder / ".cache"), "NO_COLOR": "1"}
        return {**kept, **cache, **self.environment, **extra}

    def start(self, *arguments, **options):
        """Start the program and give the process."""
        command = [sys.executable, "-m", "reconciler", *arguments]
        env = self.env(**options.pop("env", {}))
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=self.folder, env=env, text=True, **{**pipes, **options})

    def program(self, *arguments, **options):
        """Run the program to its end."""
        process = self.start(*arguments, **options)
        out, err = process.communicate(timeout=240)
        return Result(process.returncode, out or "", err or "")

    def run(self, *arguments, env=None):
        """Run a command to its end, in this process."""
        assert "-v" not in arguments, "what is logged here is pytest's: run the program"
        with environment(self.env(**(env or {}))):
            return run_here(self.folder, *arguments)

    def apply(self, *arguments, env=None):
        """An approved apply, in this process."""
        return self.run("apply", "--auto-approve", *arguments, env=env)

    def records(self):
        """The records of the state file."""
        return json.loads((self.folder / "state/encodes.json").read_text())["records"]

    def files(self):
        """Every file under outputs/, with its content's size and modification time."""
        root = self.folder / "outputs"
        found = [path for path in sorted(root.rglob("*")) if path.is_file()]
        return {path.relative_to(root).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


def run_here(folder, *arguments):
    """Run one command in a folder, in this process and its environment, without a terminal and with nobody typing."""
    out, err, before = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.StringIO()
    try:
        with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(list(arguments))
    finally:
        sys.stdin = before
    return Result(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def environment(values):
    """These variables and no others, for a while."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def tiny(crf=30):
    """The parameters of an output that is encoded in a blink, as YAML flow text."""
    return TINY.replace("CRF", str(crf))


def generated(seconds=1, size="160x96", rate=25):
    """A source that needs no file: ffmpeg's test picture with a tone."""
    return (
        f"lavfi:testsrc2=size={size}:rate={rate}:duration={seconds}[out0];sine=frequency=440:duration={seconds}[out1]"
    )


def ladder_spec(crf=30, *, name="clip", source=None, seconds=1):
    """A project of one encode with two outputs that share nothing but their source."""
    return f"""\
version: 1
project: test
presets:
  big: {tiny(crf)}
  small: {{extends: big, video: {{height: 64, crf: 33}}}}
encodes:
  {name}:
    source: "{source or generated(seconds)}"
    outputs: [big, small]
"""
