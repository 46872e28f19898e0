"""Digests of files, however large."""

from __future__ import annotations

import hashlib

import pytest

from reconciler.io.hashing import sha256


@pytest.mark.parametrize("size", [0, 1, (1 << 22) - 1, 1 << 22, (1 << 22) + 1, 9_000_000])
def test_the_digest_is_that_of_the_whole_file(tmp_path, size):
    """Also where the file ends just at, before or behind the end of a piece."""
    content = bytes(range(251)) * (size // 251 + 1)
    (tmp_path / "a").write_bytes(content[:size])

    assert hashlib.sha256(content[:size]).hexdigest() == sha256(tmp_path / "a")


def test_progress_is_told_and_may_end_it(tmp_path):
    """Bytes so far, up to all of them; an error of the listener ends the reading."""
    (tmp_path / "a").write_bytes(bytes(9_000_000))
    told = []
    sha256(tmp_path / "a", told.append)
    assert [1 << 22, 1 << 23, 9_000_000] == told

    def stop(done):
        raise InterruptedError(done)

    with pytest.raises(InterruptedError, match=str(1 << 22)):
        sha256(tmp_path / "a", stop)
