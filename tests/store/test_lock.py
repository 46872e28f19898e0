"""The lock: one writer at a time, and none after a kill."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from builders_state import end, holder, noon
from reconciler.core.errors import LockedError, StateError
from reconciler.store.lock import Lock

TESTS = Path(__file__).parent.parent

RACER = """\
import os, sys, time
from pathlib import Path
from reconciler.core.errors import LockedError
from reconciler.store.lock import Lock
folder = Path(sys.argv[1])
lock = Lock(folder / ".lock")
lock.acquire(60, time.sleep)
counter = folder / "counter"
count = int(counter.read_text())
inside = os.open(folder / "inside", os.O_CREAT | os.O_EXCL)
time.sleep(0.02)
counter.write_text(str(count + 1))
os.unlink(folder / "inside")
lock.release()
"""


def test_the_holder_is_named_exactly(tmp_path):
    """State is locked by USER@HOST, pid N, since T."""
    held = Lock(tmp_path / ".lock", noon)
    held.acquire()
    with pytest.raises(LockedError) as raised:
        Lock(tmp_path / ".lock").acquire()
    held.release()

    pattern = (
        rf"state is locked by \S+@{re.escape(socket.gethostname())}, pid {os.getpid()}, since 2026-01-02T12:00:00Z"
    )
    assert re.fullmatch(pattern, str(raised.value))
    assert 6 == raised.value.exit_code


def test_a_released_lock_can_be_taken(tmp_path):
    """After release the next one gets it, and the file says nothing any more."""
    for _ in range(3):
        lock = Lock(tmp_path / ".lock")
        lock.acquire()
        lock.release()
        lock.release()

    assert "" == (tmp_path / ".lock").read_text()


def test_waiting_takes_as_long_as_was_asked(tmp_path):
    """A lock that stays taken is waited for until the timeout, no longer."""
    held, slept = Lock(tmp_path / ".lock"), []
    held.acquire()
    with pytest.raises(LockedError):
        Lock(tmp_path / ".lock").acquire(1.0, slept.append)
    held.release()

    assert 1.0 == pytest.approx(sum(slept))


def test_waiting_ends_when_the_lock_is_free(tmp_path):
    """Whoever waits gets the lock as soon as it is given back."""
    held, waiting = Lock(tmp_path / ".lock"), Lock(tmp_path / ".lock")
    held.acquire()
    waiting.acquire(60, lambda _: held.release())

    assert f"pid {os.getpid()}" in (tmp_path / ".lock").read_text()
    waiting.release()


def test_a_killed_holder_leaves_it_free(tmp_path):
    """Kill -9 frees the lock; what the dead process wrote into the file means nothing."""
    process = holder(tmp_path / "encodes.json", TESTS)
    with pytest.raises(LockedError, match=f"pid {process.pid}, since "):
        Lock(tmp_path / ".lock").acquire()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert f"pid {process.pid}" in (tmp_path / ".lock").read_text()
    lock = Lock(tmp_path / ".lock")
    lock.acquire()
    lock.release()


def test_a_child_does_not_hold_the_lock_on(tmp_path):
    """A program that outlives the writer, as an ffmpeg may, does not keep the state locked."""
    lock = Lock(tmp_path / ".lock")
    lock.acquire()
    child = subprocess.Popen(["sleep", "60"], close_fds=False)
    lock.release()
    again = Lock(tmp_path / ".lock")
    again.acquire()
    again.release()
    child.kill()
    child.wait()


def test_two_processes_are_never_inside_together(tmp_path):
    """Many processes that race for the lock go in one after the other, and none is lost."""
    (tmp_path / "counter").write_text("0")
    racers = [subprocess.Popen([sys.executable, "-c", RACER, str(tmp_path)], cwd=TESTS) for _ in range(5)]

    assert [0] * 5 == [racer.wait(timeout=60) for racer in racers]
    assert "5" == (tmp_path / "counter").read_text()


def test_where_no_lock_can_be_made_it_says_so(tmp_path):
    """A folder in its place, or a file in its folder's place, is a StateError that names it."""
    (tmp_path / ".lock").mkdir()
    with pytest.raises(StateError, match="the state cannot be locked: Is a directory"):
        Lock(tmp_path / ".lock").acquire()
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="the state cannot be locked"):
        Lock(tmp_path / "file/.lock").acquire()


def test_a_holder_that_ends_by_itself_leaves_no_journal(tmp_path):
    """A writer in another process closes as one in this process does."""
    assert 0 == end(holder(tmp_path / "encodes.json", TESTS, records=2))
    assert {"encodes.json", ".lock"} == {each.name for each in tmp_path.iterdir()}
