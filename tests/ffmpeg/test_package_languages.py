"""Packages with several tracks of sound: players choose between languages, whatever the variant."""

from __future__ import annotations

import io
from array import array
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree as ET

import av
import m3u8
import pytest

from builders_ffmpeg import AAC, H264, encode, local, output
from builders_media import ffmpeg
from reconciler.core.ports import NotMade, Verified
from reconciler.ffmpeg.packages import layout
from reconciler.ffmpeg.probe import probe

LADDER = {
    "container": "cmaf",
    "video": None,
    "audio": None,
    "segment": {"duration": 1},
    "variants": {
        "big": {"video": {**H264, "height": 120}, "audio": {**AAC, "tracks": "all"}},
        "small": {"video": {**H264, "height": 60}, "audio": {**AAC, "tracks": "all"}},
    },
}
_NAMESPACE = {"": "urn:mpeg:dash:schema:mpd:2011"}


def made(project, source, **parameters):
    """The result of a package and its folder."""
    (result,) = encode(project, source, output(source, "film", **{**LADDER, **parameters})).values()
    return result, project / getattr(result, "path", "nothing")


def tone(folder):
    """The pitch of a stream of sound in hertz, from how often it crosses zero; and the language it says it is in."""
    data = b"".join(path.read_bytes() for path in [folder / "init.mp4", *sorted(folder.glob("*.m4s"))])
    with av.open(io.BytesIO(data)) as container:
        language = container.streams.audio[0].metadata.get("language")
    (folder / "whole.mp4").write_bytes(data)
    pulse = ("-ac", "1", "-ar", "48000", "-f", "s16le", "pipe:1")
    samples = array("h", ffmpeg("-i", folder / "whole.mp4", *pulse))[4800:52_800]
    crossings = sum(one < 0 <= other for one, other in pairwise(samples))
    return round(crossings, -2), language


def test_players_find_every_language(clips, tmp_path):
    """One group that all variants share, its first track by itself; each is the track that it says it is."""
    result, folder = made(tmp_path, local(clips.languages()))
    assert isinstance(result, Verified), result
    assert "aac stereo 44.1k in English, Dutch" in result.summary
    master = m3u8.load(str(folder / "master.m3u8"))
    found = [(each.name, each.language, each.default, each.autoselect, each.group_id) for each in master.media]
    assert [
        ("English", "en", "YES", "YES", "audio"),
        ("Dutch", "nl", "NO", "YES", "audio"),
        ("Track 3", None, "NO", "YES", "audio"),
    ] == found
    assert {"audio"} == {each.stream_info.audio for each in master.playlists}
    assert 2 == len(master.playlists)
    tones = [tone(folder / each.uri.partition("/")[0]) for each in master.media]
    assert [(400, "eng"), (600, "nld"), (800, None)] == [
        (pitch, None if said == "und" else said) for pitch, said in tones
    ]


def test_a_bandwidth_counts_one_of_them(clips, tmp_path):
    """Nobody hears two languages at once."""
    _, several = made(tmp_path / "a", local(clips.languages()))
    one = {name: {**variant, "audio": {**AAC, "track": 0}} for name, variant in LADDER["variants"].items()}
    _, single = made(tmp_path / "b", local(clips.languages()), variants=one)
    rates = [
        [each.stream_info.average_bandwidth for each in m3u8.load(str(folder / "master.m3u8")).playlists]
        for folder in (several, single)
    ]
    assert rates[0] == pytest.approx(rates[1], rel=0.02)


def test_dash_has_a_set_for_each(clips, tmp_path):
    """An adaptation set a language, which says so; the first one plays by itself, whatever the others weigh."""
    _, folder = made(tmp_path, local(clips.languages()))
    sets = ET.parse(folder / "manifest.mpd").findall(".//AdaptationSet", _NAMESPACE)
    assert [("video", None), ("audio", "en"), ("audio", "nl"), ("audio", None)] == [
        (each.get("contentType"), each.get("lang")) for each in sets
    ]
    assert [None, "2", None, None] == [each.get("selectionPriority") for each in sets]
    roles = [each.find("Role", _NAMESPACE) for each in sets]
    assert [None, "main", "alternate", "alternate"] == [None if role is None else role.get("value") for role in roles]
    assert [2, 1, 1, 1] == [len(each.findall("Representation", _NAMESPACE)) for each in sets]


def test_variants_may_have_sound_of_their_own(clips, tmp_path):
    """A group for each different sound, with the same names in both."""
    variants = {
        "big": {"video": {**H264, "height": 120}, "audio": {**AAC, "tracks": ["nl", "en"]}},
        "small": {"video": {**H264, "height": 60}, "audio": {**AAC, "bitrate": "32k", "tracks": ["nl", "en"]}},
    }
    result, folder = made(tmp_path, local(clips.languages()), variants=variants)
    assert isinstance(result, Verified), result
    master = m3u8.load(str(folder / "master.m3u8"))
    found = {(each.group_id, each.name, each.default) for each in master.media}
    assert {
        ("audio-big", "Dutch", "YES"),
        ("audio-big", "English", "NO"),
        ("audio-small", "Dutch", "YES"),
        ("audio-small", "English", "NO"),
    } == found
    assert {"audio-big-nld", "audio-big-eng", "audio-small-nld", "audio-small-eng", "big", "small"} == {
        path.name for path in folder.iterdir() if path.is_dir()
    }


def test_one_language_is_one_stream(clips, tmp_path):
    """Chosen by its language, it says which one it is."""
    audio = {**AAC, "tracks": "nl"}
    result, folder = made(tmp_path, local(clips.languages()), variants=None, container="hls", video=H264, audio=audio)
    assert isinstance(result, Verified), result
    (sound,) = m3u8.load(str(folder / "master.m3u8")).media
    assert ("Dutch", "nl", "audio/index.m3u8") == (sound.name, sound.language, sound.uri)
    assert (600, "nld") == tone(folder / "audio")


def test_names_do_not_clash(clips):
    """Tracks without a language go by number, several in one language by both."""
    source = probe(str(clips.eight_mono()))
    wanted = output(local("x"), **{**LADDER, "variants": {"a": LADDER["variants"]["big"]}}).parameters
    plan = layout(wanted, source)
    assert [f"audio-{number}" for number in range(8)] == [stream.name for stream in plan.streams if stream.group]
    assert [f"Track {number + 1}" for number in range(8)] == [stream.label for stream in plan.streams if stream.group]
    english = replace(source, audio=tuple(replace(track, language="eng") for track in source.audio))
    streams = [stream for stream in layout(wanted, english).streams if stream.group]
    assert ["audio-eng", "audio-eng-2", "audio-eng-3"] == [stream.name for stream in streams[:3]]
    assert ["English", "English (2)", "English (3)"] == [stream.label for stream in streams[:3]]


def test_a_language_that_is_not_there_is_told(clips, tmp_path):
    """Before anything is encoded."""
    variants = {"a": {"video": H264, "audio": {**AAC, "tracks": ["en", "fr"]}}}
    result, _ = made(tmp_path, local(clips.languages()), variants=variants)
    assert isinstance(result, NotMade)
    assert "there is no audio track in fra" in result.error
