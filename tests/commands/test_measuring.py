"""Files that are measured beside an apply end with it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from builders import output, record
from reconciler.commands.inspecting import Measuring
from reconciler.core.errors import UnavailableError


class Endless:
    """An inspector whose measurement goes on until it is cancelled, as a process of ffmpeg does."""

    def __init__(self):
        self.begun, self.ended = threading.Event(), threading.Event()

    def inspect(self, path, wanted, cancelled):
        self.begun.set()
        while not cancelled():
            time.sleep(0.01)
        self.ended.set()
        raise UnavailableError("the check was stopped")


def test_what_is_being_measured_is_ended_before_the_program_leaves():
    """The one that runs is stopped and waited for, those that wait never begin."""
    inspector, wanted = Endless(), output()
    measuring = Measuring(inspector, Path())
    first, second = (measuring(wanted, record(wanted), None, lambda: False) for _ in range(2))
    assert inspector.begun.wait(10)
    assert not inspector.ended.is_set()
    measuring.close()

    assert (True, True, True) == (inspector.ended.is_set(), first.done(), second.done())
    for stopped in (first, second):
        with pytest.raises(UnavailableError, match="stopped"):
            stopped.result()
