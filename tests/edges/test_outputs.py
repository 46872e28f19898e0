"""The published files: looked at, named, copied and removed, and nothing beside them."""

from __future__ import annotations

import hashlib
import os
import threading
import time

import pytest

from reconciler.core.encode import Source
from reconciler.core.errors import ReconcilerError
from reconciler.core.ports import SourceSeen
from reconciler.edges.outputs import PublishedFiles, presence
from reconciler.io import trees

FILM, DIGEST = b"film", hashlib.sha256(b"film").hexdigest()
OUTSIDE = [
    "../outside.mp4",
    "/etc/passwd",
    "outputs/../../outside.mp4",
    "outputs/../specs/a.yaml",
    "specs/a.yaml",
    "outputs2/a.mp4",
    "outputs",
    "",
    ".",
    "outputs/nul\0.mp4",
]


def put(project, path, content=FILM):
    """Write a file of the project."""
    (project / path).parent.mkdir(parents=True, exist_ok=True)
    (project / path).write_bytes(content)
    return path


def tree(project):
    """Every file and folder, by path."""
    return sorted(path.relative_to(project).as_posix() for path in project.rglob("*"))


def test_sizes_of_what_is_there_and_none_for_what_is_not(tmp_path):
    """Also below folders that are not there, or are files; a folder is no file."""
    put(tmp_path, "outputs/a/720p.mp4")
    put(tmp_path, "outputs/a/empty.mp4", b"")
    (tmp_path / "outputs/a/folder.mp4").mkdir()
    (tmp_path / "outputs/a/dangling.mp4").symlink_to("nowhere")
    expected = {
        "outputs/a/720p.mp4": 4,
        "outputs/a/empty.mp4": 0,
        "outputs/a/480p.mp4": None,
        "outputs/a/folder.mp4": None,
        "outputs/a/dangling.mp4": None,
        "outputs/b/720p.mp4": None,
        "outputs/a/720p.mp4/below.mp4": None,
    }
    assert expected == presence(tmp_path, expected)


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_look_leaves_outputs(tmp_path, path):
    """A state that somebody edited cannot ask what lies elsewhere."""
    with pytest.raises(ReconcilerError, match="outside outputs/"):
        presence(tmp_path, [path])


@pytest.mark.skipif(os.getuid() == 0, reason="root may list everything")
def test_a_folder_that_may_not_be_listed_is_an_error(tmp_path):
    """What nobody may see is not gone: it would be encoded again."""
    put(tmp_path, "outputs/a/720p.mp4")
    (tmp_path / "outputs/a").chmod(0)
    try:
        with pytest.raises(ReconcilerError, match="cannot be listed"):
            presence(tmp_path, ["outputs/a/720p.mp4"])
    finally:
        (tmp_path / "outputs/a").chmod(0o700)


def test_files_that_come_and_go_do_not_hide_the_others(tmp_path):
    """A plan beside a running apply sees all that stays, in each of many looks."""
    put(tmp_path, "outputs/a/720p.mp4")
    for number in range(50):
        put(tmp_path, f"outputs/a/other{number}.mp4")
    ended = threading.Event()

    def come_and_go():
        while not ended.is_set():
            for number in range(50):
                (tmp_path / f"outputs/a/.{number}.part").touch()
            for number in range(50):
                (tmp_path / f"outputs/a/.{number}.part").unlink()

    apply = threading.Thread(target=come_and_go)
    apply.start()
    try:
        seen = [presence(tmp_path, ["outputs/a/720p.mp4"])["outputs/a/720p.mp4"] for _ in range(300)]
    finally:
        ended.set()
        apply.join()
    assert {4} == set(seen)


def test_ten_thousand_files_are_looked_at_within_a_second(tmp_path):
    """One listing a folder; a second of the processor, whatever else it does."""
    paths = [f"outputs/title-{number // 4}/{number % 4}.mp4" for number in range(10_000)]
    for path in paths:
        if path.endswith("/0.mp4"):
            (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).touch()
    began = time.process_time()
    found = presence(tmp_path, paths)
    took = time.process_time() - began

    assert {0} == set(found.values())
    assert took < 1.0, f"{took:.2f} s"


def test_a_whole_file_gets_its_name(tmp_path):
    """What had the name is replaced, folders are made, and nothing of the temporary one stays."""
    files = PublishedFiles(tmp_path)
    for content in (b"old", b"new"):
        files.publish(put(tmp_path, "outputs/a/.720p.12345678.part", content), "outputs/a/b/720p.mp4")
        assert content == (tmp_path / "outputs/a/b/720p.mp4").read_bytes()
    assert ["outputs", "outputs/a", "outputs/a/b", "outputs/a/b/720p.mp4"] == tree(tmp_path)


def test_a_move_leaves_no_empty_folder_behind(tmp_path):
    """The old encode's folders go with its last file, but never `outputs/` itself, nor what still holds something."""
    files = PublishedFiles(tmp_path)
    put(tmp_path, "outputs/old/deep/keep.mp4")
    files.publish(put(tmp_path, "outputs/old/deep/er/720p.mp4"), "outputs/new/720p.mp4")
    assert [
        "outputs/new",
        "outputs/new/720p.mp4",
        "outputs/old",
        "outputs/old/deep",
        "outputs/old/deep/keep.mp4",
    ] == tree(tmp_path)[1:]

    files.remove("outputs/old/deep/keep.mp4")
    files.remove("outputs/new/720p.mp4")
    assert ["outputs"] == tree(tmp_path)


