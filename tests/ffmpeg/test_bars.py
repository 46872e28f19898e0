"""Black bars: found, taken off, and pinned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders_ffmpeg import H264, PROGRAM, encode, local, made, output
from reconciler.core.parameters import Crop
from reconciler.core.ports import Verified
from reconciler.ffmpeg import bars
from reconciler.ffmpeg.probe import probe

AUTO = {**H264, "autocrop": True}


def letterbox(clips, name="letterbox.mkv", *, intro=False):
    """A wide picture between bars above and below; with `intro` it begins black."""
    fade = ",fade=in:0:12" if intro else ""
    graph = f"testsrc2=size=320x140:rate=25:duration=2{fade},pad=320:180:0:20:black"
    return clips._made(name, "-f", "lavfi", "-i", graph, "-c:v", "libx264", "-preset", "ultrafast", "-crf", 18)


def size(file):
    """Width and height of a file's picture."""
    picture = probe(str(file)).video[0]
    return picture.width, picture.height


def test_bars_are_taken_off(clips, tmp_path):
    """What is left is the picture alone, and what was found is pinned."""
    result, file = made(tmp_path, local(letterbox(clips)), video=AUTO, audio=None)
    assert isinstance(result, Verified), result
    assert (320, 140) == size(file)
    edges = {"top": 20, "bottom": 20, "left": 0, "right": 0}
    assert {f"video.crop.{edge}": pixels for edge, pixels in edges.items()} == result.pins


def test_a_black_beginning_is_no_bar(clips, tmp_path):
    """All of the source is looked at, not its first picture."""
    _, file = made(tmp_path, local(letterbox(clips, "intro.mkv", intro=True)), video=AUTO, audio=None)
    assert (320, 140) == size(file)


def test_a_picture_without_bars_stays_as_it_is(clips, tmp_path):
    """And so does one that is black all over, and one that is upright only when turned."""
    for clip in (clips.plain(), clips.portrait()):
        result, file = made(tmp_path / clip.stem, local(clip), video=AUTO, audio=None)
        assert isinstance(result, Verified), result
        assert sorted(size(file)) == [120, 160]
    black = clips._made("black.mkv", "-f", "lavfi", "-i", "color=black:size=160x120:duration=1", "-c:v", "libx264")
    result, file = made(tmp_path, local(black), video=AUTO, audio=None)
    assert isinstance(result, Verified), result
    assert (160, 120) == size(file)


def test_pinned_bars_are_not_looked_for(clips, tmp_path):
    """What was found before is taken, whatever is there; the other outputs of the job look once."""
    record, program = tmp_path / "calls", tmp_path / "ffmpeg"
    program.write_text(f'#!/bin/sh\ncase "$*" in *cropdetect*) echo >> {record};; esac\nexec {PROGRAM} "$@"\n')
    program.chmod(0o755)
    source = local(letterbox(clips))
    fresh = [output(source, str(height), video={**AUTO, "height": height}, audio=None) for height in (140, 70)]
    results = encode(tmp_path, source, *fresh, program=str(program))
    assert all(isinstance(result, Verified) for result in results.values()), results
    assert (160, 70) == size(tmp_path / results["70"].path)
    before = {"video.crop.top": 40, "video.crop.bottom": 40, "video.crop.left": 0, "video.crop.right": 0}
    known = replace(output(source, video=AUTO, audio=None), pins=before)
    (result,) = encode(tmp_path, source, known, program=str(program)).values()
    assert (320, 100) == size(tmp_path / result.path)
    assert before == result.pins
    assert 1 == len(record.read_text().splitlines())


@pytest.mark.parametrize(
    ("line", "crop"),
    [
        ("crop=320:140:0:20", Crop(top=20, bottom=20, left=0, right=0)),
        ("crop=316:176:2:2", Crop(top=0, bottom=0, left=0, right=0)),
        ("crop=240:180:40:0", Crop(top=0, bottom=0, left=40, right=40)),
        ("crop=-318:-178:320:180", Crop()),
        ("crop=100:180:110:0", Crop()),
    ],
)
def test_what_is_no_bar(clips, line, crop):
    """Blurred edges are none, nor is a picture that is merely dark."""
    track = probe(str(letterbox(clips))).video[0]
    assert crop == bars.read_bars(["crop=2:2:0:0", f"[Parsed_cropdetect_0 @ 0x1] [info] x1:0 {line}"], track)
