"""The ffmpeg provider: jobs on this machine, from start to result."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from builders_ffmpeg import (
    AAC,
    ENDLESS,
    H264,
    PROGRAM,
    SLOW,
    encode,
    ended,
    fetch,
    generated,
    hidden_files,
    job,
    local,
    made,
    output,
    provider,
    running,
)
from reconciler.core.errors import ProviderError, RejectedError, UnavailableError
from reconciler.core.ports import Done, Failed, Fetched, Lost, NotMade, SourceSeen, Verified
from reconciler.ffmpeg.kind import FfmpegOptions


def started(own, request):
    """The id of a job that was prepared and started."""
    job_id = own.prepare(request)
    own.start(job_id)
    return job_id


def sha256(path):
    """The digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_outputs_share_one_process_and_one_decode(clips, tmp_path):
    """Three outputs of a job are made by one ffmpeg, which reads its source once."""
    record = tmp_path / "calls"
    program = tmp_path / "ffmpeg"
    program.write_text(f'#!/bin/sh\ncase "$*" in *progress*) echo "$*" >> {record};; esac\nexec {PROGRAM} "$@"\n')
    program.chmod(0o755)
    source = local(clips.plain())
    outputs = [
        output(source, name, video={**H264, "height": height}) for name, height in (("a", 120), ("b", 90), ("c", 60))
    ]
    results = encode(tmp_path, source, *outputs, program=str(program))
    assert all(isinstance(result, Verified) for result in results.values())
    (call,) = record.read_text().splitlines()
    assert call.count(" -i ") == 1
    assert call.count("[0:V:0]split=3") == 1


def test_together_and_alone_are_the_same_files(clips, tmp_path):
    """With a plain quality an output has the same bits whether it shared its process or not."""
    source = local(clips.plain())
    outputs = [output(source, "a"), output(source, "b", video={**H264, "height": 60})]
    together = encode(tmp_path / "together", source, *outputs)
    for one in outputs:
        alone = encode(tmp_path / "alone", source, one)
        assert alone[one.name].sha256 == together[one.name].sha256


def test_a_result_says_what_was_made(clips, tmp_path):
    """Path, size, digest and summary are those of the part, which lies beside the final path."""
    result, file = made(tmp_path, local(clips.plain()))
    assert result.path.startswith("outputs/clip/.web.")
    assert (file.stat().st_size, sha256(file)) == (result.size, result.sha256)
    assert result.summary == "0:02.0 160x120 25 fps h264, aac stereo 48k"
    assert not (tmp_path / "outputs/clip/web.mp4").exists()


def test_the_end_names_the_encoder_and_the_source(clips, tmp_path):
    """The build is recorded, and what was seen of the source."""
    own = provider(tmp_path)
    seen, _ = ended(own, started(own, job(local(clips.plain()))))
    assert seen.encoder.startswith("ffmpeg ")
    plain = clips.plain()
    assert seen.source == SourceSeen("plain.mp4", size=plain.stat().st_size, sha256=sha256(plain))


def test_messages_tell_what_was_fetched_and_what_is_odd_once(clips, tmp_path):
    """Two outputs of a surround master: one line for the source, one for the mixdown."""
    source = local(clips.surround())
    own = provider(tmp_path)
    _, messages = ended(own, started(own, job(source, output(source, "a"), output(source, "b"))))
    size = f"{clips.surround().stat().st_size / 1000:.0f} kB"
    assert messages == [
        f"read surround-aac.mp4 {size}: 0:02.0, 160x120, 25 fps, audio 5.1",
        "audio 5.1 is mixed down to stereo",
    ]


@pytest.mark.parametrize("name", ["été 100 %d [x] 'y'.mp4", "a:b;c,d=e.mp4", "-i.mp4", "日本語\\.mp4"])
def test_any_name_is_just_a_name(clips, tmp_path, name):
    """Spaces, quotes, colons, percent signs, backslashes: no name is read as an option, a pattern or a URL."""
    project = tmp_path / f"project of {name}"
    project.mkdir()
    source = local(project / name)
    (project / name).write_bytes(clips.plain().read_bytes())
    results = encode(project, source, output(source, "a'b: %d"), output(source, "ö"))
    assert all(isinstance(result, Verified) for result in results.values()), results


