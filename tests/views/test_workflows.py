"""The workflows that are written for others, and those that this repository runs itself."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from reconciler.cli import cli
from reconciler.views.workflows import FOLDER, workflow_files

ROOT = Path(__file__).parents[2]
FILES = workflow_files(install="encode-reconciler==1.2.3", environment="prod")
SHARED = workflow_files(install='"a[cloud]==1"', environment="prod", state="s3://states/talks")
BOTH = {**FILES, **{f"shared {name}": text for name, text in SHARED.items()}}
ACTION = ROOT / ".github/actions/reconciler/action.yml"


def document(text):
    """A workflow; YAML reads its key `on` as a truth."""
    return yaml.safe_load(text)


def steps(text):
    """All steps of a workflow or of a composite action."""
    read = document(text)
    jobs = [read["runs"]] if "runs" in read else read["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


def parsed(words):
    """Whether the command line takes these words, without running them."""
    command, context = cli, click.Context(cli, **cli.context_settings)
    while isinstance(command, click.Group):
        command = command.get_command(context, words.pop(0))
        assert command is not None
    return command.make_context("reconciler", words, parent=context, resilient_parsing=False)


def test_this_repository_runs_what_it_writes_for_others():
    """Only the package that is installed differs."""
    own = workflow_files(install=".", environment="demo")

    assert own == {path.name: path.read_text() for path in (ROOT / FOLDER).glob("*.yml")}


@pytest.mark.parametrize("name", BOTH)
def test_workflows_are_pinned_and_may_little(name):
    """Actions by commit, permissions spelled out, nothing for pull_request_target, a group and a deadline."""
    text, read = BOTH[name], document(BOTH[name])

    assert [] == [
        each["uses"] for each in steps(text) if "uses" in each and not re.search(r"@[0-9a-f]{40}$", each["uses"])
    ]
    assert set(read["permissions"]) <= {"contents", "pull-requests"}
    assert "pull_request_target" not in text
    assert {"group", "cancel-in-progress"} == set(read["concurrency"])
    assert all("timeout-minutes" in job for job in read["jobs"].values())


def test_a_plan_holds_no_secret_and_cannot_write():
    """What runs on a stranger's pull request may comment, and nothing else."""
    read = document(FILES["reconciler-plan.yml"])

    assert {"contents": "read", "pull-requests": "write"} == read["permissions"]
    assert "secrets." not in FILES["reconciler-plan.yml"]
    assert True is read["concurrency"]["cancel-in-progress"]
    assert {"persist-credentials": False} == steps(FILES["reconciler-plan.yml"])[0]["with"]


@pytest.mark.parametrize("name", ["reconciler-apply.yml", "reconciler-collect.yml"])
def test_whoever_writes_the_state_waits_for_others_and_saves_it(name):
    """One writer at a time, never cancelled, and the state is saved even when the apply failed."""
    read = document(FILES[name])

    assert {"group": "reconciler-state", "cancel-in-progress": False} == read["concurrency"]
    saved = [step for step in steps(FILES[name]) if step.get("if") == "always()"]
    assert ["Save the state, whatever happened", "Keep a copy of the state beside the run"] == [
        step["name"] for step in saved
    ]


@pytest.mark.parametrize("name", SHARED)
def test_a_shared_state_is_named_and_nothing_is_committed(name):
    """The runs may not write to the repository; credentials reach only the steps that need them."""
    read = document(SHARED[name])
    opened = [step for step in steps(SHARED[name]) if "AWS_SECRET_ACCESS_KEY" in step.get("env", {})]

    assert {"RECONCILER_STATE": "s3://states/talks"} == read["env"]
    assert "read" == read["permissions"]["contents"]
    assert not re.search(r"git (add|commit|push|config)", SHARED[name])
    assert [True] == [step["run"].removeprefix("exec ").startswith("reconciler ") for step in opened]


def test_a_fork_is_shown_what_needs_no_credentials():
    """Each pull request is planned by one step: its own with the state, a stranger's by its specs and those before."""
    plans = [step for step in steps(SHARED["reconciler-plan.yml"]) if step.get("run", "").startswith("reconciler ")]
    whose = "github.event.pull_request.head.repo.full_name {} github.repository"

    assert [whose.format("=="), whose.format("!=")] == [step["if"] for step in plans]
    assert ("reconciler ci github plan --base HEAD^", False) == (plans[1]["run"], "env" in plans[1])
    assert 2 == steps(SHARED["reconciler-plan.yml"])[0]["with"]["fetch-depth"]
    assert "if" not in next(step for step in steps(FILES["reconciler-plan.yml"]) if "ci github" in step.get("run", ""))


