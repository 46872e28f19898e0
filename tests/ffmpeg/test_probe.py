"""Looking into files."""

from __future__ import annotations

import collections
import time
from fractions import Fraction

import pytest

from reconciler.core.errors import RejectedError
from reconciler.ffmpeg.probe import probe


def seen(path):
    """The facts of a clip."""
    return probe(str(path))


def test_a_plain_clip(clips):
    """Size, rate, codecs, layout and the ends of both tracks."""
    facts = seen(clips.plain())
    (video,), (audio,) = facts.video, facts.audio
    assert (video.codec, video.width, video.height, video.pixel_format) == ("h264", 160, 120, "yuv420p")
    assert (Fraction(25), 50, False, 0) == (video.frame_rate, video.packets, video.variable, video.rotation)
    assert (video.start, video.end) == pytest.approx((0, 2))
    assert (audio.codec, audio.channels, audio.layout, audio.sample_rate) == ("aac", 2, "stereo", 48_000)
    assert audio.end == pytest.approx(2)
    assert facts.end == pytest.approx(2)
    assert facts.truncated is None


@pytest.mark.parametrize("name", ["plain.mkv", "plain.ts", "plain.mov"])
def test_ends_come_from_packets(clips, name):
    """Containers whose tracks have no duration in a header, or a clock that does not begin at zero."""
    facts = seen(clips.plain(name))
    for track in (*facts.video, *facts.audio):
        assert track.end - facts.start == pytest.approx(2, abs=0.03)


@pytest.mark.parametrize("rate", ["24000/1001", "30000/1001", "50", "12"])
@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_rates_are_exact(clips, container, rate):
    """Matroska's milliseconds make the steps uneven, not the rate."""
    (video,) = seen(clips.plain(f"rate-{rate.replace('/', '-')}.{container}", rate=rate)).video
    assert Fraction(rate) == video.frame_rate
    assert not video.variable


def test_uneven_rates_and_pauses_are_told_apart(clips):
    """Frames at uneven times are a variable rate; one pause is a pause."""
    assert seen(clips.variable_rate()).video[0].variable
    paused = seen(clips.paused()).video[0]
    assert not paused.variable
    assert (paused.frame_rate, paused.gap) == (25, pytest.approx(2.04))


def test_a_phone_clip_says_how_it_was_held(clips):
    """The display matrix counts counter-clockwise, a picture is turned clockwise."""
    video = seen(clips.portrait(90)).video[0]
    assert (video.rotation, video.upright) == (270, (120, 160, Fraction(1)))
    assert seen(clips.portrait(180)).video[0].rotation == 180


def test_pixels_have_a_shape(clips):
    """An anamorphic picture is as wide as it is stored, and says so."""
    assert seen(clips.anamorphic()).video[0].pixel_aspect == Fraction(4, 3)


@pytest.mark.parametrize(("transfer", "name"), [("smpte2084", "PQ"), ("arib-std-b67", "HLG")])
def test_hdr_is_seen(clips, transfer, name):
    """Both kinds of HDR by their transfer characteristics."""
    assert seen(clips.hdr(transfer)).video[0].hdr == name
    assert seen(clips.plain()).video[0].hdr is None


def test_what_is_no_picture_and_no_sound_is_named(clips):
    """Covers, subtitles and timecodes are not among the tracks."""
    assert seen(clips.covered()).others == ("cover",)
    assert seen(clips.covered()).video[0].width == 160
    assert seen(clips.long_subtitles()).others == ("subtitle",)
    assert seen(clips.timecode()).others == ("data",)


def test_a_live_recording_has_no_duration(clips):
    """Its packets have an end all the same."""
    facts = seen(clips.live_webm())
    assert facts.duration is None
    assert facts.end == pytest.approx(2, abs=0.03)
    assert facts.truncated is None


def test_every_track_is_seen(clips):
    """Eight mono tracks are eight, not one of eight channels."""
    assert [track.channels for track in seen(clips.eight_mono()).audio] == [1] * 8
    assert seen(clips.silent()).audio == ()
    assert seen(clips.sound_only()).video == ()


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_cut_off_file_is_seen(clips, container, share):
    """Cut anywhere, the three containers that masters come in tell it."""
    assert seen(clips.cut(container, share)).truncated


def test_a_transport_stream_cut_between_packets(clips, tmp_path):
    """Most cuts show; one right between two pictures leaves a whole, shorter stream, which nobody can tell."""
    data, found = clips.noisy("noisy.ts").read_bytes(), collections.Counter()
    for packets in range(1500, 2500, 53):
        path = tmp_path / "cut.ts"
        path.write_bytes(data[: packets * 188])
        found[seen(path).truncated is not None] += 1
    assert found[True] >= 17


def test_odd_masters_are_not_taken_for_cut_off(clips):
    """Whole files stay whole, however odd."""
    odd = [
        clips.long_subtitles(), clips.long_sound(), clips.late_picture(), clips.live_webm(), clips.variable_rate(),
        clips.paused(), clips.eight_mono(), clips.surround(), clips.silent(), clips.sound_only(), clips.portrait(),
        clips.covered(), clips.timecode(), clips.scratched(), clips.with_holes_in_sound(), clips.noisy("noisy.ts"),
    ]  # fmt: skip
    assert {path.name: seen(path).truncated for path in odd} == {path.name: None for path in odd}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("playlist", "not one of the media formats"),
        ("cut_before_index", 'its "mdat" box is cut off'),
        ("nothing", "No such file"),
        ("empty", "not one of the media formats"),
        ("text", "not one of the media formats"),
    ],
)
def test_what_cannot_be_read_is_said(clips, tmp_path, name, said):
    """A playlist is not followed, a missing index is named, and anything else has a sentence, too."""
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_text("not a clip\n" * 100)
    path = getattr(clips, name)() if hasattr(clips, name) else tmp_path / name
    with pytest.raises(RejectedError, match=said):
        seen(path)


def test_a_look_is_quick(clips):
    """A minute of 25 pictures a second is read in well under a tenth of a second of work."""
    path = clips.plain("minute.mkv", seconds=60)
    began = time.process_time()
    assert seen(path).video[0].packets == 1500
    assert time.process_time() - began < 0.3