def test_a_generated_source_is_not_fetched(tmp_path):
    """It needs no file, and its outputs are as long as its sources say."""

    def never(source, report, cancelled):
        raise AssertionError("nothing to fetch")

    source = generated("testsrc2=size=160x120:rate=25:duration=1.2[out0];sine=frequency=440:duration=1.2[out1]")
    (result,) = encode(tmp_path, source, output(source), fetch=never).values()
    assert isinstance(result, Verified), result
    assert result.summary == "0:01.2 160x120 25 fps h264, aac stereo 44.1k"
    endless = generated("testsrc2=size=160x120:rate=25", end=0.6)
    (result,) = encode(tmp_path, endless, output(endless, audio=None), fetch=never).values()
    assert result.summary == "0:00.6 160x120 25 fps h264"


def test_a_forbidden_generated_source_is_refused_as_a_draft(tmp_path):
    """A graph that reads files never reaches ffmpeg."""
    own = provider(tmp_path)
    with pytest.raises(RejectedError, match='"movie" is not one of those'):
        own.prepare(job(generated("movie=/etc/passwd")))
    with pytest.raises(RejectedError, match="needs an end"):
        own.prepare(job(generated("testsrc2")))


def test_a_graph_that_ffmpeg_refuses_fails(tmp_path):
    """What is wrong with a graph is said in ffmpeg's own words."""
    own = provider(tmp_path)
    seen, _ = ended(own, started(own, job(generated("testsrc2=size=huge:duration=1"))))
    assert isinstance(seen, Failed)
    assert "huge" in seen.error


def test_progress_comes_from_ffmpeg(tmp_path):
    """A running encode has a process, a share that grows, a speed and a rest; while it is stopped nothing moves."""
    source = generated(ENDLESS)
    own = provider(tmp_path)
    job_id = started(own, job(source, output(source, **SLOW)))
    first = running(own, job_id, wanted=lambda seen: seen.fraction)
    pid, created = first.process
    assert created == pytest.approx(psutil.Process(pid).create_time())
    assert abs(datetime.fromtimestamp(created, UTC) - datetime.now(UTC)).total_seconds() < 60
    assert first.speed > 0
    assert first.remaining > 0
    later = running(own, job_id, wanted=lambda seen: seen.fraction > first.fraction)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.3)
    still = running(own, job_id)
    time.sleep(1.2)
    assert running(own, job_id).fraction == still.fraction >= later.fraction
    own.close()


def test_an_encode_without_progress_is_given_up(tmp_path):
    """A stopped ffmpeg is killed when the deadline has passed twice without a sign of life, and that is said."""
    source = generated(ENDLESS)
    own = provider(tmp_path, stall_seconds=0.8)
    job_id = started(own, job(source, output(source, **SLOW)))
    os.kill(running(own, job_id).process[0], signal.SIGSTOP)
    seen, _ = ended(own, job_id)
    assert seen.outputs["web"] == NotMade("ffmpeg made no progress for 2 s and was stopped")
    assert hidden_files(tmp_path) == []


def test_outputs_with_different_rates_do_not_lock_up(clips, tmp_path):
    """Three outputs of which one has another frame rate: with a graph for each, ffmpeg 9 stood still for ever."""
    source = local(clips.plain("film.mp4", seconds=3, rate="24000/1001"))
    faster = {**H264, "preset": "veryfast", "fps": 30}
    web = {"container": "webm", "video": {"codec": "vp9", "crf": 40, "preset": 5}, "audio": {"codec": "opus"}}
    outputs = [output(source, "a"), output(source, "b", container="mkv", video=faster), output(source, "c", **web)]
    results = encode(tmp_path, source, *outputs)
    assert all(isinstance(result, Verified) for result in results.values()), results