@pytest.mark.parametrize("name", ["reconciler-apply.yml", "reconciler-collect.yml"])
def test_what_could_not_be_brought_to_a_store_is_kept(name):
    """Even when the apply failed, and without the links that open files."""
    (kept,) = [step for step in steps(SHARED[name]) if step.get("if") == "always()"]

    assert {"group": "reconciler-state", "cancel-in-progress": False} == document(SHARED[name])["concurrency"]
    assert "state/shared/*/journal.jsonl" in kept["with"]["path"].split()
    assert "links" not in kept["with"]["path"]


@pytest.mark.parametrize("text", [*BOTH.values(), ACTION.read_text()], ids=[*BOTH, "action"])
def test_no_expression_stands_in_a_script(text):
    """What comes from outside is environment, never code."""
    assert [] == [step["run"] for step in steps(text) if "${{" in step.get("run", "")]


@pytest.mark.parametrize("name", BOTH)
def test_every_command_of_a_workflow_exists(name):
    """The options that workflows use are options of the program."""
    scripts = [step.get("run", "").removeprefix("exec ") for step in steps(BOTH[name])]
    commands = [script for script in scripts if script.startswith("reconciler ")]

    assert commands
    for command in commands:
        assert parsed(shlex.split(command)[1:])


@pytest.mark.parametrize("text", [*BOTH.values(), ACTION.read_text()], ids=[*BOTH, "action"])
def test_scripts_are_good_shell(text):
    """Bash reads every script."""
    for step in steps(text):
        subprocess.run(["bash", "-n", "-c", step.get("run", "")], check=True)


def test_the_state_is_saved_over_what_others_pushed(tmp_path):
    """The script of the workflow, on real repositories: records of both sides are there after."""
    import sys

    from builders_state import known, snapshot
    from reconciler.store import snapshot as file

    (save,) = [step["run"] for step in steps(FILES["reconciler-apply.yml"]) if step.get("name", "").startswith("Save")]
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/reconciler"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m reconciler "$@"\n')
    program.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "GIT_CONFIG_GLOBAL": "/dev/null"}

    def run(folder, script):
        subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=env, check=True, capture_output=True)

    def put(folder, **records):
        (folder / "state").mkdir(exist_ok=True)
        (folder / "state/encodes.json").write_bytes(file.encode(snapshot(**records)))

    run(tmp_path, "git init -q --bare -b main origin && git clone -q origin one")
    one, two = tmp_path / "one", tmp_path / "two"
    (one / ".gitattributes").write_text("state/encodes.json merge=reconciler-state\n")
    (one / ".gitignore").write_text("/state/*\n")
    who = "-c user.name=t -c user.email=t@example.com"
    run(one, f"git add .gitattributes .gitignore && git {who} commit -qm first && git push -q origin main")
    put(one, a__x=known(1), b__x=known(1))
    run(one, save)
    run(tmp_path, "git clone -q origin two")
    put(one, a__x=known(2), b__x=known(1))
    put(two, a__x=known(1), b__x=known(2), c__x=known(1))
    (two / "state/encodes.journal.jsonl").write_text("what a crash left\n")
    (two / "state/links.json").write_text("secret")
    run(one, save)
    run(two, save)
    run(one, "git pull -q")

    merged = file.read(one / "state/encodes.json", "test").records
    assert {"a/x": 2, "b/x": 2, "c/x": 1} == {address: record.rev for address, record in merged.items()}
    assert "what a crash left\n" == (one / "state/encodes.journal.jsonl").read_text()
    assert not (one / "state/links.json").exists()
    (two / "state/encodes.journal.jsonl").unlink()
    run(two, save)
    run(one, "git pull -q")
    assert not (one / "state/encodes.journal.jsonl").exists()
    run(one, save)


