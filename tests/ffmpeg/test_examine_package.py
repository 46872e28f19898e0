"""Whether a package that somebody else holds can be whole, by its playlists, its files' sizes and its ends."""

from __future__ import annotations

import shutil

import pytest

from builders_ffmpeg import local, made, output
from reconciler.ffmpeg.examine_package import examine_package

AAC = {"codec": "aac"}
VIDEO = {"codec": "h264", "crf": 40, "preset": "ultrafast"}


class Folder:
    """Implements core.ports.PackageFiles for a folder; counts what is read."""

    def __init__(self, folder):
        self.folder, self.read_names = folder, []

    def read(self, name):
        self.read_names.append(name)
        return (self.folder / name).read_bytes()

    def sizes(self, names):
        paths = {name: self.folder / name for name in names}
        return {name: path.stat().st_size if path.exists() else None for name, path in paths.items()}


@pytest.fixture(scope="module", params=["fmp4", "ts"])
def kind(request):
    """How segments are packed."""
    return request.param


@pytest.fixture(scope="module")
def whole(tmp_path_factory, clips, kind):
    """Two seconds with sound in four segments."""
    project = tmp_path_factory.mktemp("package")
    made(
        project, local(clips.plain()), container="hls", segment={"type": kind, "duration": 0.5}, video=VIDEO, audio=AAC
    )
    (folder,) = {path.parent for path in project.rglob("master.m3u8")}
    return folder


@pytest.fixture
def package(whole, tmp_path):
    """A copy of it, to be damaged."""
    return shutil.copytree(whole, tmp_path / "package")


def seen(folder, source=None, **asked):
    """What a look says."""
    wanted = output(local("m.mp4"), **{"container": "hls", "video": VIDEO, "audio": AAC, **asked})
    if source is None:
        return examine_package(Folder(folder), wanted)
    with source.open("rb") as origin:
        return examine_package(Folder(folder), wanted, origin)


def segments(folder):
    """The segments of the picture, in order."""
    return sorted(path for path in folder.rglob("segment-*") if "audio" not in path.parts)


def test_a_whole_package(whole, clips):
    """Described with its length and the size of all its files; its source agrees; only the ends were read."""
    found = seen(whole, clips.plain())

    assert ((), ()) == (found.wrong, found.notes)
    assert sum(path.stat().st_size for path in whole.rglob("*") if path.is_file()) == found.size
    assert found.duration == pytest.approx(2.0, abs=0.1)
    assert "160x120 25 fps h264, aac stereo 48k" in found.summary
    files = Folder(whole)
    examine_package(files, output(local("m.mp4"), container="hls", video=VIDEO, audio=AAC))
    middle = {path.relative_to(whole).as_posix() for path in segments(whole)[1:-1]}
    assert not middle & set(files.read_names)


def damaged(package, name):
    """The package with one thing wrong."""
    index = next(path for path in package.rglob("index.m3u8") if "audio" not in path.parts)
    match name:
        case "gone":
            segments(package)[1].unlink()
        case "empty":
            segments(package)[1].write_bytes(b"")
        case "cut":
            last = segments(package)[-1]
            last.write_bytes(last.read_bytes()[: last.stat().st_size // 2 + 1])
        case "no media":
            segments(package)[-1].write_bytes(b"<html>" * 1000)
        case "short":
            lines = index.read_text().splitlines()
            at = lines.index(segments(package)[-2].name)
            index.write_text("\n".join([*lines[: at - 1], "#EXT-X-ENDLIST"]))
        case "longer than it plays":
            index.write_text(index.read_text().replace("#EXTINF:0.5", "#EXTINF:1.5"))
        case "goes on":
            index.write_text(index.read_text().replace("#EXT-X-ENDLIST", ""))
        case "no playlist":
            index.write_text("<html>")
    return package


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone", "segment-00001"),
        ("empty", "is empty"),
        ("cut", ("is cut off", "says that it plays")),
        ("no media", "cannot be opened as media"),
        ("longer than it plays", "and its segments play 2.0"),
        ("goes on", "does not say that it is complete"),
        ("no playlist", "its playlists cannot be followed"),
    ],
)
def test_what_is_wrong_is_named(package, name, words):
    """Which file, and what was found against what was to be."""
    found = seen(damaged(package, name))
    assert found.wrong
    told = "; ".join(found.wrong)
    assert any(each in told for each in ([words] if isinstance(words, str) else words)), told


def test_a_package_that_is_shorter_than_its_source(package, clips):
    """Its playlist and its segments agree, and its source says otherwise; without that nobody can tell."""
    short = damaged(package, "short")
    assert () == seen(short).wrong
    (sentence,) = seen(short, clips.plain()).wrong
    assert "length is 1.0" in sentence
    assert "s instead of the 2.0" in sentence


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"video": {**VIDEO, "height": 60}}, "its height is 120 instead of 60"),
        ({"audio": {"codec": "none"}}, "it holds 1 video and 1 audio tracks instead of 1 and 0"),
    ],
)
def test_what_was_asked_for(whole, asked, words):
    """As of a file."""
    assert (words,) == seen(whole, **asked).wrong


def test_missing_sound(tmp_path, clips, kind):
    """The source sounds, and the package does not."""
    made(tmp_path, local(clips.silent()), container="hls", segment={"type": kind}, video=VIDEO, audio=AAC)
    (folder,) = {path.parent for path in tmp_path.rglob("master.m3u8")}
    assert "since its source has sound" in seen(folder, clips.plain()).wrong[0]
    assert "it has no sound: the source has none" in seen(folder, clips.silent()).notes