def test_stopping_leaves_nothing(tmp_path):
    """Within five seconds the job, its process and its files are gone."""
    source = generated(ENDLESS)
    own = provider(tmp_path)
    job_id = started(own, job(source, output(source, **SLOW)))
    pid, _ = running(own, job_id, wanted=lambda seen: seen.fraction).process
    assert len(hidden_files(tmp_path)) == 1
    began = time.monotonic()
    own.cancel(job_id)
    assert time.monotonic() - began < 5
    assert not psutil.pid_exists(pid)
    assert not (tmp_path / "outputs").exists() or list((tmp_path / "outputs").iterdir()) == []


def test_killing_is_at_once(tmp_path):
    """The second interrupt waits for nothing; closing then clears up."""
    source = generated(ENDLESS)
    own = provider(tmp_path)
    job_id = started(own, job(source, output(source, **SLOW)))
    pid, _ = running(own, job_id).process
    began = time.monotonic()
    own.kill()
    assert time.monotonic() - began < 0.2
    own.close()
    assert not psutil.pid_exists(pid)
    assert hidden_files(tmp_path) == []


def test_stopping_ends_a_fetch(clips, tmp_path):
    """A download hears that it is not wanted any more."""
    fetching = threading.Event()

    def slow(source, report, cancelled):
        fetching.set()
        while not cancelled():
            report(10, 100)
            time.sleep(0.01)
        raise UnavailableError("stopped")

    own = provider(tmp_path, fetch=slow)
    job_id = started(own, job(local(clips.plain())))
    assert fetching.wait(5)
    seen = running(own, job_id, wanted=lambda seen: seen.fraction)
    assert (seen.stage, seen.fraction) == ("fetching", 0.1)
    began = time.monotonic()
    own.cancel(job_id)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("error", [RejectedError("404 Not Found"), UnavailableError("no route to cdn.example.com")])
def test_a_source_that_cannot_be_fetched_fails_the_job(clips, tmp_path, error):
    """Nothing was made, and the reason is the fetch's."""

    def broken(source, report, cancelled):
        raise error

    own = provider(tmp_path, fetch=broken)
    seen, _ = ended(own, started(own, job(local(clips.plain()))))
    assert seen == Failed(str(error))


def test_a_mistake_in_our_own_code_ends_the_job(clips, tmp_path):
    """A job never hangs because its thread died; what happened and where is in its error."""

    def mistaken(source, report, cancelled):
        return 1 / 0

    own = provider(tmp_path, fetch=mistaken)
    seen, _ = ended(own, started(own, job(local(clips.plain()))))
    assert seen.error.startswith(
        "internal error, please report it: ZeroDivisionError: division by zero at test_provider.py:"
    )


def test_a_pinned_source_has_to_be_that_source(clips, tmp_path):
    """Another content than the pinned one is encoded by nobody; both digests are named."""
    actual = sha256(clips.plain())
    assert isinstance(made(tmp_path, local(clips.plain(), sha256=actual))[0], Verified)
    result, _ = made(tmp_path, local(clips.plain(), sha256="ab" * 32))
    assert isinstance(result, NotMade)
    assert actual in result.error
    assert "ab" * 32 in result.error


def test_a_pin_is_looked_at_before_anything_is_encoded(clips, tmp_path):
    """Not even the folder of its output is made; whose source it was is told all the same."""
    own = provider(tmp_path)
    seen, _ = ended(own, started(own, job(local(clips.plain(), sha256="ab" * 32))))
    assert isinstance(seen.outputs["web"], NotMade)
    assert (None, sha256(clips.plain())) == (seen.seconds, seen.source.sha256)
    assert not (tmp_path / "outputs").exists()


def test_the_source_is_read_beside_the_encode(tmp_path):
    """The encode starts while a large source is still read for its digest, and stopping it ends both."""
    master = tmp_path / "master.mp4"
    making = [PROGRAM, "-v", "error", "-f", "lavfi", "-i", ENDLESS, "-t", "20", "-preset", "ultrafast", master]
    subprocess.run(making, check=True)
    with master.open("ab") as file:
        file.truncate(1 << 38)
    own = provider(tmp_path)
    source = local(master, end=10)
    job_id = started(own, job(source, output(source, **SLOW)))
    running(own, job_id)
    began = time.monotonic()
    own.cancel(job_id)
    assert time.monotonic() - began < 5
    assert "digest" not in [thread.name for thread in threading.enumerate()]


