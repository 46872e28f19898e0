"""Two passes: the average is met, and what the first saw is shared and swept away."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders_ffmpeg import (
    AAC,
    ENDLESS,
    PROGRAM,
    asked,
    encode,
    generated,
    job,
    local,
    made,
    output,
    provider,
    running,
)
from builders_media import ffmpeg
from reconciler.core.codecs import ENCODERS
from reconciler.core.encode import Source
from reconciler.core.ports import NotMade, Verified
from reconciler.ffmpeg import work_files
from reconciler.ffmpeg.arguments import Target, first_pass

PRESETS = {"libx264": "veryfast", "libx265": "ultrafast", "libvpx-vp9": "5", "libsvtav1": "10", "libaom-av1": "6"}
RATE = 300_000


def twice(encoder="libx264", rate=RATE, **fields):
    """A picture in two passes."""
    picture = {"codec": ENCODERS[encoder].codec, "encoder": encoder, "preset": PRESETS[encoder]}
    return {**picture, "bitrate": rate, "passes": 2, **fields}


def noisy(clips):
    """Four seconds that no encoder finds easy."""
    picture = "testsrc2=size=320x180:rate=25:duration=4,noise=alls=12:allf=t"
    encoded = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", 12)
    return clips._made("noisy-small.mkv", "-f", "lavfi", "-i", picture, *encoded)


def bitrate(file, seconds=4):
    """The bits a second of a file's picture."""
    return 8 * len(ffmpeg("-i", file, "-map", "0:v", "-c", "copy", "-f", "data", "pipe:1")) / seconds


@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_average_is_met(clips, tmp_path, encoder):
    """Within 3 %, in four seconds, by every encoder."""
    video = twice(encoder, rate=120_000, height=90)
    result, file = made(tmp_path, local(noisy(clips)), container="mkv", video=video, audio=None)
    assert isinstance(result, Verified), result
    assert bitrate(file) == pytest.approx(120_000, rel=0.03)


def test_the_second_pass_knows_what_the_first_saw(clips, tmp_path):
    """In one pass VP9 misses the average of this picture by far more."""
    rates = []
    for passes in (1, 2):
        video = {**twice("libvpx-vp9", height=90), "passes": passes}
        _, file = made(tmp_path / str(passes), local(noisy(clips)), container="webm", video=video, audio=None)
        rates.append(bitrate(file))
    once, both = (abs(rate - RATE) for rate in rates)
    assert both < once / 2


def recording(tmp_path):
    """An ffmpeg that notes its arguments, and the notes."""
    record, program = tmp_path / "calls", tmp_path / "ffmpeg"
    program.write_text(f'#!/bin/sh\ncase "$*" in *progress*) echo "$*" >> {record};; esac\nexec {PROGRAM} "$@"\n')
    program.chmod(0o755)
    return program, record


def test_rungs_share_the_first_pass(clips, tmp_path):
    """Three rungs, of which two are made in two passes: two processes, each of which decodes the source once."""
    program, record = recording(tmp_path)
    source = local(noisy(clips))
    rungs = [output(source, str(size), video=twice(height=size), audio=None) for size in (180, 90)]
    plain = output(source, "plain", audio=None)
    results = encode(tmp_path, source, *rungs, plain, program=str(program))
    assert all(isinstance(result, Verified) for result in results.values()), results
    first, second = record.read_text().splitlines()
    assert (2, 0) == (first.count("-pass 1"), first.count("-pass 2"))
    assert (0, 2) == (second.count("-pass 1"), second.count("-pass 2"))
    assert "split=2" in first
    assert "split=3" in second
    for size in (180, 90):
        assert bitrate(tmp_path / results[str(size)].path) == pytest.approx(RATE, rel=0.03)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_second_pass_finds_what_the_first_saw(clips, tmp_path, encoder):
    """Whatever stands before it in the one process, be it sound or an output in one pass."""
    source = local(clips.plain())
    picture = twice(encoder, rate=60_000, height=80)
    sounds = {"codec": "opus", "bitrate": "32k"}
    outputs = [
        output(source, "plain", container="mkv", audio=sounds),
        output(source, "a", container="mkv", video=picture, audio=sounds),
        output(source, "b", container="mkv", video={**picture, "height": 100}, audio=sounds),
    ]
    results = encode(tmp_path, source, *outputs)
    assert {"plain", "a", "b"} == {name for name, result in results.items() if isinstance(result, Verified)}, results


