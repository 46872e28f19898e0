"""A local file is read once for its digest, and again as soon as it may have changed."""

from __future__ import annotations

import hashlib
import os
import threading

import pytest

from reconciler.edges.digests import Digests


def test_nobody_else_reads_the_digests(tmp_path):
    """All folders are the user's own, however open the umask."""
    (tmp_path / "clip.mov").write_bytes(b"film")
    umask = os.umask(0)
    try:
        Digests(tmp_path / "cache").digest(tmp_path / "clip.mov")
    finally:
        os.umask(umask)
    folders = [tmp_path / "cache", tmp_path / "cache" / "digests"]
    assert [0o700] * 2 == [folder.stat().st_mode & 0o777 for folder in folders]


def test_a_digest_is_computed_once(tmp_path):
    """For the same inode, size and times; shown by a file that cannot be read any more."""
    digests, path = Digests(tmp_path / "cache"), tmp_path / "clip.mov"
    path.write_bytes(b"film")
    expected = hashlib.sha256(b"film").hexdigest()
    assert expected == digests.digest(path)
    (note,) = (tmp_path / "cache" / "digests").iterdir()
    note.write_text("0" * 64)

    assert "0" * 64 == digests.digest(path)


@pytest.mark.parametrize("change", ["mtime", "content", "content with its old time", "another file"])
def test_a_changed_file_has_another_digest(tmp_path, change):
    """Whatever changes, the digest is of what is there."""
    digests, path = Digests(tmp_path / "cache"), tmp_path / "clip.mov"
    path.write_bytes(b"film")
    before = path.stat()
    digests.digest(path)
    (note,) = (tmp_path / "cache" / "digests").iterdir()
    note.write_text("0" * 64)
    content = b"film"
    if change == "mtime":
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    elif change == "another file":
        path.rename(tmp_path / "old.mov")
        path.write_bytes(content)
    else:
        content = b"FILM"
        path.write_bytes(content)
        if change != "content":
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert hashlib.sha256(content).hexdigest() == digests.digest(path)


@pytest.mark.parametrize("note", ["", "nonsense", "z" * 64, "0" * 63])
def test_a_spoilt_digest_note_is_computed_anew(tmp_path, note):
    """Only what can be a digest is believed."""
    digests, path = Digests(tmp_path / "cache"), tmp_path / "clip.mov"
    path.write_bytes(b"film")
    digests.digest(path)
    (found,) = (tmp_path / "cache" / "digests").iterdir()
    found.write_text(note)
    assert hashlib.sha256(b"film").hexdigest() == digests.digest(path)


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path):
    """A digest is computed all the same."""
    (tmp_path / "file").touch()
    path = tmp_path / "clip.mov"
    path.write_bytes(b"film")
    assert hashlib.sha256(b"film").hexdigest() == Digests(tmp_path / "file" / "cache").digest(path)


def test_a_file_that_cannot_be_read_has_no_digest(tmp_path):
    """What the system says is for the caller."""
    with pytest.raises(FileNotFoundError):
        Digests(tmp_path).digest(tmp_path / "gone.mov")
    with pytest.raises(IsADirectoryError):
        Digests(tmp_path / "cache").digest(tmp_path)


def test_a_file_that_changes_while_it_is_read_is_not_remembered(tmp_path):
    """Its digest is of no version of it; the next look computes it again."""
    path, ended = tmp_path / "clip.mov", threading.Event()
    path.write_bytes(bytes(20_000_000))

    def touch():
        while not ended.is_set():
            os.utime(path)

    writer = threading.Thread(target=touch)
    writer.start()
    try:
        Digests(tmp_path / "cache").digest(path)
    finally:
        ended.set()
        writer.join()
    assert [] == list((tmp_path / "cache").glob("digests/*"))
