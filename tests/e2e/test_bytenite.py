"""Encodes on the ByteNite API, end to end: the real program, the real server, real media."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime

import pytest
import requests

from builders_http import serving
from builders_remote import instant_clip, remote_project, remote_spec
from builders_server import document, serving_api
from reconciler.ffmpeg import binary
from reconciler.ffmpeg.probe import probe

LADDER = """\
    outputs:
      240p:
        container: mp4
        video: {codec: h264, height: 240, crf: 24, preset: veryfast}
        audio: {codec: aac, bitrate: 96k}
      180p:
        container: mp4
        video: {codec: h264, height: 180, bitrate: 300k, max_bitrate: 400k, buffer_size: 800k}
        audio: {codec: aac, bitrate: 64k}
      120p:
        container: mp4
        video: {codec: hevc, height: 120, crf: 26, preset: fast}
        audio: {codec: aac, bitrate: 64k, channels: 2}
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """What every output is a copy of, where nothing is encoded."""
    return instant_clip(tmp_path_factory.mktemp("instant"))


@pytest.fixture(scope="module")
def master(tmp_path_factory):
    """Three seconds of 640x360 with sound."""
    path = tmp_path_factory.mktemp("master") / "master.mp4"
    picture, sound = "testsrc2=size=640x360:rate=25:duration=3", "sine=frequency=330:duration=3"
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    command = [binary.find({}), "-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, *coding]
    subprocess.run([*command, str(path)], check=True)
    return path


def vmaf(made, reference, height):
    """The VMAF of a file against its master, both at the file's height; by ffmpeg's own libvmaf."""
    graph = f"[1:v]scale=-2:{height}:flags=bicubic[r];[0:v][r]libvmaf"
    command = [
        binary.find({}),
        "-hide_banner",
        "-i",
        str(made),
        "-i",
        str(reference),
        "-lavfi",
        graph,
        "-f",
        "null",
        "-",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return float(re.search(r"VMAF score: ([0-9.]+)", said)[1])


def test_the_same_spec_gives_the_same_here_and_there(tmp_path, master):
    """On ffmpeg and on the API: the same codecs, sizes and durations, and pictures within 1 VMAF."""
    files = {}
    with serving_api(tmp_path) as api, serving({"/master.mp4": master}) as site:
        spec = remote_spec(source=site.url("/master.mp4"))
        spec = spec[: spec.index("    outputs:")] + LADDER
        away = remote_project(tmp_path / "away", api, spec)
        away.apply().ok()
        here = remote_project(tmp_path / "here", api, spec.replace("provider: bytenite", "provider: local"))
        here.apply("--allow-private-sources").ok()
        links = json.loads(away.run("output", "--json").ok().out)
        for address, record in links.items():
            name = address.rpartition("/")[2]
            path = tmp_path / f"{name}.mp4"
            path.write_bytes(requests.get(record["output"]["link"], timeout=30).content)
            files[name] = (path, here.folder / f"outputs/bbb/{name}.mp4")

    assert {"240p", "180p", "120p"} == set(files)
    for name, (there, local) in files.items():
        one, other = probe(str(there)), probe(str(local))
        assert one.video[0].codec == other.video[0].codec
        assert (one.video[0].width, one.video[0].height) == (other.video[0].width, other.video[0].height)
        assert one.end == pytest.approx(other.end, abs=0.001)
        height = int(name.removesuffix("p"))
        assert vmaf(there, master, height) == pytest.approx(vmaf(local, master, height), abs=1.0)


def test_one_changed_rung_is_one_job_with_one_output(tmp_path, clip):
    """Of a three-rung ladder one is changed: one more job is created and started, and it has one output."""
    rungs = ("1080p", "720p", "480p")
    with serving_api(tmp_path, instant=clip) as api:
        project = remote_project(tmp_path / "project", api, remote_spec(outputs=rungs))
        project.apply().ok()
        (first,) = api.jobs()
        project.write("specs/a.yaml", remote_spec(outputs=rungs).replace("crf: 31", "crf: 29"))
        plan = project.run("plan", "--detailed-exitcode")
        assert (2, True) == (plan.code, "video.crf: 31 -> 29" in plan.out)
        project.apply().ok()
        (second,) = [job for job in api.jobs() if job.id != first.id]
        answer = requests.get(
            f"{api.api_url}/customer/jobs/{second.id}", headers={"Authorization": api.token()}, timeout=10
        ).json()["job"]

        starts = api.all_starts()

    data = answer["params"].get("app", answer["params"])["data"]
    assert ["720p"] == [each["name"].rpartition("-")[0] for each in data["outputs"]]
    assert [1, 1] == list(starts.values())


def many(count):
    """A spec of so many encodes, a job each."""
    spec = remote_spec(outputs=("x",))
    names = ", ".join(f"t{number}" for number in range(count))
    return spec.replace("  bbb:\n", f"  bbb:\n    for_each: [{names}]\n").replace("bbb.mp4", "${each.key}.mp4")


def test_fifty_jobs_are_left_to_run_and_collected_elsewhere(tmp_path, clip):
    """--no-wait starts 50 jobs and leaves with 0; an apply on another machine with the state collects all."""
    with serving_api(tmp_path, instant=clip, instant_seconds=2.0) as api:
        one = remote_project(tmp_path / "one", api, many(50))
        said = one.apply("--no-wait", "--allow", "max_jobs").ok()
        assert "50 running" in said.out
        assert {"running"} == {record["status"] for record in one.records().values()}
        assert 50 == len(api.all_starts())
        other = remote_project(tmp_path / "other", api, many(50))
        shutil.copytree(one.folder / "state", other.folder / "state")
        other.apply().ok()
        assert {"complete"} == {record["status"] for record in other.records().values()}
        assert {1} == set(api.all_starts().values())


def test_what_another_machine_bought_is_not_told_as_paid_again(tmp_path, clip):
    """A machine with a stale state brings in the finished job: paid is what the first one said, once."""
    with serving_api(tmp_path, instant=clip, rate=6000, balance=100_000) as api:
        first = remote_project(tmp_path / "one", api).apply().ok()
        other = remote_project(tmp_path / "other", api)
        second = other.apply().ok()
        costs = {record["job"]["cost"] for record in other.records().values()}
        assert [1] == list(api.all_starts().values())
    assert (True, True) == ("BYC" in first.out.partition("Paid:")[2], "Paid: nothing" in " ".join(second.out.split()))
    assert "nothing is paid for it now" in " ".join(second.err.split())
    assert len(costs) == 1


def test_waiting_ends_with_seven(tmp_path, clip):
    """--wait-timeout: what still runs then runs on, exit 7; the next apply brings it in."""
    with serving_api(tmp_path, instant=clip, instant_seconds=5.0) as api:
        project = remote_project(tmp_path / "project", api)
        done = project.apply("--wait-timeout", "1s")
        assert (7, True) == (done.code, "still running" in done.out)
        project.apply().ok()
        assert [1] == list(api.all_starts().values())


def test_a_template_runs_here_and_there(tmp_path, clip):
    """A ByteNite document is sent as it is; on ffmpeg it gives the same outputs under the same fingerprints."""
    template = document(96, 64, name="{{.job_name}}_{{.output_params.Aspect.Resolution.CustomHeight}}")
    with serving_api(tmp_path) as api, serving({"/clip.mp4": clip}) as site:
        spec = remote_spec(source=site.url("/clip.mp4"))
        spec = spec[: spec.index("    outputs:")] + "    template: templates/ladder.json\n"
        prints = {}
        for where in ("bytenite", "local"):
            project = remote_project(tmp_path / where, api, spec.replace("provider: bytenite", f"provider: {where}"))
            (project.folder / "templates").mkdir()
            (project.folder / "templates/ladder.json").write_text(json.dumps(template))
            project.apply("--allow-private-sources").ok()
            prints[where] = {address: record["fingerprint"] for address, record in project.records().items()}

    assert {"bbb/96p", "bbb/64p"} == set(prints["local"])
    assert prints["local"] == prints["bytenite"]


def test_state_adopt_takes_a_job_by_hand(tmp_path, clip):
    """A job that somebody ran by hand becomes an output's, looked at like any other, at no cost."""
    with serving_api(tmp_path, instant=clip) as api:
        client = api.client()
        job_id = client.draft("https://cdn.example.com/bbb.mp4", document(96))
        client.run(job_id)
        client.ended(job_id)
        project = remote_project(tmp_path / "project", api, remote_spec(outputs=("720p",)))
        said = project.run("state", "adopt", "bbb/720p", job_id).ok()
        assert "complete" in said.out
        assert "No changes" in project.run("plan").ok().out
        assert {job_id: 1} == api.all_starts()
        none = project.run("state", "adopt", "bbb/720p", "no-such-job")
        assert (1, True) == (none.code, "knows no job" in none.err)
        draft = client.draft("https://cdn.example.com/bbb.mp4", document(96))
        never = project.run("state", "adopt", "bbb/720p", draft)
        assert (1, True) == (never.code, "was never started" in never.err)
        assert "No changes" in project.run("plan").ok().out


def test_rebuild_finds_two_hundred_and_fifty_jobs(tmp_path, clip):
    """A lost state is made anew from 250 jobs at 20 a page; nothing is started."""
    with serving_api(tmp_path, instant=clip) as api:
        project = remote_project(tmp_path / "project", api, many(250))
        project.apply("--allow", "max_jobs").ok()
        before = api.all_starts()
        shutil.rmtree(project.folder / "state")
        said = project.run("state", "rebuild").ok()
        assert "250 complete" in said.out
        assert "No changes" in project.run("plan", "--detailed-exitcode").ok().out
        assert before == api.all_starts()


def test_nothing_secret_is_told(tmp_path, clip):
    """At debug level no output, state, plan, journal or log has a key, token or signature; only links.json signs."""
    logs = []
    with serving_api(tmp_path, instant=clip) as api, serving({"/clip.mp4": clip}) as site:
        source = site.url(
            "/clip.mp4",
            "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=me&X-Goog-SignedHeaders=host&X-Goog-Signature=5ec3e7"
            f"&X-Goog-Date={datetime.now(UTC):%Y%m%dT%H%M%SZ}&X-Goog-Expires=604800",
        )
        spec = remote_spec(source='{url: "' + source + '", username: ann, password: "${env.RECONCILER_PASSWORD}"}')
        project = remote_project(tmp_path / "project", api, spec)
        project.environment["RECONCILER_PASSWORD"] = "hunter2-secret"
        commands = (["plan", "--out", "plan.json"], ["plan", "--json"], ["validate", "--online"])
        logs.extend(project.program("-v", *command) for command in commands)
        killed = project.start("-v", "apply", "--auto-approve")
        logs.append(killed.communicate(timeout=60))
        logs += [project.program("-v", *command) for command in (("apply", "--auto-approve"), ("status",), ("output",))]
        token = api.token()
        assert "complete" in project.run("status", "--json").ok().out
    written = [
        path.read_text(errors="replace")
        for path in sorted(project.folder.rglob("*"))
        if path.is_file() and path.suffix in {".json", ".jsonl"} and path.name != "links.json"
    ]
    everything = "\n".join([*map(str, logs), *written])
    for secret in (api.key, "hunter2-secret", "5ec3e7", "X-Goog-Signature=", token.split(".")[0]):
        assert secret not in everything, secret
    assert "X-Goog-Signature=" in (project.folder / "state/links.json").read_text()
    assert 0o600 == (project.folder / "state/links.json").stat().st_mode & 0o777
