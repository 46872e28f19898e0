"""Local sources are looked at for a plan, and read only where a look cannot settle it."""

from __future__ import annotations

import os
import time

import pytest

from reconciler.core.encode import Source
from reconciler.core.ports import Sighting
from reconciler.core.state import Evidence, SourceRecord
from reconciler.edges.sightings import sightings


def local(location):
    """A source in the project folder."""
    return Source("file", location, location)


def no_digest(path):
    """A digest that must not be needed."""
    raise AssertionError(f"{path} need not be read")


RECORDED = SourceRecord("clip.mov", Evidence(size=4, mtime_ns=1_000_000_000), sha256="ab" * 32)


@pytest.mark.parametrize(
    ("content", "mtime_ns", "record", "digested"),
    [
        (b"film", 1_000_000_000, RECORDED, False),
        (b"film", 2_000_000_000, RECORDED, True),
        (b"longer", 2_000_000_000, RECORDED, False),
        (b"longer", 1_000_000_000, RECORDED, False),
        (b"film", 2_000_000_000, None, False),
        (b"film", 2_000_000_000, SourceRecord("clip.mov", Evidence(4, 1), sha256=None), False),
        (b"film", 2_000_000_000, SourceRecord("clip.mov", Evidence(), sha256="ab" * 32), True),
        (b"film", 2_000_000_000, SourceRecord("other.mov", Evidence(4, 1), sha256="ab" * 32), True),
    ],
    ids=["same", "touched", "other-size-and-time", "other-size", "new", "no-digest", "no-evidence", "other-name"],
)
def test_a_sighting_reads_a_file_only_where_size_and_time_cannot_settle_it(
    tmp_path, content, mtime_ns, record, digested
):
    """A digest only where the time differs, the size does not, and there is one to compare with."""
    path = tmp_path / "clip.mov"
    path.write_bytes(content)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    known = {} if record is None else {"clip.mov": record}
    digest = (lambda path: "cd" * 32) if digested else no_digest
    found = sightings(tmp_path, [local("clip.mov"), local("clip.mov")], known, digest)

    expected = Sighting(
        "clip.mov", exists=True, size=len(content), mtime_ns=mtime_ns, sha256="cd" * 32 if digested else None
    )
    assert {"clip.mov": expected} == found


def test_what_is_no_file_is_not_there(tmp_path):
    """Absent, a folder, below a file, or a name that cannot be: a sighting, not an error."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    names = ["absent", "folder", "file/below", "nul\0"]
    found = sightings(tmp_path, [local(name) for name in names], {}, no_digest)
    assert {name: Sighting(name, exists=False) for name in names} == found


def test_remote_and_generated_sources_are_not_looked_at(tmp_path):
    """A plan is offline."""
    others = [Source("http", "https://h/a", "https://h/a"), Source("lavfi", "lavfi:testsrc", "lavfi:testsrc")]
    assert {} == sightings(tmp_path, others, {}, no_digest)


def test_a_file_that_cannot_be_read_is_still_there(tmp_path):
    """Nothing is known to have changed; an encode that needs it says what is wrong."""
    (tmp_path / "clip.mov").write_bytes(b"film")

    def unreadable(path):
        raise PermissionError(13, "Permission denied")

    (found,) = sightings(tmp_path, [local("clip.mov")], {"clip.mov": RECORDED}, unreadable).values()
    assert (True, None) == (found.exists, found.sha256)


def test_ten_thousand_sources_are_seen_within_a_second(tmp_path):
    """A plan of a catalogue looks at each master once; a second of the processor, whatever else it does."""
    for number in range(10_000):
        (tmp_path / f"{number}.mov").touch()
    sources = [local(f"{number}.mov") for number in range(10_000)]
    began = time.process_time()
    found = sightings(tmp_path, sources, {}, no_digest)
    took = time.process_time() - began

    assert 10_000 == len(found)
    assert took < 1.0, f"{took:.2f} s"


@pytest.mark.parametrize(("size", "digest"), [(4, "ab" * 32), (5, None)])
def test_a_new_source_as_large_as_one_that_vanished_is_read(tmp_path, size, digest):
    """Only its digest tells whether it is the same content under a new name; any other new source is not read."""
    (tmp_path / "new.mov").write_bytes(b"film")
    seen = sightings(tmp_path, [local("new.mov")], {}, lambda _: "ab" * 32, vanished={size})

    assert digest == seen["new.mov"].sha256
