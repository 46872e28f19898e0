"""What a picture's wishes are in the words of each encoder, and what the encoders make of them."""

from __future__ import annotations

import itertools
import math
from typing import get_args

import pytest

from builders_combinations import FASTEST, RATES, files, packages, picture, sound, sounds
from builders_ffmpeg import encode, local, made, output
from reconciler.core.codecs import AUDIO, CONTAINERS, DEFAULT_ENCODERS, ENCODERS, RateControl
from reconciler.core.packages import KINDS
from reconciler.core.parameters import Video
from reconciler.core.ports import Verified
from reconciler.ffmpeg import encoders
from reconciler.ffmpeg.media import open_media
from reconciler.ffmpeg.probe import probe


def told(container="mp4", threads=None, **fields):
    """The options of a picture whose source is not known."""
    return encoders.options(Video.model_validate(fields), container, None, threads)


def after(words, option):
    """What follows an option; None if it is not given."""
    return words[words.index(option) + 1] if option in words else None


def test_the_matrix_holds_all_that_there_is():
    """Every rate control, every container and every codec stands in it, in at least one combination."""
    assert set(get_args(RateControl)) < set(RATES)
    held = {container for container, *_ in files()} | {container for container, *_ in packages()}
    assert {name for name, facts in CONTAINERS.items() if facts.video} == held
    assert set(ENCODERS) == {encoder for _, encoder, _ in files()}
    assert {name for name, facts in CONTAINERS.items() if facts.audio} - set(KINDS) == {name for name, _ in sounds()}
    assert set(AUDIO) == {codec for _, codec in sounds()}


@pytest.mark.parametrize(("container", "encoder", "controls"), [*files()])
def test_every_container_codec_and_rate_control_is_made(clips, tmp_path, container, encoder, controls):
    """One second of every combination that a spec may ask for is encoded, probed and found whole."""
    source, codec = local(clips.plain(), end=1), CONTAINERS[container].audio[-1]
    around = {"container": container, "audio": sound(codec)}
    results = encode(
        tmp_path, source, *(output(source, control, video=picture(encoder, control), **around) for control in controls)
    )
    assert set(controls) == set(results)
    for result in results.values():
        assert isinstance(result, Verified), result
        facts = probe(str(tmp_path / result.path))
        assert (facts.video[0].codec, facts.audio[0].codec) == (ENCODERS[encoder].codec, codec)
        assert facts.video[0].packets == 25


@pytest.mark.parametrize(("container", "codec"), [*sounds()])
def test_sound_alone_is_made(clips, tmp_path, container, codec):
    """Every container that holds a sound codec can hold it without a picture."""
    source = local(clips.plain(), end=1)
    result, file = made(tmp_path, source, container=container, video=None, audio=sound(codec))
    assert isinstance(result, Verified), result
    facts = probe(str(file))
    assert ((), [codec]) == (facts.video, [track.codec for track in facts.audio])


@pytest.mark.parametrize(("codec", "encoder"), DEFAULT_ENCODERS.items())
def test_each_codec_has_its_usual_encoder(codec, encoder):
    """No encoder needs to be named."""
    assert encoder == after(told(codec=codec, crf=30), "-c:v")


def test_a_quality_with_a_ceiling():
    """x264 and its like take crf, maxrate and bufsize; libvpx and libaom take the ceiling as their target."""
    capped = {"crf": 30, "max_bitrate": "2M", "buffer_size": "4M"}
    words = told(codec="h264", **capped)
    assert ("30", "2000000", "4000000") == (after(words, "-crf"), after(words, "-maxrate"), after(words, "-bufsize"))
    words = told(codec="vp9", crf=30, max_bitrate="2M")
    assert ("30", "2000000", None) == (after(words, "-crf"), after(words, "-b:v"), after(words, "-maxrate"))
    assert after(told(codec="vp9", crf=30), "-b:v") == "0"


def test_a_ceiling_is_kept(clips, tmp_path):
    """A noisy picture at crf 10 is far above 150k; with the ceiling its bits stay near it."""
    source = local(clips.noisy())
    free = made(tmp_path, source, video={"codec": "h264", "crf": 10, "preset": "veryfast"}, audio=None)[0]
    held = {"codec": "h264", "crf": 10, "preset": "veryfast", "max_bitrate": "150k", "buffer_size": "150k"}
    capped = made(tmp_path, source, video=held, audio=None)[0]
    assert free.size > 400_000
    assert capped.size < 1.2 * 6 * 150_000 / 8


def test_a_constant_rate_is_its_own_floor_and_ceiling():
    """CBR sets all three rates, over a buffer of one second unless another is asked for."""
    words = told(codec="h264", bitrate="2M", mode="cbr")
    assert {"2000000"} == {after(words, option) for option in ("-b:v", "-minrate", "-maxrate", "-bufsize")}
    assert after(told(codec="h264", bitrate="2M", mode="cbr", buffer_size="1M"), "-bufsize") == "1000000"
    assert "nal-hrd" not in " ".join(told("mkv", codec="h264", bitrate="2M", mode="cbr"))
    assert after(told(codec="av1", bitrate="2M", mode="cbr"), "-svtav1-params") == "pred-struct=1"


