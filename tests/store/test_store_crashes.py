"""What a crash, an interrupt or a full disk leaves of the state: always a true one."""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path

import pytest

from builders_state import PROJECT, addresses, copied, holder, known, noon, put, state
from reconciler.core.errors import StateError
from reconciler.core.state import Approval
from reconciler.store import journal, snapshot
from reconciler.store.store import Writer, journal_path, read

TESTS = Path(__file__).parent.parent


def test_what_a_killed_writer_recorded_is_folded_in(tmp_path):
    """After kill -9 readers see all of it, and the next writer makes a snapshot of it."""
    process = holder(state(tmp_path), TESTS, records=3)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not state(tmp_path).exists()
    assert 3 == read(state(tmp_path), PROJECT).snapshot.records["a/held"].rev

    Writer(state(tmp_path), PROJECT).close()
    assert 3 == snapshot.read(state(tmp_path), PROJECT).records["a/held"].rev
    assert not journal_path(state(tmp_path)).exists()


def test_every_byte_that_a_kill_may_leave_is_a_true_state(tmp_path):
    """Killed at any byte of the journal: the state is that of the whole lines, and the next writer goes on from it."""
    writer = Writer(state(tmp_path), PROJECT, now=noon)
    put(writer, "a/1", "a/2", "a/3")
    content = journal_path(state(tmp_path)).read_bytes()
    writer.close()
    state(tmp_path).unlink()
    for size in range(0, len(content) + 1, 3):
        journal_path(state(tmp_path)).write_bytes(content[:size])
        whole = max(0, content[:size].count(b"\n") - 1)
        loaded = read(state(tmp_path), PROJECT)
        assert [f"a/{number + 1}" for number in range(whole)] == list(loaded.snapshot.records)
        assert bool(size and content[size - 1] != 10) == bool(loaded.warnings)
        with Writer(state(tmp_path), PROJECT) as recovering:
            put(recovering, "a/next")
        assert whole + 1 == len(snapshot.read(state(tmp_path), PROJECT).records)
        state(tmp_path).unlink()


def test_a_torn_line_is_warned_of(tmp_path):
    """What a crash cut off is named, with its file."""
    writer = Writer(state(tmp_path), PROJECT)
    put(writer, "a/1")
    torn = copied(tmp_path, "torn")
    writer.close()
    with journal_path(torn).open("ab") as file:
        file.write(b'{"event": "wri')

    assert [f"{journal_path(torn)}: the last line is cut off, as a crash leaves it"] == [
        warning.partition(";")[0] for warning in read(torn, PROJECT).warnings
    ]
    with Writer(torn, PROJECT) as writer:
        assert 1 == len(writer.warnings)
        put(writer, "a/2")
    assert (["a/1", "a/2"], ()) == (addresses(torn), read(torn, PROJECT).warnings)


def test_a_crash_between_snapshot_and_journal_is_harmless(tmp_path):
    """The snapshot is replaced, the journal still there: folding it in again changes nothing, removals included."""
    with Writer(state(tmp_path), PROJECT) as writer:
        put(writer, "a/1", "a/2")
        writer.record("moved", records={"a/3": known(1)}, removed={"a/1": 2})
        writer.record("approved", approved={"p": Approval("now", ("x",))})
        crashed = copied(tmp_path, "crashed")
    shutil.copy(state(tmp_path), crashed)
    before = crashed.stat().st_mtime_ns

    assert ["a/2", "a/3"] == addresses(crashed)
    Writer(crashed, PROJECT).close()
    assert before == crashed.stat().st_mtime_ns
    assert not journal_path(crashed).exists()


def test_a_crash_while_the_snapshot_is_written_is_harmless(tmp_path):
    """A half-written temporary file is no state; the next writer removes it."""
    with Writer(state(tmp_path), PROJECT) as writer:
        put(writer, "a/1")
        crashed = copied(tmp_path, "crashed")
    (crashed.parent / ".encodes.json.abcd.tmp").write_bytes(b'{"format": ')
    assert ["a/1"] == addresses(crashed)
    Writer(crashed, PROJECT).close()

    assert {"encodes.json", ".lock"} == {each.name for each in crashed.parent.iterdir()}


