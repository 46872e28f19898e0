"""A state that several machines share, on a bucket in memory."""

from __future__ import annotations

import json
import shutil

import pytest

from builders_shared import URL, Careless, Failing, bucket, dies, job, machine
from builders_state import PROJECT, put
from reconciler.core.errors import LockedError, StateError
from reconciler.io.stores import NoConditionsError
from reconciler.store import shared as module
from reconciler.store import snapshot
from reconciler.store.store_lock import break_lock


@pytest.fixture(autouse=True)
def _project(tmp_path, monkeypatch):
    """The tests' folder is the project."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def store():
    """An empty bucket."""
    return bucket()


@pytest.fixture
def one(tmp_path, store):
    """A machine that uses it."""
    return machine(tmp_path, "one", store)


@pytest.fixture
def two(tmp_path, store):
    """Another one."""
    return machine(tmp_path, "two", store)


def content(store, name):
    """What an object of the state holds; None where there is none."""
    found = store.fetch(f"talks/{name}")
    return found[0] if found is not None else None


def test_nothing_recorded_leaves_nothing(one, store):
    """A writer that records nothing leaves no object, and no lock."""
    with one.writer():
        pass

    assert {} == store.list("talks")


def test_what_one_machine_records_another_one_reads(one, two, store):
    """After close the snapshot holds everything, sorted; lock and local journal are gone."""
    with one.writer() as writer:
        put(writer, "b/1", "a/1")

    assert ["a/1", "b/1"] == list(two.records())
    assert {"encodes.json", "encodes.journal.jsonl"} == set(store.list("talks"))
    assert not one.work.journal.exists()
    assert snapshot.decode(content(store, "encodes.json"), "here", PROJECT).records == two.records()


def test_an_unchanged_state_is_not_rewritten(one, two, store):
    """A writer that changes nothing replaces no object."""
    with one.writer() as writer:
        put(writer, "a/1")
    before = store.list("talks")
    with two.writer():
        pass

    assert before == store.list("talks")


def test_a_quiet_state_is_read_with_two_requests(one, store):
    """Journal and snapshot, one request each, and no lock."""
    with one.writer() as writer:
        put(writer, "a/1")
    one.objects = Failing(store)
    one.read()

    assert [("fetch", "talks/encodes.journal.jsonl"), ("fetch", "talks/encodes.json")] == one.objects.asked


def test_the_lock_names_its_holder(one, two):
    """Who, since when, its id, and the command that breaks it."""
    with one.writer() as writer:
        with pytest.raises(LockedError) as caught:
            two.writer()
        assert 6 == caught.value.exit_code
        text = str(caught.value)
        assert text.startswith("state is locked by ")
        assert ", since 2026-01-02T12:00:00Z\n" in text
        assert f"reconciler --state {URL} state unlock {writer._there.id}" in text
    two.writer().close()


def test_a_held_lock_is_waited_for(one, two):
    """A writer with a timeout gets the state that the one before it left; without success it ends in time."""
    first = one.writer()
    put(first, "a/1")
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            first.close()

    with two.writer(timeout=10, sleep=sleep) as second:
        assert ["a/1"] == list(second.snapshot.records)
        pauses.clear()
        with pytest.raises(LockedError):
            one.writer(timeout=5, sleep=pauses.append)
    assert 5.0 == sum(pauses)


def test_two_processes_of_one_machine_exclude_each_other(one):
    """The second one reads who holds it, from the lock of this disk."""
    with one.writer(), pytest.raises(LockedError, match=r"state is locked by .+, pid \d+, since"):
        one.writer()


def test_a_killed_writer_is_found_by_its_own_machine(one, store):
    """The next writer of the same folder takes the dead one's lock over, with all that it had written here."""
    first = one.writer()
    put(first, "a/1", "a/2")
    dies(first)
    with one.writer() as second:
        assert ["a/1", "a/2"] == list(second.snapshot.records)

    assert ["a/1", "a/2"] == list(one.records())
    assert None is content(store, "encodes.lock")


def test_a_copy_of_a_work_folder_takes_no_lock_over(one, two):
    """Whoever holds the lock of the folder that it was copied from may be alive."""
    with one.writer():
        shutil.copytree(one.work.folder, two.work.folder)
        with pytest.raises(LockedError):
            two.writer()


def test_a_killed_writer_locks_other_machines_out_until_its_lock_is_broken(one, two):
    """By its id; another id breaks nothing."""
    first = one.writer()
    put(first, "a/1")
    dies(first)
    with pytest.raises(StateError, match=f"not locked by other, but by {first._there.id}"):
        break_lock(two.shared(), "other")
    with pytest.raises(LockedError):
        two.writer()
    break_lock(two.shared(), first._there.id)
    two.writer().close()


