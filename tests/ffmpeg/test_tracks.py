"""Several tracks of sound, their languages, and tracks that are copied."""

from __future__ import annotations

import pytest

from builders_ffmpeg import AAC, H264, asked, encode, local, made, output
from builders_media import ffmpeg
from reconciler.core.languages import language
from reconciler.core.ports import NotMade, Verified
from reconciler.ffmpeg.kind import KIND, FfmpegOptions
from reconciler.ffmpeg.probe import probe

MKV = {"container": "mkv"}


def languages_of(file):
    """The languages of a file's sound."""
    return [track.language for track in probe(str(file)).audio]


@pytest.mark.parametrize("container", ["mp4", "mkv", "mov"])
def test_all_tracks_keep_their_languages(clips, tmp_path, container):
    """Every track of the source is in the output, in its order and under its language."""
    result, file = made(tmp_path, local(clips.languages()), container=container, audio={**AAC, "tracks": "all"})
    assert isinstance(result, Verified), result
    said = [language(each) for each in languages_of(file)]
    assert ["eng", "nld", "und"] == said
    assert "audio tracks 0 (eng), 1 (nld), 2 of 3 are used" in result.notes


def test_tracks_are_chosen_by_language_and_number(clips, tmp_path):
    """In the order in which they are asked for; two letters are as good as three."""
    result, file = made(tmp_path, local(clips.languages()), **MKV, audio={**AAC, "tracks": [2, "nl"]})
    assert isinstance(result, Verified), result
    assert ["und", "nld"] == [language(each) for each in languages_of(file)]


def test_a_language_that_is_not_there_is_told(clips, tmp_path):
    """Nothing is encoded in another language than the one that was asked for."""
    result, _ = made(tmp_path, local(clips.languages()), **MKV, audio={**AAC, "tracks": ["fra"]})
    assert result == NotMade("there is no audio track in fra: the source has eng, nld, und")


def test_outputs_with_several_tracks_share_a_decode(clips, tmp_path):
    """Two outputs of which one has all tracks and the other one: each has its own."""
    source = local(clips.languages())
    several = output(source, "all", **MKV, audio={**AAC, "tracks": "all"})
    one = output(source, "one", **MKV, video={**H264, "height": 60}, audio={**AAC, "track": 1})
    results = encode(tmp_path, source, several, one)
    assert all(isinstance(result, Verified) for result in results.values()), results
    assert [3, 1] == [len(probe(str(tmp_path / results[name].path)).audio) for name in ("all", "one")]


def packets(file, track=0):
    """The packets of a track, as they lie in the file."""
    return ffmpeg("-i", file, "-map", f"0:a:{track}", "-c", "copy", "-f", "data", "pipe:1")


def test_copied_sound_is_the_very_sound(clips, tmp_path):
    """Every packet is that of the source, beside a picture that is encoded."""
    result, file = made(tmp_path, local(clips.languages()), **MKV, audio={"codec": "copy", "track": 1})
    assert isinstance(result, Verified), result
    assert packets(clips.languages(), 1) == packets(file)


def test_copied_sound_stays_out_of_a_shared_graph(clips, tmp_path):
    """One output copies its sound and another encodes it, in one process."""
    source = local(clips.plain())
    results = encode(tmp_path, source, output(source, "a", audio={"codec": "copy"}), output(source, "b"))
    assert all(isinstance(result, Verified) for result in results.values()), results
    assert packets(clips.plain()) == packets(tmp_path / results["a"].path)
    alone, _ = made(tmp_path / "alone", source, video=None, container="m4a", audio={"codec": "copy"})
    assert isinstance(alone, Verified), alone


def test_sound_that_a_container_cannot_hold_is_not_copied(clips, tmp_path):
    """The codec and the container are named."""
    result, _ = made(tmp_path, local(clips.languages()), container="m4a", video=None, audio={"codec": "copy"})
    assert result == NotMade("the source's sound is ac3, which m4a cannot hold: write a codec")


@pytest.mark.parametrize(
    ("rule", "copied"),
    [
        ({"codec": "ac3"}, True),
        ({"codec": "ac3", "max_bitrate": "100k"}, True),
        ({"codec": "ac3", "max_bitrate": "90k"}, False),
        ({"max_bitrate": "1M"}, False),
    ],
)
def test_sound_is_copied_if_it_is_good_enough(clips, tmp_path, rule, copied):
    """By its codec (that of the output, unless said) and its bitrate; what was done is a note."""
    sound = {**AAC, "channels": 1, "copy_if": rule}
    result, file = made(tmp_path, local(clips.languages()), **MKV, audio=sound)
    assert isinstance(result, Verified), result
    assert ["ac3" if copied else "aac"] == [track.codec for track in probe(str(file)).audio]
    assert any(note.endswith("is copied" if copied else "is encoded, not copied") for note in result.notes)


def test_sound_with_other_channels_than_asked_is_encoded(clips, tmp_path):
    """Copying keeps the channels, so stereo that is asked for is made of mono."""
    result, file = made(tmp_path, local(clips.languages()), **MKV, audio={**AAC, "copy_if": {"codec": "ac3"}})
    assert isinstance(result, Verified), result
    assert [("aac", 2)] == [(track.codec, track.channels) for track in probe(str(file)).audio]


def test_a_trimmed_source_is_encoded(clips, tmp_path):
    """Copying cannot cut: with a condition it is encoded, and without one it is refused before anything runs."""
    source = local(clips.languages(), end=1)
    sound = {**AAC, "channels": 1, "copy_if": {"codec": "ac3"}}
    result, file = made(tmp_path, source, **MKV, audio=sound)
    assert isinstance(result, Verified), result
    assert "aac" == probe(str(file)).audio[0].codec
    (refusal,) = KIND.refusals(FfmpegOptions(), source, asked(**MKV, audio={"codec": "copy"}), None)
    assert ("audio.codec", "sound that is copied cannot be trimmed") == (refusal.field, refusal.message)


@pytest.mark.parametrize(
    ("container", "codec"), [("mp3", "mp3"), ("flac", "flac"), ("ogg", "opus"), ("mkv", "mp3"), ("mkv", "flac")]
)
def test_sound_alone_in_its_own_container(clips, tmp_path, container, codec):
    """MP3, FLAC and Ogg files hold just the sound; surround becomes stereo where there are two channels at most."""
    for clip in (clips.plain(), clips.surround()):
        sound = {"codec": codec, "bitrate": None if codec == "flac" else "96k"}
        result, file = made(tmp_path, local(clip), container=container, video={"codec": "none"}, audio=sound)
        assert isinstance(result, Verified), result
        facts = probe(str(file))
        most = 2 if codec == "mp3" else 6
        channels = min(probe(str(clip)).audio[0].channels, most)
        assert [(codec, channels)] == [(track.codec, track.channels) for track in facts.audio]
        assert () == facts.video
