"""The state file: its text, its backups, and what is refused."""

from __future__ import annotations

import json
import os

import pytest

from builders import output, record
from builders_state import PROJECT, known, snapshot
from reconciler.core.errors import StateError
from reconciler.core.state import Approval, JobRecord, empty
from reconciler.store.snapshot import encode, read, write


def state(tmp_path, content=None):
    """A written state file of two records, or of this text."""
    path = tmp_path / "state/encodes.json"
    write(path, snapshot(a__1=known(1), b__2=known(2)))
    if content is not None:
        path.write_bytes(content)
    return path


def refused(path, project=PROJECT):
    """The message with which a state is refused; it must still be the same file then."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StateError) as raised:
        read(path, project)
    assert before == (path.read_bytes() if path.is_file() else None)
    return str(raised.value)


def test_no_file_is_an_empty_state(tmp_path):
    """A project in which nothing was ever applied has no records."""
    assert empty(PROJECT) == read(tmp_path / "encodes.json", PROJECT)


def test_a_state_comes_back_as_it_was_written(tmp_path):
    """Everything that a record can hold survives the disk."""
    full = record(
        output("ä/720p"), job=JobRecord(id="j", seconds=1.5, pid=7, pid_started=2.25), notes=("one",), labels={"k": "v"}
    )
    whole = snapshot(x__1=full)
    whole.approved["7f3a"] = Approval(at="2026-01-02T03:04:05Z", lines=("encode x/1 ff",))
    write(tmp_path / "encodes.json", whole)

    assert whole == read(tmp_path / "encodes.json", PROJECT)


def test_the_text_is_sorted_and_one_field_a_line(tmp_path):
    """A changed field of one record is one changed line: git shows and merges it."""
    one = encode(snapshot(b__1=known(1), a__1=known(1))).splitlines()
    two = encode(snapshot(a__1=known(1), b__1=known(1, "failed"))).splitlines()

    assert [b'      "status": "complete"'] == [
        old.rstrip(b",") for old, new in zip(one, two, strict=True) if old != new
    ]
    assert ["a/1", "b/1"] == list(json.loads(b"\n".join(one))["records"])
    assert encode(snapshot()).endswith(b"}\n")


def test_names_are_readable_as_they_are():
    """Addresses in any script stand in the file as people write them."""
    assert "ä/ö".encode() in encode(snapshot(ä__ö=known(1)))


def test_writing_the_same_state_twice_gives_the_same_bytes():
    """The order in which records came does not show."""
    assert encode(snapshot(a__1=known(1), b__1=known(1))) == encode(snapshot(b__1=known(1), a__1=known(1)))


def test_the_replaced_state_becomes_a_backup(tmp_path):
    """Ten numbered backups are kept, the newest with the highest number."""
    path = tmp_path / "encodes.json"
    for rev in range(1, 14):
        write(path, snapshot(a__1=known(rev)))
    backups = sorted((tmp_path / "backups").iterdir())

    assert [f"encodes.{number:04}.json" for number in range(3, 13)] == [backup.name for backup in backups]
    assert 12 == read(backups[-1], PROJECT).records["a/1"].rev


def test_an_edit_in_place_leaves_the_backup_alone(tmp_path):
    """A backup is a file of its own: what truncates the state does not truncate it."""
    path = tmp_path / "encodes.json"
    write(path, snapshot(a__1=known(1)))
    write(path, snapshot(a__1=known(2)))
    os.truncate(path, 5)

    assert 1 == read(tmp_path / "backups/encodes.0001.json", PROJECT).records["a/1"].rev


def test_what_killed_writers_left_is_swept(tmp_path):
    """Temporary files of a writer that was killed go with the next write; others stay."""
    path = tmp_path / "encodes.json"
    (tmp_path / ".encodes.json.k3jh.tmp").write_bytes(b"half")
    (tmp_path / ".other.json.k3jh.tmp").write_bytes(b"mine")
    write(path, snapshot())

    assert {"encodes.json", ".other.json.k3jh.tmp"} == {each.name for each in tmp_path.iterdir()}


def test_a_truncated_state_is_refused_at_every_length(tmp_path):
    """Cut anywhere: the place, the ways back (git, the newest backup), and the file untouched."""
    path = state(tmp_path)
    write(path, snapshot(a__1=known(1), b__2=known(3)))
    content = path.read_bytes()
    for size in range(0, len(content) - 2, 5):
        path.write_bytes(content[:size])
        message = refused(path)

        assert message.startswith(f"{path}:")
        assert f"git checkout {path}" in message
        assert "backups/encodes.0001.json" in message


def test_a_truncated_state_is_placed_where_it_ends(tmp_path):
    """Line and column lead to the end of what is there."""
    content = encode(snapshot(a__1=known(1)))
    line, column = content[:60].count(b"\n") + 1, 60 - content.rfind(b"\n", 0, 60)
    message = refused(state(tmp_path, content[:60]))

    assert f"encodes.json:{line}:" in message
    assert 1 <= int(message.split(":")[2]) <= column


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "encodes.json:1:1: the state cannot be read"),
        (b"[]", "encodes.json:1:1: the state cannot be read"),
        (b'{"format": "\xff"}', "encodes.json:1:13: the state cannot be read: not UTF-8 text"),
        (b'{"records": ' + b"[" * 50_000, "encodes.json:1:1: the state cannot be read"),
        (b'{"format": "terraform"}', 'encodes.json:1:1: this is no state of reconciler: its "format" is "terraform"'),
        (b"{}", "encodes.json:1:1: this is no state of reconciler"),
    ],
)
def test_what_is_no_state_is_refused(tmp_path, content, words):
    """Anything that is not a state is named as such, with its place."""
    assert words in refused(state(tmp_path, content))


def test_a_newer_version_is_refused(tmp_path):
    """A state of a newer version is never rewritten, and what can read it is said."""
    content = encode(snapshot()).replace(b'"version": 1', b'"version": 2')
    message = refused(state(tmp_path, content))

    assert "encodes.json:1:1: the state is of version 2, this reconciler reads version 1" in message
    assert "Use the reconciler that wrote it, or a newer one" in message


def test_another_project_is_refused(tmp_path):
    """A state of another project is not taken for this one's."""
    message = refused(state(tmp_path), "films")

    assert 'the state belongs to project "test", the specs say project "films"' in message
    assert "--state" in message