def test_what_was_recorded_before_a_start_survives_the_machine(one, two):
    """A start is in the store before `record` returns, with all that came before it; what came after is lost."""
    first = one.writer()
    put(first, "a/1")
    job(first, "b/1")
    put(first, "a/2")
    dies(first)
    break_lock(two.shared(), first._there.id)

    assert ["a/1", "b/1"] == list(two.records())
    with two.writer() as second:
        assert "job of b/1" == second.snapshot.records["b/1"].job.id
        assert 2 == second.next_rev("b/1")
    assert ["a/1", "b/1"] == list(two.records())
    assert ["a/1", "a/2", "b/1"] == list(one.records())


def test_readers_see_an_apply_that_is_under_way(one, two):
    """What is in the store so far, and everything on its own machine."""
    with one.writer() as writer:
        job(writer, "a/1")
        put(writer, "a/2")
        assert ["a/1"] == list(two.records())
        assert ["a/1", "a/2"] == list(one.records())
        assert "1 change that is not in the store yet" in one.read().warnings[0]
    assert () == one.read().warnings


def test_events_that_start_nothing_go_along_after_a_while(one, two):
    """Half a minute after the last time; a store that is away then stops nobody."""
    clock = [0.0]
    with one.writer(clock=lambda: clock[0]) as writer:
        put(writer, "a/1")
        assert [] == list(two.records())
        clock[0] = module.RESTING
        one.objects.create("talks/other", b"")
        put(writer, "a/2")
        assert ["a/1", "a/2"] == list(two.records())
        put(writer, "a/3")
        assert ["a/1", "a/2"] == list(two.records())


def test_a_store_that_is_away_stops_a_start_and_nothing_else(tmp_path, store, two):
    """What was recorded stays on the disk, the lock in the store; the next writer here brings all but that start."""
    one = machine(tmp_path, "one", Failing(store))
    writer = one.writer()
    put(writer, "a/1")
    one.objects.at, one.objects.long = len(one.objects.asked), 1000
    put(writer, "a/2")
    with pytest.raises(StateError, match=f"cannot be reached[^!]*{URL}"):
        job(writer, "b/1")
    with pytest.raises(StateError, match=r"What was recorded is kept in .*work; the next apply here brings it"):
        writer.close()
    with pytest.raises(LockedError):
        two.writer()
    one.objects.at = None
    assert ["a/1", "a/2"] == list(one.records())
    with one.writer() as again:
        assert ["a/1", "a/2"] == list(again.snapshot.records)
        assert () == again.warnings
    assert ["a/1", "a/2"] == list(two.records())


def test_what_was_left_here_joins_what_others_did_meanwhile(tmp_path, store, two):
    """Both machines' records are there; where both followed one job the later record counts."""
    one = machine(tmp_path, "one", Failing(store))
    with one.writer() as writer:
        put(writer, "a/1", "a/2")
    writer = one.writer()
    job(writer, "b/1")
    record = job(writer, "b/1", phase="started", status="complete")
    writer.record("removed", removed={"a/2": writer.next_rev("a/2")})
    one.objects.at, one.objects.long = len(one.objects.asked), 1000
    with pytest.raises(StateError):
        writer.close()
    one.objects.at = None
    break_lock(two.shared(), writer._there.id)
    with two.writer() as other:
        assert "submitted" == other.snapshot.records["b/1"].status
        put(other, "c/1")
        other.record("removed", removed={"a/1": other.next_rev("a/1")})
    with one.writer() as again:
        assert ["b/1", "c/1"] == list(again.snapshot.records)
        assert "complete" == again.snapshot.records["b/1"].status
    assert ["b/1", "c/1"] == list(two.records())
    assert record.job == two.records()["b/1"].job


def test_a_store_that_lost_everything_gets_back_what_a_machine_had_left(one, two, store):
    """An empty store is no wish to remove what this machine knew."""
    with one.writer() as writer:
        put(writer, "a/1", "a/2")
    writer = one.writer()
    put(writer, "a/1")
    dies(writer)
    for name in store.list("talks"):
        store.remove(f"talks/{name}")
    assert ["a/1", "a/2"] == list(one.records())
    one.writer().close()
    assert ["a/1", "a/2"] == list(two.records())


