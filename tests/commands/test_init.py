"""`init` and `schema`: the first minute of a project."""

from __future__ import annotations

import json

import pytest

from builders_commands import Desk
from reconciler.views.first_spec import attributes, first_spec, ignored, name_from


def test_a_first_project_works_at_once(tmp_path):
    """`init` writes a spec, the schema beside it and .gitignore; plan works right after."""
    made = Desk(tmp_path / "talks-site")
    made.folder.mkdir()
    out = made.run("init").ok().out

    assert (
        """\
Wrote specs/encodes.yaml
Wrote specs/.encodes.schema.json
Wrote .gitignore
Wrote .gitattributes

So that git merges states of two branches record by record, once in every clone:
  git config merge.reconciler-state.driver "reconciler state merge %O %A %B %P"

To see what would be encoded: reconciler plan
"""
        == out
    )
    assert """\
# yaml-language-server: $schema=.encodes.schema.json
version: 1
project: talks-site
encodes:
  first:
    source: lavfi:testsrc2=size=1280x720:rate=25:duration=5[out0];sine=frequency=440:sample_rate=48000:duration=5[out1]
    outputs: [720p-h264, 480p-h264]
""" == (made.folder / "specs/encodes.yaml").read_text()
    assert "Plan: 2 to encode (2 new, 0 rerun), 0 to retire.\n" in made.run("plan").ok().out
    assert "Success! The specs are valid" in made.run("validate").ok().out


def test_init_overwrites_nothing(tmp_path):
    """A second init, and one over files of others, changes nothing that is there."""
    made = Desk(tmp_path)
    made.write("specs/deep/own.yml", "version: 1\nproject: own\n")
    made.write(".gitignore", "node_modules/\n/outputs/")
    made.write(".gitattributes", "*.mov filter=lfs")
    made.run("init").ok()

    assert ["deep"] == [path.name for path in (tmp_path / "specs").iterdir() if not path.name.startswith(".")]
    text = (tmp_path / ".gitignore").read_text()
    assert text.startswith("node_modules/\n/outputs/\n\n# reconciler: ")
    assert 1 == text.count("outputs/")
    made.write("specs/.encodes.schema.json", "{}")
    out = made.run("init").ok().out
    assert "Wrote" not in out
    assert "Left alone: specs/, which has specs already (specs/deep/own.yml)\n" in out
    assert "reconciler schema > specs/.encodes.schema.json" in out.replace("\n  ", " ")
    assert "{}" == (tmp_path / "specs/.encodes.schema.json").read_text()
    assert text == (tmp_path / ".gitignore").read_text()
    assert "*.mov filter=lfs\nstate/encodes.json merge=reconciler-state\n" == (tmp_path / ".gitattributes").read_text()


def test_init_with_a_clip(tmp_path):
    """The clip becomes the source and names the encode; a sound file gets a sound preset."""
    made = Desk(tmp_path)
    made.write("masters/Big Buck: Bunny.mov", "not really")
    made.run("init", "masters/Big Buck: Bunny.mov").ok()

    assert (
        '  Big-Buck-Bunny:\n    source: "masters/Big Buck: Bunny.mov"\n'
        in (tmp_path / "specs/encodes.yaml").read_text()
    )
    assert "2 to encode" in made.run("plan").ok().out
    (tmp_path / "specs/encodes.yaml").unlink()
    made.run("init", "https://cdn.example.com/audio/talk.mp3").ok()
    assert "  + talk/audio-aac  aac 128k" in made.run("plan").ok().out


