"""Copies in folders of this machine: there, gone, or no longer what was made, seen with little reading."""

from __future__ import annotations

import os

import pytest

from builders import HOST, output, record
from reconciler.core.copies import Presence
from reconciler.core.state import Delivered
from reconciler.edges.copies import copies_here
from reconciler.io import trees
from reconciler.io.hashing import sha256

MADE, MADE_AT = 1_767_225_600, "2026-01-01T00:00:00Z"


@pytest.fixture
def project(tmp_path):
    """A file and a package, copied some time ago."""
    for name in ("dist/a.mp4", "dist/web/master.m3u8", "dist/web/main/0.ts"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path / name, f"content of {name}", at=MADE)
    return tmp_path


def write(path, text, *, at):
    """A file that was written at a time."""
    path.write_text(text)
    os.utime(path, (at, at))


def seen(project, where, *, reads=None):
    """What is seen of the copy at a place; `reads` collects what was read for that."""
    path = project / where
    package = where.endswith("web")
    digest = trees.digest(path) if package else sha256(path)
    size = trees.size(path) if package else path.stat().st_size

    def look(change=lambda: None):
        change()
        copy = Delivered(where, size, digest, "f" * 64, 1, MADE_AT, host=HOST, package=package)
        known = {"a/x": record(output("a/x"), delivered=copy)}

        def counted(file):
            (reads if reads is not None else []).append(file.name)
            return sha256(file)

        return copies_here(project, known, HOST, counted)[where], size

    return look


@pytest.mark.parametrize(("where", "inside"), [("dist/a.mp4", ""), ("dist/web", "main/0.ts")])
def test_what_nobody_touched_is_not_read(project, where, inside):
    """Sizes and times are enough."""
    reads = []
    found, size = seen(project, where, reads=reads)()

    assert (Presence(size), []) == (found, reads)


@pytest.mark.parametrize(("where", "inside"), [("dist/a.mp4", ""), ("dist/web", "main/0.ts")])
def test_one_altered_file_of_the_same_size(project, where, inside):
    """A file, or one segment of a package, that was written since: it is read, and is something else."""
    path = project / where / inside if inside else project / where
    look = seen(project, where)
    found, size = look(lambda: write(path, path.read_text()[::-1], at=MADE + 60))

    assert Presence(size, altered=True) == found


@pytest.mark.parametrize("where", ["dist/a.mp4", "dist/web"])
def test_what_was_written_again_as_it_was(project, where):
    """A restored backup has other times and the same content: it is the copy."""
    path = project / where if where.endswith("mp4") else project / where / "main/0.ts"
    found, size = seen(project, where)(lambda: write(path, path.read_text(), at=MADE + 60))

    assert Presence(size) == found


def test_what_is_gone(project):
    """A file, or all files of a package."""
    assert (None, 21) == seen(project, "dist/a.mp4")((project / "dist/a.mp4").unlink)
    found, _ = seen(project, "dist/web")(lambda: trees.remove(project / "dist/web"))
    assert found is None


def test_a_segment_that_is_gone(project):
    """The package is smaller than it was."""
    found, size = seen(project, "dist/web")((project / "dist/web/main/0.ts").unlink)
    assert 0 < found.size < size
