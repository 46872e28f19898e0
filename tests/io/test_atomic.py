"""Files appear whole or not at all."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from reconciler.io import atomic
from reconciler.io.hashing import sha256

# A file system of its own on Linux: hard links do not reach it.
ELSEWHERE = Path("/dev/shm")


def names(folder):
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_content_is_replaced_and_nothing_else_is_left(tmp_path):
    """The file has the new content and the mode that was asked for; no temporary file stays."""
    path = tmp_path / "state.json"
    path.write_bytes(b"old")
    atomic.write_bytes(path, b"new", mode=0o600)

    assert (b"new", 0o600, ["state.json"]) == (path.read_bytes(), path.stat().st_mode & 0o777, names(tmp_path))


def test_a_failed_write_leaves_the_old_content(tmp_path):
    """Where the file cannot be replaced, what was there stays, and no temporary file does."""
    path = tmp_path / "state.json"
    path.mkdir()
    with pytest.raises(OSError, match="irectory"):
        atomic.write_bytes(path, b"new")

    assert (["state.json"], True) == (names(tmp_path), path.is_dir())


def test_readers_see_the_old_or_the_new_content(tmp_path):
    """Whoever reads while a file is replaced again and again never sees a part of one."""
    path, ended = tmp_path / "state.json", threading.Event()
    contents = {bytes([letter]) * 200_000 for letter in b"ab"}
    atomic.write_bytes(path, min(contents))

    def write():
        while not ended.is_set():
            for content in contents:
                atomic.write_bytes(path, content)

    writer = threading.Thread(target=write)
    writer.start()
    seen = {path.read_bytes() for _ in range(300)}
    ended.set()
    writer.join()

    assert contents >= seen


def test_leftovers_of_killed_writers_are_swept(tmp_path):
    """Only the temporary files of just this file go."""
    for name in [".state.json.ab12.tmp", ".state.json.cd34.tmp", ".other.json.ab12.tmp", "state.json", ".lock"]:
        (tmp_path / name).touch()
    atomic.sweep(tmp_path / "state.json")

    assert [".lock", ".other.json.ab12.tmp", "state.json"] == names(tmp_path)


def test_a_published_file_replaces_what_had_its_name(tmp_path):
    """The folder of the final name is made if need be; the temporary name is gone."""
    temp, path = tmp_path / "part", tmp_path / "deep" / "er" / "final.mp4"
    for content in (b"one", b"two"):
        temp.write_bytes(content)
        atomic.publish(temp, path)
        assert (content, ["deep"]) == (path.read_bytes(), names(tmp_path))


def test_a_link_of_the_published_file_itself_leaves_one_name(tmp_path):
    """Between two names of one file a rename does nothing, and yet only the final one is left."""
    temp, path = tmp_path / ".part", tmp_path / "final.mp4"
    path.write_bytes(b"picture")
    temp.hardlink_to(path)
    atomic.publish(temp, path)

    assert (b"picture", ["final.mp4"]) == (path.read_bytes(), names(tmp_path))


def test_a_file_that_has_its_name_already_keeps_it(tmp_path):
    """Publishing a file as itself, by whatever path, loses nothing."""
    path = tmp_path / "final.mp4"
    path.write_bytes(b"picture")
    (tmp_path / "folder").symlink_to(tmp_path)
    for same in (path, tmp_path / "folder" / "final.mp4"):
        atomic.publish(same, path)

    assert b"picture" == path.read_bytes()


def test_a_link_shares_the_bytes_where_the_file_system_can(tmp_path):
    """Within a file system nothing is copied, and an old file of the target's name goes."""
    source, target = tmp_path / "a.mp4", tmp_path / "b" / ".b.part"
    source.write_bytes(b"picture")
    target.parent.mkdir()
    target.write_bytes(b"older")
    atomic.link_or_copy(source, target)

    assert (b"picture", source.stat().st_ino) == (target.read_bytes(), target.stat().st_ino)


def test_a_copy_is_made_where_links_do_not_reach(tmp_path):
    """On another file system the content is the same and the file is another."""
    if not ELSEWHERE.is_dir() or ELSEWHERE.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine has no second file system to write to")
    source, target = tmp_path / "a.mp4", ELSEWHERE / f"{tmp_path.name}.{id(tmp_path)}.part"
    source.write_bytes(b"picture")
    try:
        atomic.link_or_copy(source, target)
        assert (b"picture", 1) == (target.read_bytes(), source.stat().st_nlink)
    finally:
        target.unlink(missing_ok=True)


def test_a_copy_that_fails_leaves_nothing(tmp_path):
    """Neither a source that is gone nor one that cannot be read leaves half a target."""
    with pytest.raises(FileNotFoundError):
        atomic.link_or_copy(tmp_path / "gone.mp4", tmp_path / "b.part")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="irectory"):
        atomic.link_or_copy(tmp_path / "folder", tmp_path / "c.part")

    assert ["folder"] == names(tmp_path)


def test_a_digest_is_the_sha256_of_the_content(tmp_path):
    """As sha256sum prints it."""
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" == sha256(path)
