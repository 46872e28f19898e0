"""Two writers on one shared state, over a real S3 protocol on loopback: no lost update."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from functools import partial

import pytest

from builders_moto import moto
from builders_shared import Machine, bucket, machine
from builders_state import known
from builders_stores import google, s3
from reconciler.core.errors import LockedError, StateError
from reconciler.io.stores import Patience, Store
from reconciler.store.store_lock import break_lock, holder_of

RACES = 100


@pytest.fixture(scope="module")
def served():
    """A store that keeps conditions."""
    with moto() as server:
        yield server


@pytest.fixture(autouse=True)
def _project(tmp_path, monkeypatch):
    """The tests' folder is the project."""
    monkeypatch.chdir(tmp_path)


def objects(server, name="site"):
    """A line of one's own to it."""
    return Store("s3", name, server.environment(), Patience(retries=2, seconds=5.0, pause=0.05))


def put_one(here: Machine, address, recorded):
    """One writer's whole life: read, add one record, write."""
    with here.writer() as writer:
        writer.record("written", records={address: known(writer.next_rev(address))})
        recorded.append(address)


def race(*calls):
    """Let all begin at the same moment; what each of them raised, in their order."""
    barrier, errors = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number, call):
        barrier.wait()
        try:
            call()
        except (StateError, LockedError) as error:
            errors[number] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_a_hundred_races_lose_no_update(tmp_path, served):
    """Two machines read, change and write at once, a hundred times; whoever is locked out comes again."""
    machines = [machine(tmp_path, name, objects(served)) for name in ("one", "two")]
    locked, recorded = 0, []

    def until_written(here, address):
        nonlocal locked
        while True:
            try:
                return put_one(here, address, recorded)
            except LockedError:
                locked += 1
                time.sleep(0.05)

    for number in range(RACES):
        calls = [partial(until_written, here, f"{number}/{n}") for n, here in enumerate(machines)]
        assert [None, None] == race(*calls)

    assert 2 * RACES == len(recorded)
    assert set(recorded) == set(machines[0].records())
    assert locked > 0


def test_a_hundred_races_without_the_lock_lose_no_update(tmp_path):
    """Where a lock is broken under its holder, the one that comes second overwrites nothing, and its next try adds."""
    store = bucket()
    machines = [machine(tmp_path, name, store) for name in ("one", "two")]
    lost, recorded = 0, []

    def over_broken_locks(here, address):
        while address not in recorded:
            with suppress(StateError):
                if (held := holder_of(here.shared())) is not None:
                    break_lock(here.shared(), held.id)
            with suppress(LockedError):
                put_one(here, address, recorded)

    for number in range(RACES):
        calls = [partial(over_broken_locks, here, f"{number}/{n}") for n, here in enumerate(machines)]
        lost += sum(error is not None for error in race(*calls))
    for here in machines:
        here.writer().close()

    assert 2 * RACES == len(recorded)
    assert set(recorded) == set(machines[0].records())
    assert lost > 0


def test_only_one_of_many_takes_a_lock_or_a_version(served):
    """The store decides: of eight that create an object or swap a version at once, one does."""
    lines = [objects(served) for _ in range(8)]
    for number in range(10):
        made = []
        race(*[partial(_create, line, f"race-{number}", made) for line in lines])
        (version,) = filter(None, made)
        made.clear()
        race(*[partial(_swap, line, f"race-{number}", n, version, made) for n, line in enumerate(lines)])
        assert 1 == len(list(filter(None, made)))


def _swap(line, key, number, version, made):
    made.append(line.swap(key, f"number {number}".encode(), version))


def _create(line, key, made):
    made.append(line.create(key, b"1"))


@pytest.mark.parametrize(("kind", "serve"), [("s3", s3), ("gs", google)], ids=["s3", "gs"])
def test_a_server_that_ignores_conditions_is_refused(tmp_path, served, kind, serve):
    """The servers of rclone take every write; the state is refused there, by the name of what is missing."""
    with serve(tmp_path / "buckets") as careless:
        here = machine(tmp_path, "one", Store(kind, "site", careless.environment(), Patience(retries=1)))
        for _ in range(2):
            with pytest.raises(StateError, match=r"cannot hold a state: its store ignores .*If-None-Match"):
                here.writer()
        assert [] == careless.names()
    put_one(machine(tmp_path, "two", objects(served)), "a/1", [])


def test_a_bucket_that_is_not_there(tmp_path, served):
    """It is no empty state."""
    here = machine(tmp_path, "one", objects(served, "nowhere"))
    for call in (here.read, here.writer):
        with pytest.raises(StateError, match="there is no such bucket"):
            call()
