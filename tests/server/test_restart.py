"""What a server that stops, or is killed, leaves to the next one."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from builders_http import Page, serving
from builders_server import KEY, Api, Client, InstantProvider, document, serving_api
from reconciler.core.errors import LockedError, StateError
from reconciler.core.ports import Running
from reconciler.server.attempt import MOST_RUNS

URL = "https://example.com/master.mp4"
SLOW = document(720, preset="veryslow", crf=5)
SLOW["data"]["outputs"][0]["output_params"]["aspect"]["resolution"]["avoid_upscaling"] = False


@contextmanager
def served(folder, *options, keys=KEY, port="0"):
    """The real program in a process of its own; killed at the end if it is still there."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    command = [sys.executable, "-m", "reconciler", "serve", "--data", str(folder / "server"), "--port", port, *options]
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            command, env={**kept, "RECONCILER_API_KEYS": keys}, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def reached(process):
    """A client of a program that has said where it listens."""
    line = process.stdout.readline()
    url = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert url is not None, line
    token = requests.post(f"{url[0]}/v1/auth/access_token", json={"apiKey": KEY}, timeout=10).json()["token"]
    session = requests.Session()
    session.headers["Authorization"] = token
    return Client(Api(url[0], KEY, None, [], []), session)


def until(true, *, within=60.0):
    """Wait for something."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it never came")


def starts(folder, job_id):
    """How often a job was started, by the file of a server that is gone."""
    with sqlite3.connect(folder / "server" / "jobs.sqlite3") as database:
        return database.execute("SELECT COUNT(*) FROM starts WHERE job_id = ?", (job_id,)).fetchone()[0]


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_that_was_running_is_run_again(tmp_path, clips, ending):
    """Its client sees it finish, started once, at the same place; the old encoder is dead and its files are gone."""
    clip = clips.plain("ten.mp4", seconds=10, size="320x180")
    quick = document(60, preset="ultrafast")
    with serving({"/ten.mp4": Page(clip)}) as site:
        with served(tmp_path, "--allow-private-sources") as process:
            client = reached(process)
            slow = client.draft(site.url("/ten.mp4"), SLOW)
            queued = client.draft(site.url("/ten.mp4"), quick)
            client.run(slow)
            client.run(queued)
            until(lambda: client.job(slow)["progress"] > 0)
            states = [client.job(slow)["state"]]
            process.send_signal(ending)
            assert process.wait(15) == (0 if ending == signal.SIGTERM else -ending)
        with served(tmp_path, "--allow-private-sources", "--parallelism", "2") as process:
            client = reached(process)
            states.append(client.job(slow)["state"])
            assert "JOB_STATE_COMPLETE" == client.ended(queued)[0]["state"]
            until(lambda: client.job(slow)["progress"] > 0)
            ours = {child.pid for child in psutil.Process(process.pid).children()}
            assert {one.pid for one in _encoders(tmp_path)} <= ours
            client.ask("POST", f"/jobs/{slow}/abort")
            assert [1, 1] == [starts(tmp_path, job_id) for job_id in (slow, queued)]
            assert ["JOB_STATE_PARTITIONED", "JOB_STATE_PARTITIONED"] == states
            until(lambda: [] == list((tmp_path / "server" / "outputs").iterdir()))
    log = (tmp_path / "log").read_text()
    assert KEY not in log
    assert "Traceback" not in log


def test_the_most_talkative_log_tells_no_secret(tmp_path, clips):
    """With -v, libraries log what they ask for: without keys, tokens, signatures, passwords and queries."""
    with (
        serving({"/clip.mp4": Page(clips.plain())}) as site,
        served(tmp_path, "--allow-private-sources", "-v") as process,
    ):
        client = reached(process)
        url = site.url("/clip.mp4", "X-Amz-Signature=the-signature").replace("://", "://me:pass-word@")
        job_id = client.draft(url, document(60))
        client.run(job_id)
        assert "" == client.ended(job_id)[0]["errorMessage"]
        (result,) = client.ask("GET", f"/jobs/{job_id}/results")["results"]
        assert 200 == requests.get(result["link"], timeout=10).status_code
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(15)
    log = (tmp_path / "log").read_text()
    assert "/clip.mp4" in log, "what is fetched is told"
    token = client.session.headers["Authorization"]
    for secret in (
        KEY,
        token,
        token.rpartition(".")[2],
        "the-signature",
        "pass-word",
        result["link"].rpartition("=")[2],
    ):
        assert secret not in log


def test_progress_comes_from_the_encoder_and_stands_still_with_it(tmp_path, clips):
    """While ffmpeg is stopped the job neither moves nor ends; it goes on when ffmpeg does."""
    clip = clips.plain("ten.mp4", seconds=10, size="320x180")
    with serving({"/ten.mp4": Page(clip)}) as site, serving_api(tmp_path) as api:
        client = api.client()
        job_id = client.draft(site.url("/ten.mp4"), SLOW)
        client.run(job_id)
        until(lambda: client.job(job_id)["progress"] > 0)
        (encoder,) = _encoders(tmp_path)
        encoder.suspend()
        time.sleep(1)
        stopped = client.job(job_id)["progress"]
        time.sleep(1.5)
        assert (stopped, "JOB_STATE_PARTITIONED") == (client.job(job_id)["progress"], client.job(job_id)["state"])
        encoder.resume()
        until(lambda: client.job(job_id)["progress"] > stopped)
        client.ask("POST", f"/jobs/{job_id}/abort")


def test_stopping_does_not_fail_what_runs(tmp_path, clips):
    """Jobs are left as they are when the server stops, and are complete after the next start."""
    with serving_api(tmp_path, instant=clips.plain(), instant_seconds=3600) as api:
        client = api.client()
        jobs = [client.draft(URL, document(60)) for _ in range(12)]
        for job_id in jobs:
            client.run(job_id)
        until(lambda: "JOB_STATE_PARTITIONED" == client.job(jobs[0])["state"])
    with serving_api(tmp_path, instant=clips.plain()) as api:
        client = api.client()
        for job_id in jobs:
            job, _ = client.ended(job_id)
            assert ("JOB_STATE_COMPLETE", 1, 1) == (job["state"], api.starts(job_id), api.job(job_id).runs)


def test_a_job_that_kills_its_server_is_given_up(tmp_path, clips):
    """After five servers that died while it ran, it fails with that, and the server lives."""

    class Endless(InstantProvider):
        def _observe(self, job_id):
            return Running("encoding", fraction=0.5)

    with serving_api(tmp_path, provider=lambda data, _: Endless(data, clips.plain())) as api:
        client = api.client()
        job_id = client.draft(URL, document(60))
        client.run(job_id)
        until(lambda: 1 == api.job(job_id).runs)
    with sqlite3.connect(tmp_path / "server" / "jobs.sqlite3") as database:
        (body,) = database.execute("SELECT body FROM jobs").fetchone()
        body = body.replace(b'"runs":0', b'"runs":%d' % MOST_RUNS)
        database.execute("UPDATE jobs SET body = ?", (body,))
    with serving_api(tmp_path, instant=clips.plain()) as api:
        job, _ = api.client().ended(job_id)
        assert "the server died 5 times" in job["errorMessage"]


def test_partial_files_are_swept(tmp_path, clips):
    """What no job owns goes at the start; what a job owns stays."""
    with serving_api(tmp_path, instant=clips.plain()) as api:
        client = api.client()
        job_id = client.draft(URL, document(60))
        client.run(job_id)
        client.ended(job_id)
    data = tmp_path / "server"
    (data / "outputs" / "run" / "0").mkdir(parents=True)
    (data / "outputs" / "run" / "0" / ".0.01234567.part").write_bytes(b"half")
    (data / "uploads" / ".job.x.part").write_bytes(b"half")
    (data / "results" / "deleted-job").mkdir()
    with serving_api(tmp_path, instant=clips.plain()) as api:
        assert 1 == len(api.client().ask("GET", f"/jobs/{job_id}/results")["results"])
        left = {
            str(path.relative_to(data))
            for name in ("outputs", "uploads", "results")
            for path in (data / name).glob("*")
        }
    assert {f"results/{job_id}"} == left


def test_two_servers_do_not_share_a_folder(tmp_path, clips):
    """The second one is refused, and says whose it is."""
    with (
        serving_api(tmp_path, instant=clips.plain()),
        pytest.raises(LockedError, match=f"pid {os.getpid()}"),
        serving_api(tmp_path, instant=clips.plain()),
    ):
        pass


def test_a_second_server_leaves_the_encodes_of_the_first_alone(tmp_path, clips):
    """It is refused before it ends any process or removes any file."""
    clip = clips.plain("ten.mp4", seconds=10, size="320x180")
    with serving({"/ten.mp4": Page(clip)}) as site, served(tmp_path, "--allow-private-sources") as first:
        client = reached(first)
        job_id = client.draft(site.url("/ten.mp4"), SLOW)
        client.run(job_id)
        until(lambda: client.job(job_id)["progress"] > 0)
        (encoder,) = _encoders(tmp_path)
        with served(tmp_path) as second:
            assert 6 == second.wait(30)
        assert [encoder.pid] == [one.pid for one in _encoders(tmp_path)]
        client.ask("POST", f"/jobs/{job_id}/abort")
    assert f"is served by another process, pid {first.pid}" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    "break_it",
    [
        lambda path: sqlite3.connect(path).execute("PRAGMA user_version = 99").connection.close(),
        lambda path: path.write_bytes(b"this is no database at all, but long enough to be looked at" * 100),
    ],
)
def test_an_unknown_database_is_refused_and_left_alone(tmp_path, clips, break_it):
    """One of a newer version, or of something else, is not rewritten."""
    with serving_api(tmp_path, instant=clips.plain()):
        pass
    path = tmp_path / "server" / "jobs.sqlite3"
    break_it(path)
    before = path.read_bytes()
    with pytest.raises(StateError, match=re.escape(str(path))), serving_api(tmp_path, instant=clips.plain()):
        pass
    assert before == path.read_bytes()


def test_nobody_else_may_read_the_folder(tmp_path, clips):
    """The database and the signing key are for their owner alone."""
    with serving_api(tmp_path, instant=clips.plain()):
        for name in ("jobs.sqlite3", "signing.key"):
            assert 0o600 == (tmp_path / "server" / name).stat().st_mode & 0o777


def test_a_copied_folder_serves_the_same_jobs(tmp_path, clips):
    """All that a server knows is in its folder."""
    with serving_api(tmp_path / "one", instant=clips.plain()) as api:
        client = api.client()
        job_id = client.draft(URL, document(60))
        client.run(job_id)
        client.ended(job_id)
    shutil.copytree(tmp_path / "one", tmp_path / "other")
    with serving_api(tmp_path / "other", instant=clips.plain()) as api:
        (result,) = api.client().ask("GET", f"/jobs/{job_id}/results")["results"]
        assert clips.plain().read_bytes() == requests.get(result["link"], timeout=10).content


def _encoders(folder):
    """The processes of ffmpeg that write into a folder."""
    beginning = f"file:{Path(folder).resolve()}"
    found = psutil.process_iter(["cmdline", "status"])
    return [one for one in found if any(word.startswith(beginning) for word in one.info["cmdline"] or [])]
