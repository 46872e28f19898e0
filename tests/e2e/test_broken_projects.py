"""Broken specs, states and journals at the real command line: a place, what is wrong, what to do, nothing touched."""

from __future__ import annotations

import json
import re

import pytest

from builders_project import Project, ladder_spec


@pytest.fixture(scope="module")
def applied(tmp_path_factory):
    """A project that was applied; each test leaves it as it was."""
    project = Project(tmp_path_factory.mktemp("applied"))
    project.write("specs/encodes.yaml", ladder_spec())
    project.apply().ok()
    return project


HEAD = "version: 1\nproject: test\n"
SPECS = {
    "an unknown key": (ladder_spec().replace("outputs:", "output:"), "outputs"),
    "an unknown preset": (ladder_spec().replace("[big, small]", "[bog, small]"), 'Did you mean "big"'),
    "a preset cycle": (ladder_spec().replace("  big: {", "  big: {extends: small, "), "big -> small -> big"),
    "a duplicate key": (ladder_spec() + "project: again\n", "first at"),
    "a tab": (HEAD + "encodes:\n\tclip: {}\n", "spaces"),
    "an open bracket": (ladder_spec().replace("[big, small]", "[big, small"), "Close the list"),
    "two rate controls": (ladder_spec().replace("crf: 33", "crf: 33, bitrate: 900k"), "two rate controls"),
    "a codec that the container cannot hold": (ladder_spec().replace("container: mp4", "container: webm"), "webm"),
    "an odd crop": (ladder_spec().replace("height: 64", "height: 64, crop: {left: 3}"), "crop"),
    "a path outside the project": (ladder_spec(source="../secret.mov"), "--media-root"),
    "a missing source": (ladder_spec(source="masters/none.mov"), "masters/none.mov"),
    "a large file": (HEAD + "# " + "x" * 50_000_000, "MB"),
    "an alias bomb": (
        HEAD
        + "variables:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)),
        "grow",
    ),
}


@pytest.mark.parametrize("fact", SPECS)
def test_a_broken_spec(applied, fact):
    """Exit 1 with file, line and column; no traceback, and the state is not touched."""
    text, said = SPECS[fact]
    state = (applied.folder / "state/encodes.json").read_bytes()
    good = (applied.folder / "specs/encodes.yaml").read_text()
    applied.write("specs/encodes.yaml", text)
    try:
        for command in (["validate"], ["plan", "--rerun", "clip*"], ["apply", "--auto-approve", "--rerun", "clip*"]):
            result = applied.run(*command)
            assert 1 == result.code, command
            assert re.search(r"specs/encodes\.yaml:\d+:\d+", result.err), result.err
            assert said in result.err
            assert "Traceback" not in result.err
    finally:
        applied.write("specs/encodes.yaml", good)
    assert state == (applied.folder / "state/encodes.json").read_bytes()


def test_all_errors_come_together(applied):
    """Mistakes in several files are told in one run, each with its place, and counted."""
    extra = applied.write(
        "specs/more.yaml", "presets:\n  web: {containr: mp4}\nencodes:\n  x: {source: 1, outputs: []}\n"
    )
    try:
        result = applied.run("plan")
    finally:
        extra.unlink()

    assert 1 == result.code
    assert result.err.count("Error: ") >= 3
    assert re.search(r"\d errors in 1 of 2 files\. Nothing was planned", result.err)


def test_a_name_defined_twice_names_both_places(applied):
    """The second definition is the error, the first one is told."""
    extra = applied.write("specs/more.yaml", "presets:\n  big: {container: mp4}\n")
    try:
        result = applied.run("plan")
    finally:
        extra.unlink()

    assert 1 == result.code
    assert "specs/encodes.yaml:4" in result.err
    assert "specs/more.yaml:2:3" in result.err


STATES = {
    "truncated": (lambda text: text[: len(text) // 2], "cannot be read"),
    "empty": (lambda _: "", "cannot be read"),
    "of a newer version": (lambda text: text.replace('"version": 1', '"version": 9'), "version 9"),
    "of another project": (lambda text: text.replace('"project": "test"', '"project": "else"'), '"else"'),
    "of another program": (lambda text: text.replace("encode-reconciler-state", "terraform"), "no state of reconciler"),
    "with a wrong value": (lambda text: text.replace('"status": "complete"', '"status": "done"', 1), "status"),
    "with a conflict of git": (lambda text: text.replace('"records"', '<<<<<<< HEAD\n  "records"', 1), "git"),
}


@pytest.mark.parametrize("fact", STATES)
def test_a_state_that_cannot_be_read(applied, fact):
    """Plan and apply exit 1, say where and what to do, and leave the state as it is."""
    change, said = STATES[fact]
    path = applied.folder / "state/encodes.json"
    good = path.read_text()
    path.write_text(change(good))
    broken = path.read_text()
    try:
        for command in (["plan"], ["apply", "--auto-approve"], ["status"]):
            result = applied.run(*command)
            assert 1 == result.code or (command == ["status"] and fact == "of another project"), command
            assert "Traceback" not in result.err
            if result.code:
                assert re.search(r"state/encodes\.json(:\d+:\d+)?", result.err)
                assert said in result.err
        assert broken == path.read_text()
    finally:
        path.write_text(good)
    assert 0 == applied.run("plan", "--detailed-exitcode").code


def test_a_torn_journal_is_healed_and_a_broken_one_refused(applied):
    """A last line that a crash tore is ignored with a warning; a bad line before it is an error with its number."""
    path = applied.folder / "state/encodes.journal.jsonl"
    header = json.dumps({"format": "encode-reconciler-journal", "version": 1, "project": "test"})
    path.write_text(f'{header}\n{{"event": "inten')
    torn = applied.run("plan", "--detailed-exitcode")
    path.write_text(f'{header}\nnonsense\n{{"event": "x", "at": "now"}}\n')
    broken = applied.run("apply", "--auto-approve")
    kept = path.read_text()
    path.unlink()

    assert (0, True) == (torn.code, "cut off" in torn.err)
    assert (1, True) == (broken.code, "encodes.journal.jsonl:2:" in broken.err)
    assert "nonsense" in kept
