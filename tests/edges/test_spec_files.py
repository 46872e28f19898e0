"""Spec files as they lie in a project folder: found, read, guarded, and told of when they cannot be."""

from __future__ import annotations

import gc
import os

import pytest

from builders_specs import HEAD, ONE, URL, WEB, encode, load, problems, write
from reconciler.core.errors import SpecError

GOOD = HEAD + WEB + ONE


def _messages(folder, **options):
    return [problem.message for problem in problems(folder, **options)]


def test_all_files_below_the_folder_are_one(tmp_path):
    """Presets, encodes and the project's name may stand in any file, whatever its folder and ending."""
    write(tmp_path, {"specs/p/presets.yml": WEB, "specs/z.yaml": HEAD, "specs/p/q/encodes.yaml": ONE})
    desired = load(tmp_path).desired
    assert ["a/web-720p"] == [output.address for output in desired.outputs]
    assert ("specs/p/presets.yml", "specs/p/q/encodes.yaml", "specs/z.yaml") == desired.files


def test_other_files_are_left_alone(tmp_path):
    """Hidden files, and files that do not end in .yaml or .yml, are no specs."""
    write(tmp_path, {"specs/a.yaml": GOOD, "specs/.b.yaml": "{", "specs/README.md": "{", "specs/.git/c.yaml": "{"})
    assert ("specs/a.yaml",) == load(tmp_path).desired.files


def test_one_file_may_be_named(tmp_path):
    """--specs may name a file."""
    write(tmp_path, {"one.yaml": GOOD, "specs/a.yaml": "{"})
    assert ("one.yaml",) == load(tmp_path, "one.yaml").desired.files


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    """What Windows editors put before UTF-8 changes nothing, not even the columns of problems."""
    write(tmp_path, {"specs/a.yaml": ""})
    (tmp_path / "specs/a.yaml").write_bytes(b"\xef\xbb\xbfprojekt: a\n")
    [problem, _] = problems(tmp_path)
    assert ('unknown key "projekt"', "specs/a.yaml:1:1") == (problem.message, str(problem.place))


def test_utf16_is_told(tmp_path):
    """A file of another encoding is named, with what to do."""
    write(tmp_path, {"specs/a.yaml": ""})
    (tmp_path / "specs/a.yaml").write_text(GOOD, encoding="utf-16")
    [problem] = problems(tmp_path)
    assert ("specs/a.yaml is UTF-16", ("Save it as UTF-8.",)) == (problem.message, problem.hints)


def test_a_byte_that_is_no_utf8_has_a_place(tmp_path):
    """Latin-1 is told at the letter that gives it away."""
    write(tmp_path, {"specs/a.yaml": ""})
    (tmp_path / "specs/a.yaml").write_bytes("project: é\nencodes: {Ü".encode() + b"\xe9: 1}\n")
    [problem] = problems(tmp_path)
    assert ("a byte that is no UTF-8 (0xe9)", "specs/a.yaml:2:12") == (problem.message, str(problem.place))


def test_an_empty_file_beside_others_is_fine(tmp_path):
    """A file of comments declares nothing, which is no mistake where others do."""
    write(tmp_path, {"specs/a.yaml": GOOD, "specs/b.yaml": "# later\n", "specs/c.yaml": ""})
    assert 1 == len(load(tmp_path).desired.outputs)


def test_an_empty_file_alone_is_told(tmp_path):
    """Nothing but an empty file is a mistake, and the file is named."""
    write(tmp_path, {"specs/a.yaml": "\n"})
    [problem] = problems(tmp_path)
    assert ("nothing is written in this file", "specs/a.yaml:1:1") == (problem.message, str(problem.place))


def test_a_file_of_50_mb_is_not_read(tmp_path):
    """A file over the limit is refused by its size, which is told with the limit."""
    write(tmp_path, {"specs/a.yaml": GOOD, "specs/b.yaml": ""})
    os.truncate(tmp_path / "specs/b.yaml", 50_000_000)
    [problem] = problems(tmp_path)
    assert "specs/b.yaml has 50.0 MB, the most is 4 MB" == problem.message
    assert "for_each: {file: names.csv}" in problem.hints[0]


def test_a_limit_of_ones_own(tmp_path):
    """The limit is a parameter."""
    write(tmp_path, {"specs/a.yaml": GOOD})
    assert ["specs/a.yaml has 0.0 MB, the most is 0.0001 MB"] == _messages(tmp_path, largest=100)


