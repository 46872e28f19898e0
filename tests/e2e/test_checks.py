"""Checks of finished outputs on both providers: what fails one is suspect, is not delivered and not made again."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import pytest

from builders_http import serving
from builders_project import Project, tiny
from builders_remote import instant_clip, remote_project, remote_spec
from builders_server import serving_api
from reconciler.ffmpeg import binary

PRIVATE = "--allow-private-sources"
SIZE, RATE = "160x96", 25


def made(path: Path, picture: str, sound: str | None) -> Path:
    """A clip of a picture and a sound, as an encode would give it."""
    command = [binary.find({}), "-v", "error", "-y", "-f", "lavfi", "-i", picture]
    command += ["-f", "lavfi", "-i", sound] if sound is not None else []
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "1"]
    subprocess.run([*command, "-movflags", "+faststart", str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """The master, and what its outputs might come out as."""
    folder = tmp_path_factory.mktemp("clips")
    picture, sound = f"testsrc2=size={SIZE}:rate={RATE}:duration=2", "sine=duration=2"
    master = instant_clip(folder, seconds=2)
    whole = master.read_bytes()
    cut = folder / "cut.mp4"
    cut.write_bytes(whole[: len(whole) * 6 // 10])
    return {
        "master": master,
        "short": made(folder / "short.mp4", picture.replace("=2", "=1"), "sine=duration=1"),
        "black": made(folder / "black.mp4", f"color=black:size={SIZE}:rate={RATE}:duration=2", sound),
        "mute": made(folder / "mute.mp4", picture, None),
        "cut": cut,
    }


# What each comes to: the checks that are asked for, what is told of what a provider made, and of what was made here.
CASES = {
    "short": ("", "its length is 1.0", "its picture ends at 1.00 s instead of 2.00 s"),
    "black": ("min_vmaf: 60", "min_vmaf: measured", "min_vmaf: measured"),
    "mute": ("", "1 video and 0 audio tracks instead of 1 and 1", "1 video and 0 audio tracks instead of 1 and 1"),
    "cut": ("", 'is cut off: its "mdat" box is cut off:', "instead of 2.00 s"),
}


def suspected(project, address, words):
    """Apply ends with 3, the output is suspect and says why; neither a copy nor a second job comes of it."""
    done = project.apply(PRIVATE)
    record = project.records()[address]
    assert (3, "suspect") == (done.code, record["status"]), done.out + done.err
    for text in words:
        assert text in record["error"], record["error"]
        assert text in " ".join((done.out + done.err).split())
    assert "Apply complete!" not in done.out
    assert not list((project.folder / "copies").rglob("*"))
    again = project.apply(PRIVATE).ok()
    assert record == project.records()[address], again.out
    assert 0 == project.run("plan", "--detailed-exitcode").code
    status = project.run("status").ok().out
    assert f"! {address}  suspect:" in status
    return record


@pytest.mark.parametrize("case", CASES)
def test_what_a_provider_made_wrong(tmp_path, clips, case):
    """A wrong length, no sound, half a file are caught by themselves, a black picture by a check; told with figures."""
    checks, words, _ = CASES[case]
    with serving_api(tmp_path, instant=clips[case]) as api, serving({"/m.mp4": clips["master"]}) as site:
        spec = remote_spec(source=site.url("/m.mp4"), outputs=("720p",))
        spec = spec.replace("      720p: {", f"      720p: {{checks: {{{checks}}}, deliver: copies, ")
        project = remote_project(tmp_path / "project", api, spec)
        suspected(project, "bbb/720p", (words,))

        assert [1] == list(api.all_starts().values())
        project.apply(PRIVATE, "--rerun", "bbb/720p")
        assert [1, 1] == list(api.all_starts().values())


def test_what_a_provider_made_well_passes_and_the_results_are_recorded(tmp_path, clips):
    """The same checks on a good output: complete, delivered, and what was measured stands in the state."""
    with serving_api(tmp_path, instant=clips["master"]) as api, serving({"/m.mp4": clips["master"]}) as site:
        spec = remote_spec(source=site.url("/m.mp4"), outputs=("720p",))
        checks = "checks: {min_vmaf: 90, duration_tolerance: 0.1, decode: full, max_size: 1MB}"
        project = remote_project(
            tmp_path / "project", api, spec.replace("      720p: {", f"      720p: {{{checks}, deliver: copies, ")
        )
        project.apply(PRIVATE).ok()
        record = project.records()["bbb/720p"]

    assert "complete" == record["status"]
    assert {"min_vmaf", "duration", "decode", "max_size"} <= {each["name"] for each in record["checks"]}
    assert {True} == {each["passed"] for each in record["checks"]}
    assert (project.folder / "copies/bbb/720p.mp4").is_file()


def encoder_that_makes(folder: Path, clip: Path) -> Path:
    """An ffmpeg that encodes as it is told and then puts another clip in the place of what it made."""
    program = folder / "ffmpeg"
    program.write_text(
        f"""#!/bin/sh
