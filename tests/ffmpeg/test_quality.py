"""Finished outputs are measured against what was asked of them, and what is wrong is said with both values."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time

import pytest

from builders_ffmpeg import AAC, H264, PROGRAM, asked, generated, local
from builders_media import ffmpeg
from reconciler.core.checks import Checks, failures, judge
from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.ffmpeg.comparison import Subject
from reconciler.ffmpeg.escaping import escaped
from reconciler.ffmpeg.quality import Checker

SIZE = "320x240"


def checker(program=PROGRAM, **options):
    """A checker on this machine."""
    return Checker(program, {}, time.monotonic, threads=1, **options)


def measured(made, source, checks, *, start=0, end=None, told=None, cancelled=lambda: False, **parameters):
    """What is measured of a file that was made from another one."""
    origin = local(source, start=start, end=end) if not isinstance(source, str) else generated(source)
    wanted = asked(**({"container": "mp4", "audio": AAC} | parameters))
    subject = Subject(str(made), wanted, origin, origin.location if origin.kind == "file" else None)
    return checker().measure(subject, checks, (told if told is not None else []).append, cancelled)


def wrong(made, source, checks=None, **options):
    """Why a file is suspect; None if it is not."""
    checks = checks or Checks()
    return failures(judge(checks, measured(made, source, checks, **options)))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A source, and what became of it."""
    return Pictures(tmp_path_factory.mktemp("pictures"))


