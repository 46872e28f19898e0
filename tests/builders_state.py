"""States, events and real processes that hold them, each in one readable call."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime

from reconciler.core.state import FORMAT, VERSION, Event, Record, Snapshot, SourceRecord
from reconciler.store.store import read

PROJECT = "test"

HOLDER = """\
import sys, time
from pathlib import Path
from reconciler.store.store import Writer
from builders_state import known
writer = Writer(Path(sys.argv[1]), "test")
for rev in range(1, int(sys.argv[2]) + 1):
    writer.record("written", records={"a/held": known(rev)})
print("held", flush=True)
sys.stdin.read()
writer.close()
"""


def known(rev, status="complete", **changes):
    """A record; only its rev and status matter."""
    values = {"fingerprint": "ab" * 32, "manifest": {"scheme": 1}, "source": SourceRecord("m.mov"), "provider": "local"}
    return Record(rev=rev, status=status, **{**values, **changes})


def event(name="written", *, at="2026-01-02T03:04:05Z", **content):
    """A journal event."""
    return Event(event=name, at=at, **content)


def snapshot(project=PROJECT, **records):
    """A state that holds these records; an address is written with `__` for its slash."""
    named = {name.replace("__", "/"): record for name, record in records.items()}
    return Snapshot(format=FORMAT, version=VERSION, project=project, records=named)


def noon():
    """A clock that stands."""
    return datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


def holder(state, tests, records=0):
    """A process that holds the state's lock, having recorded so many events; it lets go when its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(state), str(records)],
        cwd=tests,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert "held\n" == process.stdout.readline()
    return process


def end(process):
    """Let a holder go and close."""
    process.communicate(timeout=20)
    return process.returncode


def state(tmp_path):
    """Where the state of these tests is."""
    return tmp_path / "state/encodes.json"


def put(writer, *addresses, status="complete"):
    """Record addresses, one event each."""
    for address in addresses:
        writer.record("written", records={address: known(writer.next_rev(address), status)})


def copied(tmp_path, name):
    """What another process would find on the disk at this moment, as after kill -9: a state of its own."""
    shutil.copytree(tmp_path / "state", tmp_path / name)
    return tmp_path / name / "encodes.json"


def names(tmp_path):
    """The files beside the state."""
    return {each.name for each in (tmp_path / "state").iterdir()}


def addresses(path):
    """The addresses that any reader sees."""
    return list(read(path, PROJECT).snapshot.records)
