"""`state merge` on files, and in real git repositories as a merge driver."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest

from builders_commands import Desk
from builders_state import known, snapshot
from reconciler.core.state import OutputRecord
from reconciler.store import snapshot as file

DRIVER = f"{shlex.quote(sys.executable)} -m reconciler state merge %O %A %B %P"


def git(folder, *arguments, ok=True):
    """One git command; its whole output."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0 or not ok, done.stderr
    return done.stdout + done.stderr


def put(path, **records):
    """Write a state file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.encode(snapshot(**records)))


def repository(folder, **records):
    """A repository whose main holds a state, with the driver registered as init says."""
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    Desk(folder).run("init").ok()
    git(folder, "config", "merge.reconciler-state.driver", DRIVER)
    put(folder / "state/encodes.json", **records)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return folder


def commit(folder, branch, **records):
    """A branch off main whose state holds these records."""
    git(folder, "checkout", "-q", "-b", branch, "main")
    put(folder / "state/encodes.json", **records)
    git(folder, "commit", "-qam", branch)


def records(folder):
    """What the state file holds."""
    return json.loads((folder / "state/encodes.json").read_text())["records"]


def test_two_branches_merge_without_a_conflict(tmp_path):
    """Neighbouring records that both sides touched, which git alone could not merge, are all there after."""
    folder = repository(tmp_path / "r", a__x=known(1), b__x=known(1), c__x=known(1))
    commit(folder, "one", a__x=known(1), b__x=known(2, fingerprint="b" * 64), c__x=known(1), d__x=known(1))
    commit(folder, "two", a__x=known(3), b__x=known(1), c__x=known(1), e__x=known(1))
    git(folder, "merge", "-q", "one", "-m", "both")

    assert {"a/x": 3, "b/x": 2, "c/x": 1, "d/x": 1, "e/x": 1} == {
        name: each["rev"] for name, each in records(folder).items()
    }
    assert "" == git(folder, "status", "--porcelain")


def test_a_conflict_is_left_to_git(tmp_path):
    """Both sides made one output anew: git stops, the words say which, and everything else is merged."""
    made = [known(2, fingerprint=each * 64, output=OutputRecord(name=each)) for each in "ab"]
    folder = repository(tmp_path / "r", a__x=known(1), b__x=known(1))
    commit(folder, "one", a__x=made[0], b__x=known(1), c__x=known(1))
    commit(folder, "two", a__x=made[1], b__x=known(1), d__x=known(1))
    said = git(folder, "merge", "one", ok=False)

    assert "Error: state/encodes.json: 1 output was recorded differently on both sides:" in said
    assert "  a/x: ours complete, rev 2, bbbbbbbb; theirs complete, rev 2, aaaaaaaa" in said
    assert "CONFLICT" in said
    assert "UU state/encodes.json" in git(folder, "status", "--porcelain")
    assert {"a/x", "b/x", "c/x", "d/x"} == set(records(folder))
    assert "a" * 64 in git(folder, "show", "MERGE_HEAD:state/encodes.json")


def test_two_new_states_are_put_together(tmp_path):
    """Branches that both applied for the first time have no common ancestor; git hands over an empty file."""
    put(tmp_path / "ours.json", a__x=known(1))
    put(tmp_path / "theirs.json", b__x=known(1))
    (tmp_path / "empty").write_text("")
    made = Desk(tmp_path)
    made.run("state", "merge", "empty", "ours.json", "theirs.json").ok()

    assert {"a/x", "b/x"} == set(json.loads((tmp_path / "ours.json").read_text())["records"])


@pytest.mark.parametrize("side", ["ancestor", "ours", "theirs"])
@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("the state is of version 99", '{"format": "encode-reconciler-state", "version": 99, "project": "test"}'),
        ("this is no state of reconciler", '{"format": "other"}'),
        ("the state cannot be read", "<<<<<<< ours"),
    ],
)
def test_what_is_no_state_of_this_version_is_refused(tmp_path, side, said, text):
    """Exit 1 with words, and our side is left byte for byte as it was."""
    for name in ("ancestor", "ours", "theirs"):
        put(tmp_path / name, a__x=known(1))
    (tmp_path / side).write_text(text)
    before = (tmp_path / "ours").read_bytes()
    result = Desk(tmp_path).run("state", "merge", "ancestor", "ours", "theirs", "state/encodes.json")

    assert (1, True, before) == (result.code, said in result.err, (tmp_path / "ours").read_bytes())
    assert "state/encodes.json:1:1" in result.err


def test_a_missing_side_is_said(tmp_path):
    """A wrong name is an error, never an empty state."""
    put(tmp_path / "ours", a__x=known(1))

    assert 1 == Desk(tmp_path).run("state", "merge", "ours", "ours", "nothing").code
