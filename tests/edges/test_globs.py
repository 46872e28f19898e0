"""What a glob finds, and where it does not go."""

from __future__ import annotations

import pytest

from builders_specs import encode, load, problems, write
from reconciler.edges.globs import Glob
from reconciler.edges.spec_texts import Folders

TREE = ("m/a.mov", "m/b.mp4", "m/in/c.mov", "m/in/deep/d.mov", "m/.hidden.mov", "m/.h/e.mov", "top.mov")


def project(folder):
    """A project with some files."""
    return write(folder / "project", dict.fromkeys(TREE, ""))


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("m/*", {"m/a.mov", "m/b.mp4"}),
        ("./m/*.mov", {"m/a.mov"}),
        ("*.mov", {"top.mov"}),
        ("**", {"m/a.mov", "m/b.mp4", "m/in/c.mov", "m/in/deep/d.mov", "top.mov"}),
        ("**/*.mov", {"m/a.mov", "m/in/c.mov", "m/in/deep/d.mov", "top.mov"}),
        ("**/in/**/*.mov", {"m/in/c.mov", "m/in/deep/d.mov"}),
        ("m/*/*.mov", {"m/in/c.mov"}),
        ("m/.*", {"m/.hidden.mov"}),
        ("m/[ab].*", {"m/a.mov", "m/b.mp4"}),
        ("*/in/c.mov", {"m/in/c.mov"}),
        ("m/a.mov", {"m/a.mov"}),
        ("m/a.mov/*", set()),
        ("none/*", set()),
        ("", set()),
        ("m/\0*/x", set()),
    ],
)
def test_what_a_pattern_matches(pattern, found, tmp_path):
    """Each part stands for names in one folder, `**` for any folders; what is hidden has to be meant."""
    assert found == Glob(pattern, Folders(project(tmp_path))).files


def test_links_in_a_circle_are_not_followed(tmp_path):
    """`**` goes into no linked folder."""
    folder = project(tmp_path)
    for name in ("a", "b"):
        (folder / "m" / name).symlink_to(".")
    assert {"m/a.mov", "m/in/c.mov", "m/in/deep/d.mov"} == Glob("m/**/*.mov", Folders(folder)).files


def test_a_link_into_the_project_or_a_media_root_is_entered(tmp_path):
    """A linked folder that is named, or matched by a wildcard, counts as what it leads to."""
    folder, media = project(tmp_path), write(tmp_path / "media", {"x.mov": ""})
    (folder / "near").symlink_to("m/in")
    (folder / "far").symlink_to(media)
    found = Glob("*/*.mov", Folders(folder, (media,)))
    assert {"far/x.mov", "m/a.mov", "near/c.mov"} == found.files
    assert {"far/x.mov"} == Glob("far/*", Folders(folder, (media,))).files
    assert {f"{media}/x.mov"} == Glob(f"{media}/*", Folders(folder, (media,))).files


@pytest.mark.parametrize("pattern", ["d/*/*.mov", "d/root/**/*.mov", "*/root/*"])
def test_a_link_out_of_the_project_is_one_problem(pattern, tmp_path):
    """What lies behind it is not looked at, and not named."""
    outside = write(tmp_path / "outside", {"secret.mov": "", "in/other.mov": ""})
    folder = write(
        tmp_path / "project",
        {"specs/a.yaml": encode(f"for_each: {{glob: '{pattern}'}}\nsource: x.mov\noutputs: [web-720p]"), "d/x": ""},
    )
    (folder / "d" / "root").symlink_to(outside)
    found = [problem for problem in problems(folder) if "leads out" in problem.message]
    assert 1 == len(found)
    assert "root" in found[0].message
    assert "secret" not in found[0].message


def test_a_deep_pattern_passes_links_to_the_whole_disk(tmp_path):
    """A link to everything costs nothing, since `**` does not go in."""
    body = "for_each: {glob: '**/*.mov'}\nsource: ${each.value.path}\noutputs: [web-720p]"
    write(tmp_path, {"specs/a.yaml": encode(body), "d/x.mov": ""})
    (tmp_path / "d" / "root").symlink_to("/")
    assert ["a/x/web-720p"] == [output.address for output in load(tmp_path).desired.outputs]


def test_a_search_has_an_end(tmp_path):
    """More entries than a search may look at are told, not searched."""
    folders = Folders(project(tmp_path))
    assert (True, False) == (Glob("**", folders, most=5).stopped, Glob("**", folders, most=50).stopped)