def test_a_digest_that_the_fetch_knows_is_not_computed_again(clips, tmp_path):
    """What the fetch says of the content counts."""

    def knowing(source, report, cancelled):
        found = fetch(source, report, cancelled)
        return Fetched(found.path, SourceSeen(source.identity, sha256="cd" * 32), found.size, 0, cached=True)

    source = local(clips.plain(), sha256="CD" * 32)
    (result,) = encode(tmp_path, source, output(source), fetch=knowing).values()
    assert isinstance(result, Verified), result


def test_impossible_outputs_do_not_stop_the_others(clips, tmp_path):
    """What the source cannot give fails before the start; the rest is made."""
    source = local(clips.plain())
    results = encode(tmp_path, source, output(source, "a"), output(source, "b", audio={**AAC, "track": 4}))
    assert isinstance(results["a"], Verified)
    assert results["b"] == NotMade("there is no audio track 4: the source has 1 audio track")


def test_an_encoder_that_refuses_fails_its_output_only(clips, tmp_path):
    """The process gives up as a whole; the other output is tried alone and made."""
    source = local(clips.plain())
    bad = output(source, "bad", video={"codec": "h264", "crf": 23, "profile": "nonsense"})
    results = encode(tmp_path, source, output(source, "good"), bad)
    assert results["bad"] == NotMade("Error setting profile nonsense.")
    assert isinstance(results["good"], Verified)
    assert hidden_files(tmp_path) == [Path(results["good"].path).name]


def test_a_killed_encode_fails(tmp_path):
    """Killed from outside, an output has failed, and its part is gone."""
    source = generated(ENDLESS)
    own = provider(tmp_path)
    job_id = started(own, job(source, output(source, **SLOW)))
    os.kill(running(own, job_id).process[0], signal.SIGKILL)
    seen, _ = ended(own, job_id)
    assert seen.outputs["web"] == NotMade("ffmpeg was killed by signal 9")
    assert hidden_files(tmp_path) == []


def test_a_killed_encode_of_several_is_tried_one_by_one(clips, tmp_path):
    """Whatever killed the big process may spare the smaller ones."""
    source = local(clips.plain())
    slow = {"codec": "h264", "crf": 23, "preset": "slow", "height": 480, "avoid_upscaling": False}
    own = provider(tmp_path)
    job_id = started(own, job(source, output(source, "a", video=slow), output(source, "b")))
    os.kill(running(own, job_id).process[0], signal.SIGKILL)
    seen, _ = ended(own, job_id)
    assert all(isinstance(result, Verified) for result in seen.outputs.values()), seen