def test_an_alias_bomb_is_refused(tmp_path):
    """Aliases of aliases stop where they would fill the memory, at the alias that does."""
    bomb = "x0: &x0 [1,1,1,1,1,1,1,1,1,1]\n"
    bomb += "".join(f"x{n}: &x{n} [{','.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 30))
    write(tmp_path, {"specs/a.yaml": bomb})
    [problem] = problems(tmp_path)
    assert "aliases make this file grow to more than 200,000 values" == problem.message
    assert ("specs/a.yaml", 6) == (problem.place.file, problem.place.line)


def test_a_bomb_of_variables_is_refused(tmp_path):
    """Variables of variables stop at a length."""
    lines = "".join(f"  v{n}: ${{var.v{n - 1}}}${{var.v{n - 1}}}\n" for n in range(1, 60))
    write(tmp_path, {"specs/a.yaml": f"{HEAD}variables:\n  v0: lol\n{lines}"})
    assert "longer than 10,000 characters once it is filled in" in _messages(tmp_path)


def test_deep_nesting_is_refused(tmp_path):
    """A tower of brackets is told, not climbed."""
    write(tmp_path, {"specs/a.yaml": "a: " + "[" * 10_000})
    assert ["nested more than 50 levels deep"] == _messages(tmp_path)


def test_a_number_without_end_is_no_bitrate(tmp_path):
    """Numbers that would take for ever to compute are told like any other wrong value."""
    endless = "9" * 5000
    said = f"{{container: mp4, video: {{codec: h264, bitrate: {endless}, fps: '1e999999999'}}, audio: {{codec: none}}}}"
    write(tmp_path, {"specs/a.yaml": encode(f"source: {URL}\noutputs:\n  x: {said}")})
    assert ['"1e999999999" is not a frame rate', '"inf" is not a bitrate'] == sorted(_messages(tmp_path))


def test_a_flood_of_values_is_refused(tmp_path):
    """A file of nothing but values stops before it fills the memory."""
    write(tmp_path, {"specs/a.yaml": "a: [" + "1," * 700_000 + "]"})
    assert ["more than 600,000 values in one file"] == _messages(tmp_path)


def test_a_flood_of_problems_is_counted(tmp_path):
    """Of very many problems the first are told and the others counted."""
    encodes = "".join(f"  e{n}: 5\n" for n in range(250))
    write(tmp_path, {"specs/a.yaml": f"{HEAD}encodes:\n{encodes}"})
    messages = _messages(tmp_path)
    assert (201, "and 50 more problems") == (len(messages), messages[-1])


def test_a_named_pipe_is_not_waited_for(tmp_path):
    """Something that is no regular file is refused at once."""
    write(tmp_path, {"specs/a.yaml": GOOD})
    os.mkfifo(tmp_path / "specs/b.yaml")
    assert ["specs/b.yaml is no regular file"] == _messages(tmp_path)


def test_a_file_that_cannot_be_read(tmp_path):
    """What the system says is told, with the file."""
    write(tmp_path, {"specs/a.yaml": GOOD})
    (tmp_path / "specs/b.yaml").symlink_to("b.yaml")
    assert 1 == len(_messages(tmp_path))
    assert _messages(tmp_path)[0].startswith("specs/b.yaml cannot be read: ")


def test_a_spec_does_not_leave_the_project(tmp_path):
    """A symlink out of the project is refused unread, so that no excerpt can show what is there."""
    (tmp_path / "secret.yaml").write_text("password: {")
    folder = write(tmp_path / "project", {"specs/a.yaml": GOOD})
    (folder / "specs/b.yaml").symlink_to(tmp_path / "secret.yaml")
    (folder / "specs/c").symlink_to(tmp_path)
    with pytest.raises(SpecError) as caught:
        load(folder)
    assert ["specs/b.yaml leads out of the project folder", "specs/c leads out of the project folder"] == sorted(
        problem.message for problem in caught.value.problems
    )
    assert {} == caught.value.texts


def test_a_linked_folder_inside_is_read_once(tmp_path):
    """A symlink within the project is followed, a circle of them is not."""
    write(tmp_path, {"specs/a.yaml": HEAD + ONE, "shared/p.yaml": WEB})
    (tmp_path / "specs/shared").symlink_to(tmp_path / "shared")
    (tmp_path / "shared/again").symlink_to(tmp_path / "shared")
    assert ("specs/a.yaml", "specs/shared/p.yaml") == load(tmp_path).desired.files


def test_no_folder_and_no_file(tmp_path):
    """Where there are no specs, the way to some is told."""
    [problem] = problems(tmp_path)
    assert ("there is no folder specs/ with specs", True) == (problem.message, "reconciler init" in problem.hints[0])
    write(tmp_path, {"specs/notes.txt": ""})
    [problem] = problems(tmp_path)
    assert ("there is no spec file in specs/", True) == (problem.message, "reconciler init" in problem.hints[0])


def test_problems_of_all_files_come_together(tmp_path):
    """A syntax error in one file hides nothing in the others; they come by file and line, with the lines shown."""
    write(
        tmp_path,
        {
            "specs/a.yaml": HEAD + "presets: [\n",
            "specs/b.yaml": "encodes:\n  x: {source: r2://a/b, outputs: [720p-h264], protct: true}\n",
            "specs/c.yaml": "variables: {a: 1}\nvariabls: {}\n",
            "specs/d.yaml": WEB,
        },
    )
    with pytest.raises(SpecError) as caught:
        load(tmp_path)
    found = [(str(problem.place), problem.message) for problem in caught.value.problems]
    assert [
        ("specs/a.yaml:3:11", 'a "{" or "[" that is never closed'),
        ("specs/b.yaml:2:15", "r2:// sources cannot be read"),
        ("specs/b.yaml:2:47", 'unknown key "protct"'),
        ("specs/c.yaml:2:1", 'unknown key "variabls"'),
    ] == found
    assert ["specs/a.yaml", "specs/b.yaml", "specs/c.yaml"] == sorted(caught.value.texts)
    assert "variabls: {}" == caught.value.texts["specs/c.yaml"][1]
    assert 4 == caught.value.files


def test_names_of_an_unread_file_are_not_called_unknown(tmp_path):
    """What may be declared in a file that cannot be read is not told as unknown."""
    text = "encodes:\n  a: {source: '${var.x}', outputs: [mine], provider: farm}\n"
    write(tmp_path, {"specs/a.yaml": "{", "specs/b.yaml": text})
    assert ['a "{" or "[" that is never closed'] == _messages(tmp_path, variables={"y": "1"})


def test_a_wrong_preset_is_told_once(tmp_path):
    """What is wrong with a preset is told at the preset, not at each of its users."""
    users = "".join(f"  e{n}: {{source: {URL}, outputs: [p]}}\n" for n in range(50))
    text = f"{HEAD}presets:\n  p: {{container: webm, video: {{codec: h264, crf: 23}}, audio: {{codec: opus}}}}\n"
    write(tmp_path, {"specs/a.yaml": f"{text}encodes:\n{users}"})
    [problem] = problems(tmp_path)
    assert ("webm cannot hold h264", "presets.p.video.codec") == (problem.message, problem.path)
    assert "Used by encodes.e0.outputs.p." == problem.hints[-1]


def test_no_query_and_no_password_in_messages(tmp_path):
    """Messages and hints never repeat what may be a credential."""
    secret = "https://me:hunter2@x.org/a.mp4?X-Amz-Signature=hunter2"
    said = f"{{container: mp4, video: {{codec: '{secret}', crf: 23}}, audio: {{codec: none}}}}"
    write(tmp_path, {"specs/a.yaml": encode(f"source: '{secret}'\noutputs:\n  x: {said}\nprovider: '{secret}'")})
    found = problems(tmp_path)
    assert 3 == len(found)
    assert not any("hunter2" in text for problem in found for text in (problem.message, *problem.hints))


def test_the_garbage_collector_is_left_as_it_was(tmp_path):
    """It is off while specs are read, and on again after, also after an error."""
    write(tmp_path, {"specs/a.yaml": GOOD})
    load(tmp_path)
    assert gc.isenabled()
    write(tmp_path, {"specs/a.yaml": "{"})
    assert 1 == len(problems(tmp_path))
    assert gc.isenabled()
    gc.disable()
    try:
        assert 1 == len(problems(tmp_path))
        assert not gc.isenabled()
    finally:
        gc.enable()
