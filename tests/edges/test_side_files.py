"""Files beside the specs that become part of outputs: their content counts, their names do not."""

from __future__ import annotations

import subprocess

import pytest

from builders_specs import HEAD, URL, fingerprints, one, outputs, problems, write
from reconciler.core.encode import Output
from reconciler.edges import revisions

MARKED = "{extends: 720p-h264, video: {watermark: {image: %s}}}"
BURNT = "{extends: 720p-h264, subtitles: {burn_in: %s}}"


def logo(folder, name="logos/logo.png", content=b"a"):
    """A file in the project."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return name


def spec(*said):
    """A spec whose encode `a` has these outputs."""
    lines = "".join(f"      {name}: {text}\n" for name, text in said)
    return f"encodes:\n  a:\n    source: {URL}\n    outputs:\n{lines}"


def complaints(folder, *said, **options):
    """What is wrong with these outputs, and the hints."""
    write(folder, {"specs/a.yaml": HEAD + spec(*said)})
    return [(each.message, each.hints) for each in problems(folder, **options)]


@pytest.mark.parametrize(
    ("form", "name", "field"),
    [
        (MARKED, "logos/logo.png", "video.watermark.image"),
        (BURNT, "talk.srt", "subtitles.burn_in"),
        ("{container: jpg, stills: {at: 1s, watermark: {image: %s}}}", "a.webp", "stills.watermark.image"),
    ],
)
def test_the_content_is_what_counts(tmp_path, form, name, field):
    """Other content is another output; another name, or place, is not. The manifest says so."""
    first = one(tmp_path, form % logo(tmp_path, name))
    other = one(tmp_path, form % logo(tmp_path, f"other/{name}"))
    changed = one(tmp_path, form % logo(tmp_path, name, b"b"))
    assert first.fingerprint == other.fingerprint != changed.fingerprint
    assert first.manifest[field] != changed.manifest[field]
    assert changed.manifest[field].startswith("sha256:3e23e8160039594a33894f6564e1b134")
    assert name in repr(changed.parameters)


def test_variants_have_their_own(tmp_path):
    """A package is another one when the image of one variant changes."""
    said = "{container: hls, video: {codec: h264, crf: 23}, audio: {codec: none}, variants: {a: {}, b: {video: {%s}}}}"
    text = said % f"height: 480, watermark: {{image: {logo(tmp_path)}}}"
    manifest = one(tmp_path, text).manifest
    assert "variants.b.video.watermark.image" in manifest
    assert "variants.a.video.watermark.image" not in manifest


def test_members_have_their_own(tmp_path):
    """A fan-out may name a file for each of its members."""
    for name in ("bbb", "tos"):
        logo(tmp_path, f"{name}.srt", name.encode())
    outputs_of = "      x: {extends: 720p-h264, subtitles: {burn_in: '${each.key}.srt'}}\n"
    text = f"encodes:\n  a:\n    for_each: [bbb, tos]\n    source: {URL}\n    outputs:\n{outputs_of}"
    found = outputs(tmp_path, text)
    assert isinstance(found["a/bbb/x"], Output)
    assert 2 == len({output.manifest["subtitles.burn_in"] for output in found.values()})


def test_what_is_not_there_is_told(tmp_path):
    """Once a line, with the near miss, or with the folder that is not there."""
    logo(tmp_path)
    [(message, hints)] = complaints(tmp_path, ("x", MARKED % "logos/lgo.png"))
    assert ("logos/lgo.png is not there", 'Did you mean "logos/logo.png"?') == (message, hints[0])
    [(message, hints)] = complaints(tmp_path, ("x", BURNT % "none/a.srt"))
    assert ("none/a.srt is not there", "Its folder none/ is not there either.") == (message, hints[0])


def test_nothing_outside_the_project_is_read(tmp_path):
    """Neither by dots, nor by a link, nor by an absolute path, unless its folder is named."""
    project, outside = tmp_path / "project", tmp_path / "outside"
    logo(outside, "logo.png")
    project.mkdir()
    (project / "link.png").symlink_to(outside / "logo.png")
    for name in ("../outside/logo.png", "link.png", str(outside / "logo.png")):
        [(message, _)] = complaints(project, ("x", MARKED % name))
        assert f"{name} leads out of the project folder" == message
    assert fingerprints(project, spec(("x", MARKED % (outside / "logo.png"))), media_roots=[outside])


def test_only_files_are_taken(tmp_path):
    """No folder, no pipe that would be waited for."""
    (tmp_path / "a.png").mkdir()
    assert ["a.png is no regular file"] == [message for message, _ in complaints(tmp_path, ("x", MARKED % "a.png"))]


def test_huge_files_are_not_meant(tmp_path):
    """A master in the place of a logo is not read."""
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(65_000_000)
    assert ["a.png has 65.0 MB"] == [message for message, _ in complaints(tmp_path, ("x", MARKED % "a.png"))]


@pytest.mark.parametrize("said", [MARKED % "logo.gif", MARKED % "5", BURNT % "english", BURNT % "a.txt"])
def test_other_kinds_of_files_are_refused(tmp_path, said):
    """What may stand there is said."""
    [(message, hints)] = complaints(tmp_path, ("x", said))
    assert '" is no ' in message
    assert "in the project" in hints[0].lower()


def test_another_commit_has_its_own(tmp_path):
    """A comparison with a commit reads the files of that commit."""
    logo(tmp_path, content=b"then")
    for words in (("init", "-q"), ("add", "."), ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a")):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    logo(tmp_path, content=b"now")
    (tmp_path / "base").mkdir()
    revisions.lay_out(tmp_path, revisions.commit_of(tmp_path, "HEAD"), tmp_path / "base")
    assert b"then" == (tmp_path / "base/logos/logo.png").read_bytes()
