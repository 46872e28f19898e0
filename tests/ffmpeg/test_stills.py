"""Stills: posters, thumbnails and sheets, looked at pixel by pixel."""

from __future__ import annotations

import math
import re

import av
import pytest

from builders_ffmpeg import H264, PROGRAM, encode, generated, local, made, output
from builders_media import ffmpeg
from reconciler.core.ports import NotMade, Suspect, Verified
from reconciler.io import trees
from reconciler.views.asked import asked as asked_in_words

KINDS = ["jpg", "png", "webp"]
BARE = {"video": None, "audio": None}
# The picture's grey level tells the second that it is from.
CLOCK = "color=black:size=160x120:rate=25:duration=6,geq=lum='40*floor(T)+10':cb=128:cr=128"


def grey(file, at=(0, 0)):
    """The brightness of a picture around a place, as a second of CLOCK."""
    with av.open(str(file)) as container:
        frame = next(container.decode(video=0)).reformat(format="rgb24")
    plane = frame.planes[0]
    offset = (at[1] + 20) * plane.line_size + 3 * (at[0] + 20)
    return bytes(plane)[offset]


def second(file, at=(0, 0)):
    """Which second of CLOCK a picture shows; levels of video are stretched to those of pictures."""
    return round(((grey(file, at) * 219 / 255 + 16) - 10) / 40)


def size(file):
    """Width and height of a picture."""
    with av.open(str(file)) as container:
        frame = next(container.decode(video=0))
    return frame.width, frame.height


def master(clips):
    """Six seconds, each with a brightness of its own."""
    return clips._made("clock.mkv", "-f", "lavfi", "-i", CLOCK, "-c:v", "libx264", "-crf", 5, "-preset", "ultrafast")


@pytest.mark.parametrize("container", KINDS)
@pytest.mark.parametrize(("at", "shown"), [("0s", 0), ("2.4s", 2), ("3s", 3), ("75%", 4), ("0%", 0), ("100%", 5)])
def test_a_poster_is_of_its_time(clips, tmp_path, container, at, shown):
    """By a time, or by a share of the length, up to the very last picture."""
    result, file = made(tmp_path, local(master(clips)), container=container, **BARE, stills={"at": at, "width": 80})
    assert isinstance(result, Verified), result
    assert result.summary == f"80x60 {container}"
    assert (80, 60) == size(file)
    assert shown == second(file)


def test_a_poster_of_a_trim_counts_from_its_start(clips, tmp_path):
    """The half of what is used is not the half of the source."""
    source = local(master(clips), start=2, end=5)
    _, file = made(tmp_path, source, container="png", **BARE, stills={"at": "50%"})
    assert 3 == second(file)


def test_a_poster_behind_the_end_is_told(clips, tmp_path):
    """Nothing else is taken instead."""
    result, _ = made(tmp_path, local(master(clips)), container="jpg", **BARE, stills={"at": 10})
    assert result == NotMade("there is no picture at 10 s: the source ends at 6.00 s")


@pytest.mark.parametrize(("start", "end"), [(0.5, 2.5), (0.52, 2.52), (0.5, 2.54)])
def test_a_trim_between_two_pictures_adds_none(clips, tmp_path, start, end):
    """A trim that begins or ends within one of 25 pictures a second: there are as many as the list has."""
    result, folder = made(
        tmp_path, local(master(clips), start=start, end=end), container="jpg", **BARE, stills={"every": 1}
    )
    assert isinstance(result, Verified), result
    assert math.ceil(round(end - start, 6)) == len(list(folder.glob("*.jpg")))


@pytest.mark.parametrize("container", KINDS)
def test_thumbnails_come_at_intervals(clips, tmp_path, container):
    """One every two seconds from the start on, in a folder with a list of their times."""
    result, folder = made(tmp_path, local(master(clips)), container=container, **BARE, stills={"every": 2})
    assert isinstance(result, Verified), result
    names = [f"0000{number}.{container}" for number in (1, 2, 3)]
    assert [*names, "stills.vtt"] == sorted(path.name for path in folder.iterdir())
    assert [0, 2, 4] == [second(folder / name) for name in names]
    assert result.sha256 == trees.digest(folder)
    assert result.summary == f"160x120 {container}, 3 stills"
    text = (folder / "stills.vtt").read_text()
    assert text.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n00001.")
    assert "00:00:04.000 --> 00:00:06.000\n00003." in text


