"""What a team sees from the first apply on: only what changed is encoded, and cosmetic edits cost nothing."""

from __future__ import annotations

import hashlib

import pytest

from builders_project import Project, generated, ladder_spec, tiny


@pytest.fixture
def project(tmp_path):
    """A project whose two outputs were applied."""
    made = Project(tmp_path)
    made.write("specs/encodes.yaml", ladder_spec())
    made.apply().ok()
    return made


def digests(project):
    """The content of every output."""
    root = project.folder / "outputs"
    return {name: hashlib.sha256((root / name).read_bytes()).hexdigest() for name in project.files()}


def no_changes(project):
    """Assert that a plan sees nothing to do, as a machine reads it."""
    result = project.run("plan", "--detailed-exitcode")
    assert (0, True) == (result.code, result.out.startswith("No changes.")), result.out + result.err


def test_plan_after_apply_is_empty(project):
    """After an apply the plan says No changes. and exits 0 with --detailed-exitcode."""
    no_changes(project)
    assert {"clip/big.mp4", "clip/small.mp4"} == set(project.files())


def test_a_second_apply_touches_nothing(project):
    """Applying again starts nothing and rewrites neither files nor state."""
    before = project.files(), (project.folder / "state/encodes.json").stat().st_mtime_ns
    project.apply().ok()

    assert before == (project.files(), (project.folder / "state/encodes.json").stat().st_mtime_ns)


def test_one_changed_number_reruns_one_rendition(project):
    """A changed crf shows as such, exits 2, and only the outputs that use it are encoded again."""
    files, contents = project.files(), digests(project)
    project.write("specs/encodes.yaml", ladder_spec(crf=28))
    plan = project.run("plan", "--detailed-exitcode")

    assert 2 == plan.code
    assert "video.crf: 30 -> 28" in plan.out
    assert "clip/small" not in plan.out
    assert "Plan: 1 to encode (0 new, 1 rerun), 0 to retire." in plan.out

    project.apply().ok()
    assert files["clip/small.mp4"] == project.files()["clip/small.mp4"]
    assert contents["clip/small.mp4"] == digests(project)["clip/small.mp4"]
    assert contents["clip/big.mp4"] != digests(project)["clip/big.mp4"]
    no_changes(project)


COSMETIC = {
    "comments and key order": f"""\
# a comment
encodes:
  clip:
    outputs: [small, big]   # another
    source: "{generated()}"
presets:
  small: {{video: {{crf: 33, height: 64}}, extends: big}}
  big:
    audio: {{bitrate: 64k, codec: aac}}
    video: {{preset: ultrafast, crf: 30, height: 96, codec: h264}}
    container: mp4
project: test
version: 1
""",
    "settings moved out of their preset": f"""\
version: 1
project: test
presets:
  sound: {{audio: {{codec: aac, bitrate: 64k}}}}
  fast: {{video: {{preset: ultrafast}}}}
encodes:
  clip:
    source: "{generated()}"
    outputs:
      big: {{extends: [sound, fast], container: mp4, video: {{codec: h264, height: 96, crf: 30}}}}
      small: {tiny(33).replace("96", "64")}
""",
    "units spelled differently": ladder_spec().replace("64k", "64000").replace("crf: 30", "crf: 30.0"),
    "neutral values spelled out": ladder_spec().replace("height: 96", "height: 96, avoid_upscaling: true"),
    "values in variables": "variables: {quality: 30}\n" + ladder_spec().replace("crf: 30", "crf: '${var.quality}'"),
}


@pytest.mark.parametrize("text", COSMETIC.values(), ids=COSMETIC.keys())
def test_cosmetic_edits_are_no_changes(project, text):
    """Comments, order, presets, units and variables are not changes."""
    project.write("specs/encodes.yaml", text)

    no_changes(project)


def test_renaming_a_spec_file_is_no_change(project):
    """Where a spec stands does not matter."""
    (project.folder / "specs/sub").mkdir()
    (project.folder / "specs/encodes.yaml").rename(project.folder / "specs/sub/other.yml")

    no_changes(project)