@pytest.mark.parametrize("name", ["reconciler-apply.yml", "reconciler-collect.yml"])
def test_an_apply_begins_with_the_newest_state(tmp_path, name):
    """A run whose commit is older than the last saved state takes that one, and no journal that is gone since."""
    (take,) = [step["run"] for step in steps(FILES[name]) if step.get("name", "") == "Take the newest state"]
    setup = """
git init -q --bare -b main origin && git clone -q origin late && cd late
commit() { git add -A && git -c user.name=t -c user.email=t@example.com commit -qm "$1"; }
mkdir state && echo old > state/encodes.json && echo left > state/encodes.journal.jsonl
commit one && git push -q origin main
git checkout -q -b elsewhere
echo new > state/encodes.json && rm state/encodes.journal.jsonl && commit two && git push -q origin HEAD:main
git checkout -q main
"""
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GITHUB_REF_NAME": "main"}
    subprocess.run(["bash", "-e", "-c", setup], cwd=tmp_path, env=env, check=True, capture_output=True)
    late = tmp_path / "late"
    assert "old\n" == (late / "state/encodes.json").read_text()
    subprocess.run(["bash", "-e", "-c", take], cwd=late, env=env, check=True, capture_output=True)

    assert "new\n" == (late / "state/encodes.json").read_text()
    assert not (late / "state/encodes.journal.jsonl").exists()


def test_an_approval_may_be_given_by_hand():
    """A plan that no bot could comment on, of a fork, is applied by its id; a push takes the id of its comment."""
    read = document(FILES["reconciler-apply.yml"])
    (lookup,) = [step for step in steps(FILES["reconciler-apply.yml"]) if step.get("id") == "approved"]
    (apply,) = [step for step in steps(FILES["reconciler-apply.yml"]) if "--expect" in step.get("run", "")]

    assert True is read[True]["workflow_dispatch"]["inputs"]["plan_id"]["required"]
    assert "github.event_name == 'push'" == lookup["if"]
    assert "${{ inputs.plan_id || steps.approved.outputs.plan_id }}" == apply["env"]["PLAN_ID"]


def test_a_state_that_cannot_be_pushed_is_kept_on_a_branch(tmp_path):
    """A protected branch, or a conflict, fails the run and loses nothing."""
    script = next(step["run"] for step in steps(FILES["reconciler-apply.yml"]) if "Save" in step.get("name", ""))
    env = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GITHUB_RUN_ID": "212",
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
    }
    (tmp_path / "sleep").write_text("#!/bin/sh\n")
    (tmp_path / "sleep").chmod(0o755)
    setup = """
git init -q --bare -b main origin && git clone -q origin one && cd one
git -c user.name=t -c user.email=t@example.com commit -q --allow-empty -m first && git push -q origin main
printf '#!/bin/sh\\n[ "$1" != refs/heads/main ]\\n' > ../origin/hooks/update && chmod +x ../origin/hooks/update
mkdir state && echo '{}' > state/encodes.json
"""
    subprocess.run(["bash", "-e", "-c", setup], cwd=tmp_path, env=env, check=True, capture_output=True)
    done = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path / "one", env=env, check=False, capture_output=True)
    show = ["git", "show", "reconciler-state-212:state/encodes.json"]
    kept = subprocess.run(show, cwd=tmp_path / "origin", check=True, capture_output=True, text=True).stdout

    assert (1, "{}\n") == (done.returncode, kept)


def test_the_composite_action_hands_on_what_it_is_given(tmp_path):
    """Its script runs the command with every word of its arguments, and expands no globs."""
    (script,) = [step["run"] for step in steps(ACTION.read_text()) if step.get("id") == "run"]
    (tmp_path / "reconciler").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "reconciler").chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "COMMAND": "plan",
        "ARGUMENTS": "--target * --max-jobs 5",
    }
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env=env, check=True, capture_output=True, text=True
    )

    assert ["ci", "github", "plan", "--target", "*", "--max-jobs", "5"] == done.stdout.split()


def test_the_hook_for_pre_commit_is_a_command():
    """`.pre-commit-hooks.yaml` names a command of the program, for spec files only."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())

    assert ("reconciler-validate", "python", False) == (hook["id"], hook["language"], hook["pass_filenames"])
    assert parsed(hook["entry"].split()[1:])
    assert re.match(hook["files"], "specs/deep/a.yaml")
    assert not re.match(hook["files"], "src/a.yaml")
