"""The crf that a quality comes to: found in few tries, and right by another measuring."""

from __future__ import annotations

import json

import pytest

from builders_ffmpeg import encode, generated, local, made, output
from builders_media import ffmpeg
from reconciler.core.codecs import ENCODERS
from reconciler.core.encode import Trim
from reconciler.core.ports import NotMade, Verified
from reconciler.ffmpeg.quality_search import samples, search


def curve(top, slope):
    """Scores that fall ever faster, and how often one was asked for."""
    asked = []

    def score(crf):
        asked.append(crf)
        return max(0.0, top - slope * crf - 0.01 * crf * crf)

    return score, asked


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("slope", [0.1, 0.4, 0.8])
@pytest.mark.parametrize("target", [75, 90, 95])
def test_it_comes_near_in_few_tries(encoder, slope, target):
    """Whatever the curve is, with the steps that an encoder has."""
    score, asked = curve(100, slope)
    found = search(score, target, encoder)
    step = 0.1 if encoder in {"libx264", "libx265"} else 1
    assert found.score == pytest.approx(target, abs=max(0.2, step * (slope + 0.02 * found.crf)))
    assert len(asked) <= 8


def test_what_cannot_be_reached_is_told():
    """With the best that was seen."""
    with pytest.raises(ValueError, match=r"VMAF 97 is not reached: crf 4 gives 89\.\d"):
        search(curve(90, 0.1)[0], 97, "libx264")


def test_an_easy_picture_takes_the_highest_crf():
    """Where even the worst quality is better than asked, that is what it is."""
    assert 51 == search(lambda crf: 99.5 - crf / 1000, 80, "libx264").crf


def test_samples_are_spread_over_the_source():
    """All of a short one; of a long one pieces of four seconds, none of them at its very ends."""
    assert [Trim(2, 12)] == samples(10, Trim(2, 12))
    pieces = samples(600, Trim(100, 700))
    assert 5 == len(pieces)
    assert all(piece.end - piece.start == 4 for piece in pieces)
    assert 100 < pieces[0].start < pieces[-1].end < 700
    with pytest.raises(ValueError, match="nobody knows how long"):
        samples(float("inf"), Trim())


def noisy(clips):
    """A picture whose quality depends on its bits."""
    picture = "testsrc2=size=192x108:rate=25:duration=2,noise=alls=10:allf=t"
    encoded = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", 8)
    return clips._made("noisy-two.mkv", "-f", "lavfi", "-i", picture, *encoded)


def vmaf(file, source, log):
    """The mean VMAF of a finished file as libvmaf itself says it: every frame beside that of the source."""
    clocks = "[0:v]setpts=PTS-STARTPTS[made];[1:v]setpts=PTS-STARTPTS[source]"
    compared = f"{clocks};[made][source]libvmaf=log_fmt=json:log_path={log}"
    ffmpeg("-i", file, "-i", source, "-lavfi", compared, "-f", "null", "-")
    return json.loads(log.read_text())["pooled_metrics"]["vmaf"]["mean"]


@pytest.mark.parametrize("picture", [{"codec": "h264", "preset": "veryfast"}, {"codec": "hevc", "preset": "ultrafast"}])
@pytest.mark.parametrize("target", [94, 85])
def test_the_quality_is_met(clips, tmp_path, picture, target):
    """Within 0.7 of what was asked for, measured of the finished file; the crf is pinned."""
    source = local(noisy(clips))
    wanted = output(source, video={**picture, "quality": {"vmaf": target}}, audio=None)
    (result,) = encode(tmp_path, source, wanted).values()
    assert isinstance(result, Verified), result
    measured = vmaf(tmp_path / result.path, noisy(clips), tmp_path / "vmaf.json")
    assert measured == pytest.approx(target, abs=0.7)
    assert {"video.crf"} == set(result.pins)


def test_rungs_are_searched_each(clips, tmp_path):
    """A smaller picture has a crf of its own, and variants of a package have, too."""
    source = local(noisy(clips))
    picture = {"codec": "h264", "preset": "ultrafast", "quality": {"vmaf": 75}}
    variants = {"a": {"video": picture}, "b": {"video": {**picture, "height": 72}}}
    wanted = output(source, container="hls", video=None, audio=None, variants=variants)
    (result,) = encode(tmp_path, source, wanted).values()
    assert isinstance(result, Verified), result
    assert {"variants.a.video.crf", "variants.b.video.crf"} == set(result.pins)
    assert 2 == len(set(result.pins.values()))


def test_a_quality_out_of_reach_fails_its_output_alone(clips, tmp_path):
    """Small and scaled up again, it is never as good as the source."""
    source = local(noisy(clips))
    small = {"codec": "h264", "preset": "ultrafast", "height": 24, "quality": {"vmaf": 95}}
    results = encode(tmp_path, source, output(source, "small", video=small, audio=None), output(source, audio=None))
    assert isinstance(results["web"], Verified), results
    assert isinstance(results["small"], NotMade)
    assert results["small"].error.startswith("VMAF 95 is not reached")
    assert [] == [path.name for path in tmp_path.rglob("*") if "passes" in path.name]


def test_a_generated_source_has_a_quality_too(tmp_path):
    """There is no file to be read, and the samples are made anew."""
    source = generated("testsrc2=size=320x180:rate=25:duration=2")
    result, _ = made(
        tmp_path, source, video={"codec": "h264", "preset": "ultrafast", "quality": {"vmaf": 90}}, audio=None
    )
    assert isinstance(result, Verified), result
