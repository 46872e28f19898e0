"""Files that are held against what was asked for."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from builders_ffmpeg import AAC, H264, asked, local
from builders_media import ffmpeg
from reconciler.core.encode import Trim
from reconciler.ffmpeg import work_files
from reconciler.ffmpeg.arguments import Target, arguments
from reconciler.ffmpeg.complaints import Complaints
from reconciler.ffmpeg.probe import probe
from reconciler.ffmpeg.verify import Wish, verify


def make(clips, tmp_path, **parameters):
    """An output that was really made, and the wish that it fulfils."""
    source, wanted = clips.plain(), asked(**parameters)
    facts, path = probe(str(source)), tmp_path / f"made.{wanted.container}"
    ffmpeg(*arguments(local(source), str(source), [Target(wanted, str(path))], facts=facts))
    return path, Wish(wanted, Trim(), facts)


def wrong(path, wish, complaints=None):
    """What is wrong with a file."""
    return verify(str(path), wish, complaints or Complaints()).wrong


def test_what_was_asked_for_is_whole(clips, tmp_path):
    """An output just as it was asked for has nothing wrong with it."""
    path, wish = make(clips, tmp_path)
    finding = verify(str(path), wish, Complaints())
    assert (finding.wrong, finding.notes) == ((), ())
    assert finding.facts.video[0].packets == 50


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"video": {"codec": "hevc", "crf": 30}}, "its codec is h264 instead of hevc"),
        ({"video": {**H264, "height": 60}}, "its size is 160x120 instead of 80x60"),
        ({"video": {**H264, "pixel_format": "yuv422p"}}, "its pixel format is yuv420p instead of yuv422p"),
        ({"video": {**H264, "fps": 50}}, "its frame rate is 25 instead of 50"),
        ({"audio": {**AAC, "channels": 1}}, "it has 2 audio channels instead of 1"),
        ({"audio": {**AAC, "codec": "opus"}}, "its audio codec is aac instead of opus"),
        ({"audio": {**AAC, "sample_rate": 44_100}}, "its sample rate is 48000 instead of 44100"),
        ({"audio": {"codec": "none"}}, "it holds 1 video and 1 audio tracks instead of 1 and 0"),
        ({"video": None}, "it holds 1 video and 1 audio tracks instead of 0 and 1"),
    ],
)
def test_every_property_is_looked_at(clips, tmp_path, other, said):
    """A file that is not what was asked for is found out, whatever it is that differs."""
    path, wish = make(clips, tmp_path)
    assert (said,) == wrong(path, replace(wish, parameters=asked(**other)))


def test_a_missing_track_is_found(clips, tmp_path):
    """An output without the sound that its source has is not whole."""
    path, wish = make(clips, tmp_path, audio={"codec": "none"})
    assert wrong(path, replace(wish, parameters=asked())) == ("it holds 1 video and 0 audio tracks instead of 1 and 1",)


@pytest.mark.parametrize("missing", [0.1, 0.5])
def test_an_early_end_is_found(clips, tmp_path, missing):
    """Each track is held against its own source track, to about a frame."""
    path, wish = make(clips, tmp_path)
    video, audio = wish.source.video[0], wish.source.audio[0]
    longer = replace(wish.source, video=(replace(video, end=video.end + missing),))
    assert wrong(path, replace(wish, source=longer)) == (f"its picture ends at 2.00 s instead of {2 + missing:.2f} s",)
    longer = replace(wish.source, audio=(replace(audio, end=audio.end + missing),))
    assert wrong(path, replace(wish, source=longer)) == (f"its sound ends at 2.00 s instead of {2 + missing:.2f} s",)


def test_a_frame_more_or_less_is_no_difference(clips, tmp_path):
    """Containers and encoders round; a frame is what may differ."""
    path, wish = make(clips, tmp_path)
    for off in (-0.04, 0.04):
        video = replace(wish.source.video[0], end=2 + off)
        assert wrong(path, replace(wish, source=replace(wish.source, video=(video,)))) == ()


def test_a_tail_that_does_not_decode_is_found(clips, tmp_path):
    """The right length and the right tracks are not enough: the end has to play."""
    path, wish = make(clips, tmp_path, container="mkv")
    data = bytearray(path.read_bytes())
    end = len(data) - 2_000
    data[end - len(data) // 4 : end] = bytes(len(data) // 4)
    path.write_bytes(data)
    assert any("cannot be decoded" in said or "ends at" in said for said in wrong(path, wish))


def test_a_file_without_an_index_is_found(clips, tmp_path):
    """What a killed MP4 leaves cannot be opened."""
    path, wish = make(clips, tmp_path, faststart=False)
    path.write_bytes(path.read_bytes()[:5_000])
    assert wrong(path, wish)[0].startswith("the file cannot be opened")


def errors(count):
    """The complaints of a source with so many errors."""
    complaints = Complaints()
    for number in range(count):
        complaints.add(f"[h264 @ 0x1] [error] error while decoding MB {number} 0")
    return complaints


def test_a_few_errors_are_a_note_and_many_are_damage(clips, tmp_path):
    """A scratch is noted; a source that gave 190 errors in a few seconds is damaged."""
    path, wish = make(clips, tmp_path)
    scratched = verify(str(path), wish, errors(3))
    assert scratched.wrong == ()
    assert scratched.notes == ("3 errors while the source was read, the first: error while decoding MB 0 0",)
    assert wrong(path, wish, errors(190)) == (
        "the source is damaged: 190 errors, the first: error while decoding MB 0 0",
    )


def test_a_hole_counts_where_there_were_errors(clips, tmp_path):
    """A steady source with a pause is sound; with a decode error beside it, something was lost."""
    path, wish = make(clips, tmp_path)
    paused = replace(wish.source, video=(replace(wish.source.video[0], gap=1.0),))
    assert wrong(path, replace(wish, source=paused)) == ()
    assert wrong(path, replace(wish, source=paused), errors(1)) == (
        "the source is damaged: 1.0 s of the picture are missing",
    )


def test_a_cut_off_source_is_no_source_for_all_of_it(clips, tmp_path):
    """What lies before the cut may be used; what reaches to it may be less than there was."""
    path, wish = make(clips, tmp_path)
    cut = replace(wish.source, truncated="its segment is cut off")
    assert wrong(path, replace(wish, source=cut)) == ("the source is cut off at 2.00 s: its segment is cut off",)
    part = replace(wish, source=cut, trim=Trim(0, 1))
    assert not any("cut off" in said for said in wrong(path, part))
    complaints = Complaints()
    complaints.add("[in#0/matroska,webm @ 0x55] [error] File ended prematurely")
    assert wrong(path, wish, complaints) == ("the source is cut off at 2.00 s: it ends in the middle of a packet",)


def test_it_is_cheap(clips, tmp_path):
    """Reading and verifying a minute of 1080p takes about a third of a second of work, not the time of a decode."""
    short = clips.plain("hd.mp4", size="1920x1080")
    path = tmp_path / "minute.mp4"
    ffmpeg("-stream_loop", "29", "-i", short, "-c", "copy", "-t", "60", path)
    began = time.process_time()
    facts = probe(str(path))
    wish = Wish(asked(audio={**AAC, "channels": 2}), Trim(), facts)
    assert wrong(path, wish) == ()
    assert work_files.seal(path)[0] == path.stat().st_size
    assert time.process_time() - began < 0.6
