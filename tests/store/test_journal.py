"""The journal: what it takes, what a crash leaves of it, what is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from builders_state import PROJECT, event, known
from reconciler.core.errors import StateError
from reconciler.store import journal

EVENTS = (
    event("intended", records={"a/1": known(1, "submitted")}),
    event("published", records={"a/1": known(2), "ä/ö": known(1)}),
    event("moved", records={"a/2": known(1)}, removed={"a/1": 3}),
)


def header(project=PROJECT):
    """The first line of a journal."""
    return journal.new_header(project, "me@here, pid 1", "2026-01-02T03:04:05Z")


def written(path, events=EVENTS, project=PROJECT):
    """A journal with these events; its bytes."""
    appender = journal.Appender(path, header(project), 0)
    for each in events:
        appender.append(each)
    appender.close()
    return path.read_bytes()


def test_events_come_back_as_they_were_written(tmp_path):
    """What is appended is read again, in order."""
    written(tmp_path / "j")

    assert EVENTS == journal.read(tmp_path / "j", PROJECT).events


def test_no_journal_has_no_events(tmp_path):
    """A journal that is not there is not torn and holds nothing."""
    assert journal.Read() == journal.read(tmp_path / "j", PROJECT)


def test_every_event_is_one_line(tmp_path):
    """The header and each event take a line of JSON, whatever is in them."""
    content = written(tmp_path / "j", [event("note", records={"a/1": known(1, error="one\ntwo\r\n")})])

    assert 2 == content.count(b"\n")
    assert b"\r" not in content


def test_a_line_that_is_cut_anywhere_is_dropped_alone(tmp_path):
    """Killed at every byte of every write: whole lines are kept, the torn one is left out and noted as torn."""
    content = written(tmp_path / "whole")
    ends = [place + 1 for place, byte in enumerate(content) if byte == 10]
    for size in range(len(content) + 1):
        found = journal.decode(content[:size], Path("j"), PROJECT)
        lines = sum(end <= size for end in ends)

        assert EVENTS[: max(0, lines - 1)] == found.events
        assert (size not in {0, *ends}) == found.torn
        assert max([0, *(end for end in ends if end <= size)]) == found.whole


def test_appending_cuts_a_torn_line_off(tmp_path):
    """After a crash at any byte the next event stands on a line of its own, behind those that were whole."""
    content, path = written(tmp_path / "whole"), tmp_path / "j"
    for size in range(0, len(content), 7):
        path.write_bytes(content[:size])
        before = journal.read(path, PROJECT)
        appender = journal.Appender(path, header(), before.whole)
        appender.append(EVENTS[0])
        appender.close()

        assert (*before.events, EVENTS[0]) == journal.read(path, PROJECT).events
        assert not journal.read(path, PROJECT).torn


@pytest.mark.parametrize("rest", [b"\0" * 40, b"\0" * 40 + b'"}\n', b'cords":{}}\n'])
def test_a_last_line_that_the_disk_garbled_is_torn(tmp_path, rest):
    """A power cut may keep the end of a line without its beginning: that line was never acted on."""
    content = written(tmp_path / "j")
    found = journal.decode(content + rest, tmp_path / "j", PROJECT)

    assert (EVENTS, len(content), True) == (found.events, found.whole, found.torn)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda lines: [lines[0], b"garbage", *lines[2:]], 2),
        (lambda lines: [lines[0], b"", *lines[1:]], 2),
        (lambda lines: [*lines[:2], b'{"event": 1, "at": ""}', *lines[2:]], 3),
        (lambda lines: [*lines, b'{"event": "x", "at": "", "from_the_future": 1}'], 5),
        (lambda lines: [*lines[:2], b'\xff\xfe{"', *lines[2:]], 3),
        (lambda lines: [b"garbage", *lines[1:]], 1),
        (lambda lines: [b"garbage"], 1),
        (lambda lines: [b'{"format":"something else","version":1,"project":"test"}', *lines[1:]], 1),
        (lambda lines: [lines[0].replace(b'"version":1', b'"version":2'), *lines[1:]], 1),
        (lambda lines: [lines[0].replace(b'"test"', b'"other"'), *lines[1:]], 1),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_left_alone(tmp_path, change, line):
    """Garbage before the end, another version and another project are refused with FILE:LINE, nothing rewritten."""
    path = tmp_path / "j"
    content = b"".join(each + b"\n" for each in change(written(path).splitlines()))
    path.write_bytes(content)
    with pytest.raises(StateError) as raised:
        journal.read(path, PROJECT)

    assert str(raised.value).startswith(f"{path}:{line}:1: ")
    assert content == path.read_bytes()


def test_any_project_is_taken_where_none_is_asked_for(tmp_path):
    """Without a project the journal says which it is of."""
    written(tmp_path / "j", project="films")

    assert "films" == journal.read(tmp_path / "j", "").project


def test_a_folder_in_its_place_is_an_error(tmp_path):
    """What cannot be opened or made is a StateError with its path."""
    (tmp_path / "j").mkdir()
    with pytest.raises(StateError, match=f"{tmp_path}/j: the journal cannot be read"):
        journal.read(tmp_path / "j", PROJECT)
    with pytest.raises(StateError, match=f"{tmp_path}/j: the journal cannot be written"):
        journal.Appender(tmp_path / "j", header(), 0)


def test_the_file_is_closed_on_exec(tmp_path):
    """An ffmpeg that outlives its parent does not keep the journal open."""
    appender = journal.Appender(tmp_path / "j", header(), 0)
    listing = subprocess.run(["ls", "-l", "/proc/self/fd"], capture_output=True, text=True, close_fds=False, check=True)
    appender.close()

    assert str(tmp_path) not in listing.stdout


def test_an_open_journal_knows_when_it_was_replaced(tmp_path):
    """Appending leaves it in place; removing it, and writing another, does not."""
    path = tmp_path / "j"
    written(path)
    with journal.OpenJournal(path) as opened:
        assert opened.in_place()
        path.write_bytes(path.read_bytes() + b"{")
        assert opened.in_place()
        path.unlink()
        assert not opened.in_place()
        written(path)
        assert not opened.in_place()


def test_a_full_disk_loses_nothing(small_disk):
    """A disk that is full while a line is written: a StateError says so, every earlier line is there, none is torn."""
    path, lines = small_disk / "j", 0
    appender = journal.Appender(path, header(), 0)
    said = append_long(appender)
    while not said:
        lines += 1
        said = append_long(appender)
    found = journal.read(path, PROJECT)

    assert "the journal cannot be written: No space left on device" in said
    assert 10 < lines
    assert (lines, False) == (len(found.events), found.torn)
    appender.append(event("short"))
    appender.close()
    assert lines + 1 == len(journal.read(path, PROJECT).events)


def append_long(appender):
    """Append an event of three kilobytes; the error with which that failed, if it did."""
    try:
        appender.append(event(records={"a/1": known(1, error="x" * 3000)}))
    except StateError as error:
        return str(error)
    return ""