"{binary.find({})}" "$@" || exit $?
for each in "$@"; do
  case "$each" in *.part) cp "{clip}" "${{each#file:}}" ;; esac
done
"""
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


@pytest.mark.parametrize("case", CASES)
def test_what_an_encoder_here_made_wrong(tmp_path, clips, case):
    """The same four on this machine, by an ffmpeg that ends well and leaves the wrong file."""
    checks, _, words = CASES[case]
    project = Project(tmp_path / "project")
    project.environment["RECONCILER_FFMPEG"] = str(encoder_that_makes(tmp_path, clips[case]))
    project.write("masters/m.mp4", "")
    (project.folder / "masters/m.mp4").write_bytes(clips["master"].read_bytes())
    project.write(
        "specs/a.yaml",
        f"""\
version: 1
project: talks
encodes:
  bbb:
    source: masters/m.mp4
    outputs:
      720p: {{{tiny().strip("{}")}}}, checks: {{{checks}}}, deliver: copies}}
""",
    )
    suspected(project, "bbb/720p", (words,))


@pytest.mark.parametrize(
    ("checks", "words"),
    [
        ("min_vmaf: 99", "min_vmaf: measured"),
        ("max_size: 2kB", "max_size: measured"),
        ("max_bitrate: 10k", "max_bitrate: measured"),
        ("min_ssim: 0.999", "min_ssim: measured"),
        ("max_size: 1%", "max_size: measured"),
    ],
)
def test_what_a_real_encode_does_not_meet(tmp_path, clips, checks, words):
    """Really encoded as badly as can be asked for: suspect, its file kept for a look, exit 3, and not run again."""
    project = Project(tmp_path)
    project.write("masters/m.mp4", "")
    (project.folder / "masters/m.mp4").write_bytes(clips["master"].read_bytes())
    project.write(
        "specs/a.yaml",
        f"""\
version: 1
project: talks
encodes:
  bbb:
    source: masters/m.mp4
    outputs:
      720p: {{{tiny(51).strip("{}")}}}, checks: {{{checks}}}, deliver: copies}}
