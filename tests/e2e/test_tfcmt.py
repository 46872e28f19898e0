"""tfcmt, which posts Terraform's plans to pull requests, finds its way through ours: its published patterns."""

from __future__ import annotations

import re
import shutil

import pytest

from builders_project import Project, generated, ladder_spec, tiny

# How tfcmt reads a plan and an apply (pkg/terraform/parser.go), line by line.
PLAN_PASS = re.compile(r"(?m)^(Plan: \d|No changes.)")
FAIL = re.compile(r"(?m)^([│|] )?(Error: )")
WARNING = re.compile(r"(?m)^([│|] )?(Warning: )")
DESTROY = re.compile(r"(?m)([1-9][0-9]* to destroy.)")
NO_CHANGES = re.compile(r"(?m)^(No changes\.|Plan: (\d+ to import, )?0 to add, 0 to change, 0 to destroy\.)")
APPLY_PASS = re.compile(r"(?m)^(Apply complete!)")
CREATE = re.compile(r"^ *# (.*) will be created$")
UPDATE = re.compile(r"^ *# (.*) will be updated in-place$")
DELETE = re.compile(r"^ *# (.*) will be destroyed$")
REPLACE = re.compile(r"^ *# (.*?)(?: is tainted, so)? must be replaced$")
REPLACE_ASKED = re.compile(r"^ *# (.*?) will be replaced, as requested$")
REPLACE_TRIGGERED = re.compile(r"^ *# (.*?) will be replaced due to changes in replace_triggered_by$")
MOVE = re.compile(r"^ *# (.*?) has moved to (.*?)$")
IMPORT = re.compile(r"^ *# (.*?) will be imported$")


def found(pattern, text):
    """What a pattern finds, line by line."""
    return [
        match.groups() if len(match.groups()) > 1 else match[1]
        for line in text.splitlines()
        if (match := pattern.match(line))
    ]


@pytest.fixture(scope="module")
def applied(tmp_path_factory):
    """An applied project, and what its apply said."""
    project = Project(tmp_path_factory.mktemp("tfcmt"))
    project.write("specs/encodes.yaml", ladder_spec())
    return project, project.apply().ok().out


def test_an_apply_that_worked(applied):
    """It passes, and nothing in it looks like an error."""
    _, out = applied

    assert APPLY_PASS.search(out)
    assert PLAN_PASS.search(out)
    assert [] == [pattern for pattern in (FAIL, WARNING, DESTROY) if pattern.search(out)]


def test_a_plan_without_changes(applied):
    """No changes is no changes."""
    out = applied[0].run("plan", "--detail").ok().out

    assert NO_CHANGES.search(out)
    assert PLAN_PASS.search(out)


def test_a_plan_of_everything(applied, tmp_path):
    """Created, replaced, updated and moved outputs are found, each by its address; nothing is destroyed."""
    project = Project(tmp_path / "p")
    shutil.copytree(applied[0].folder, project.folder)
    project.write(
        "specs/encodes.yaml",
        f"""\
version: 1
project: test
presets:
  big: {tiny(20)}
  small: {{extends: big, video: {{height: 64, crf: 33}}}}
encodes:
  clip:
    source: "{generated()}"
    labels: {{team: web}}
    outputs: {{big: big, renamed: small, new: {{extends: big, video: {{crf: 44}}}}}}
""",
    )
    out = project.run("plan", "--detail").ok().out

    assert ["clip/new"] == found(CREATE, out)
    assert ["clip/big"] == found(REPLACE, out)
    assert [("clip/small", "clip/renamed")] == found(MOVE, out)
    assert [] == [
        each for pattern in (DELETE, IMPORT, REPLACE_ASKED, REPLACE_TRIGGERED) for each in found(pattern, out)
    ]
    assert [] == [pattern for pattern in (FAIL, NO_CHANGES, DESTROY) if pattern.search(out)]
    project.write("specs/encodes.yaml", ladder_spec().replace("    outputs", "    labels: {team: web}\n    outputs"))
    assert ["clip/big", "clip/small"] == found(UPDATE, project.run("plan", "--detail").ok().out)


def test_runs_that_fail(applied, tmp_path):
    """A broken spec, a refused and a failed apply have an Error line, and are never complete."""
    project = Project(tmp_path / "p")
    shutil.copytree(applied[0].folder, project.folder)
    project.write("specs/encodes.yaml", ladder_spec(crf=20))
    refused = project.run("apply", "--auto-approve", "--max-jobs", "0")
    project.write("m/broken.mov", "this is no video")
    project.write("specs/more.yaml", f"encodes: {{b: {{source: m/broken.mov, outputs: {{x: {tiny()}}}}}}}\n")
    failed = project.apply()
    project.write("specs/more.yaml", "encodes: {b: {source: m/broken.mov, outputs: [nothing]}}\n")
    broken = project.run("plan")

    for result in (refused, failed, broken):
        text = result.out + result.err
        assert (True, False) == (bool(FAIL.search(text)), bool(APPLY_PASS.search(text)))
    assert WARNING.search(refused.out)
