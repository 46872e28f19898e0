"""HDR that is kept and HDR that is brought down; fields that become whole pictures."""

from __future__ import annotations

import pytest

from builders_ffmpeg import H264, encode, local, made, output
from builders_media import ffmpeg
from reconciler.core.ports import NotMade, Verified
from reconciler.ffmpeg.probe import probe

HEVC = {"codec": "hevc", "crf": 30, "preset": "ultrafast", "pixel_format": "yuv420p10le"}
DISPLAY = (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329, 0.005, 1000)
AV1 = {"codec": "av1", "crf": 40, "preset": 11, "pixel_format": "yuv420p10le"}


def colours(file):
    """What a file says of its colours: primaries, transfer and matrix."""
    picture = probe(str(file)).video[0]
    return picture.primaries, picture.transfer, picture.matrix


def brightness(file):
    """The mean of a picture's luma, of 255."""
    raw = ffmpeg("-i", file, "-frames:v", "1", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1")
    return sum(raw) / len(raw)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
@pytest.mark.parametrize("method", ["hable", "mobius", "reinhard"])
def test_hdr_becomes_sdr(clips, tmp_path, transfer, method):
    """PQ and HLG come out as BT.709 in eight bits, darker than the same values taken for SDR."""
    source = clips.hdr(transfer)
    result, file = made(tmp_path, local(source), video={**H264, "crf": 15, "tonemap": method}, audio=None)
    assert isinstance(result, Verified), result
    assert (1, 1, 1) == colours(file)
    assert "yuv420p" == probe(str(file)).video[0].pixel_format
    assert "HDR is brought down to SDR" in result.notes
    assert abs(brightness(file) - brightness(source)) > 5


def test_hdr_without_full_tags_becomes_sdr(tmp_path):
    """A picture that says PQ and nothing else is taken to be BT.2020."""
    plain = tmp_path / "only-transfer.mkv"
    tags = "setparams=color_trc=smpte2084:color_primaries=unknown:colorspace=unknown"
    words = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=size=160x120:duration=1,format=yuv420p10le,{tags}", *words, plain)
    result, file = made(tmp_path, local(plain), video={**H264, "tonemap": "hable", "height": 60}, audio=None)
    assert isinstance(result, Verified), result
    assert (1, 1, 1) == colours(file)


def test_what_is_brought_down_says_nothing_of_its_master(clips, tmp_path):
    """SDR with the brightness of an HDR master would be dimmed by players; scaled and padded it is SDR all the same."""
    video = {**H264, "tonemap": "hable", "height": 90, "pad": {"aspect": "16:9"}}
    result, file = made(tmp_path, local(clips.mastered()), video=video, audio=None)
    assert isinstance(result, Verified), result
    assert probe(str(file)).video[0].light is None


@pytest.mark.parametrize("video", [HEVC, AV1], ids=["hevc", "av1"])
@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_hdr10_is_kept_with_what_it_says(clips, tmp_path, container, video):
    """Colours, display and light levels of the master are those of the output, alone and from a shared decode."""
    source = local(clips.mastered())
    one = output(source, "one", container=container, video=video, audio=None)
    other = output(source, "other", container=container, video={**video, "height": 60}, audio=None)
    for wanted in ([one], [one, other]):
        results = encode(tmp_path / str(len(wanted)), source, *wanted)
        for result in results.values():
            assert isinstance(result, Verified), result
            assert not [note for note in result.notes if "HDR10 metadata" in note]
            file = tmp_path / str(len(wanted)) / result.path
            light = probe(str(file)).video[0].light
            assert (9, 16, 9) == colours(file)
            assert light.levels == (1000, 400)
            assert light.display == pytest.approx(
                (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329, 0.005, 1000), rel=0.01
            )


@pytest.mark.parametrize("video", [HEVC, AV1], ids=["hevc", "av1"])
def test_hlg_is_kept(clips, tmp_path, video):
    """What is HLG stays HLG."""
    result, file = made(tmp_path, local(clips.hdr("arib-std-b67")), video=video, audio=None)
    assert isinstance(result, Verified), result
    assert (9, 18, 9) == colours(file)


def test_hdr_without_a_word_is_refused_still(clips, tmp_path):
    """Eight bits without tone mapping are no wish that can be kept, and what helps is named."""
    result, _ = made(tmp_path, local(clips.mastered()), audio=None)
    assert isinstance(result, NotMade)
    assert "tonemap: hable" in result.error


def test_sdr_has_nothing_to_tone_map(clips, tmp_path):
    """A preset that tone-maps does for SDR masters, too."""
    plain, _ = made(tmp_path / "plain", local(clips.plain()))
    mapped, _ = made(tmp_path / "mapped", local(clips.plain()), video={**H264, "tonemap": "hable"})
    assert plain.sha256 == mapped.sha256
    assert "the source is SDR: there is nothing to tone-map" in mapped.notes


def combed(file):
    """How many frames idet takes for interlaced, of all that it could tell."""
    said = ffmpeg("-i", file, "-vf", "idet,metadata=print:file=-", "-an", "-f", "null", "-").decode()
    kinds = [line.partition("=")[2] for line in said.splitlines() if "single.current_frame=" in line]
    return sum(kind in {"tff", "bff"} for kind in kinds), sum(kind != "undetermined" for kind in kinds)


@pytest.mark.parametrize("how", ["auto", "on"])
def test_fields_become_pictures(clips, tmp_path, how):
    """As many pictures as before, in the same time, and none of them with combs."""
    source = clips.interlaced()
    assert combed(source)[0] > 40
    result, file = made(tmp_path, local(source), video={**H264, "crf": 15, "deinterlace": how})
    assert isinstance(result, Verified), result
    assert "the source is interlaced: it is deinterlaced" in result.notes
    assert combed(file)[0] < 5
    facts = probe(str(file)).video[0]
    assert (50, False) == (facts.packets, facts.interlaced)


def test_interlaced_pictures_are_told(clips, tmp_path):
    """Without a word they are encoded as they are, and a note names the word."""
    result, _ = made(tmp_path, local(clips.interlaced()))
    assert any("deinterlace: auto" in note for note in result.notes)


def test_progressive_pictures_are_left_alone(clips, tmp_path):
    """`auto` does nothing to a source without fields: the same bits."""
    plain, _ = made(tmp_path / "plain", local(clips.plain()))
    auto, _ = made(tmp_path / "auto", local(clips.plain()), video={**H264, "deinterlace": "auto"})
    assert plain.sha256 == auto.sha256


def test_packages_are_brought_down_too(clips, tmp_path):
    """All variants of a package are SDR."""
    mapped = {**H264, "tonemap": "hable"}
    variants = {"a": {"video": mapped}, "b": {"video": {**mapped, "height": 60}}}
    result, folder = made(tmp_path, local(clips.mastered()), container="hls", video=None, audio=None, variants=variants)
    assert isinstance(result, Verified), result
    assert "VIDEO-RANGE=PQ" not in (folder / "master.m3u8").read_text()
