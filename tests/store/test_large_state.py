"""A state of ten thousand records is read and written while nobody notices."""

from __future__ import annotations

import time

from builders import output, record
from builders_state import PROJECT, event, known, snapshot
from reconciler.core.state import fold
from reconciler.store.snapshot import read, write

LIMIT_READ, LIMIT_WRITE, LIMIT_FOLD = 0.3, 1.0, 0.3


def large():
    """A state of ten thousand finished outputs, as real as the builders make them."""
    made = record(output("title/720p"))
    return snapshot(**{f"title-{number:05}__720p": made for number in range(10_000)})


def timed(action):
    """What an action gives, and the seconds of the processor that the quickest of three runs took."""
    seconds = []
    for _ in range(3):
        began = time.process_time()
        result = action()
        seconds.append(time.process_time() - began)
    return result, min(seconds)


def test_ten_thousand_records_are_written_and_read_quickly(tmp_path):
    """Below a second to write, with a backup, and a third of one to read."""
    path, state = tmp_path / "encodes.json", large()
    _, writing = timed(lambda: write(path, state))
    found, reading = timed(lambda: read(path, PROJECT))

    assert state == found
    assert writing < LIMIT_WRITE, f"written in {writing:.2f} s"
    assert reading < LIMIT_READ, f"read in {reading:.2f} s"


def test_ten_thousand_events_are_folded_quickly():
    """Each event takes the time that its own records take, however large the state is."""
    state = large()
    events = [event(records={f"title-{number:05}/720p": known(2)}) for number in range(10_000)]
    found, folding = timed(lambda: fold(state, events))

    assert {2} == {each.rev for each in found.records.values()}
    assert folding < LIMIT_FOLD, f"folded in {folding:.2f} s"
