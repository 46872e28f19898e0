"""The digest of a source is computed beside its encode."""

from __future__ import annotations

import hashlib
import os
import threading
import time

import pytest

from reconciler.core.errors import RejectedError
from reconciler.ffmpeg.reading import Reading


class GaveUpError(Exception):
    """What a look raises that has enough."""


def nothing():
    """A look that sees nothing."""


def give_up():
    """A look that has enough."""
    raise GaveUpError


def readers():
    """The threads that read a file now."""
    return [thread for thread in threading.enumerate() if thread.name == "digest"]


def test_the_digest_is_that_of_the_content(tmp_path):
    """However often it is asked for."""
    path = tmp_path / "clip.mov"
    path.write_bytes(b"clip" * 1000)
    expected = hashlib.sha256(b"clip" * 1000).hexdigest()
    with Reading(path, None) as reading:
        assert [expected, expected] == [reading.digest(nothing), reading.digest(nothing)]


def test_a_known_digest_reads_nothing(tmp_path):
    """The file need not even be there."""
    with Reading(tmp_path / "gone.mov", "ab" * 32) as reading:
        assert "ab" * 32 == reading.digest(nothing)


def test_without_a_file_there_is_no_digest():
    """A generated source has none."""
    with Reading(None, None) as reading:
        assert reading.digest(nothing) is None


def test_a_file_that_cannot_be_read_is_told_by_its_name(tmp_path):
    """With the system's reason."""
    with (
        Reading(tmp_path / "gone.mov", None) as reading,
        pytest.raises(RejectedError, match=r"^gone.mov cannot be read: No such file or directory$"),
    ):
        reading.digest(nothing)


def test_whoever_waits_can_give_up(tmp_path):
    """A pipe that nobody writes to is never read to its end; the wait ends all the same."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    # Holding both ends open lets a reader begin, and gives it nothing.
    handle = os.open(path, os.O_RDWR)
    reading = Reading(path, None)
    reading.__enter__()
    with pytest.raises(GaveUpError):
        reading.digest(give_up)
    os.write(handle, b"the end")
    os.close(handle)
    reading.__exit__(None, None, None)
    assert [] == readers()


def test_the_reading_ends_with_its_block(tmp_path):
    """A large file that nobody waits for any more is not read to its end."""
    path = tmp_path / "large.mov"
    with path.open("wb") as file:
        file.truncate(1 << 38)
    began = time.monotonic()
    with Reading(path, None):
        pass
    assert time.monotonic() - began < 2
    assert [] == readers()