def test_what_contradicts_the_shared_state_is_kept_apart(one, two, tmp_path):
    """The shared record stays, a warning says where the other one is."""
    writer = one.writer()
    put(writer, "a/1", status="failed")
    dies(writer)
    break_lock(two.shared(), writer._there.id)
    with two.writer() as other:
        put(other, "a/1")
    with one.writer() as again:
        assert "complete" == again.snapshot.records["a/1"].status
        (warning,) = again.warnings
    kept = snapshot.read(one.work.folder / "kept.0001.json", PROJECT)
    assert ("failed", True) == (kept.records["a/1"].status, "a/1; ours is in" in warning)
    assert () == one.read().warnings


def test_a_broken_lock_is_noticed_before_a_start(one, two):
    """Whoever lost its lock to another writer starts nothing, overwrites nothing, and loses nothing."""
    first = one.writer()
    put(first, "a/1")
    break_lock(two.shared(), first._there.id)
    with two.writer() as second:
        job(second, "b/1")
        with pytest.raises(StateError, match="somebody else has written the state"):
            job(first, "c/1")
        with pytest.raises(StateError, match="the lock of this apply was broken"):
            first.close()
    assert ["b/1"] == list(two.records())
    with one.writer() as again:
        assert ["a/1", "b/1"] == list(again.snapshot.records)


def test_whoever_lost_the_lock_does_not_take_the_other_ones(one, two):
    """Its close leaves the lock of the one who came after."""
    first = one.writer()
    break_lock(two.shared(), first._there.id)
    with two.writer():
        first.close()
        with pytest.raises(LockedError):
            one.writer()


@pytest.mark.parametrize(
    ("creates", "swaps", "missing"),
    [
        (True, True, r'ignores "create only .*If-None-Match.* and "replace only this version" \(If-Match\)'),
        (True, False, r'ignores "create only if there is none" \(If-None-Match: \*\)\.'),
        (False, True, r'ignores "replace only this version" \(If-Match\)\.'),
    ],
)
def test_a_store_that_ignores_conditions_is_refused(tmp_path, store, creates, swaps, missing):
    """Named by what it lacks, before anything is recorded, each time; no lock is left there."""
    one = machine(tmp_path, "one", Careless(store, creates=creates, swaps=swaps))
    for _ in range(2):
        with pytest.raises(StateError, match=missing):
            one.writer()
    assert {} == store.list("talks")


def test_a_store_that_knows_no_conditions_is_refused(tmp_path, store):
    """It says so itself."""

    class Old(Careless):
        def create(self, key, content):
            raise NoConditionsError("not implemented")

    with pytest.raises(StateError, match="ignores writes under a condition"):
        machine(tmp_path, "one", Old(store)).writer()


def test_backups_are_kept_in_the_store(one, store):
    """What is replaced becomes the newest of ten."""
    for number in range(13):
        with one.writer() as writer:
            put(writer, f"a/{number}")
    backups = store.list("talks/backups")

    assert [f"encodes.{number:04}.json" for number in range(3, 13)] == sorted(backups)
    newest = snapshot.decode(content(store, "backups/encodes.0012.json"), "", PROJECT)
    assert 12 == len(newest.records)


