"""Packages: real segments with real playlists, read by others."""

from __future__ import annotations

import io
import itertools
from array import array
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import av
import m3u8
import pytest

from builders_combinations import packages, picture, sound
from builders_ffmpeg import AAC, H264, PROGRAM, encode, local, output
from builders_media import PICTURE, ffmpeg
from reconciler.core.codecs import ENCODERS
from reconciler.core.ports import NotMade, Suspect, Verified
from reconciler.io import trees

ONE_SECOND = {"duration": 1}
LADDER = {
    "container": "hls",
    "video": None,
    "audio": None,
    "segment": ONE_SECOND,
    "variants": {
        "big": {"video": {**H264, "height": 120}, "audio": AAC},
        "small": {"video": {**H264, "height": 60, "keyframe_interval": 0.5}, "audio": AAC},
    },
}


def package(project, source, **parameters):
    """A package that was made whole, and its folder."""
    (result,) = encode(project, source, output(source, "film", **{**LADDER, **parameters})).values()
    assert isinstance(result, Verified), result
    return result, Path(project) / result.path


def segments(folder, playlist):
    """Every segment of a media playlist, with its initialization, as bytes."""
    init = b""
    if playlist.segment_map:
        init = (folder / playlist.segment_map[0].uri).read_bytes()
    return [init + (folder / segment.uri).read_bytes() for segment in playlist.segments]


def frames(data, kind):
    """All frames of a track, decoded."""
    with av.open(io.BytesIO(data)) as container:
        return list(container.decode(**{kind: 0}))


def read(folder):
    """The master playlist, and every media playlist by its folder."""
    master = m3u8.load(str(folder / "master.m3u8"))
    uris = [each.uri for each in master.playlists] + [each.uri for each in master.media]
    return master, {uri.partition("/")[0]: m3u8.load(str(folder / uri)) for uri in uris}


def check_conformance(folder, frame=0.04):
    """Every segment opens alone, begins with a keyframe, decodes, and is as long as its playlist says."""
    master, playlists = read(folder)
    assert master.is_variant
    ends = {}
    for name, playlist in playlists.items():
        assert playlist.is_endlist
        lengths = [segment.duration for segment in playlist.segments]
        assert playlist.target_duration >= max(map(round, lengths))
        starts = []
        for data, length in zip(segments(folder / name, playlist), lengths, strict=True):
            with av.open(io.BytesIO(data)) as container:
                kind = "video" if container.streams.video else "audio"
            made = frames(data, kind)
            assert made, name
            assert kind == "audio" or made[0].key_frame
            starts.append(float(made[0].pts * made[0].time_base))
            seconds = float((made[-1].pts - made[0].pts + (made[-1].duration or 0)) * made[0].time_base)
            assert abs(seconds - length) <= 2 * frame, name
        for (before, after), length in zip(itertools.pairwise(starts), lengths, strict=False):
            assert abs(after - before - length) <= frame
        ends[name] = sum(lengths)
    assert max(ends.values()) - min(ends.values()) <= 2 * frame
    return master, playlists


@pytest.mark.parametrize("kind", ["fmp4", "ts"])
def test_a_package_is_read_by_others(clips, tmp_path, kind):
    """Two variants: other readers find what was asked for, segment by segment."""
    result, folder = package(tmp_path, local(clips.plain()), segment={"type": kind, "duration": 1})
    master, playlists = check_conformance(folder)

    infos = {each.uri: each.stream_info for each in master.playlists}
    assert ["small/index.m3u8", "big/index.m3u8"] == list(infos)
    assert {(160, 120), (80, 60)} == {info.resolution for info in infos.values()}
    assert {25.0} == {info.frame_rate for info in infos.values()}
    for info in infos.values():
        video, audio = info.codecs.split(",")
        assert ("avc1.", "mp4a.40.2") == (video[:5], audio)
    assert (["big", "small"] if kind == "ts" else ["audio", "big", "small"]) == sorted(playlists)
    assert {2} == {len(playlist.segments) for playlist in playlists.values()}
    assert (trees.size(folder), trees.digest(folder)) == (result.size, result.sha256)
    assert result.summary.startswith("0:02.0 hls, 2 variants, 160x120 to 80x60 25 fps h264, aac stereo 48k")


