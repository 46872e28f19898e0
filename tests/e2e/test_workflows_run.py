"""The workflows that `init --workflow` writes, run from a pull request to its outputs, on real repositories."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from builders_github import github, runner
from builders_project import generated, tiny
from builders_runner import Runner
from reconciler.views.workflows import workflow_files

FILES = workflow_files(install=".", environment="prod")
PLAN, APPLY, COLLECT = (FILES[f"reconciler-{name}.yml"] for name in ("plan", "apply", "collect"))


class Repository:
    """What is on GitHub: a bare repository, its pull requests and their comments."""

    def __init__(self, folder, hub):
        self.folder, self.hub = folder, hub
        self.origin = folder / "origin"
        self.runs = 0
        self.git(folder, "init", "-q", "--bare", "-b", "main", "origin")
        self.git(folder, "clone", "-q", "origin", "desk")
        self.desk = folder / "desk"

    def git(self, folder, *arguments):
        """One git command; what it said."""
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
        done = subprocess.run(
            ["git", *who, *arguments], cwd=folder, env=env, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, message, **encodes):
        """Encodes by name and CRF, a file each, as a commit of the desk."""
        for name, crf in encodes.items():
            text = f'encodes: {{{name}: {{source: "{generated()}", outputs: {{small: {tiny(crf)}}}}}}}\n'
            (self.desk / f"specs/{name}.yaml").write_text(text)
        self.git(self.desk, "add", "-A")
        self.git(self.desk, "commit", "-qm", message)

    def push(self, branch="main"):
        """Push a branch; its commit."""
        self.git(self.desk, "push", "-q", "origin", branch)
        return self.git(self.desk, "rev-parse", branch)

    def merge(self, branch, number):
        """Merge a pull request, as the button does; the commit."""
        self.git(self.desk, "checkout", "-q", "main")
        self.git(self.desk, "merge", "-q", "--no-ff", "-m", f"Merge {branch}", branch)
        commit = self.push()
        self.hub.pulls[commit] = [{"number": number, "merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": commit}]
        return commit

    def run(self, workflow, commit, *, number=None, event="push", fork=False, attempt=1, **inputs):
        """Run a workflow on a machine of its own, for the first time or again."""
        self.runs += 1
        folder = self.folder / f"run{self.runs}"
        folder.mkdir()
        token = "" if fork else "ghs_secret"
        told = runner(folder, self.hub, number=number, fork=fork, sha=commit, token=token)
        told["GITHUB_RUN_ATTEMPT"] = str(attempt)
        told["RECONCILER_MEDIA_ROOT"] = str(self.folder / "media")
        return Runner(folder, self.origin, commit, told).run(workflow, event, **inputs)

    def records(self):
        """The records of the state as it is on main."""
        return json.loads(self.git(self.origin, "show", "main:state/encodes.json"))["records"]


@pytest.fixture
def repository(tmp_path):
    """A repository with the first spec and what `init` writes for git."""
    with github() as hub:
        made = Repository(tmp_path, hub)
        (tmp_path / "media").mkdir()
        (made.desk / "specs").mkdir()
        (made.desk / "specs/project.yaml").write_text(
            f"version: 1\nproject: story\ndefaults: {{deliver: {tmp_path}/media}}\n"
        )
        (made.desk / ".gitattributes").write_text("state/encodes.json merge=reconciler-state\n")
        (made.desk / ".gitignore").write_text("/state/*\n!/state/encodes.json\n/outputs/\n")
        made.commit("first", a=30)
        made.push()
        yield made


def test_two_pull_requests_that_are_merged_at_once(repository):
    """Both were planned before either was merged; the second run begins from a commit that lacks the first's state."""
    for number, name in ((1, "b"), (2, "c")):
        repository.git(repository.desk, "checkout", "-qb", name, "main")
        repository.commit(f"add {name}", **{name: 30 + number})
        codes, _ = repository.run(PLAN, repository.push(name), number=number, event="pull_request")
        assert {0} == set(codes.values())
    first, second = repository.merge("b", 1), repository.merge("c", 2)
    assert 2 == len(repository.hub.comments)
    one, said = repository.run(APPLY, first)
    two, also = repository.run(APPLY, second)

    assert ({0}, {0}) == (set(one.values()), set(two.values())), said + also
    assert {"a/small": 1, "b/small": 1, "c/small": 1} == {
        address: record.get("attempt", 1) for address, record in repository.records().items()
    }
    again, said = repository.run(APPLY, repository.git(repository.origin, "rev-parse", "main"))
    assert "No changes." in said
    assert {0} == set(again.values())