def test_a_journal_that_grew_large_becomes_a_snapshot(one, two, store):
    """So no start has to send much; the state is the same."""
    with one.writer() as writer:
        put(writer, "a/1")
    long = "x" * (module.LARGE // 3)
    with one.writer() as writer:
        for number in range(5):
            job(writer, f"b/{number}", error=long)
            assert len(content(store, "encodes.journal.jsonl")) < module.LARGE + 1000
            assert number + 2 == len(two.records())
        assert 4 == len(json.loads(content(store, "encodes.json"))["records"])
    assert 6 == len(two.records())


def test_another_project_is_refused(one, two):
    """A state belongs to one project; without a name the one that is there is taken."""
    with one.writer() as writer:
        put(writer, "a/1")
    with pytest.raises(StateError, match='belongs to project "test", the specs say project "films"'):
        two.writer("films")
    with pytest.raises(StateError, match='belongs to project "test"'):
        two.read("films")
    with two.writer("") as writer:
        put(writer, "a/2")
    assert PROJECT == two.read("").snapshot.project


@pytest.mark.parametrize("name", ["encodes.json", "encodes.journal.jsonl"])
def test_an_object_that_is_no_state_is_refused(one, store, name):
    """With its place; it is not touched, and the lock is free after."""
    store.create(f"talks/{name}", b"{\n")
    for call in (one.read, one.writer):
        with pytest.raises(StateError, match=rf"{URL}/{name}:\d+:\d+"):
            call()
    assert {name} == set(store.list("talks"))


@pytest.mark.parametrize("cut", [5, -1])
def test_a_journal_that_is_cut_off_is_refused(one, store, cut):
    """An object is written whole, so somebody else did that; what is missing may be a job that was started."""
    with one.writer() as writer:
        put(writer, "a/1")
    content, version = store.fetch("talks/encodes.journal.jsonl")
    store.swap("talks/encodes.journal.jsonl", content[:cut], version)
    for call in (one.read, one.writer):
        with pytest.raises(StateError, match="journal is cut off"):
            call()


def test_a_snapshot_that_is_gone_is_missed(one, two, store):
    """Its journal knows that there was one: nothing is made again for want of it. Without both a state begins anew."""
    with one.writer() as writer:
        put(writer, "a/1")
    store.remove("talks/encodes.json")
    for call in (one.read, one.writer, two.read, two.writer):
        with pytest.raises(StateError, match=r"talks/encodes\.json is gone"):
            call()
    assert ["encodes.journal.jsonl"] == sorted(store.list("talks"))
    store.remove("talks/encodes.journal.jsonl")
    assert {} == two.records()


def test_a_work_folder_that_leads_out_is_refused(tmp_path, store):
    """A repository is not trusted to choose where things are written."""
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "outside").mkdir()
    (project / "state").symlink_to(tmp_path / "outside")
    import contextlib

    with contextlib.chdir(project):
        one = machine(project, "one", store)
        (one.folder / "work").symlink_to(tmp_path / "outside")
        for call in (one.read, one.writer):
            with pytest.raises(StateError, match="leads out of the project folder"):
                call()


def test_live_links_stay_on_this_machine(one, two, store):
    """Readable by their owner alone, and never in the store."""
    with one.writer() as writer:
        put(writer, "a/1")
        writer.keep_link("a/1", "https://host/file?signature=secret")
    links = one.work.folder / "links.json"

    assert (0o600, True) == (links.stat().st_mode & 0o777, "secret" in links.read_text())
    assert not any(b"secret" in store.read(f"talks/{name}") for name in store.list("talks"))


def life(here, starts):
    """Two applies of one machine, of which the second has nothing left to start; what was started."""
    for _ in range(2):
        with here.writer() as writer:
            for address in ("a/1", "a/2"):
                if address not in writer.snapshot.records:
                    job(writer, address)
                    starts.append(address)
            if "a/3" not in writer.snapshot.records:
                put(writer, "a/3")


def requests_of_a_life(tmp_path):
    """How many requests it takes."""
    counted = machine(tmp_path, "counted", Failing(bucket()))
    life(counted, [])
    return range(len(counted.objects.asked))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_line_that_breaks_anywhere_loses_nothing(tmp_path, after):
    """At every request, before or after it took effect, once or for good: run again, all is there, started once."""
    for at in requests_of_a_life(tmp_path):
        for long in (1, 1000):
            store, starts = bucket(), []
            here = machine(tmp_path, f"{at}-{long}", Failing(store, at, after=after, long=long))
            try:
                life(here, starts)
            except StateError:
                here.objects.at = None
                life(here, starts)
            there = machine(tmp_path, "there", store)
            assert ["a/1", "a/2", "a/3"] == list(there.records()), (at, long)
            assert len(set(starts)) == len(starts), (at, long)
            assert "encodes.lock" not in store.list("talks"), (at, long)


class Killed(BaseException):
    """A process that dies: no request of it goes out after."""


def kill():
    """The end of a process."""
    raise Killed


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("same", [True, False], ids=["same", "another"])
def test_a_writer_that_is_killed_anywhere_loses_nothing(tmp_path, after, same):
    """Its machine goes on by itself, another one once the lock is broken; nothing is started twice."""
    for at in requests_of_a_life(tmp_path):
        store, starts = bucket(), []
        here = machine(tmp_path, f"here-{at}", Failing(store, at, after=after, long=1000, call=kill))
        with pytest.raises(Killed):
            life(here, starts)
        here.objects.at = None
        there = machine(tmp_path, f"there-{at}", store)
        if not same and (held := store.fetch("talks/encodes.lock")) is not None:
            break_lock(there.shared(), json.loads(held[0])["id"])
        life(here if same else there, starts)
        assert ["a/1", "a/2", "a/3"] == list(there.records()), at
        assert len(set(starts)) == len(starts), at
        life(here, starts)
        assert "encodes.lock" not in store.list("talks"), at