def test_transport_streams_with_reordered_pictures(clips, tmp_path):
    """Longer than a few segments, with pictures that come before those that they are made of."""
    video = {"codec": "h264", "crf": 30, "preset": "veryfast"}
    variants = {"a": {"video": video}, "b": {"video": {**video, "height": 60}}}
    source = local(clips.plain("packed_for_long.mp4", seconds=12))
    _, folder = package(tmp_path, source, segment={"type": "ts", "duration": 2}, variants=variants)
    _, playlists = check_conformance(folder, frame=0.121)
    assert {6} == {len(each.segments) for each in playlists.values()}


def test_bandwidths_are_those_of_the_files(clips, tmp_path):
    """Peak and average follow from the sizes on the disk and the lengths in the playlists."""
    _, folder = package(tmp_path, local(clips.plain()))
    master, playlists = read(folder)
    for each in master.playlists:
        peak = average = 0
        for name in (each.uri.partition("/")[0], "audio"):
            sizes = [(folder / name / segment.uri).stat().st_size for segment in playlists[name].segments]
            lengths = [segment.duration for segment in playlists[name].segments]
            peak += max(8 * size / length for size, length in zip(sizes, lengths, strict=True))
            average += 8 * sum(sizes) / sum(lengths)
        assert abs(each.stream_info.bandwidth - peak) <= 0.01 * peak
        assert abs(each.stream_info.average_bandwidth - average) <= 0.01 * average


def test_one_variant_needs_no_name(clips, tmp_path):
    """What an output says of itself is its one variant, as in a ByteNite document."""
    _, folder = package(tmp_path, local(clips.plain()), video=H264, audio=AAC, variants=None)
    master, playlists = check_conformance(folder)
    assert ["main/index.m3u8"] == [each.uri for each in master.playlists]
    assert {"main", "audio"} == set(playlists)


def test_sounds_that_differ_are_stored_apart(clips, tmp_path):
    """Each variant names the group of its own sound."""
    variants = {
        "a": {"video": H264, "audio": AAC},
        "b": {"video": {**H264, "height": 60}, "audio": {**AAC, "bitrate": "32k", "channels": 1}},
    }
    _, folder = package(tmp_path, local(clips.plain()), variants=variants)
    master, _ = check_conformance(folder)
    assert {"a/index.m3u8": "audio-a", "b/index.m3u8": "audio-b"} == {
        each.uri: each.stream_info.audio for each in master.playlists
    }
    assert {"audio-a/index.m3u8", "audio-b/index.m3u8"} == {each.uri for each in master.media}


def test_sound_alone(clips, tmp_path):
    """A package without a picture has variants of sound."""
    variants = {"high": {"audio": AAC}, "low": {"audio": {**AAC, "bitrate": "32k"}}}
    _, folder = package(tmp_path, local(clips.plain()), variants=variants)
    master, _ = check_conformance(folder)
    assert {"mp4a.40.2"} == {each.stream_info.codecs for each in master.playlists}


def test_a_silent_source_makes_a_silent_package(clips, tmp_path):
    """No sound, no folder of it."""
    _, folder = package(tmp_path, local(clips.silent()))
    master, playlists = check_conformance(folder)
    assert ([], {"big", "small"}) == (master.media, set(playlists))