def test_a_duplicate_is_a_file_of_its_own(tmp_path):
    """Removing or replacing one leaves the other as it was."""
    files = PublishedFiles(tmp_path)
    files.duplicate(put(tmp_path, "outputs/a/720p.mp4"), "outputs/b/.720p.12345678.part")
    files.publish("outputs/b/.720p.12345678.part", "outputs/b/720p.mp4")
    files.publish(put(tmp_path, "outputs/a/.x.part", b"other"), "outputs/a/720p.mp4")

    assert (b"other", FILM) == tuple((tmp_path / f"outputs/{name}/720p.mp4").read_bytes() for name in "ab")
    files.remove("outputs/b/720p.mp4")
    assert b"other" == (tmp_path / "outputs/a/720p.mp4").read_bytes()


def test_removing_what_is_gone_is_no_error(tmp_path):
    """Whoever removed it before."""
    files = PublishedFiles(tmp_path)
    files.remove("outputs/a/720p.mp4")
    put(tmp_path, "outputs/a")
    files.remove("outputs/a/720p.mp4")
    assert ["outputs", "outputs/a"] == tree(tmp_path)


@pytest.mark.parametrize(("expected", "size", "digest"), [(True, 4, DIGEST), (False, 5, DIGEST), (False, 4, "ab" * 32)])
def test_a_file_holds_just_one_content(tmp_path, expected, size, digest):
    """Size and digest both count."""
    assert expected == PublishedFiles(tmp_path).holds(put(tmp_path, "outputs/a/720p.mp4"), size, digest)


def test_what_is_no_file_holds_nothing(tmp_path):
    """Absent, a folder, or below a file."""
    files = PublishedFiles(tmp_path)
    (tmp_path / "outputs/a/folder.mp4").mkdir(parents=True)
    put(tmp_path, "outputs/a/720p.mp4")
    for path in ("outputs/a/480p.mp4", "outputs/b/720p.mp4", "outputs/a/folder.mp4", "outputs/a/720p.mp4/below"):
        assert not files.holds(path, (tmp_path / "outputs/a/folder.mp4").stat().st_size, DIGEST)


@pytest.mark.parametrize("path", OUTSIDE)
def test_nothing_is_done_outside_outputs(tmp_path, path):
    """Whatever a state names, on either side of each of the operations; the files that are named stay."""
    project = tmp_path / "project"
    own = put(project, "outputs/a/720p.mp4")
    put(tmp_path, "outside.mp4")
    before = tree(tmp_path)
    files = PublishedFiles(project)
    for act in (
        lambda: files.publish(path, own),
        lambda: files.publish(own, path),
        lambda: files.duplicate(path, own),
        lambda: files.duplicate(own, path),
        lambda: files.remove(path),
        lambda: files.holds(path, 4, DIGEST),
    ):
        with pytest.raises(ReconcilerError, match="outside outputs/"):
            act()
    assert before == tree(tmp_path)


def test_what_the_disk_refuses_is_an_error_in_words(tmp_path):
    """The file, what could not be done and why; no traceback of the system's."""
    files = PublishedFiles(tmp_path)
    part = put(tmp_path, "outputs/a/.720p.12345678.part")
    (tmp_path / "outputs/a/720p.mp4/sub").mkdir(parents=True)
    with pytest.raises(ReconcilerError, match=r"cannot be named outputs/a/720p\.mp4: Is a directory"):
        files.publish(part, "outputs/a/720p.mp4")
    with pytest.raises(ReconcilerError, match=r"outputs/gone\.mp4 cannot be copied to outputs/b\.part: No such file"):
        files.duplicate("outputs/gone.mp4", "outputs/b.part")
    with pytest.raises(ReconcilerError, match=r"outputs/a/720p\.mp4 cannot be removed: "):
        files.remove("outputs/a/720p.mp4")
    assert FILM == (tmp_path / part).read_bytes()