def test_a_sheet_holds_its_pictures_in_order(clips, tmp_path):
    """Across, then down, the last sheet only in part; the list says where each stands."""
    stills = {"every": 1, "width": 80, "grid": "2x2"}
    result, folder = made(tmp_path, local(master(clips)), container="jpg", **BARE, stills=stills)
    assert isinstance(result, Verified), result
    assert result.summary == "80x60 jpg, 6 stills on 2 sheets"
    text = (folder / "stills.vtt").read_text()
    cues = re.findall(r"(\S+) --> (\S+)\n(\S+?)#xywh=(\d+),(\d+),80,60", text)
    assert 6 == len(cues)
    assert ("00:00:05.000", "00:00:06.000", "00002.jpg", "80", "0") == cues[5]
    for number, (_, _, sheet, left, top) in enumerate(cues):
        assert (160, 120) == size(folder / sheet)
        assert number == second(folder / sheet, (int(left), int(top)))


def test_stills_share_the_decode_of_a_video(clips, tmp_path):
    """A video, a poster and a sheet in one process; the video is whole."""
    source = local(master(clips))
    video = output(source, "video", video=H264, audio=None)
    poster = output(source, "poster", container="jpg", **BARE, stills={"at": "50%"})
    sheet = output(source, "sheet", container="webp", **BARE, stills={"every": 2, "width": 80, "grid": "3x1"})
    results = encode(tmp_path, source, video, poster, sheet)
    assert all(isinstance(result, Verified) for result in results.values()), results
    assert 3 == second(tmp_path / results["poster"].path)
    assert results["video"].summary.startswith("0:06.0 160x120")


def test_a_late_picture_keeps_its_times(clips, tmp_path):
    """Pictures before the first one are the first one, so that the list is right."""
    result, folder = made(tmp_path, local(clips.late_picture()), container="jpg", **BARE, stills={"every": 0.5})
    assert isinstance(result, Verified), result
    assert 6 == len(list(folder.glob("*.jpg")))


def test_a_pause_keeps_its_times(clips, tmp_path):
    """A picture that stands still is shown again."""
    result, folder = made(tmp_path, local(clips.paused()), container="jpg", **BARE, stills={"every": 1})
    assert isinstance(result, Verified), result
    assert 4 == len(list(folder.glob("*.jpg")))


def test_hdr_and_fields_are_no_hindrance(clips, tmp_path):
    """HDR is brought down, fields become pictures."""
    for number, clip in enumerate((clips.mastered(), clips.interlaced(), clips.portrait(), clips.anamorphic())):
        result, _ = made(
            tmp_path / str(number), local(clip), container="jpg", **BARE, stills={"at": "50%", "width": 96}
        )
        assert isinstance(result, Verified), result


def test_sources_that_cannot_be_pictured_are_told(clips, tmp_path):
    """Sound alone, and a share of a length that nobody knows."""
    result, _ = made(tmp_path, local(clips.sound_only()), container="jpg", **BARE, stills={"at": "10%"})
    assert result == NotMade("the source has no picture")
    result, _ = made(tmp_path, local(clips.cut("mkv")), container="jpg", **BARE, stills={"every": 1})
    assert isinstance(result, NotMade)
    assert "cut off" in result.error
    plain = generated("testsrc2=size=160x120:rate=25:duration=2")
    result, _ = made(tmp_path, plain, container="png", **BARE, stills={"at": "50%"})
    assert isinstance(result, Verified), result


def test_a_missing_picture_is_suspect(clips, tmp_path):
    """A series with a hole in it is no series."""
    program = tmp_path / "ffmpeg"
    program.write_text(
        f'#!/bin/sh\n{PROGRAM} "$@"; code=$?\nfor word; do :; done\n'
        'case "$word" in *05d.jpg) rm -f "$(dirname "${word#file:}")/00002.jpg";; esac\nexit $code\n'
    )
    program.chmod(0o755)
    source = local(master(clips))
    wanted = output(source, container="jpg", **BARE, stills={"every": 2})
    (result,) = encode(tmp_path, source, wanted, program=str(program)).values()
    assert isinstance(result, Suspect), result
    assert result.error == "there are 2 pictures instead of 3"


def test_any_folder_can_hold_stills(clips, tmp_path):
    """Percent signs in the project's path are no pattern."""
    project = tmp_path / "100%d %05d"
    project.mkdir()
    for wanted in ({"every": 2}, {"at": "1s"}):
        result, _ = made(project, local(master(clips)), container="jpg", **BARE, stills=wanted)
        assert isinstance(result, Verified), result
    assert ffmpeg("-version")


def test_a_plan_says_what_stills_are():
    """In few words, for a poster and for a sheet."""
    manifest = {"container": "jpg", "stills.at": "10%", "stills.width": 320}
    assert "jpg 320 wide at 10%" == asked_in_words(manifest).words()
    manifest = {"container": "webp", "stills.every": 10, "stills.height": 90, "stills.grid": "10x10"}
    assert "webp 90 high every 10 s, 10x10" == asked_in_words(manifest).words()