def test_any_project_is_taken_where_none_is_asked_for(tmp_path):
    """Commands that read no specs take the state as it is."""
    assert "test" == read(state(tmp_path), "").project


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'"rev": 2', b'"rev": "two"', "expected int, got str, at records.b/2.rev"),
        (b'"rev": 2', b'"rev": 2, "from_the_future": 1', "records.b/2"),
        (b'"status": "complete"', b'"status": "shiny"', "records.a/1.status"),
    ],
)
def test_a_wrong_value_is_named_with_its_record(tmp_path, old, new, words):
    """The message says of which record the value is, and the line leads there."""
    content = encode(snapshot(a__1=known(1), b__2=known(2))).replace(old, new, 1)
    message = refused(state(tmp_path, content))
    line = int(message.split(":")[1])

    assert words in message
    assert line <= content[: content.find(new)].count(b"\n") + 1
    assert 1 < line


def test_an_unfinished_merge_is_called_that(tmp_path):
    """Conflict markers of git are what people will have in their state one day."""
    lines = encode(snapshot(a__1=known(1))).splitlines(keepends=True)
    content = b"".join([*lines[:3], b"<<<<<<< HEAD\n", *lines[3:]])

    assert "encodes.json:4:1: the state cannot be read: a merge of git is not finished here" in refused(
        state(tmp_path, content)
    )


def test_a_folder_in_its_place_is_an_error(tmp_path):
    """What cannot be opened is a StateError with its path."""
    (tmp_path / "encodes.json").mkdir()

    assert f"{tmp_path}/encodes.json: the state cannot be read: Is a directory" in refused(tmp_path / "encodes.json")


def test_what_cannot_be_written_says_that_nothing_is_lost(tmp_path):
    """A folder that cannot be made is a StateError, not a traceback."""
    (tmp_path / "state").write_text("a file")
    with pytest.raises(StateError, match="the state cannot be written: ") as raised:
        write(tmp_path / "state/encodes.json", snapshot())

    assert "Nothing is lost" in str(raised.value)
