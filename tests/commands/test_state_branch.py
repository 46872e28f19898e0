"""The way to keep a state on a branch of its own between runs, as the README tells it, on real repositories."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from builders_state import known, snapshot
from reconciler.store import snapshot as file

# Before reconciler runs; it is told RECONCILER_STATE=.state/encodes.json.
TAKE = """
if git fetch --quiet origin reconciler-state; then
  git worktree add --quiet --detach .state FETCH_HEAD
else
  git worktree add --quiet --detach .state
  git -C .state checkout --quiet --orphan reconciler-state
  git -C .state rm -rfq --ignore-unmatch .
  echo "encodes.json merge=reconciler-state" > .state/.gitattributes
fi
"""

# After it, also when it failed.
SAVE = """
cd .state
git rm --quiet --cached --ignore-unmatch encodes.journal.jsonl
git add --force .gitattributes $(ls encodes.json encodes.journal.jsonl 2> /dev/null)
git diff --cached --quiet && exit 0
git commit --quiet --message "State of the encodes"
git config merge.reconciler-state.driver "reconciler state merge %O %A %B %P"
for try in 1 2 3; do
  git push --quiet origin HEAD:refs/heads/reconciler-state && exit 0
  git pull --quiet --no-rebase --no-edit origin reconciler-state || git merge --abort
done
exit 1
"""


def test_the_readme_tells_what_is_tried_here():
    """What the README says to run before and after stands in this file, word for word."""
    told = (Path(__file__).parents[2] / "README.md").read_text()
    assert (True, True) == (TAKE.strip() in told, SAVE.strip() in told)


def test_a_state_on_a_branch_of_its_own(tmp_path):
    """It begins by itself, goes from run to run, and what two runs recorded at once is there after both."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/reconciler"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m reconciler "$@"\n')
    program.chmod(0o755)
    names = {f"GIT_{who}_{what}": "t@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    env = {**os.environ, **names, "PATH": path, "GIT_CONFIG_GLOBAL": "/dev/null"}

    def run(folder, script):
        subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=env, check=True, capture_output=True)

    def checkout(name):
        run(tmp_path, f"git clone -q origin {name}")
        run(tmp_path / name, TAKE)
        return tmp_path / name

    def put(folder, **records):
        (folder / ".state/encodes.json").write_bytes(file.encode(snapshot(**records)))
        (folder / ".state/links.json").write_text("secret")

    run(tmp_path, "git init -q --bare -b main origin && git clone -q origin first")
    run(tmp_path / "first", "echo specs > a.yaml && git add a.yaml && git commit -qm first && git push -q origin main")

    one = checkout("one")
    assert [".git", ".gitattributes"] == sorted(each.name for each in (one / ".state").iterdir())
    put(one, a__x=known(1), b__x=known(1))
    run(one, SAVE)
    two, three = checkout("two"), checkout("three")
    put(two, a__x=known(2), b__x=known(1))
    (two / ".state/encodes.journal.jsonl").write_text("what a crash left\n")
    put(three, a__x=known(1), b__x=known(1), c__x=known(1))
    run(two, SAVE)
    run(three, SAVE)
    run(three, SAVE)

    four = checkout("four")
    merged = file.read(four / ".state/encodes.json", "test").records
    assert {"a/x": 2, "b/x": 1, "c/x": 1} == {address: record.rev for address, record in merged.items()}
    assert "what a crash left\n" == (four / ".state/encodes.journal.jsonl").read_text()
    assert [] == [each for each in (four / ".state").iterdir() if each.name in {"links.json", "a.yaml"}]