@pytest.mark.parametrize("container", ["dash", "cmaf"])
def test_a_manifest_names_the_same_segments(clips, tmp_path, container):
    """DASH alone or beside HLS: times and files of the manifest are those of the segments."""
    _, folder = package(tmp_path, local(clips.plain()), container=container)
    space = {"d": "urn:mpeg:dash:schema:mpd:2011"}
    root = ET.parse(folder / "manifest.mpd").getroot()
    assert "PT2.000S" == root.get("mediaPresentationDuration")
    found = {}
    for each in root.iterfind(".//d:Representation", space):
        template = each.find("d:SegmentTemplate", space)
        ticks, number = int(template.get("timescale")), int(template.get("startNumber"))
        init = (folder / template.get("initialization")).read_bytes()
        kind = "video" if each.get("width") else "audio"
        for line in template.iterfind(".//d:S", space):
            start = Fraction(int(line.get("t")), ticks)
            for _ in range(int(line.get("r", 0)) + 1):
                data = (folder / template.get("media").replace("$Number%05d$", f"{number:05}")).read_bytes()
                made = frames(init + data, kind)
                assert abs(float(made[0].pts * made[0].time_base) - start) < 0.05
                start += Fraction(int(line.get("d")), ticks)
                number += 1
        found[each.get("id")] = number
    assert {"big": 2, "small": 2, "audio": 2} == found
    assert (container == "cmaf") == (folder / "master.m3u8").exists() == (folder / "big/index.m3u8").exists()


def test_keyframes_stand_on_the_grid_of_every_variant(clips, tmp_path):
    """Scene changes and frame rates move no segment: all variants are cut at the same times."""
    variants = {
        "a": {"video": {**H264, "keyframe_interval": 0.5}},
        "b": {"video": {**H264, "height": 60, "fps": "30000/1001"}},
    }
    _, folder = package(tmp_path, local(clips.noisy()), variants=variants)
    _, playlists = read(folder)
    cuts = {name: list(itertools.accumulate(each.duration for each in one.segments)) for name, one in playlists.items()}
    assert len(cuts["a"]) == len(cuts["b"]) > 3
    assert all(abs(a - b) < 0.04 for a, b in zip(cuts["a"], cuts["b"], strict=True))
    assert all(abs(cut - second) < 0.001 for second, cut in enumerate(cuts["a"][:-1], 1))


REORDERED = {"video": {"codec": "h264", "crf": 30, "preset": "veryfast"}, "audio": AAC}


@pytest.mark.parametrize("fps", [None, {"max": 25}, {"max": 10}])
@pytest.mark.parametrize("kind", ["fmp4", "ts"])
def test_pauses_are_filled(clips, tmp_path, kind, fps):
    """A picture that stands still for two seconds goes on in every segment, at a steady rate."""
    only = {**REORDERED, "video": {**REORDERED["video"], "fps": fps}}
    _, folder = package(tmp_path, local(clips.paused()), segment={"type": kind, "duration": 1}, variants={"only": only})
    rate = 25 if fps is None else fps["max"]
    master, playlists = check_conformance(folder, frame=0.101)
    assert rate == master.playlists[0].stream_info.frame_rate
    assert [1, 1, 1, 1] == [round(each.duration, 1) for each in playlists["only"].segments]
    assert [rate] * 4 == [len(frames(data, "video")) for data in segments(folder / "only", playlists["only"])]


def test_a_picture_that_hardly_moves_is_not_slowed_down(tmp_path):
    """Most pictures of a recorded screen come late; what moves on it is kept."""
    chosen = f"{PICTURE}:duration=4,select='not(mod(n\\,5))+between(t\\,1\\,1.3)'"
    ffmpeg("-f", "lavfi", "-i", chosen, "-fps_mode", "vfr", "-c:v", "libx264", tmp_path / "screen.mkv")
    _, folder = package(tmp_path, local(tmp_path / "screen.mkv"), variants={"only": REORDERED})
    master, _ = check_conformance(folder)
    assert 25 == master.playlists[0].stream_info.frame_rate


def test_a_late_picture_says_so_in_its_segments(clips, tmp_path):
    """Browsers pass over the edit list, in which ffmpeg by itself would say it."""
    _, folder = package(tmp_path, local(clips.late_picture()), container="cmaf", variants={"only": REORDERED})
    data = b"".join((folder / "only" / name).read_bytes() for name in ("init.mp4", "segment-00000.m4s"))
    with av.open(io.BytesIO(data), options={"ignore_editlist": "1"}) as container:
        first = next(container.demux(video=0))
        assert abs(0.8 - float(first.dts * first.time_base)) < 0.001
    assert 'mediaPresentationDuration="PT2.800S"' in (folder / "manifest.mpd").read_text()


