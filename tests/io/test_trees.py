"""Folders that are handled as one file, whole before and after every crash."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from reconciler.io import trees

OLD = {"master.m3u8": "old", "a/0.ts": "old"}
NEW = {"master.m3u8": "new", "a/0.ts": "new", "a/1.ts": "new"}


def tree(folder, files):
    """A folder with these files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def found(folder):
    """The files of a folder, by name."""
    return {name: (folder / name).read_text() for name in trees.members(folder)}


def everything(root):
    """All names directly in a folder."""
    return sorted(path.name for path in root.iterdir())


def test_digest_and_size_are_those_of_all_files(tmp_path):
    """The digest is that of the sorted lines `sha256 path`."""
    folder = tree(tmp_path / "f", NEW)
    lines = sorted(f"{hashlib.sha256(text.encode()).hexdigest()} {name}\n" for name, text in NEW.items())
    assert hashlib.sha256("".join(lines).encode()).hexdigest() == trees.digest(folder)
    assert (9, None) == (trees.size(folder), trees.size(tmp_path / "nothing"))


def test_another_name_is_another_digest(tmp_path):
    """What is called otherwise is another package, whatever it holds."""
    one, other = tree(tmp_path / "one", {"a": "x", "b": "y"}), tree(tmp_path / "other", {"a": "y", "b": "x"})
    assert trees.digest(one) != trees.digest(other)


def test_a_folder_replaces_a_folder_and_leaves_nothing_else(tmp_path):
    """The old one is gone, also its files that the new one does not have."""
    tree(tmp_path / "f", {**OLD, "a/7.ts": "old"})
    trees.publish(tree(tmp_path / ".f.12345678.part", NEW), tmp_path / "f")
    assert (NEW, ["f"]) == (found(tmp_path / "f"), everything(tmp_path))


def test_a_file_and_a_folder_replace_each_other(tmp_path):
    """The kind of what had the name does not matter."""
    (tmp_path / "f").write_text("a file")
    trees.publish(tree(tmp_path / "t", NEW), tmp_path / "f")
    assert NEW == found(tmp_path / "f")
    (tmp_path / "t").write_text("a file")
    trees.publish(tmp_path / "t", tmp_path / "f")
    assert ("a file", ["f"]) == ((tmp_path / "f").read_text(), everything(tmp_path))


def test_a_duplicate_is_a_folder_of_its_own(tmp_path):
    """Its files are links, and removing one folder leaves the other."""
    trees.duplicate(tree(tmp_path / "f", OLD), tmp_path / "deep/g")
    assert (tmp_path / "f/a/0.ts").samefile(tmp_path / "deep/g/a/0.ts")
    trees.remove(tmp_path / "f")
    assert OLD == found(tmp_path / "deep/g")


def test_a_duplicate_that_cannot_be_made_leaves_nothing(tmp_path):
    """Where a file is in the place of its folder."""
    folder = tree(tmp_path / "f", {**OLD, "g": "a file"})
    with pytest.raises(NotADirectoryError):
        trees.duplicate(folder, folder / "g/h")
    assert {**OLD, "g": "a file"} == found(folder)


def at_the_start(root):
    """Nothing has happened yet."""
    tree(root / "f", OLD)
    tree(root / ".f.12345678.part", NEW)


def old_is_aside(root):
    """Killed after the old one was put aside."""
    at_the_start(root)
    (root / "f").rename(root / ".f.aside")


def new_is_in(root):
    """Killed after the new one got its name."""
    old_is_aside(root)
    (root / ".f.12345678.part").rename(root / "f")


def old_is_going(root):
    """Killed while the old one was removed."""
    new_is_in(root)
    (root / ".f.aside").rename(root / "..f.aside.gone")
    (root / "..f.aside.gone/master.m3u8").unlink()


MOMENTS = [at_the_start, old_is_aside, new_is_in, old_is_going]


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_publishing_again_finishes(tmp_path, moment):
    """Whoever knows that the new one is whole publishes it again, or finds it under its name."""
    moment(tmp_path)
    temp = tmp_path / ".f.12345678.part"
    if temp.exists():
        trees.publish(temp, tmp_path / "f")
    trees.mend(tmp_path)
    assert (NEW, ["f"]) == (found(tmp_path / "f"), everything(tmp_path))


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_and_the_new_one_lost_the_old_one_is_there(tmp_path, moment):
    """Mending gives the old one its name back where nothing else has it; one of both is there, and whole."""
    moment(tmp_path)
    trees.mend(tmp_path)
    assert found(tmp_path / "f") in (OLD, NEW)
    trees.remove(tmp_path / ".f.12345678.part")
    assert ["f"] == everything(tmp_path)


def test_mending_leaves_everything_else_alone(tmp_path):
    """Files of others, hidden or not, stay where they are; what is deep is found, too."""
    tree(tmp_path / "e/f", OLD)
    tree(tmp_path / "e", {".x.12345678.part": "part", "my.aside": "mine", ".DS_Store": "x"})
    tree(tmp_path / "e/.f.gone", OLD)
    trees.mend(tmp_path)
    assert {".DS_Store", ".x.12345678.part", "f", "my.aside"} == set(everything(tmp_path / "e"))


def test_removing_what_is_gone_is_no_error(tmp_path):
    """A file, a link, a folder, nothing."""
    (tmp_path / "file").write_text("x")
    tree(tmp_path / "folder", OLD)
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    for name in ("link", "file", "nothing"):
        trees.remove(tmp_path / name)
    assert OLD == found(tmp_path / "folder")
    trees.remove(Path(tmp_path / "folder"))
    assert [] == everything(tmp_path)
