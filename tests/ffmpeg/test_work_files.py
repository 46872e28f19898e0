"""Files of encodes that are not finished."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time

import psutil
import pytest

from builders_ffmpeg import generated, output
from reconciler.core.errors import NotReadyError
from reconciler.ffmpeg import work_files

JOB = "0123abcd-0000-5000-8000-000000000000"


def wanted(name="720p"):
    """An output to name files after."""
    return output(generated("testsrc2=d=1"), name)


def put(project, name, content=b"half"):
    """A file in a project."""
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def stray(path):
    """A process that looks like an ffmpeg which an apply left behind: its parent is gone."""
    text = "import time; time.sleep(60)"
    words = [sys.executable, "-c", text, "-progress", "pipe:1", f"file:{path}"]
    starter = f"from subprocess import *; print(Popen({words!r}, stdout=DEVNULL, stderr=DEVNULL).pid)"
    made = subprocess.run([sys.executable, "-c", starter], capture_output=True, check=True, text=True)
    return int(made.stdout)


def gone(pid):
    """Whether a process ends within two seconds."""
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_a_part_stands_beside_the_final_file():
    """Its name says which output and which job it is of."""
    assert work_files.part_of(wanted(), JOB) == "outputs/clip/.720p.0123abcd.part"


def test_a_seal_is_size_and_digest(tmp_path):
    """What is brought to the disk is measured."""
    path = put(tmp_path, "x", b"whole")
    assert work_files.seal(path) == (5, hashlib.sha256(b"whole").hexdigest())


def test_a_suspect_is_kept_and_the_one_before_makes_room(tmp_path):
    """Of each output the latest suspect is there to be looked at, and no other file is touched."""
    put(tmp_path, "outputs/clip/.720p.ffffffff.suspect")
    other = put(tmp_path, "outputs/clip/.480p.ffffffff.suspect")
    put(tmp_path, work_files.part_of(wanted(), JOB), b"odd")
    path = work_files.keep_as_suspect(tmp_path, wanted(), JOB)
    assert path == "outputs/clip/.720p.0123abcd.suspect"
    assert (tmp_path / path).read_bytes() == b"odd"
    assert sorted(path.name for path in other.parent.iterdir()) == [".480p.ffffffff.suspect", ".720p.0123abcd.suspect"]


def test_a_sweep_removes_parts_only(tmp_path):
    """Finished files, suspects, kept parts and everything outside outputs/ stay."""
    stays = [
        put(tmp_path, name)
        for name in (
            "outputs/clip/720p.mp4",
            "outputs/clip/.720p.0123abcd.suspect",
            "outputs/clip/.360p.0123abcd.part",
            "outputs/clip/notes.part",
            "masters/.720p.0123abcd.part",
        )
    ]
    put(tmp_path, "outputs/clip/.720p.0123abcd.part")
    put(tmp_path, "outputs/trailer/bbb/.480p.89abcdef.part")
    swept = work_files.sweep(tmp_path, {"outputs/clip/.360p.0123abcd.part"})
    assert swept == ["outputs/clip/.720p.0123abcd.part", "outputs/trailer/bbb/.480p.89abcdef.part"]
    assert all(path.exists() for path in stays)
    assert work_files.sweep(tmp_path / "nothing", set()) == []


def test_a_stray_process_is_ended(tmp_path):
    """What a killed apply left running is killed; the processes of another project live."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    pids = [stray(project / work_files.part_of(wanted(), JOB)) for project in (ours, theirs)]
    put(ours, work_files.part_of(wanted(), JOB))
    try:
        assert work_files.sweep(ours, set()) == ["outputs/clip/.720p.0123abcd.part"]
        assert gone(pids[0])
        assert psutil.pid_exists(pids[1])
    finally:
        work_files.end_strays(theirs)
    assert gone(pids[1])


def test_what_is_left_of_a_package_is_ended_and_swept(tmp_path):
    """A stray that writes a segment is one, its folder goes as a whole, and what was being replaced comes back."""
    part = work_files.part_of(wanted(), JOB)
    put(tmp_path, f"{part}/main/segment-00000.m4s")
    put(tmp_path, "outputs/clip/.web.aside/master.m3u8")
    put(tmp_path, "outputs/clip/.old.gone/master.m3u8")
    pid = stray(tmp_path / part / "main/index.m3u8")
    assert work_files.sweep(tmp_path, set()) == [part]
    assert gone(pid)
    left = [path.relative_to(tmp_path / "outputs/clip").as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert left == ["web/master.m3u8"]


def test_a_verified_package_is_not_swept(tmp_path):
    """It only lacks its name."""
    part = work_files.part_of(wanted(), JOB)
    put(tmp_path, f"{part}/master.m3u8")
    assert work_files.sweep(tmp_path, {part}) == []
    assert (tmp_path / part / "master.m3u8").exists()


def test_our_own_processes_are_no_strays(tmp_path):
    """An encode of this process goes on while another provider of it looks for strays."""
    words = [
        "-c",
        "import time; time.sleep(60)",
        "-progress",
        "pipe:1",
        f"file:{tmp_path / work_files.part_of(wanted(), JOB)}",
    ]
    with subprocess.Popen([sys.executable, *words]) as own:
        work_files.end_strays(tmp_path)
        assert own.poll() is None
        own.kill()


def test_no_room_where_nothing_may_be_written(tmp_path):
    """A folder that cannot be made is told as what this machine lacks: no encode was tried."""
    put(tmp_path, "outputs")
    with pytest.raises(NotReadyError, match=r"outputs/clip cannot be made: "):
        work_files.make_room(tmp_path / work_files.part_of(wanted(), JOB), ())