@pytest.fixture
def small_disk(tmp_path):
    """A file system of half a megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system can only be mounted by root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_said_and_cleared(small_disk):
    """An output that does not fit fails with the reason, and takes its part away so that others have room."""
    source = generated("testsrc2=size=320x240:rate=25:duration=6,noise=alls=30:allf=t")
    big, small = {**H264, "crf": 5}, {**H264, "crf": 50, "height": 60}
    results = encode(
        small_disk,
        source,
        output(source, "big", video=big, audio=None),
        output(source, "small", video=small, audio=None),
    )
    assert results["big"] == NotMade("No space left on device")
    assert isinstance(results["small"], Verified), results
    assert hidden_files(small_disk) == [Path(results["small"].path).name]


def test_a_limit_on_file_sizes_is_said(tmp_path):
    """As a full disk, but without a disk: writing fails at 200 kB."""
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!/bin/sh\ntrap '' XFSZ\nulimit -f 400\nexec {PROGRAM} \"$@\"\n")
    program.chmod(0o755)
    source = generated("testsrc2=size=320x240:rate=25:duration=3,noise=alls=30:allf=t")
    (result,) = encode(
        tmp_path, source, output(source, video={**H264, "crf": 5}, audio=None), program=str(program)
    ).values()
    assert isinstance(result, NotMade)
    assert "File too large" in result.error
    assert hidden_files(tmp_path) == []


def test_only_so_many_encode_at_once(clips, tmp_path):
    """With one slot the second job waits, with its source already there."""
    source, quick = generated(ENDLESS), local(clips.plain())
    own = provider(tmp_path, settings=FfmpegOptions(parallelism=1))
    first = started(own, job(source, output(source, **SLOW)))
    running(own, first)
    time.sleep(0.2)
    second = started(own, job(quick))
    running(own, second, wanted=lambda seen: seen.messages)
    time.sleep(0.7)
    waiting = running(own, second, wanted=lambda _: True)
    assert (waiting.stage, waiting.process) == ("waiting", None)
    own.cancel(first)
    assert isinstance(ended(own, second)[0], Done)


@pytest.mark.parametrize(("cpus", "asked", "slots"), [(2, None, 1), (8, None, 1), (32, None, 4), (2, 3, 3)])
def test_parallelism_follows_the_machine_unless_set(tmp_path, cpus, asked, slots):
    """One encode fills about eight processors; more of them run more jobs."""
    assert slots == provider(tmp_path, cpus=cpus, settings=FfmpegOptions(parallelism=asked)).parallelism


def test_what_a_killed_apply_left_is_cleared(clips, tmp_path):
    """After kill -9 of our process ffmpeg goes on; the next one ends it, removes its part and runs the job again."""
    request = job(local(clips.plain()), job_id="0123abcd-0000-5000-8000-000000000000")
    text = (
        "import sys, time, os; sys.path.insert(0, 'tests')\n"
        "from pathlib import Path\nfrom builders_ffmpeg import *\n"
        f"own, source = provider(Path({str(tmp_path)!r})), generated(ENDLESS)\n"
        f"job_id = own.prepare(job(source, output(source, **SLOW), job_id={request.job_id!r}))\n"
        "own.start(job_id)\n"
        "print(*running(own, job_id, wanted=lambda seen: seen.fraction).process, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True) as killed:
        pid = int(killed.stdout.readline().split()[0])
        killed.kill()
    assert psutil.pid_exists(pid)
    assert hidden_files(tmp_path) == [".web.0123abcd.part"]
    own = provider(tmp_path)
    own.prepare(request)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert hidden_files(tmp_path) == []
    own.start(request.job_id)
    assert isinstance(ended(own, request.job_id)[0], Done)


def test_a_program_that_is_no_ffmpeg_fails_the_draft(clips, tmp_path):
    """Nothing is started with a program that is not what it should be."""
    own = provider(tmp_path, program="/bin/true")
    with pytest.raises(ProviderError, match="is not ffmpeg"):
        own.prepare(job(local(clips.plain())))


def test_a_job_that_was_not_prepared_cannot_be_started(tmp_path):
    """An id of an earlier process says nothing to this one."""
    with pytest.raises(RejectedError, match="was not prepared"):
        provider(tmp_path).start("no-such-job")


def test_a_program_is_checked_before_any_job(tmp_path):
    """Before outputs use up attempts it is known that nothing can encode them."""
    with pytest.raises(ProviderError, match="is not ffmpeg"):
        provider(tmp_path, program="/bin/true").check()
    provider(tmp_path).check()


def test_a_file_in_the_place_of_the_outputs_is_told(clips, tmp_path):
    """The job is refused with the path and what to do about it."""
    (tmp_path / "outputs").write_text("in the way")
    with pytest.raises(RejectedError, match=r"^outputs/clip cannot be written to: Not a directory; move away"):
        provider(tmp_path).prepare(job(local(clips.plain())))
    assert "in the way" == (tmp_path / "outputs").read_text()


def test_an_ended_job_is_forgotten_when_nobody_asks_any_more(clips, tmp_path):
    """A server would remember every job of months; one that has not ended is not let go."""
    own, request = provider(tmp_path), job(local(clips.plain()))
    own.prepare(request)
    own.forget(request.job_id)
    own.start(request.job_id)
    assert isinstance(ended(own, request.job_id)[0], Done)
    own.forget(request.job_id)
    assert isinstance(own.observe([request.job_id])[request.job_id], Lost)
    own.forget(request.job_id)
