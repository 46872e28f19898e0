"""Local sources: where they may lie, and what is told of those that are not there."""

from __future__ import annotations

import pytest

from builders_specs import HEAD, WEB, encode, load, problems, source, write
from reconciler.core.errors import SpecError

FAN_OUT = "for_each: [a, b, c, d, e, f, g, h]\nsource: masters/${each.key}.mov\noutputs: [web-720p]"


def test_a_missing_source_is_no_error_by_itself(tmp_path):
    """A plan may be made where the masters are not: what is missing is told only to those who ask."""
    write(tmp_path, {"specs/a.yaml": source("masters/a.mov")})
    loaded = load(tmp_path)
    assert ["a/web-720p"] == [output.address for output in loaded.desired.outputs]
    assert {"a"} == loaded.missing
    loaded.require_sources([])
    loaded.require_sources(["b"])
    with pytest.raises(SpecError) as caught:
        loaded.require_sources(["a"])
    [problem] = caught.value.problems
    assert ("masters/a.mov is not there", "specs/a.yaml:10:13") == (problem.message, str(problem.place))
    assert ("masters/ is not there either.",) == problem.hints
    assert "    source: masters/a.mov" == caught.value.texts["specs/a.yaml"][9]


def test_missing_sources_can_be_problems_like_others(tmp_path):
    """With require_sources they are told together with everything else, in order."""
    text = source("masters/a.mov") + "    protct: true\n"
    write(tmp_path, {"specs/a.yaml": text, "masters/b.mov": ""})
    found = [problem.message for problem in problems(tmp_path, require_sources=True)]
    assert ["masters/a.mov is not there", 'unknown key "protct"'] == found
    assert ['unknown key "protct"'] == [problem.message for problem in problems(tmp_path)]


def test_a_long_fan_out_is_told_in_short(tmp_path):
    """Of many missing sources of one encode five are named and the others counted."""
    write(tmp_path, {"specs/a.yaml": encode(FAN_OUT)})
    loaded = load(tmp_path)
    assert {f"a/{key}" for key in "abcdefgh"} == loaded.missing
    with pytest.raises(SpecError) as caught:
        loaded.require_sources()
    messages = [problem.message for problem in caught.value.problems]
    assert "masters/e.mov is not there" == messages[4]
    assert ["3 more sources are not there"] == messages[5:]


def test_only_the_asked_members_of_a_fan_out_count(tmp_path):
    """A plan asks for the members that it encodes."""
    write(tmp_path, {"specs/a.yaml": encode(FAN_OUT), "masters/b.mov": ""})
    loaded = load(tmp_path)
    loaded.require_sources(["a/b"])
    with pytest.raises(SpecError, match=r"masters/c\.mov is not there"):
        loaded.require_sources(["a/b", "a/c"])


def test_the_near_miss_is_named(tmp_path):
    """A file of nearly that name is suggested, also in the project folder itself; else what is there is listed."""
    write(tmp_path, {"specs/a.yaml": source("keynot.mov"), "keynote.mov": "", "m/x.mov": ""})
    [problem] = problems(tmp_path, require_sources=True)
    assert ('Did you mean "keynote.mov"?',) == problem.hints
    write(tmp_path, {"specs/a.yaml": source("m/keynote.mov")})
    [problem] = problems(tmp_path, require_sources=True)
    assert ("Paths are relative to the project folder. In m/: x.mov.",) == problem.hints


def test_symlinks_stay_inside(tmp_path):
    """A source that leads out of the project through a symlink, of file or folder, is refused even if it is there."""
    (tmp_path / "a.mov").write_text("")
    folder = write(tmp_path / "project", {"m/c.mov": ""})
    (folder / "m/a.mov").symlink_to(tmp_path / "a.mov")
    (folder / "m/b.mov").symlink_to("c.mov")
    (folder / "n").symlink_to(tmp_path)
    for path, messages in {
        "m/a.mov": ["m/a.mov leads out of the project folder"],
        "n/a.mov": ["n/a.mov leads out of the project folder"],
    }.items():
        write(folder, {"specs/a.yaml": source(path)})
        assert messages == [problem.message for problem in problems(folder)]
    write(folder, {"specs/a.yaml": source("m/b.mov")})
    assert not load(folder).missing


def test_media_roots_open_folders(tmp_path):
    """An absolute path, or a symlink, may lead into a media root and nowhere else; it is the identity."""
    media = tmp_path / "media"
    folder = write(tmp_path / "project", {"specs/a.yaml": source(f"{media}/a.mov")})
    write(media, {"a.mov": ""})
    assert [f'"{media}/a.mov" lies outside the project folder'] == [problem.message for problem in problems(folder)]
    loaded = load(folder, media_roots=[media])
    assert not loaded.missing
    assert f"{media}/a.mov" == loaded.desired.outputs[0].source.identity
    write(folder, {"specs/a.yaml": source(f"{media}/../other/a.mov")})
    assert 1 == len(problems(folder, media_roots=[media]))
    write(folder, {"specs/a.yaml": source("linked/a.mov")})
    (folder / "linked").symlink_to(media)
    assert "linked/a.mov" == load(folder, media_roots=[media]).desired.outputs[0].source.identity
    assert ["linked/a.mov leads out of the project folder"] == [problem.message for problem in problems(folder)]


def test_a_glob_finds_masters(tmp_path):
    """A glob fans out over files; `${each.value.path}` is the file's path, hidden files and folders are left out."""
    text = (
        HEAD
        + WEB
        + "encodes:\n  a:\n    for_each: {glob: 'm/*'}\n    source: ${each.value.path}\n    outputs: [web-720p]\n"
    )
    write(tmp_path, {"specs/a.yaml": text, "m/b.mov": "", "m/c.2.mp4": "", "m/.d.mov": "", "m/e/f.mov": ""})
    loaded = load(tmp_path)
    found = {output.address: output.source.identity for output in loaded.desired.outputs}
    assert {"a/b/web-720p": "m/b.mov", "a/c.2/web-720p": "m/c.2.mp4"} == found
    assert not loaded.missing


def test_a_glob_that_finds_nothing_is_an_empty_fan_out(tmp_path):
    """Whether that is a mistake depends on the state, so it is only noted."""
    text = encode("for_each: {glob: 'm/*.mov'}\nsource: m/${each.key}.mov\noutputs: [web-720p]")
    write(tmp_path, {"specs/a.yaml": text})
    desired = load(tmp_path).desired
    assert ((), ("a",)) == (desired.outputs, desired.empty)


def test_a_file_name_that_cannot_be_a_name(tmp_path):
    """A found file whose name cannot be in an address is told at the glob."""
    text = encode("for_each: {glob: 'm/*.mov'}\nsource: m/${each.key}.mov\noutputs: [web-720p]")
    write(tmp_path, {"specs/a.yaml": text, "m/My Film.mov": ""})
    [problem] = problems(tmp_path)
    assert ('"My Film" cannot be a name: it holds a space', "specs/a.yaml:10:22") == (
        problem.message,
        str(problem.place),
    )