@pytest.mark.parametrize(
    ("clip", "said"),
    [
        ("missing.mov", "there is no such file"),
        ("../outside.mov", "lies outside this folder"),
        ("link.mov", "lies outside this folder"),
        ("https://x.example/a.mp4?X-Amz-Signature=S&X-Amz-Algorithm=a&X-Amz-Credential=c", "this URL is signed"),
        ("https://me:secret@x.example/a.mp4", "credentials never stand in specs"),
        ("https://", "names no host"),
    ],
)
def test_clips_that_a_spec_cannot_hold(tmp_path, clip, said):
    """What is missing, outside or secret is refused with what to do, and nothing is written."""
    made = Desk(tmp_path / "project")
    made.folder.mkdir()
    (tmp_path / "outside.mov").write_text("x")
    (tmp_path / "project/link.mov").symlink_to(tmp_path / "outside.mov")
    result = made.run("init", clip)

    assert (64, True) == (result.code, said in result.err)
    assert "secret" not in result.err
    assert ["link.mov"] == [path.name for path in (tmp_path / "project").iterdir()]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("talks-site", "talks-site"),
        ("My-Tälks-site", "My Tälks: site"),
        ("映画", "映画"),
        ("hidden", ".hidden-"),
        ("otherwise", "..."),
        ("otherwise", ""),
        ("é", "e\u0301"),
        ("a" * 100, "a" * 300),
    ],
)
def test_names_from_folders(name, text):
    """Any folder or file gives a name that specs accept."""
    assert name == name_from(text, "otherwise")


def test_texts_in_a_first_spec_are_read_back_as_they_are(tmp_path):
    """Sources and names that YAML or references would read otherwise are quoted."""
    import yaml

    for text in ("a: b", "${env.X}", "true", "12", "a #b", "-x", "'q'", '"', "日本/a b.mov", "x:"):
        document = yaml.safe_load(first_spec("p", "e", text, ["720p-h264"]))
        assert text.replace("${", "$${") == document["encodes"]["e"]["source"]


def test_ignored_lines_are_added_once():
    """Lines that are there, with or without a slash before them, are not added again."""
    once = ignored("")

    assert once == ignored(once)
    assert 1 == ignored("/outputs/\n").count("outputs/")


def test_attributes_are_added_once():
    """A line of the user's about merging the state stands, whatever it says."""
    once = attributes("", "state/encodes.json")

    assert "state/encodes.json merge=reconciler-state\n" == once
    assert once == attributes(once, "state/encodes.json")
    assert "/state/encodes.json merge=union\n" == attributes("/state/encodes.json merge=union\n", "state/encodes.json")


def test_init_writes_workflows_when_asked(tmp_path):
    """--workflow adds the three of them, named after the project; what is there stays."""
    made = Desk(tmp_path / "Talks: site")
    made.folder.mkdir()
    made.write(".github/workflows/reconciler-plan.yml", "mine")
    out = made.run("init", "--workflow").ok().out
    text = (made.folder / ".github/workflows/reconciler-apply.yml").read_text()

    assert "Wrote .github/workflows/reconciler-collect.yml\n" in out
    assert "Left alone: .github/workflows/reconciler-plan.yml, which is there already\n" in out
    assert "mine" == (made.folder / ".github/workflows/reconciler-plan.yml").read_text()
    assert "reconciler ci github approved --environment Talks-site\n" in text


def test_init_as_json(tmp_path):
    """Programs are told what was written and what was left alone."""
    made = Desk(tmp_path)

    assert ["specs/encodes.yaml", "specs/.encodes.schema.json", ".gitignore", ".gitattributes"] == made.json("init")[
        "written"
    ]
    assert 3 == len(made.json("init")["left_alone"])


def test_the_schema_is_what_init_writes(tmp_path):
    """`schema` prints a JSON Schema; the file beside the first spec says the same."""
    made = Desk(tmp_path)
    made.run("init").ok()
    schema = json.loads(made.run("schema").ok().out)

    assert "http://json-schema.org/draft-07/schema#" == schema["$schema"]
    assert schema == json.loads((tmp_path / "specs/.encodes.schema.json").read_text())


def test_init_writes_workflows_for_a_shared_state(tmp_path):
    """Where --state is a URL they keep the state there, and install what that takes; git needs no merge driver."""
    made = Desk(tmp_path)
    made.run("init", "--workflow", "--state", "gcs://states/talks/").ok()
    text = (made.folder / ".github/workflows/reconciler-apply.yml").read_text()

    assert 'RECONCILER_STATE: "gs://states/talks"' in text
    assert "GOOGLE_SERVICE_ACCOUNT_KEY: ${{ secrets.GOOGLE_SERVICE_ACCOUNT_KEY }}" in text
    assert '"encode-reconciler[cloud]==' in text
    assert not (tmp_path / ".gitattributes").exists()