""",
    )
    record = suspected(project, "bbb/720p", (words,))
    kept = record["error"].partition("kept for a look: ")[2].rstrip(")")

    assert (project.folder / kept).is_file()
    assert json.loads(project.run("--json", "status").ok().out)["bbb/720p"]["checks"]
    project.write("specs/a.yaml", (project.folder / "specs/a.yaml").read_text().replace(f"checks: {{{checks}}}, ", ""))
    plan = project.run("plan").ok()
    assert "No changes" in plan.out


def remote_with_checks(site, **outputs):
    """A spec of outputs that are one encode, by name, each with what it says of its own checks and copies."""
    spec = remote_spec(source=site.url("/m.mp4"), outputs=tuple(outputs))
    for name, said in outputs.items():
        spec = spec.replace(f"      {name}: {{", f"      {name}: {{{said}")
    return spec.replace("crf: 31", "crf: 30")


def test_a_paid_file_is_not_paid_again_when_less_is_asked_of_it(tmp_path, clips):
    """Suspect at once for a check; with a milder one it is measured again, whole, delivered, and its job is the one."""
    strict, mild = "checks: {max_size: 10}, deliver: copies, ", "checks: {max_size: 10MB}, deliver: copies, "
    with serving_api(tmp_path, instant=clips["master"]) as api, serving({"/m.mp4": clips["master"]}) as site:
        project = remote_project(tmp_path / "project", api, remote_with_checks(site, a=strict))
        assert 3 == project.apply(PRIVATE).code
        assert "old file" not in project.apply(PRIVATE).ok().out
        assert ("suspect", None) == ((record := project.records()["bbb/a"])["status"], record.get("output"))

        project.write("specs/a.yaml", remote_with_checks(site, a=mild))
        plan = project.run("plan").ok()
        assert "its checks changed, so its file is looked at again" in plan.out
        project.apply(PRIVATE).ok()
        assert ("complete", {"max_size": 10_000_000}) == (
            (record := project.records()["bbb/a"])["status"],
            record["checked"],
        )
        assert (project.folder / "copies/bbb/a.mp4").is_file()
        assert "No changes" in project.apply(PRIVATE).ok().out
        assert [1] == list(api.all_starts().values())

        project.write("specs/a.yaml", remote_with_checks(site, a=strict))
        assert 3 == project.apply(PRIVATE).code
        assert [1] == list(api.all_starts().values())


@pytest.mark.parametrize(("clip", "code", "status"), [("black", 3, "suspect"), ("master", 0, "complete")])
def test_checks_that_come_after_the_file(tmp_path, clips, clip, code, status):
    """A file that is taken over, and one that is asked more later, is measured where it is held, for nothing."""
    strict = "checks: {min_vmaf: 60}, deliver: copies, "
    with serving_api(tmp_path, instant=clips[clip]) as api, serving({"/m.mp4": clips["master"]}) as site:
        project = remote_project(tmp_path / "project", api, remote_with_checks(site, a=""))
        project.apply(PRIVATE).ok()

        project.write("specs/a.yaml", remote_with_checks(site, a="", b=strict))
        assert code == project.apply(PRIVATE).code
        assert ("complete", status) == tuple(project.records()[f"bbb/{name}"]["status"] for name in "ab")
        copies = project.folder / "copies/bbb"
        assert (["b.mp4"] if status == "complete" else []) == [path.name for path in copies.glob("*")]

        project.write("specs/a.yaml", remote_with_checks(site, a=strict, b=strict))
        plan = project.run("plan", "--detailed-exitcode")
        assert (2, True) == (plan.code, "checks.min_vmaf: not set -> 60" in plan.out), plan.out
        assert "its file is measured, nothing is encoded" in plan.out
        done = project.apply(PRIVATE, "--no-spend")
        assert (code, status) == (done.code, project.records()["bbb/a"]["status"]), done.out
        assert "No changes" in project.apply(PRIVATE).ok().out
        assert "the old file is live" not in project.run("status").ok().out

        project.write("specs/a.yaml", remote_with_checks(site, a="deliver: copies, ", b=""))
        project.apply(PRIVATE).ok()
        assert {"complete"} == {record["status"] for record in project.records().values()}
        assert (copies / "a.mp4").is_file()
        assert [1] == list(api.all_starts().values())


def test_checks_that_come_after_a_file_of_this_machine(tmp_path, clips):
    """A twin and a renamed output are measured like what was encoded for them, and so is what is asked more later."""
    project = Project(tmp_path)
    project.write("masters/m.mp4", "")
    (project.folder / "masters/m.mp4").write_bytes(clips["master"].read_bytes())
    head = "version: 1\nproject: talks\nencodes:\n  bbb:\n    source: masters/m.mp4\n    outputs:\n"
    coarse, strict = tiny(51).removesuffix("}"), "checks: {min_vmaf: 99}"

    def told(*outputs):
        project.write("specs/a.yaml", head + "".join(f"      {output}\n" for output in outputs))
        done = project.apply()
        return done.code, {name.rpartition("/")[2]: each["status"] for name, each in project.records().items()}

    plain, checked = f"a: {coarse}}}", f"b: {coarse}, {strict}}}"
    assert (3, {"a": "complete", "b": "suspect"}) == told(plain, checked)
    assert (0, {"a": "complete", "b": "complete"}) == told(plain, f"b: {coarse}, checks: {{min_vmaf: 5}}}}")
    assert (3, {"a": "suspect", "b": "complete"}) == told(f"a: {coarse}, {strict}}}", f"b: {coarse}}}")
    code, seen = told(f"c: {coarse}, {strict}}}")
    assert (3, "suspect") == (code, seen["c"])


def test_stills_are_checked_for_their_size(tmp_path, clips):
    """What can be asked of a still is measured of it, and what cannot is told by the plan."""
    project = Project(tmp_path)
    project.write("masters/m.mp4", "")
    (project.folder / "masters/m.mp4").write_bytes(clips["master"].read_bytes())
    head = "version: 1\nproject: talks\nencodes:\n  bbb:\n    source: masters/m.mp4\n    outputs:\n"
    still = "{container: jpg, stills: {at: 0.5, height: 90}, checks: CHECKS}"
    project.write("specs/a.yaml", f"{head}      poster: {still.replace('CHECKS', '{max_size: 100}')}\n")
    assert 3 == project.apply().code
    record = project.records()["bbb/poster"]
    assert ("suspect", True) == (record["status"], "asked for at most 100 bytes" in record["error"])

    project.write("specs/a.yaml", f"{head}      poster: {still.replace('CHECKS', '{min_vmaf: 90}')}\n")
    plan = project.run("plan")
    assert (1, True) == (plan.code, "min_vmaf cannot be checked: of stills and subtitles only the size is" in plan.err)
