"""The pull-request story, with real git repositories and the real program."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest

from builders_project import Project, generated, tiny

DRIVER = f"{shlex.quote(sys.executable)} -m reconciler state merge %O %A %B %P"


class Clone(Project):
    """A project in a clone of its own."""

    def git(self, *arguments):
        """One git command; what it said."""
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
        env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
        done = subprocess.run(
            ["git", *who, *arguments], cwd=self.folder, env=env, capture_output=True, text=True, check=False
        )
        assert 0 == done.returncode, done.stdout + done.stderr
        return done.stdout

    def commit(self, message):
        """Everything that git looks at, as one commit."""
        self.git("add", "-A")
        self.git("commit", "-qm", message)

    def merge(self, branch):
        """As a pull request is merged: always with a commit of its own."""
        self.git("merge", "-q", "--no-ff", "-m", f"Merge {branch}", branch)


def spec(**crf):
    """Encodes by name, each of one output with its CRF."""
    encodes = "\n".join(
        f'  {name}: {{source: "{generated(1, size=f"{96 + 16 * place}x96")}", outputs: {{small: {tiny(value)}}}}}'
        for place, (name, value) in enumerate(sorted(crf.items()))
    )
    return f"version: 1\nproject: story\nencodes:\n{encodes}\n"


@pytest.fixture
def clone(tmp_path):
    """A repository whose main is applied, with its state committed."""
    made = Clone(tmp_path / "clone")
    made.folder.mkdir()
    made.git("init", "-q", "-b", "main")
    made.run("init").ok()
    made.git("config", "merge.reconciler-state.driver", DRIVER)
    made.write("specs/encodes.yaml", spec(a=30, b=30, c=30))
    made.apply().ok()
    made.commit("applied")
    assert "state/encodes.json" in made.git("ls-files")
    assert "outputs/" not in made.git("ls-files")
    return made


def approved(text):
    """The id that a comment shows, as the apply workflow reads it."""
    return re.match(r"<!-- reconciler:plan:prod -->\n<!-- reconciler:plan-id:(\w+) -->\n", text)[1]


def planned(clone):
    """Plan as a pull request does; the id of its comment."""
    clone.run("plan", "--markdown", "../plan.md", "--environment", "prod").ok()
    return approved((clone.folder / "../plan.md").read_text())


def test_from_a_branch_to_main(clone):
    """One preset changes on a branch; the id of its comment is that of the plan after the merge commit."""
    clone.git("checkout", "-qb", "better")
    clone.write("specs/encodes.yaml", spec(a=20, b=30, c=30))
    clone.commit("better a")
    identifier = planned(clone)
    assert "1 output encoded again" in (clone.folder / "../plan.md").read_text()
    assert "a/small" in clone.run("plan", "--base", "main").ok().out
    clone.git("checkout", "-q", "main")
    clone.write("README", "main moved on")
    clone.commit("other work")
    clone.merge("better")

    assert "1 encoded" in clone.run("apply", "--expect", identifier).ok().out
    assert "No changes." in clone.run("apply", "--expect", identifier).ok().out
    assert [2, 1, 1] == [record.get("attempt", 1) for record in clone.records().values()]


def test_two_branches_that_touch_different_encodes(clone):
    """Both were planned before either was merged; each applies under the id of its own comment."""
    identifiers = {}
    for branch, change in (("one", {"a": 20}), ("two", {"c": 22})):
        clone.git("checkout", "-qb", branch, "main")
        clone.write("specs/encodes.yaml", spec(**{"a": 30, "b": 30, "c": 30, **change}))
        clone.commit(branch)
        identifiers[branch] = planned(clone)
    clone.git("checkout", "-q", "main")
    for branch in ("one", "two"):
        clone.merge(branch)
        clone.run("apply", "--expect", identifiers[branch]).ok()
        clone.commit(f"state after {branch}")

    assert [20, 30, 22] == [record["manifest"]["video.crf"] for record in clone.records().values()]
    assert "No changes." in clone.run("plan").ok().out


def test_two_branches_that_applied_merge_their_states(clone):
    """States that were changed side by side merge through the driver: no conflict, no record lost, nothing redone."""
    for branch, name, new in (("one", "a", "d"), ("two", "b", "e")):
        clone.git("checkout", "-qb", branch, "main")
        clone.write(f"specs/{new}.yaml", _one(new, 31))
        clone.apply("--target", f"{new}/*", "--target", f"{name}/*", "--rerun", f"{name}/small").ok()
        clone.commit(branch)
    clone.git("checkout", "-q", "main")
    for branch in ("one", "two"):
        clone.merge(branch)

    assert {"a/small": 2, "b/small": 2, "c/small": 1, "d/small": 1, "e/small": 1} == {
        address: record.get("attempt", 1) for address, record in clone.records().items()
    }
    assert "" == clone.git("status", "--porcelain")
    assert "c/small" not in clone.run("plan").ok().out


def _one(name, crf):
    size = f"{200 + 16 * (ord(name) - ord('a'))}x96"
    return f'encodes:\n  {name}: {{source: "{generated(1, size=size)}", outputs: {{small: {tiny(crf)}}}}}\n'
