"""Tracks, layouts and holes of sound."""

from __future__ import annotations

import itertools

import pytest

from builders_ffmpeg import AAC, encode, local, made, output
from builders_media import ffmpeg
from reconciler.core.codecs import AUDIO
from reconciler.core.parameters import Audio
from reconciler.core.ports import Verified
from reconciler.ffmpeg import sound
from reconciler.ffmpeg.media import open_media
from reconciler.ffmpeg.probe import probe
from reconciler.ffmpeg.tracks import holes


def told(track=None, **fields):
    """The options of some sound."""
    wanted = Audio.model_validate({"codec": "aac", **fields})
    return [*sound.options(wanted), *sound.filters(wanted, track)]


def test_stereo_and_mono_have_a_plain_option():
    """What nearly everybody asks for reads as everybody writes it."""
    assert ["-c:a", "aac", "-b:a", "128000", "-ac", "2", "-ar", "48000"] == told(
        bitrate="128k", channels=2, sample_rate="48k"
    )


@pytest.mark.parametrize("codec", ["aac", "opus"])
@pytest.mark.parametrize("channels", sorted(AUDIO["aac"].channels))
def test_every_number_of_channels_is_made(clips, tmp_path, codec, channels):
    """Both codecs make every number of channels that a spec may ask for, without a word of complaint."""
    wanted = {"codec": codec, "channels": channels, "bitrate": "256k" if channels > 2 else "64k"}
    result, file = made(
        tmp_path, local(clips.surround(), end=0.5), container="mkv", video={"codec": "none"}, audio=wanted
    )
    assert isinstance(result, Verified), result
    assert channels == probe(str(file)).audio[0].channels


@pytest.mark.parametrize("codec", ["aac", "opus"])
def test_the_layout_of_films_is_made_plain(clips, tmp_path, codec):
    """AC-3 decodes to 5.1(side), which libopus refuses and AAC players do not know: it becomes 5.1."""
    film = clips.surround("mkv", "ac3", "5.1(side)")
    assert probe(str(film)).audio[0].layout == "5.1(side)"
    wanted = {"codec": codec, "bitrate": "256k"}
    result, file = made(tmp_path, local(film, end=1), container="mkv", video={"codec": "none"}, audio=wanted)
    assert isinstance(result, Verified), result
    assert probe(str(file)).audio[0].layout == "5.1"


@pytest.mark.parametrize(("codec", "rates"), [(codec, facts.sample_rates) for codec, facts in AUDIO.items()])
def test_every_sample_rate_is_made(clips, tmp_path, codec, rates):
    """Both codecs make every sample rate that a spec may ask for; Opus always says 48 kHz."""
    for rate in rates:
        wanted = {"codec": codec, "channels": 1, "bitrate": "24k", "sample_rate": rate}
        result, file = made(
            tmp_path, local(clips.sound_only(), end=0.5), container="mkv", video={"codec": "none"}, audio=wanted
        )
        assert isinstance(result, Verified), (rate, result)
        assert (48_000 if codec == "opus" else rate) == probe(str(file)).audio[0].sample_rate


def test_a_track_is_chosen_by_number(clips, tmp_path):
    """Track 3 of eight mono tracks is the one whose tone is 600 Hz."""
    _, file = made(
        tmp_path,
        local(clips.eight_mono()),
        container="mkv",
        video={"codec": "none"},
        audio={"codec": "aac", "track": 3, "channels": 1, "bitrate": "64k"},
    )
    raw = ffmpeg("-i", file, "-t", "1", "-ar", "8000", "-f", "s16le", "pipe:1")
    samples = [int.from_bytes(raw[at : at + 2], "little", signed=True) for at in range(0, len(raw) - 2, 2)]
    crossings = sum(before < 0 <= now for before, now in itertools.pairwise(samples))
    assert crossings == pytest.approx(600, abs=15)


def test_holes_are_filled_with_silence(clips, tmp_path):
    """Sound that is missing for a second stays where it belongs, and the output has no hole."""
    source = clips.with_holes_in_sound()
    assert holes(probe(str(source)).audio[0])
    assert "aresample=async=1" in told(probe(str(source)).audio[0])[-1]
    assert told(probe(str(clips.plain())).audio[0]) == ["-c:a", "aac"]
    result, file = made(tmp_path, local(source), container="mkv", audio=AAC)
    assert isinstance(result, Verified), result
    with open_media(str(file)) as container:
        times = sorted(float(packet.pts * packet.time_base) for packet in container.demux(audio=0) if packet.size)
    assert max(later - sooner for sooner, later in itertools.pairwise(times)) < 0.05


@pytest.mark.parametrize("change", [{"loudness": {"target": -5, "true_peak": -9}}, {"channels": 4}, {"channels": 3}])
def test_what_is_done_to_one_sound_leaves_the_others_as_they_are(clips, tmp_path, change):
    """One of three is made loud on the go, which ffmpeg does at 192 kHz, or mixed; two keep their rate and channels."""
    source = local(clips.surround(), start=0.5, end=1.5)
    wishes = {"a": {"codec": "aac"}, "b": {"codec": "flac"}, "c": {"codec": "aac", **change}}
    outputs = [
        output(source, name, container="mkv", video={"codec": "none"}, audio=wanted) for name, wanted in wishes.items()
    ]
    results = encode(tmp_path, source, *outputs)
    assert all(isinstance(result, Verified) for result in results.values()), results
    (had,) = probe(source.location).audio
    heard = [probe(str(tmp_path / results[name].path)).audio[0] for name in ("a", "b")]
    assert [(had.sample_rate, had.channels)] * 2 == [(each.sample_rate, each.channels) for each in heard]


@pytest.mark.parametrize("end", [0.601, 0.61, 0.624, 0.64])
def test_mp3_of_any_length_is_whole(tmp_path, end):
    """Up to three of its packets come on top of the sound: what the encoder looks ahead, and what it fills up."""
    master = tmp_path / "master.mkv"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1:sample_rate=44100", "-c:a", "aac", master)
    result, _ = made(tmp_path, local(master, end=end), container="mp3", video=None, audio={"codec": "mp3"})
    assert isinstance(result, Verified), result