def test_a_source_is_unchanged_while_its_size_and_time_are(tmp_path):
    """Touched, longer or gone is changed."""
    files = PublishedFiles(tmp_path)
    stat = (tmp_path / put(tmp_path, "clip.mov")).stat()
    source, seen = Source("file", "clip.mov", "clip.mov"), SourceSeen("clip.mov", stat.st_size, stat.st_mtime_ns)
    assert files.unchanged(source, seen)

    os.utime(tmp_path / "clip.mov", ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert not files.unchanged(source, seen)
    put(tmp_path, "clip.mov", b"longer")
    os.utime(tmp_path / "clip.mov", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert not files.unchanged(source, seen)
    (tmp_path / "clip.mov").unlink()
    assert not files.unchanged(source, seen)


def test_sources_that_were_copied_cannot_change(tmp_path):
    """A fetched or generated source is what it was."""
    files = PublishedFiles(tmp_path)
    assert files.unchanged(Source("http", "https://h/a", "https://h/a"), SourceSeen("https://h/a", 5))
    assert files.unchanged(Source("lavfi", "lavfi:x", "lavfi:x"), SourceSeen("lavfi:x"))


@pytest.mark.parametrize("link", ["outputs", "outputs/a"])
def test_a_folder_that_leads_out_of_the_project(tmp_path, link):
    """A link out of the project is refused by whoever would look, write or remove behind it, and allowed by a flag."""
    project, away = tmp_path / "project", tmp_path / "away"
    put(away, "a/720p.mp4" if link == "outputs" else "720p.mp4")
    (project / link).parent.mkdir(parents=True)
    (project / link).symlink_to(away)
    said = rf"{link}/ leads out of the project folder, to {away}\.\n(.|\n)*--media-root {away}"

    with pytest.raises(ReconcilerError, match=said):
        presence(project, ["outputs/a/720p.mp4"])
    with pytest.raises(ReconcilerError, match=said):
        PublishedFiles(project).remove("outputs/a/720p.mp4")
    assert {"outputs/a/720p.mp4": 4} == presence(project, ["outputs/a/720p.mp4"], [str(away)])
    PublishedFiles(project, [str(away)]).remove("outputs/a/720p.mp4")
    assert {"outputs/a/720p.mp4": None} == presence(project, ["outputs/a/720p.mp4"], [str(away)])


def test_a_link_within_the_project(tmp_path):
    """Outputs may lie in another folder of the project."""
    put(tmp_path, "disk/a/720p.mp4")
    (tmp_path / "outputs").symlink_to("disk")
    assert {"outputs/a/720p.mp4": 4} == presence(tmp_path, ["outputs/a/720p.mp4"])


PACKAGE = {"master.m3u8": b"#EXTM3U", "main/index.m3u8": b"#EXTM3U!", "main/segment-00000.m4s": FILM}


def package(project, path, content=FILM):
    """A package of the project."""
    for name, text in {**PACKAGE, "main/segment-00000.m4s": content}.items():
        put(project, f"{path}/{name}", text)
    return path


def test_a_package_counts_as_one_file(tmp_path):
    """Its size is that of all it holds; it is whole if its digest is; a segment that is gone shows in both."""
    files, path = PublishedFiles(tmp_path), package(tmp_path, "outputs/a/web")
    digest = trees.digest(tmp_path / path)
    assert {path: 19} == presence(tmp_path, [path])
    assert files.holds(path, 19, digest)
    assert not files.holds(path, 19, DIGEST)
    (tmp_path / path / "main/segment-00000.m4s").unlink()
    assert {path: 15} == presence(tmp_path, [path])
    assert not files.holds(path, 19, digest)


def test_a_package_is_published_moved_duplicated_and_removed(tmp_path):
    """As a file is: replaced whole, of its own when duplicated, and no empty folder is left."""
    files = PublishedFiles(tmp_path)
    package(tmp_path, "outputs/a/web", b"old")
    files.publish(package(tmp_path, "outputs/a/.web.12345678.part"), "outputs/a/web")
    assert FILM == (tmp_path / "outputs/a/web/main/segment-00000.m4s").read_bytes()

    files.duplicate("outputs/a/web", "outputs/b/.web.12345678.part")
    files.publish("outputs/b/.web.12345678.part", "outputs/b/web")
    files.publish("outputs/a/web", "outputs/c/web")
    files.remove("outputs/b/web")
    assert ["outputs/c", "outputs/c/web", *(f"outputs/c/web/{name}" for name in sorted(["main", *PACKAGE]))] == tree(
        tmp_path
    )[1:]
    files.remove("outputs/c/web")
    assert ["outputs"] == tree(tmp_path)


def test_a_package_gives_way_to_a_file_of_its_name_and_the_other_way(tmp_path):
    """An output that is called with an extension may become another kind."""
    files = PublishedFiles(tmp_path)
    package(tmp_path, "outputs/a/web.mp4")
    files.publish(put(tmp_path, "outputs/a/.web.12345678.part"), "outputs/a/web.mp4")
    assert {"outputs/a/web.mp4": 4} == presence(tmp_path, ["outputs/a/web.mp4"])
    files.publish(package(tmp_path, "outputs/a/.web.12345678.part"), "outputs/a/web.mp4")
    assert {"outputs/a/web.mp4": 19} == presence(tmp_path, ["outputs/a/web.mp4"])


def test_a_folder_that_is_no_package_is_never_replaced_nor_removed(tmp_path):
    """It holds the files of other outputs."""
    files = PublishedFiles(tmp_path)
    put(tmp_path, "outputs/a/web/720p.mp4")
    part = package(tmp_path, "outputs/a/.web.12345678.part")
    with pytest.raises(ReconcilerError, match="cannot be named outputs/a/web: Is a directory"):
        files.publish(part, "outputs/a/web")
    with pytest.raises(ReconcilerError, match="outputs/a/web cannot be removed: Is a directory"):
        files.remove("outputs/a/web")
    assert FILM == (tmp_path / "outputs/a/web/720p.mp4").read_bytes()