class Pictures:
    """A clip that never stands still, and encodes of it, each made when it is first asked for."""

    def __init__(self, folder):
        self.folder = folder

    def source(self):
        """Three seconds of motion with sound."""
        graph = f"testsrc2=size={SIZE}:rate=25:duration=3,rotate=t/3:fillcolor=gray"
        tone = "sine=frequency=440:sample_rate=48000:duration=3"
        return self._made("source.mkv", "-f", "lavfi", "-i", graph, "-f", "lavfi", "-i", tone, crf=5)

    def good(self):
        """As it should be."""
        return self._of("good.mp4")

    def poor(self):
        """Hardly to be recognised."""
        return self._of("poor.mp4", crf=45)

    def small(self):
        """A smaller rendition."""
        return self._of("small.mp4", "-vf", "scale=160:120")

    def black(self):
        """As long as its source, with its sound, and black."""
        return self._of("black.mp4", "-vf", "drawbox=color=black:thickness=fill")

    def short(self):
        """Two seconds of the three."""
        return self._of("short.mp4", "-t", "2")

    def silent(self):
        """Without its sound."""
        return self._of("silent.mp4", "-an")

    def late(self):
        """Every picture one frame later."""
        return self._of("late.mp4", "-vf", "tpad=start=1:start_mode=clone,trim=end_frame=75")

    def part(self):
        """The second second of it, cropped, turned and slower."""
        edit = "crop=280:240:20:0,transpose=clock,fps=12.5"
        return self._of("part.mp4", "-vf", edit, seek=["-ss", "1", "-t", "1"])

    def gap(self):
        """A picture that stops for half a second."""
        drop = "select='not(between(t,1,1.5))'"
        return self._of("gap.mp4", "-vf", drop, "-fps_mode", "vfr")

    def truncated(self, container):
        """What a broken upload leaves."""
        whole = self._of(f"whole.{container}", *(["-movflags", "+faststart"] if container == "mp4" else []))
        return self._bytes(f"truncated.{container}", whole.read_bytes()[: whole.stat().st_size * 6 // 10])

    def scratched(self):
        """Whole, but for bytes in its middle."""
        data = bytearray(self._of("clean.mkv", "-g", "10").read_bytes())
        dice = random.Random(5)
        for _ in range(60):
            data[dice.randrange(len(data) // 4, len(data) // 2)] ^= 0xFF
        return self._bytes("scratched.mkv", bytes(data))

    def _of(self, name, *arguments, crf=18, seek=()):
        return self._made(name, *seek, "-i", self.source(), *arguments, crf=crf)

    def _made(self, name, *arguments, crf):
        path = self.folder / name
        if not path.exists():
            codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", crf, "-pix_fmt", "yuv420p", "-c:a", "aac"]
            ffmpeg(*arguments, *codecs, "-ac", "2", f"file:{path}")
        return path

    def _bytes(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path


def test_a_good_output_passes_all_of_it(pictures):
    """Everything is measured, and the share that is done is told."""
    checks = Checks(0.05, "full", 10**7, 10**7, 80, 70, 0.9, 0.05)
    told = []
    seen = measured(pictures.good(), pictures.source(), checks, told=told)

    assert failures(judge(checks, seen)) is None
    assert (1, 1, 1, 1) == seen.tracks
    assert 0 == seen.decoded.errors
    assert seen.vmaf.p1 <= seen.vmaf.mean
    assert "vmaf_v0.6.1 at 320x240, every frame" == seen.vmaf.how
    assert 1.0 == pytest.approx(max(told), abs=0.1)
    assert 0 <= min(told)


def test_a_wrong_duration(pictures):
    """Two seconds where three were asked for."""
    assert wrong(pictures.short(), pictures.source()).startswith(
        "duration: measured 2.00 s, asked for 3.00 s within 0.04 s (the end of the picture)"
    )
    assert "within 0.50 s" in wrong(pictures.short(), pictures.source(), Checks(duration_tolerance=0.5))
    assert wrong(pictures.short(), pictures.source(), Checks(duration_tolerance=1.1)) is None


@pytest.mark.parametrize(
    ("checks", "name"), [(Checks(min_vmaf=70), "min_vmaf"), (Checks(min_vmaf_p1=50), "min_vmaf_p1")]
)
def test_a_black_picture(pictures, checks, name):
    """It has the right length, the right tracks and decodes; only beside its source is it black."""
    assert wrong(pictures.black(), pictures.source()) is None
    words = wrong(pictures.black(), pictures.source(), checks)
    assert words.startswith(f"{name}: measured ")
    assert f"asked for at least {checks.min_vmaf or checks.min_vmaf_p1:g} (vmaf_v0.6.1 at 320x240, every" in words
    assert "frame late" not in words


def test_a_black_picture_by_ssim(pictures):
    """The other score catches it, too."""
    words = wrong(pictures.black(), pictures.source(), Checks(min_ssim=0.9))
    assert words.startswith("min_ssim: measured 0.")
    assert words.endswith("asked for at least 0.9 (all planes at 320x240)")


def test_a_missing_sound(pictures):
    """One picture, no sound; a source without sound is another matter."""
    words = "tracks: measured 1 video and 0 audio tracks, asked for 1 video and 1 audio track"
    assert words == wrong(pictures.silent(), pictures.source())
    assert wrong(pictures.silent(), pictures.silent()) is None


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_a_truncated_file(pictures, container):
    """Whatever its container still says of it."""
    words = wrong(pictures.truncated(container), pictures.source())
    assert words.startswith("whole: measured ") or "asked for 3.00 s within" in words


def test_what_is_no_media(pictures, tmp_path):
    """Says so."""
    path = tmp_path / "page.mp4"
    path.write_bytes(b"<html>Not found</html>" * 100)
    assert wrong(path, pictures.source()).startswith("whole: measured it is not one of the media formats")
    path.unlink()
    assert "whole: measured No such file or directory, asked for a whole file" == wrong(path, pictures.source())


def test_damage_in_the_middle(pictures):
    """Only decoding all of it finds it."""
    words = wrong(pictures.scratched(), pictures.source(), Checks(decode="full"), container="mkv")
    assert "decode: measured " in words
    assert "asked for no errors (" in words
    assert wrong(pictures.good(), pictures.source(), Checks(decode="full")) is None


def test_a_gap(pictures):
    """The longest step between two pictures."""
    words = wrong(pictures.gap(), pictures.source(), Checks(max_gap=0.1))
    assert words.startswith("max_gap: measured 0.5")
    assert words.endswith("s, asked for at most 0.1 s (in the picture)")


def test_a_size_beside_the_source(pictures):
    """A share of the source's bytes, and an average of bits a second."""
    words = wrong(pictures.good(), pictures.source(), Checks(max_size="1%", max_bitrate=10_000))
    assert "asked for at most 1% of the source" in words
    assert "max_bitrate: measured " in words


def direct(made, source, tmp_path):
    """The VMAF that a plain ffmpeg command gives."""
    log = tmp_path / "direct.json"
    clock = "settb=AVTB,setpts=PTS-STARTPTS"
    graph = f"[0:v]{clock}[d];[1:v]{clock}[r];[d][r]libvmaf=log_fmt=json:log_path={log}"
    command = [PROGRAM, "-v", "error", "-i", str(made), "-i", str(source), "-lavfi", graph, "-an", "-f", "null", "-"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return json.loads(log.read_bytes())["pooled_metrics"]["vmaf"]["mean"]


@pytest.mark.parametrize("made", ["good", "poor"])
def test_vmaf_is_that_of_libvmaf(pictures, tmp_path, made):
    """The same as a direct command on the same pair, to a hundredth."""
    path = getattr(pictures, made)()
    seen = measured(path, pictures.source(), Checks(min_vmaf=0))
    assert direct(path, pictures.source(), tmp_path) == pytest.approx(seen.vmaf.mean, abs=0.01)


def test_scores_tell_good_from_poor(pictures):
    """And a smaller rendition is compared at the size of its source."""
    good, poor, small = (
        measured(made, pictures.source(), Checks(min_vmaf=0, min_ssim=0))
        for made in (pictures.good(), pictures.poor(), pictures.small())
    )
    assert good.vmaf.mean > poor.vmaf.mean + 20
    assert good.ssim.mean > poor.ssim.mean
    assert good.vmaf.mean > small.vmaf.mean > 10
    assert "vmaf_v0.6.1 at 320x240, every frame" == small.vmaf.how


def test_pictures_out_of_step_are_told_from_bad_ones(pictures):
    """A score that a single frame explains is said to be that."""
    words = wrong(pictures.late(), pictures.source(), Checks(min_vmaf=85))
    assert "the picture is one frame late, without that it is 9" in words
    assert "one frame" not in wrong(pictures.poor(), pictures.source(), Checks(min_vmaf=99))


def test_the_source_goes_through_what_the_encode_did(pictures):
    """Trim, crop, rotation and frame rate: the pictures that are compared are the same ones."""
    video = {**H264, "crop": {"left": 20, "right": 20}, "rotate": 90, "fps": 12.5}
    seen = measured(pictures.part(), pictures.source(), Checks(min_vmaf=0), start=1, end=2, video=video)
    assert seen.vmaf.mean > 85
    assert "at 240x280" in seen.vmaf.how
    assert failures(judge(Checks(), seen)) is None


def test_a_generated_source(pictures, tmp_path):
    """Is made again beside the output."""
    graph = f"testsrc2=size={SIZE}:rate=25:duration=1"
    made = tmp_path / "made.mp4"
    ffmpeg("-f", "lavfi", "-i", graph, "-c:v", "libx264", "-crf", "10", "-pix_fmt", "yuv420p", made)
    seen = measured(made, graph, Checks(min_vmaf=0), audio=None)
    assert seen.vmaf.mean > 90
    assert failures(judge(Checks(), seen)) is None


def test_without_the_source_the_rest_is_measured(pictures):
    """Sizes, gaps and decoding need none."""
    subject = Subject(str(pictures.good()), asked(), local(pictures.source()), None)
    seen = checker().measure(subject, Checks(decode="full", max_gap=1), lambda _: None, lambda: False)
    assert ((), None, 0) == (seen.ends, seen.vmaf, seen.decoded.errors)
    assert failures(judge(Checks(max_gap=1), seen)) is None


def test_a_cancel_and_a_deadline_end_it(pictures):
    """Neither says anything of the output."""
    graph = "testsrc2=size=1280x720:rate=25:duration=300"
    subject = Subject(str(pictures.good()), asked(), generated(graph), None)
    with pytest.raises(UnavailableError, match="stopped: cancelled"):
        checker().check(subject, Checks(min_vmaf=1), lambda _: None, lambda: True)
    ticks = iter(range(0, 10**9, 400))
    late = Checker(PROGRAM, {}, lambda: float(next(ticks)), threads=1, patience=1)
    with pytest.raises(UnavailableError, match="stopped: it took too long"):
        late.check(subject, Checks(min_vmaf=1), lambda _: None, lambda: False)


def test_an_ffmpeg_without_libvmaf_says_so(pictures, tmp_path):
    """With what to do; the output is not to blame."""
    program = tmp_path / "ffmpeg"
    said = "[AVFilterGraph @ 0x1] [error] No such filter: 'libvmaf'"
    text = f"#!{sys.executable}\nimport sys\nsys.stderr.write({said!r})\nsys.exit(1)\n"
    program.write_text(text)
    program.chmod(0o755)
    subject = Subject(str(pictures.good()), asked(), local(pictures.source()), str(pictures.source()))
    with pytest.raises(RejectedError, match="No such filter: 'libvmaf'\n  RECONCILER_FFMPEG names another"):
        checker(str(program)).check(subject, Checks(min_vmaf=1), lambda _: None, lambda: False)


def test_a_log_may_lie_anywhere(pictures, tmp_path):
    """Colons, quotes, brackets and commas in the folder for temporary files end no filter."""
    folder = tmp_path / "it's [a], b;c: d\\e"
    folder.mkdir()
    subject = Subject(str(pictures.good()), asked(), local(pictures.source()), str(pictures.source()))
    checks = Checks(min_ssim=0, min_vmaf=0)
    seen = checker(folder=folder).measure(subject, checks, lambda _: None, lambda: False)
    assert (True, True) == (seen.ssim.mean > 0.9, seen.vmaf.mean > 80)
    assert [] == list(folder.iterdir())


def test_escapes_for_filters():
    """Once for the option, once for the graph."""
    assert r"a\\:b" == escaped("a:b")
    assert r"a\,b" == escaped("a,b")