def test_a_run_that_failed_in_part_is_run_again(repository):
    """The state is saved though the apply failed; the same job again goes on where it stopped, by the same approval."""
    repository.git(repository.desk, "checkout", "-qb", "more", "main")
    (repository.desk / "m").mkdir()
    (repository.desk / "m/x.mov").write_text("this is no video")
    (repository.desk / "specs/x.yaml").write_text(
        f"encodes: {{x: {{source: m/x.mov, attempts: 3, outputs: {{small: {tiny()}}}}}}}\n"
    )
    repository.commit("a broken master")
    repository.run(PLAN, repository.push("more"), number=4, event="pull_request")
    commit = repository.merge("more", 4)
    codes, _ = repository.run(APPLY, commit)
    again, said = repository.run(APPLY, commit, attempt=2)

    assert [3, 3] == [each['apply --expect "$PLAN_ID"'] for each in (codes, again)]
    assert [0, 0] == [each["Save the state, whatever happened"] for each in (codes, again)], said
    assert {"a/small": (1, "complete"), "x/small": (2, "failed")} == {
        address: (record.get("attempt", 1), record["status"]) for address, record in repository.records().items()
    }
    assert "No changes." not in said
    assert "### Apply: 1 of 1 output failed" in (repository.folder / "run3/summary.md").read_text()


def test_an_old_run_again_undoes_nothing(repository):
    """What was merged since wants another CRF: the older run would pay for the old one once more, so it is refused."""
    commits = []
    for number, crf in ((1, 25), (2, 20)):
        repository.git(repository.desk, "checkout", "-qb", f"crf{crf}", "main")
        repository.commit(f"crf {crf}", a=crf)
        repository.run(PLAN, repository.push(f"crf{crf}"), number=number, event="pull_request")
        commits.append(repository.merge(f"crf{crf}", number))
        codes, said = repository.run(APPLY, commits[-1])
        assert {0} == set(codes.values()), said
        repository.git(repository.desk, "pull", "-q", "origin", "main")
    before = repository.records()
    old, said = repository.run(APPLY, commits[0], attempt=2)
    new, also = repository.run(APPLY, commits[1], attempt=2)

    assert {"Refuse to run again what was overtaken": 1, "Save the state, whatever happened": 0} == old
    assert "::error::The branch wants something else by now" in said
    assert ({0}, True) == (set(new.values()), "No changes. 1 output is as declared." in also)
    assert before == repository.records()


def test_a_pull_request_from_a_fork_is_approved_by_hand(repository):
    """Its plan is in the summary alone, so merging it approves nothing; its id, given by hand, does."""
    repository.git(repository.desk, "checkout", "-qb", "theirs", "main")
    repository.commit("theirs", d=28)
    codes, _ = repository.run(PLAN, repository.push("theirs"), number=5, event="pull_request", fork=True)
    summary = (repository.folder / "run1/summary.md").read_text()
    identifier = summary.partition("reconciler:plan-id:")[2][:16]
    commit = repository.merge("theirs", 5)
    refused, said = repository.run(APPLY, commit)
    applied, _ = repository.run(APPLY, commit, event="workflow_dispatch", plan_id=identifier)

    assert [] == repository.hub.comments
    assert ({0}, 5) == (set(codes.values()), refused['apply --expect "$PLAN_ID"'])
    assert "pull request #5 shows no plan" in said
    assert 0 == applied['apply --expect "$PLAN_ID"']
    assert {"a/small", "d/small"} == set(repository.records())


def test_the_run_of_every_six_hours_spends_nothing(repository):
    """It encodes nothing that nobody approved, and leaves no commit behind where nothing was done."""
    before = repository.git(repository.origin, "rev-parse", "main")
    codes, _ = repository.run(COLLECT, before, event="schedule")

    assert {0} == set(codes.values())
    assert before == repository.git(repository.origin, "rev-parse", "main")
