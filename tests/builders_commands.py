"""The command line in this process: fast enough to be tried often. The real program is in `builders_project`."""

from __future__ import annotations

import contextlib
import io
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from builders_project import Result, ladder_spec
from builders_schemas import meets
from reconciler.cli import main


@dataclass
class Desk:
    """A project folder and the commands that are run in it, eighty columns wide and without a terminal."""

    folder: Path
    environment: dict = field(default_factory=dict)

    def write(self, name, text):
        """Write a file; the folders above it are made."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, *arguments):
        """Run one command to its end."""
        out, err = io.StringIO(), io.StringIO()
        cache = {"COLUMNS": "80", "RECONCILER_CACHE": str(self.folder / ".cache")}
        with (
            contextlib.chdir(self.folder),
            environment({**cache, **self.environment}),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main(list(arguments))
        return Result(code, out.getvalue(), err.getvalue())

    def json(self, *arguments):
        """The JSON value that a command that succeeds prints, which its published schema describes."""
        return meets(schema_of(*arguments), json.loads(self.run("--json", *arguments).ok().out))

    def events(self, *arguments):
        """The JSON lines that a command prints, however it ends; the published schema describes each."""
        return [meets("events", json.loads(line)) for line in self.run("--json", *arguments).out.splitlines()]

    def records(self):
        """The records of the state file."""
        return json.loads((self.folder / "state/encodes.json").read_text())["records"]


def schema_of(command, *arguments):
    """The name of the schema of what a command prints."""
    match command, arguments:
        case "explain", ("--presets",):
            return "presets"
        case "state", (("list" | "show"), *_):
            return "status"
        case (("state" | "init"), _):
            return "edits"
        case "show", (what, *_):
            return "plan" if what.endswith(".json") else "status"
        case _:
            return command


@contextlib.contextmanager
def environment(values):
    """These variables, and none of the tool's own beside them, for a while."""
    before = dict(os.environ)
    for name in list(os.environ):
        if name.startswith("RECONCILER_") or name in {"NO_COLOR", "COLUMNS"}:
            del os.environ[name]
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def desk(folder, **more):
    """A project of one encode with two tiny outputs, not applied yet."""
    made = Desk(folder)
    made.write("specs/encodes.yaml", ladder_spec(**more))
    return made


def applied(folder, **more):
    """The same, applied."""
    made = desk(folder, **more)
    made.run("apply", "--auto-approve").ok()
    return made