def test_renaming_an_encode_moves_its_files(project):
    """A renamed encode is a free Move: same bytes under the new name, nothing encoded."""
    contents = digests(project)
    project.write("specs/encodes.yaml", ladder_spec(name="film"))
    plan = project.run("plan", "--detailed-exitcode")

    assert (2, True) == (plan.code, "Plan: 0 to encode" in plan.out)
    project.apply().ok()
    assert {name.replace("clip/", "film/"): digest for name, digest in contents.items()} == digests(project)
    no_changes(project)


def test_outputs_that_swap_their_settings_swap_their_files(project):
    """Two outputs that exchange their presets exchange their files; nothing is encoded."""
    before = digests(project)
    project.write("specs/encodes.yaml", ladder_spec().replace("[big, small]", "{big: small, small: big}"))
    assert "Plan: 0 to encode" in project.run("plan").out
    project.apply().ok()

    assert before["clip/big.mp4"] == digests(project)["clip/small.mp4"]
    assert before["clip/small.mp4"] == digests(project)["clip/big.mp4"]
    assert digests(project) == {
        record["output"]["path"].removeprefix("outputs/"): record["output"]["sha256"]
        for record in project.records().values()
    }
    no_changes(project)


def test_removing_an_output_retires_it_and_declaring_it_again_is_free(project):
    """A removed output keeps its file; declaring it again encodes nothing."""
    before = project.files()
    project.write("specs/encodes.yaml", ladder_spec().replace("[big, small]", "[big]"))
    assert "1 to retire." in project.run("plan").out
    project.apply().ok()
    assert ("retired", before) == (project.records()["clip/small"]["status"], project.files())

    project.write("specs/encodes.yaml", ladder_spec())
    assert "Plan: 0 to encode" in project.run("plan").out
    project.apply().ok()
    assert before == project.files()
    no_changes(project)


def test_a_changed_container_leaves_one_file(project):
    """Another container replaces the file; the old extension does not stay behind."""
    project.write("specs/encodes.yaml", ladder_spec().replace("extends: big, ", "extends: big, container: mkv, "))
    project.apply().ok()

    assert {"clip/big.mp4", "clip/small.mkv"} == set(project.files())
    no_changes(project)


def test_an_approved_id_lets_just_that_plan_through(project):
    """--expect refuses another plan with exit 5 and starts nothing; the right id goes through."""
    project.write("specs/encodes.yaml", ladder_spec(crf=28))
    approved = plan_id(project.run("plan").out)
    project.write("specs/encodes.yaml", ladder_spec(crf=27))
    before = project.files()
    refused = project.run("apply", "--expect", approved)

    assert (5, before) == (refused.code, project.files())
    assert approved in refused.err
    assert 0 == project.run("apply", "--expect", plan_id(project.run("plan").out)).code


def test_a_saved_plan_is_applied_as_saved(project):
    """Plan --out and apply FILE; applying the same file again has nothing left to do."""
    project.write("specs/encodes.yaml", ladder_spec(crf=28))
    project.run("plan", "--out", "plan.json").ok()
    project.run("apply", "plan.json").ok()
    no_changes(project)
    project.run("apply", "plan.json").ok()

    project.write("specs/encodes.yaml", ladder_spec(crf=26))
    assert 5 == project.run("apply", "plan.json").code


def test_without_a_terminal_an_apply_needs_approval(project):
    """No terminal and no approval: exit 1, the ways out are named, nothing starts."""
    project.write("specs/encodes.yaml", ladder_spec(crf=28))
    result = project.run("apply")

    assert 1 == result.code
    assert "--auto-approve" in result.err
    assert "--expect" in result.err


def test_protected_outputs_refuse_the_apply(project):
    """A protected output is not rerun: exit 4, and --allow rerun:ADDR lets it through."""
    project.write("specs/encodes.yaml", ladder_spec().replace("    outputs:", "    protect: true\n    outputs:"))
    project.apply().ok()
    project.write("specs/encodes.yaml", ladder_spec(crf=28).replace("    outputs:", "    protect: true\n    outputs:"))
    refused = project.apply()

    assert (4, True) == (refused.code, "--allow rerun:clip/big" in refused.err + refused.out)
    assert 0 == project.apply("--allow", "rerun:clip/big").code


def plan_id(text):
    """The id that a plan prints."""
    return text.partition("Plan id: ")[2].split()[0]
