"""The command line in this process: fast enough to be tried often. The real program is in `builders_project`."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from builders_project import environment, ladder_spec, run_here
from builders_schemas import meets


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
        own = {name: value for name, value in os.environ.items() if not _is_ours(name)}
        cache = {"COLUMNS": "80", "RECONCILER_CACHE": str(self.folder / ".cache")}
        with environment({**own, **cache, **self.environment}):
            return run_here(self.folder, *arguments)

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
        case "state", ("pull",):
            return "state"
        case (("state" | "init"), _):
            return "edits"
        case "show", (what, *_):
            return "plan" if what.endswith(".json") else "status"
        case _:
            return command


def _is_ours(name):
    """Whether a variable tells the tool something."""
    return name.startswith(("RECONCILER_", "GITHUB_")) or name in {"NO_COLOR", "COLUMNS", "CI", "RUNNER_ENVIRONMENT"}


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