def test_a_package_may_have_variants_in_one_pass_and_in_two(clips, tmp_path):
    """In segments of type ts each has its sound, too."""
    once = {"codec": "h264", "crf": 30, "preset": "ultrafast"}
    variants = {name: {"video": video, "audio": AAC} for name, video in {"a": once, "b": twice(), "c": once}.items()}
    parts = {"container": "hls", "segment": {"type": "ts"}, "video": None, "audio": None, "variants": variants}
    result, _ = made(tmp_path, local(clips.plain()), **parts)
    assert isinstance(result, Verified), result


def missing(tmp_path, share):
    """An ffmpeg that asks the encoder of a second pass for a share of each rate, and notes what it was asked for."""
    record, program = tmp_path / "calls", tmp_path / "ffmpeg"
    program.write_text(f"""\
#!/bin/sh
case "$*" in *progress*) echo "$*" >> {record};; esac
case "$*" in *"-pass 2"*)
  rate=no
  for word; do
    shift
    [ $rate = yes ] && word=$(awk "BEGIN {{print int($word * {share})}}")
    rate=no; [ "$word" = -b:v ] && rate=yes
    set -- "$@" "$word"
  done;;
esac
exec {PROGRAM} "$@"
""")
    program.chmod(0o755)
    return program, record


@pytest.mark.parametrize("share", [0.8, 1.25])
def test_a_missed_average_is_met_with_another_rate(clips, tmp_path, share):
    """The second pass is made again, of the outputs that missed, from one decode and by what the first saw."""
    program, record = missing(tmp_path, share)
    source = local(noisy(clips))
    rungs = [output(source, str(size), video=twice(height=size), audio=None) for size in (180, 90)]
    results = encode(tmp_path, source, *rungs, output(source, "plain", audio=None), program=str(program))
    calls = record.read_text().splitlines()
    assert [(2, 0), (0, 2), (0, 2)] == [(call.count("-pass 1"), call.count("-pass 2")) for call in calls[:3]]
    assert ["split=2", "split=3", "split=2"] == [f"split={call.partition('split=')[2][:1]}" for call in calls[:3]]
    for size in (180, 90):
        assert bitrate(tmp_path / results[str(size)].path) == pytest.approx(RATE, rel=0.03)
    assert {"180.mp4", "90.mp4", "plain.mp4"} >= {path.name for path in (tmp_path / "outputs/clip").glob("[!.]*")}
    assert [] == list(tmp_path.rglob("*again*"))


def test_a_missed_average_of_a_variant_is_met(clips, tmp_path):
    """The package is made again as a whole, with another rate for its variant."""
    program, record = missing(tmp_path, 0.8)
    source = local(noisy(clips))
    variants = {"a": {"video": twice()}, "b": {"video": {"codec": "h264", "crf": 30, "preset": "ultrafast"}}}
    wanted = output(source, container="hls", video=None, audio=None, variants=variants)
    (result,) = encode(tmp_path, source, wanted, program=str(program)).values()
    assert isinstance(result, Verified), result
    assert () == result.notes
    sizes = [segment.stat().st_size for segment in (tmp_path / result.path / "a").glob("segment-*")]
    assert sum(sizes) == pytest.approx(RATE / 2, rel=0.06)
    assert 3 == len(record.read_text().splitlines())