@pytest.mark.parametrize("kind", ["fmp4", "ts"])
def test_late_sound_is_led_in_by_silence(clips, tmp_path, kind):
    """Players would pass over the pictures that come before the first sound."""
    master, late = tmp_path / "late.mkv", ("-itsoffset", 0.8, "-i", clips.plain())
    ffmpeg("-i", clips.plain(), *late, "-map", "0:v", "-map", "1:a", "-c", "copy", master)
    _, folder = package(tmp_path, local(master), segment={"type": kind, "duration": 1}, variants={"only": REORDERED})
    sound = folder / ("only" if kind == "ts" else "audio")
    made = frames(segments(sound, m3u8.load(str(sound / "index.m3u8")))[0], "audio")
    samples = [array("f", bytes(frame.planes[0])) for frame in made]
    heard = next(number for number, values in enumerate(samples) if max(values) > 0.01)
    assert abs(0.8 - heard * 1024 / 48000) < 0.05


def test_packages_and_files_share_one_process(clips, tmp_path):
    """Two variants, their sound and an mp4 are made by one ffmpeg from one decode."""
    record, program = tmp_path / "calls", tmp_path / "ffmpeg"
    program.write_text(f'#!/bin/sh\ncase "$*" in *progress*) echo "$*" >> {record};; esac\nexec {PROGRAM} "$@"\n')
    program.chmod(0o755)
    source = local(clips.plain())
    results = encode(tmp_path, source, output(source, "film", **LADDER), output(source), program=str(program))
    assert all(isinstance(result, Verified) for result in results.values()), results
    (call,) = record.read_text().splitlines()
    assert (1, 1, 3) == (call.count(" -i "), call.count("[0:V:0]split=3"), call.count("-f hls"))


def test_what_one_variant_cannot_fails_the_package(clips, tmp_path):
    """The reason names the variant, and no folder is left."""
    source = local(clips.plain())
    variants = {**LADDER["variants"], "cropped": {"video": {**H264, "crop": {"left": 160}}, "audio": AAC}}
    (result,) = encode(tmp_path, source, output(source, "film", **{**LADDER, "variants": variants})).values()
    assert isinstance(result, NotMade)
    assert result.error.startswith("variant cropped: the crop leaves nothing")
    assert not list(tmp_path.glob("outputs/clip/.*"))


def test_a_cut_off_source_makes_a_suspect_package(clips, tmp_path):
    """It is kept under a name that says so, as a file is."""
    source = local(clips.cut("mkv"))
    (result,) = encode(tmp_path, source, output(source, "film", **LADDER)).values()
    assert isinstance(result, Suspect), result
    assert (tmp_path / result.path).is_dir()
    assert result.path.endswith(".suspect")


@pytest.mark.parametrize("case", [*packages()], ids=lambda case: "-".join(case[:4]))
def test_every_combination_is_really_encoded(clips, tmp_path, case):
    """Every codec, sound and rate control that a package may have is made of one second, and verified."""
    container, kind, encoder, codec, controls = case
    _, folder = package(
        tmp_path,
        local(clips.plain(), end=1),
        container=container,
        segment={"type": kind, "duration": 0.5},
        variants={each: {"video": picture(encoder, each), "audio": sound(codec)} for each in controls},
    )
    assert dict.fromkeys(controls, 2) == {each: len(list((folder / each).glob("segment-*"))) for each in controls}
    if container == "dash":
        return
    master, playlists = check_conformance(folder)
    assert set(controls) <= set(playlists)
    prefix = {"h264": "avc1.", "hevc": "hvc1.", "av1": "av01."}[ENCODERS[encoder].codec]
    assert all(each.stream_info.codecs.startswith(prefix) for each in master.playlists)
    if kind == "fmp4":
        assert all(prefix[:4].encode() in (folder / each / "init.mp4").read_bytes() for each in controls)