@pytest.mark.parametrize(
    ("fields", "option", "value"),
    [
        ({"codec": "h264", "preset": "slow"}, "-preset", "slow"),
        ({"codec": "av1", "preset": 8}, "-preset", "8"),
        ({"codec": "vp9", "preset": 2}, "-cpu-used", "2"),
        ({"codec": "av1", "encoder": "libaom-av1", "preset": 4}, "-cpu-used", "4"),
        ({"codec": "vp9"}, "-deadline", "good"),
        ({"codec": "vp9"}, "-row-mt", "1"),
        ({"codec": "h264", "tune": "film"}, "-tune", "film"),
        ({"codec": "vp9", "tune": "ssim"}, "-tune", "ssim"),
        ({"codec": "vp9", "tune": "screen"}, "-tune-content", "screen"),
        ({"codec": "av1", "tune": "ssim"}, "-svtav1-params", "tune=2"),
        ({"codec": "h264", "level": 4.1}, "-level:v", "4.1"),
        ({"codec": "hevc", "level": 5.1}, "-x265-params", "log-level=error:level-idc=5.1"),
        ({"codec": "av1", "level": 4.1}, "-svtav1-params", "level=41"),
        ({"codec": "hevc", "profile": "main10"}, "-profile:v", "main10"),
        ({"codec": "hevc"}, "-tag:v", "hvc1"),
        ({"codec": "h264"}, "-pix_fmt", "yuv420p"),
        ({"codec": "hevc", "pixel_format": "yuv420p10le"}, "-pix_fmt", "yuv420p10le"),
    ],
    ids=str,
)
def test_every_encoder_has_its_own_words(fields, option, value):
    """Speed, tune, profile, level and format, as each encoder wants to hear them."""
    assert value == after(told(**{"crf": 30, **fields}), option)


@pytest.mark.parametrize(("preset", "first"), [(11, "8"), (None, "8"), (4, "4")])
def test_svt_looks_slowly_first(preset, first):
    """Its first pass is no faster than 8, beyond which it crashes on small pictures; the second is as asked."""
    video = Video.model_validate({"codec": "av1", "bitrate": "1M", "passes": 2, "preset": preset})
    words = [encoders.options(video, "mkv", None, None, of_two=encoders.Pass(number, "log")) for number in (1, 2)]
    assert [first, str(preset) if preset else None] == [after(each, "-preset") for each in words]


def test_the_tag_that_apple_wants():
    """HEVC in MP4 and MOV is tagged hvc1; Matroska has no such tag."""
    assert after(told("mov", codec="hevc", crf=30), "-tag:v") == "hvc1"
    assert after(told("mkv", codec="hevc", crf=30), "-tag:v") is None


def test_threads_reach_each_encoder():
    """x265 and SVT-AV1 have pools of their own beside ffmpeg's option."""
    assert after(told(codec="h264", crf=30, threads=3), "-threads:v") == "3"
    assert after(told(codec="hevc", crf=30, threads=3), "-x265-params") == "log-level=error:pools=3"
    assert after(told(codec="av1", crf=30, threads=3), "-svtav1-params") == "lp=3"


@pytest.mark.parametrize(
    ("codec", "level", "said"),
    [("h264", "4.1", 41), ("hevc", "4.1", 123), ("av1", "4.1", 9)],
)
def test_a_level_is_written_into_the_stream(clips, tmp_path, codec, level, said):
    """H.264 writes ten times the level, HEVC thirty times, AV1 an index."""
    preset = FASTEST[DEFAULT_ENCODERS[codec]]
    video = {"codec": codec, "crf": 40, "preset": preset, "level": level}
    _, file = made(tmp_path, local(clips.plain(), end=0.4), container="mkv", video=video, audio=None)
    with open_media(str(file)) as container:
        assert said == container.streams.video[0].codec_context.level


def keyframes(path):
    """When the keyframes of a file are shown, in seconds."""
    with open_media(str(path)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size and packet.is_keyframe]
        return [float(packet.pts * stream.time_base) for packet in packets]


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize(("fps", "interval"), [(25, 1), (29.97, 1), (25, 0.5)])
def test_keyframes_stand_on_a_grid(clips, tmp_path, encoder, fps, interval):
    """The first frame at or after each grid point is a keyframe, and no other, for every encoder."""
    video = {"codec": ENCODERS[encoder].codec, "encoder": encoder, "preset": FASTEST[encoder], "crf": 40}
    video |= {"fps": fps, "keyframe_interval": interval}
    _, file = made(tmp_path, local(clips.noisy(), end=3), container="mkv", video=video, audio=None)
    if encoder == "libaom-av1":  # its grid counts frames, see encoders
        interval = math.ceil(interval * fps) / fps
    frame = 1 / fps
    grid = [math.ceil(round(n * interval / frame, 3)) * frame for n in range(round(3 / interval))]
    assert keyframes(file) == pytest.approx([time for time in grid if time < 3 - frame / 2], abs=0.002)


@pytest.mark.parametrize("clip", ["late_picture", "paused"])
def test_the_grid_has_no_bursts(clips, tmp_path, clip):
    """After a late start, or a pause longer than the grid, one keyframe comes and not all that were due."""
    video = {"codec": "h264", "crf": 30, "preset": "ultrafast", "keyframe_interval": 0.5}
    _, file = made(tmp_path, local(getattr(clips, clip)()), container="mkv", video=video, audio=None)
    times = keyframes(file)
    steps = [(later - times[0]) // 0.5 - (sooner - times[0]) // 0.5 for sooner, later in itertools.pairwise(times)]
    assert min(steps) >= 1
    assert len(times) >= 3


def test_colours_keep_their_meaning(clips, tmp_path):
    """What a source says of its colours is said of the output, scaled or not."""
    for fields in ({}, {"height": 60}):
        video = {"codec": "h264", "crf": 30, "preset": "ultrafast", **fields}
        _, file = made(tmp_path, local(clips.tagged()), video=video, audio=None)
        with open_media(str(file)) as container:
            context = container.streams.video[0].codec_context
            assert (1, 1, 1, 1) == (
                context.color_primaries,
                context.color_trc,
                context.colorspace,
                context.color_range,
            )