def test_a_picture_that_needs_no_more_bits_is_told(tmp_path):
    """Hardly anything moves: it is made once, and a note says what came of the average."""
    still = generated("color=c=blue:size=160x120:rate=25:duration=2")
    program, record = recording(tmp_path)
    wanted = output(still, video=twice(rate=2_000_000), audio=None)
    (result,) = encode(tmp_path, still, wanted, program=str(program)).values()
    assert isinstance(result, Verified), result
    (note,) = result.notes
    assert note.startswith("the picture came out at")
    assert "instead of 2000k (-9" in note
    assert 2 == len(record.read_text().splitlines())


def test_nothing_is_left_of_the_first_pass(clips, tmp_path):
    """The logs go with the job, however it ends."""
    source = local(noisy(clips))
    results = encode(tmp_path, source, output(source, video=twice("libx265"), audio=None))
    assert [Path(results["web"].path)] == [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    endless = generated(ENDLESS)
    own = provider(tmp_path / "stopped")
    slow = output(endless, video={**twice(), "preset": "veryslow"}, audio=None)
    request = job(endless, slow)
    own.start(own.prepare(request))
    running(own, request.job_id)
    assert list((tmp_path / "stopped/outputs/clip").iterdir())
    own.cancel(request.job_id)
    assert [] == [path for path in (tmp_path / "stopped").rglob("*") if path.is_file()]


def test_logs_of_a_killed_job_are_swept(tmp_path):
    """They lie under a name that the next apply takes for a part."""
    source = generated(ENDLESS)
    logs = tmp_path / work_files.logs_of(output(source), "0123abcd-0000")
    logs.mkdir(parents=True)
    (logs / "0-0.log").write_text("seen")
    assert [logs.relative_to(tmp_path).as_posix()] == work_files.sweep(tmp_path, ())
    assert not logs.exists()


@pytest.mark.parametrize("encoder", ["libx264", "libx265"])
def test_any_folder_can_hold_the_logs(clips, tmp_path, encoder):
    """Colons, quotes and percent signs in the project's path are no separators."""
    project = tmp_path / "a:b 'c' 100%d\\e=f"
    project.mkdir()
    result, _ = made(project, local(noisy(clips), end=1), video=twice(encoder), audio=None)
    assert isinstance(result, Verified), result


def test_a_first_pass_that_fails_fails_its_output_alone(clips, tmp_path):
    """An encoder that refuses its settings takes no other output with it."""
    source = local(noisy(clips), end=1)
    good = output(source, "good", video=twice(), audio=None)
    bad = output(source, "bad", video=twice(tune="nonsense"), audio=None)
    results = encode(tmp_path, source, good, bad)
    assert isinstance(results["good"], Verified), results
    assert isinstance(results["bad"], NotMade), results


def test_packages_are_made_in_two_passes(clips, tmp_path):
    """Every variant of a package has a log of its own."""
    variants = {"a": {"video": twice()}, "b": {"video": twice(height=90, rate=200_000)}}
    result, folder = made(tmp_path, local(noisy(clips)), container="hls", video=None, audio=None, variants=variants)
    assert isinstance(result, Verified), result
    for name, rate in (("a", RATE), ("b", 200_000)):
        sizes = [segment.stat().st_size for segment in (folder / name).glob("segment-*")]
        assert sum(sizes) == pytest.approx(rate / 2, rel=0.06)


def test_the_first_pass_is_the_same_picture():
    """It goes through the same filters and settings, and leaves the sound alone."""
    source = Source("file", "m.mov", "/m.mov")
    wanted = asked(video=twice(height=90))
    words = first_pass(source, "/m.mov", [Target(wanted, "/p/a.part", "/p/log")], "/p/a.part", facts=None)
    assert "-an" in words
    assert ["1", "/p/log"] == [words[words.index(option) + 1] for option in ("-pass", "-passlogfile")]
    assert "-vf" in words
    assert first_pass(source, "/m.mov", [Target(asked(), "/p/a.part")], "/p/a.part", facts=None) is None
