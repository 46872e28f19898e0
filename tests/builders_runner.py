"""A runner of GitHub Actions: the scripts of a workflow, step by step, as far as they are scripts."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import yaml

from builders_github import outputs


class Runner:
    """A machine for one run: a clone of `origin` at one commit, and what GitHub tells of the run."""

    def __init__(self, folder, origin, commit, environment):
        self.folder = folder / "work"
        self._bin = folder / "bin"
        self._output = folder / "output"
        self._bin.mkdir(parents=True)
        program = self._bin / "reconciler"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m reconciler "$@"\n')
        program.chmod(0o755)
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        self.environment = {
            **kept,
            "PATH": f"{self._bin}:{os.environ['PATH']}",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "CI": "true",
            "GITHUB_REF_NAME": "main",
            "GITHUB_RUN_ID": "212",
            "RECONCILER_CACHE": str(folder / "cache"),
            **environment,
        }
        self.bash(f"git clone -q {origin} {self.folder}", folder)
        self.bash(f"git checkout -q -B main {commit}", self.folder)

    def bash(self, script, folder):
        """One script that has to work."""
        done = self._bash(script, folder, {})
        assert 0 == done.returncode, done.stdout + done.stderr

    def run(self, workflow, event, **inputs):
        """Run the steps of a workflow; the exit codes of its scripts by what they are, and all that was said."""
        ((_, job),) = yaml.safe_load(workflow)["jobs"].items()
        codes, said, found = {}, [], {}
        for step in job["steps"]:
            script = step.get("run", "")
            wanted = self._wanted(step.get("if", "always()"), event)
            skipped = step.get("if") != "always()" and any(codes.values())
            if not script or script.startswith("python -m pip") or not wanted or skipped:
                continue
            env = {name: self._value(text, found, inputs) for name, text in step.get("env", {}).items()}
            done = self._bash(script, self.folder, env)
            codes[step.get("name") or " ".join(script.removeprefix("exec ").split()[1:4])] = done.returncode
            said.append(done.stdout + done.stderr)
            if "id" in step and self._output.exists():
                found[step["id"]] = outputs(self._output.parent)
        return codes, "".join(said)

    def _wanted(self, condition, event):
        """Whether a step runs, as far as the steps before it went well."""
        again = self.environment.get("GITHUB_RUN_ATTEMPT", "1") != "1"
        known = {"always()": True, "github.event_name == 'push'": event == "push", "github.run_attempt > 1": again}
        return known[condition]

    def _value(self, text, found, inputs):
        """An expression of a workflow; a secret that is not set is empty."""
        match = re.fullmatch(r"\$\{\{ (.*) \}\}", str(text))
        for part in match[1].split(" || ") if match else ():
            kind, _, name = part.partition(".")
            if kind == "inputs" and name in inputs:
                return inputs[name]
            if kind == "steps":
                step, _, output = name.partition(".outputs.")
                return found.get(step, {}).get(output, "")
            if part == "github.token":
                return self.environment["GITHUB_TOKEN"]
        return "" if match else str(text)

    def _bash(self, script, folder, env):
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
        return subprocess.run(
            command, cwd=folder, env={**self.environment, **env}, capture_output=True, text=True, check=False
        )
