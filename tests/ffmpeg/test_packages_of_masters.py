"""Packages of odd masters are whole, and packages that were damaged afterwards are not."""

from __future__ import annotations

import shutil

import pytest

from builders_ffmpeg import AAC, asked, encode, local, output
from reconciler.core.encode import Trim
from reconciler.core.ports import Verified
from reconciler.ffmpeg.complaints import Complaints
from reconciler.ffmpeg.packaging import package
from reconciler.ffmpeg.probe import probe
from reconciler.ffmpeg.segments import measure
from reconciler.ffmpeg.verify import Wish

REORDERED = {"codec": "h264", "crf": 30, "preset": "veryfast"}
LADDER = {
    "container": "hls",
    "video": None,
    "audio": None,
    "variants": {
        "a": {"video": {**REORDERED, "keyframe_interval": 0.25}, "audio": AAC},
        "b": {"video": {**REORDERED, "height": 60, "fps": {"max": 15}}, "audio": AAC},
    },
}
MASTERS = [
    *("late_picture", "late_clock", "live_webm", "variable_rate", "paused", "long_sound", "portrait"),
    *("with_holes_in_sound", "covered", "full_range"),
]


def ladder(kind):
    """Two variants in short segments."""
    return {**LADDER, "segment": {"type": kind, "duration": 0.5}}


@pytest.mark.parametrize("start", [0, 0.37])
@pytest.mark.parametrize("kind", ["fmp4", "ts"])
@pytest.mark.parametrize("name", MASTERS)
def test_odd_masters_make_whole_packages(clips, tmp_path, name, kind, start):
    """Late pictures, pauses, uneven rates, holes in the sound: as whole as a single file of them is."""
    source = local(getattr(clips, name)(), start=start)
    (result,) = encode(tmp_path, source, output(source, "film", **ladder(kind))).values()
    assert isinstance(result, Verified), result


@pytest.fixture(scope="module")
def made(clips, tmp_path_factory):
    """A package of each kind, to be copied, and what it is held against."""

    def one(kind):
        project, source = tmp_path_factory.mktemp(kind), local(clips.plain())
        (result,) = encode(project, source, output(source, "film", **ladder(kind))).values()
        wish = Wish(asked(**ladder(kind)), Trim(), probe(str(clips.plain())))
        return project / result.path, wish

    return {kind: one(kind) for kind in ("fmp4", "ts")}


def cut(folder, ending):
    """A segment that breaks off."""
    path = folder / f"a/segment-00001.{ending}"
    path.write_bytes(path.read_bytes()[:-400])


def overwritten(folder, ending):
    """The last segment with other bytes in its middle."""
    path = folder / f"b/segment-00003.{ending}"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + bytes(300) + data[len(data) // 2 + 300 :])


def missing(folder, ending):
    """A segment that is not there."""
    (folder / f"a/segment-00002.{ending}").unlink()


def last_missing(folder, ending):
    """A stream that is shorter than its source."""
    (folder / f"a/segment-00003.{ending}").unlink()


def emptied(folder, ending):
    """A segment of nothing."""
    (folder / f"b/segment-00001.{ending}").write_bytes(b"")


def swapped(folder, ending):
    """The segments of another variant."""
    shutil.copytree(folder / "a", folder / "b", dirs_exist_ok=True)


def exchanged(folder, ending):
    """Two segments under each other's name."""
    first, second = (folder / f"a/segment-0000{number}.{ending}" for number in (1, 2))
    first.rename(folder / "kept")
    second.rename(first)
    (folder / "kept").rename(second)


def stray(folder, ending):
    """A file that no playlist names."""
    (folder / "notes.txt").write_text("mine")


@pytest.mark.parametrize("kind", ["fmp4", "ts"])
@pytest.mark.parametrize("damage", [cut, overwritten, missing, last_missing, emptied, swapped, exchanged, stray])
def test_damaged_packages_are_found(made, tmp_path, kind, damage):
    """Whatever happens to a single segment makes the package suspect."""
    folder, wish = made[kind]
    shutil.copytree(folder, tmp_path / "film")
    assert () == package(tmp_path / "film", wish, Complaints()).wrong
    damage(tmp_path / "film", {"fmp4": "m4s", "ts": "ts"}[kind])
    assert package(tmp_path / "film", wish, Complaints()).wrong


def test_time_that_goes_back_is_found_in_any_pause(made, tmp_path):
    """Segments in a wrong order, of a source whose pauses would allow any distance between them."""
    folder, _ = made["fmp4"]
    shutil.copytree(folder / "a", tmp_path / "a")
    exchanged(tmp_path, "m4s")
    assert ("a/segment-00001.m4s does not come before the next segment",) == measure(tmp_path / "a", 60).wrong
