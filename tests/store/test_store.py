"""Reading the state without the lock, and writing it with the lock."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path, PosixPath

import pytest

from builders_state import PROJECT, addresses, copied, known, names, put, state
from reconciler.core.errors import LockedError, StateError
from reconciler.store import snapshot
from reconciler.store.store import Writer, journal_path, read

TESTS = Path(__file__).parent.parent

# Moves one record around for ever: whoever reads must always find exactly one, with both numbers equal.
MOVER = """\
import sys
from pathlib import Path, PosixPath
from reconciler.store.store import Writer
from builders_state import known
state = Path(sys.argv[1])
for round in range(int(sys.argv[2])):
    with Writer(state, "test") as writer:
        for step in range(3):
            (old,) = writer.snapshot.records or ("a/0",)
            new = "a/%d" % (int(old[2:]) + 1)
            number = str(int(old[2:]) + 1)
            record = known(writer.next_rev(new), error=number)
            removed = {old: writer.next_rev(old)} if old in writer.snapshot.records else {}
            writer.record("moved", records={new: record}, removed=removed)
"""


def test_nothing_recorded_leaves_no_state(tmp_path):
    """A writer that records nothing makes neither state nor journal nor backup."""
    Writer(state(tmp_path), PROJECT).close()

    assert {".lock"} == names(tmp_path)


def test_a_closed_writer_leaves_a_snapshot_and_no_journal(tmp_path):
    """After close the state file holds everything, sorted, and the journal is gone."""
    with Writer(state(tmp_path), PROJECT) as writer:
        put(writer, "b/1", "a/1")

    assert ["a/1", "b/1"] == list(snapshot.read(state(tmp_path), PROJECT).records)
    assert {"encodes.json", ".lock"} == names(tmp_path)


def test_an_unchanged_state_is_not_rewritten(tmp_path):
    """A writer that changes nothing leaves the file and its time alone, and makes no backup."""
    with Writer(state(tmp_path), PROJECT) as writer:
        put(writer, "a/1")
    before = state(tmp_path).stat()
    with Writer(state(tmp_path), PROJECT):
        pass

    assert (before.st_ino, before.st_mtime_ns) == (state(tmp_path).stat().st_ino, state(tmp_path).stat().st_mtime_ns)
    assert not (tmp_path / "state/backups").exists()


def test_a_recorded_event_is_seen_at_once(tmp_path):
    """Readers without the lock see an event as soon as it is recorded, and write nothing."""
    with Writer(state(tmp_path), PROJECT) as writer:
        put(writer, "a/1")
        before = names(tmp_path)
        assert ["a/1"] == addresses(state(tmp_path))
        assert before == names(tmp_path)


def test_revs_count_on_over_removals(tmp_path):
    """next_rev grows with records and removals alike."""
    with Writer(state(tmp_path), PROJECT) as writer:
        assert 1 == writer.next_rev("a/1")
        put(writer, "a/1", "a/1")
        assert 3 == writer.next_rev("a/1")
        writer.record("removed", removed={"a/1": 3})
        assert 4 == writer.next_rev("a/1")
        assert {} == writer.snapshot.records


def test_a_rev_that_is_not_new_is_refused(tmp_path):
    """An event that folding would skip is a mistake, and never silently lost."""
    with Writer(state(tmp_path), PROJECT) as writer:
        put(writer, "a/1")
        with pytest.raises(ValueError, match="event written: no new rev for a/1"):
            writer.record("written", records={"a/1": known(1)})
        with pytest.raises(ValueError, match="no new rev for a/1"):
            writer.record("removed", removed={"a/1": 1})
    assert 1 == len(read(state(tmp_path), PROJECT).snapshot.records)


def test_closing_twice_touches_nothing_of_the_next_writer(tmp_path):
    """A second close neither removes the journal nor frees the lock of whoever came after."""
    first = Writer(state(tmp_path), PROJECT)
    first.close()
    second = Writer(state(tmp_path), PROJECT)
    put(second, "a/1")
    first.close()

    assert journal_path(state(tmp_path)).exists()
    with pytest.raises(LockedError):
        Writer(state(tmp_path), PROJECT)
    with pytest.raises(ValueError, match="closed"):
        put(first, "a/2")
    second.close()


def test_the_lock_is_free_after_a_state_that_cannot_be_read(tmp_path):
    """A writer that refuses a state does not hold it, and changes nothing."""
    state(tmp_path).parent.mkdir()
    state(tmp_path).write_text("{")
    for _ in range(2):
        with pytest.raises(StateError):
            Writer(state(tmp_path), PROJECT)

    assert "{" == state(tmp_path).read_text()


def test_a_journal_of_another_project_is_refused(tmp_path):
    """A snapshot of one project and a journal of another are never folded together."""
    with Writer(state(tmp_path), "films") as writer:
        put(writer, "a/1")
        foreign = copied(tmp_path, "foreign")
    with Writer(foreign.with_name("other.json"), PROJECT) as writer:
        put(writer, "a/1")
    foreign.with_name("other.json").replace(foreign)
    for project in (PROJECT, ""):
        with pytest.raises(StateError, match='belongs to project "films"'):
            read(foreign, project)


def test_threads_may_record_at_once(tmp_path):
    """Events of several threads are all there, each on its line."""
    with Writer(state(tmp_path), PROJECT) as writer:
        parts = [[f"{thread}/{number}" for number in range(50)] for thread in range(4)]
        threads = [threading.Thread(target=put, args=(writer, *part)) for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(address for part in parts for address in part) == addresses(state(tmp_path))


def meanwhile(path, happens):
    """The path of a state to which something happens between the opening of its journal and its own reading, once."""
    waiting = [happens]

    class StatePath(PosixPath):
        def read_bytes(self):
            while waiting:
                waiting.pop()()
            return super().read_bytes()

    return StatePath(path)


@pytest.mark.parametrize("journal_at_first", [True, False])
def test_two_writers_may_come_and_go_within_one_read(tmp_path, journal_at_first):
    """What one writer records and the next one removes is not brought back by a journal that was opened before."""
    first = Writer(state(tmp_path), PROJECT)
    if journal_at_first:
        put(first, "a/1")

    def finish():
        put(first, "a/1", "a/2")
        first.close()
        with Writer(state(tmp_path), PROJECT) as second:
            second.record("removed", removed={"a/1": second.next_rev("a/1")})

    assert ["a/2"] == addresses(meanwhile(state(tmp_path), finish))


def test_a_writer_may_finish_within_one_read(tmp_path):
    """A journal that is folded into the snapshot while a reader holds it open gives that same state."""
    writer = Writer(state(tmp_path), PROJECT)
    put(writer, "a/1", "a/2")

    def finish():
        writer.record("removed", removed={"a/1": 2})
        writer.close()

    assert ["a/2"] == addresses(meanwhile(state(tmp_path), finish))


def test_readers_always_see_a_true_state(tmp_path):
    """While another process writes, closes and starts again, a reader finds exactly one record, whole."""
    process = subprocess.Popen([sys.executable, "-c", MOVER, str(state(tmp_path)), "60"], cwd=TESTS)
    reads, seen = 0, []
    while process.poll() is None:
        for address, record in read(state(tmp_path), PROJECT).snapshot.records.items():
            assert address == f"a/{record.error}"
            seen.append(int(record.error))
        assert reads == 0 or len(read(state(tmp_path), PROJECT).snapshot.records) <= 1
        reads += 1

    assert 0 == process.returncode
    assert ["a/180"] == addresses(state(tmp_path))
    assert sorted(seen) == seen
    assert 10 < len(set(seen))


def test_a_reader_is_not_held_up_by_a_busy_writer(tmp_path):
    """Events that come faster than a state is read keep no reader waiting, and each read is newer."""
    stop, revs = threading.Event(), [0]
    with Writer(state(tmp_path), PROJECT) as writer:
        put(writer, "a/1")
        thread = threading.Thread(target=lambda: [put(writer, "a/1") for _ in iter(stop.is_set, True)])
        thread.start()
        while len(set(revs)) < 20:
            revs.append(read(state(tmp_path), PROJECT).snapshot.records["a/1"].rev)
        stop.set()
        thread.join()

    assert sorted(revs) == revs


def test_a_held_lock_is_waited_for(tmp_path):
    """A writer with a timeout gets the state that the one before it left."""
    first = Writer(state(tmp_path), PROJECT)
    put(first, "a/1")
    with Writer(state(tmp_path), PROJECT, timeout=5, sleep=lambda _: first.close()) as second:
        assert ["a/1"] == list(second.snapshot.records)