def test_an_error_inside_keeps_what_was_recorded(tmp_path):
    """A writer that ends by an exception makes its snapshot all the same."""
    with pytest.raises(RuntimeError):
        record_and_fail(state(tmp_path))

    assert ["a/1"] == list(snapshot.read(state(tmp_path), PROJECT).records)
    Writer(state(tmp_path), PROJECT).close()


def record_and_fail(path):
    """A command that records something and then meets an error."""
    with Writer(path, PROJECT) as writer:
        put(writer, "a/1")
        raise RuntimeError


def test_a_snapshot_that_cannot_be_written_keeps_journal_and_frees_the_lock(tmp_path):
    """If the state file cannot be replaced everything is still in the journal."""
    writer = Writer(state(tmp_path), PROJECT)
    put(writer, "a/1")
    state(tmp_path).mkdir()
    (state(tmp_path) / "in the way").write_text("")
    with pytest.raises(StateError, match="the state cannot be written"):
        writer.close()
    shutil.rmtree(state(tmp_path))

    assert ["a/1"] == addresses(state(tmp_path))
    Writer(state(tmp_path), PROJECT).close()
    assert ["a/1"] == list(snapshot.read(state(tmp_path), PROJECT).records)


def test_a_first_crash_keeps_its_project(tmp_path):
    """Where only a journal is left, a command that reads no specs takes the project from it."""
    process = holder(state(tmp_path), TESTS, records=1)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert PROJECT == read(state(tmp_path), "").snapshot.project
    with Writer(state(tmp_path), "") as writer:
        put(writer, "a/2")

    assert PROJECT == snapshot.read(state(tmp_path), "").project


def test_an_interrupt_inside_a_write_leaves_a_whole_line_or_none(tmp_path):
    """Ctrl-C at any moment of a record call: state and journal agree, and the next event is whole."""
    numbers = iter(range(10_000))
    with Writer(state(tmp_path), PROJECT) as writer:
        put(writer, "a/0")
        for lines in range(1, 120):
            interrupted = interrupt_after(lines, lambda: put(writer, f"b/{next(numbers)}"))
            put(writer, f"c/{lines}")
            assert list(writer.snapshot.records) == addresses_in_journal(tmp_path)
            if not interrupted:
                break
    assert not interrupted, "the last one ran through, so every line was tried"
    assert 20 < lines


def interrupt_after(lines, action):
    """Run `action` until it has run so many lines of Python, then raise KeyboardInterrupt; whether that came."""
    left = lines

    def trace(frame, what, _):
        nonlocal left
        left -= what == "line" and "reconciler/store" in frame.f_code.co_filename
        if left == 0:
            left = -1
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def addresses_in_journal(tmp_path):
    """The addresses in the order of the journal's lines."""
    return [next(iter(each.records)) for each in journal.read(journal_path(state(tmp_path)), PROJECT).events]


def test_a_full_disk_says_so_and_loses_nothing(small_disk):
    """When the disk is full the event is refused, all earlier ones stay readable, and space lets it go on."""
    path, filler = small_disk / "state/encodes.json", small_disk / "filler"
    writer = Writer(path, PROJECT)
    put(writer, "a/1")
    fill(filler)
    long = {"a/2": known(1, error="x" * 20_000)}
    with pytest.raises(StateError, match="No space left on device"):
        writer.record("written", records=long)
    with pytest.raises(StateError, match="the state cannot be written: No space left on device"):
        writer.close()
    assert ["a/1"] == addresses(path)

    filler.unlink()
    with Writer(path, PROJECT) as writer:
        writer.record("written", records=long)
    assert (["a/1", "a/2"], ()) == (addresses(path), read(path, PROJECT).warnings)


def fill(path):
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
