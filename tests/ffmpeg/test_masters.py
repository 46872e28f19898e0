"""Odd and broken masters, from source to result: the odd ones complete with a note, the broken ones never."""

from __future__ import annotations

import pytest

from builders_ffmpeg import AAC, H264, encode, local, made, output
from reconciler.core.ports import NotMade, Suspect, Verified
from reconciler.ffmpeg.probe import probe

ODD = {
    "long_subtitles": "subtitles are not copied",
    "long_sound": "the sound ends 1.50 s after the picture",
    "late_picture": "the picture starts 0.8",
    "live_webm": "the source does not say how long it is",
    "variable_rate": "variable frame rate",
    "eight_mono": "audio track 0 of 8 is used",
    "surround": "audio 5.1 is mixed down to stereo",
    "silent": "the source has no sound",
    "scratched": "while the source was read",
    "portrait": "turned upright",
    "anamorphic": "not square",
    "covered": "cover picture",
    "timecode": "timecode",
}


@pytest.mark.parametrize("container", ["mp4", "mkv"])
@pytest.mark.parametrize("clip", ODD)
def test_an_odd_master_completes_with_a_note(clips, tmp_path, clip, container):
    """Whatever is odd about a sound master is noted; the output is verified."""
    result, file = made(tmp_path, local(getattr(clips, clip)()), container=container)
    assert isinstance(result, Verified), result
    assert any(ODD[clip] in note for note in result.notes), result.notes
    assert file.stat().st_size == result.size


@pytest.mark.parametrize("clip", ["with_holes_in_sound", "paused", "tagged", "full_range", "late_clock"])
def test_a_sound_master_needs_no_note(clips, tmp_path, clip):
    """Pauses and holes that are in the source are in the output; nothing was lost."""
    result, _ = made(tmp_path, local(getattr(clips, clip)()), audio={**AAC, "missing": "silence"})
    assert isinstance(result, Verified), result


@pytest.mark.parametrize(
    "parameters", [{}, {"video": {**H264, "fps": 30}}, {"container": "m4a", "video": None}], ids=str
)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_a_cut_off_master_never_completes(clips, tmp_path, container, share, parameters):
    """A shorter file is made of it, and success is reported; here it is suspect, and kept."""
    result, file = made(tmp_path, local(clips.cut(container, share)), **parameters)
    assert isinstance(result, Suspect), result
    assert "cut off" in result.error
    assert file.stat().st_size == result.size
    assert file.suffix == ".suspect"


@pytest.mark.parametrize("container", ["mkv", "ts", "mp4"])
def test_a_corrupt_master_never_completes(clips, tmp_path, container):
    """A header that is whole and a length that is right do not make up for hundreds of errors."""
    result, _ = made(tmp_path, local(clips.corrupt(container)))
    assert isinstance(result, Suspect), result
    assert "damaged" in result.error or "cannot be decoded" in result.error


def test_a_master_with_stretches_overwritten_never_completes(clips, tmp_path):
    """Few errors and the right end, but whole pictures are missing."""
    result, _ = made(tmp_path, local(clips.holed()))
    assert isinstance(result, Suspect), result
    assert "missing" in result.error


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_the_part_before_the_cut_may_be_used(clips, tmp_path, container):
    """A trim that ends before the end of what is there needs nothing of the rest."""
    result, file = made(tmp_path, local(clips.cut(container), start=0.5, end=2.5))
    assert isinstance(result, Verified), result
    assert any("cut off behind the part that is used" in note for note in result.notes)
    assert probe(str(file)).end == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts", "mov"])
@pytest.mark.parametrize(("start", "end"), [(0, 1), (0.5, None), (0.51, 1.49), (1.2, 1.3), (0, 99)])
def test_a_trim_is_exact_for_every_track(clips, tmp_path, container, start, end):
    """Picture and sound both have just the length that was asked for, whatever the container's clock."""
    source = clips.plain(f"plain.{container}")
    result, file = made(tmp_path, local(source, start=start, end=end))
    assert isinstance(result, Verified), result
    facts, length = probe(str(file)), min(end or 2, 2) - start
    assert facts.video[0].end == pytest.approx(length, abs=0.061)
    assert facts.audio[0].end == pytest.approx(length, abs=0.045)


def test_a_trim_cuts_a_late_picture_where_it_cuts_the_sound(clips, tmp_path):
    """What begins late does not run on behind the end."""
    result, file = made(tmp_path, local(clips.late_picture(), end=1.6))
    assert isinstance(result, Verified), result
    facts = probe(str(file))
    assert facts.video[0].end == pytest.approx(1.6, abs=0.05)
    assert facts.audio[0].end == pytest.approx(1.6, abs=0.03)


def test_silence_for_a_silent_master(clips, tmp_path):
    """Made-up silence is as long as the picture, trimmed or not."""
    for trim, length in (({}, 2), ({"start": 0.5, "end": 1.5}, 1)):
        result, file = made(tmp_path, local(clips.silent(), **trim), audio={**AAC, "missing": "silence"})
        assert isinstance(result, Verified), result
        audio = probe(str(file)).audio[0]
        assert (audio.codec, audio.channels) == ("aac", 2)
        assert audio.end == pytest.approx(length, abs=0.03)


def test_hdr_is_refused_before_anything_runs(clips, tmp_path):
    """Eight bits without tone mapping are an error; ten bits keep the picture as it is."""
    source = local(clips.hdr())
    ten_bit = {"codec": "hevc", "crf": 40, "preset": "ultrafast", "pixel_format": "yuv420p10le"}
    results = encode(
        tmp_path, source, output(source, "eight", audio=None), output(source, "ten", video=ten_bit, audio=None)
    )
    assert isinstance(results["eight"], NotMade)
    assert "HDR (PQ)" in results["eight"].error
    assert isinstance(results["ten"], Verified)
    assert probe(str(tmp_path / results["ten"].path)).video[0].hdr == "PQ"
