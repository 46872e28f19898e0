"""The life of a job: drafts, runs, states, ends, and what may not happen to it."""

from __future__ import annotations

import base64
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import requests

from builders_http import Page, serving
from builders_server import TEMPLATE, InstantProvider, document, serving_api
from reconciler.server.states import ORDER

URL = "https://example.com/master.mp4"
JOB_ID = "0b0c4a52-7d1c-5b5e-9d55-6b1f6a7c0f3a"


@pytest.fixture
def api(tmp_path, clips):
    """A server whose encodes take no time."""
    with serving_api(tmp_path, instant=clips.plain()) as running:
        yield running


@pytest.fixture
def client(api):
    """A client of it."""
    return api.client()


def test_a_new_job_is_told_with_every_field(tmp_path, body):
    """In the dialect of 2023 a draft is just what ByteNite printed: nulls, empty texts and zeros as texts."""
    printed = body("create_job.response.2023-03")["job"]
    with serving_api(tmp_path, dialect="legacy") as api:
        answer = api.client().ask("POST", "/jobs", body("create_job.request.legacy_minimal"))
    assert {"job"} == set(answer)
    varying = {"id", "createdAt"}
    assert {k: v for k, v in printed.items() if k not in varying} == {
        k: v for k, v in answer["job"].items() if k not in varying
    }


def test_the_dialect_of_2025_has_the_fields_of_its_example(tmp_path, body):
    """Every field of the published example is there, with a value of its kind, and none of 2023's."""
    example = body("get_job.response.current.openapi_example")
    with serving_api(tmp_path, dialect="current") as api:
        client = api.client()
        job_id = client.draft(URL, document(60))
        answer = client.ask("GET", f"/jobs/{job_id}")
    assert set(example) == set(answer)
    assert set() == set(example["job"]) - set(answer["job"])
    assert not {"completedAt", "deadline"} & set(answer["job"])
    numbers = ("paymentAmount", "numChunks")
    assert [True, True] == [isinstance(answer["job"][name], int | float) for name in numbers]


def test_an_own_id_makes_a_create_repeatable(api, client):
    """The same id again changes the draft; once it was started, that is refused and nothing changes."""
    first = client.ask("POST", "/jobs", {"jobId": JOB_ID, "name": "first name", "templateId": TEMPLATE})["job"]
    client.ask("PATCH", f"/jobs/{JOB_ID}/params", document(60))
    again = client.ask("POST", "/jobs", {"jobId": JOB_ID, "name": "other name", "templateId": TEMPLATE})["job"]
    assert (JOB_ID, "other name", first["createdAt"]) == (again["id"], again["name"], again["createdAt"])
    assert again["params"] is not None
    assert 1 == len(api.jobs())
    client.draft(URL, document(60), jobId=JOB_ID)
    client.run(JOB_ID)
    refused = client.ask("POST", "/jobs", {"jobId": JOB_ID, "name": "third name", "templateId": TEMPLATE}, status=409)
    assert (6, True) == (refused["code"], "already started" in refused["message"])
    assert "A test job" == client.job(JOB_ID)["name"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "abc"}, "at least 4 characters"),
        ({"name": "x" * 201}, "at most 200"),
        ({"name": 5}, "name must be a text"),
        ({"templateId": ""}, "templateId is missing"),
        ({"templateId": "thumbnails@v1"}, "no template 'thumbnails@v1' here"),
        ({"jobId": "../../etc"}, "jobId must be"),
        ({"dataSource": {"dataSourceDescriptor": "ftp"}}, "'ftp' is not known"),
        ({"dataSource": {"dataSourceDescriptor": "url", "params": {"url": "file:///etc/passwd"}}}, "http or https URL"),
        ({"dataSource": {"dataSourceDescriptor": "url", "params": {"url": "${env.HOME}"}}}, "http or https URL"),
        ({"params": {"data": {"outputs": []}}}, "at least one output"),
        ({"config": {"taskTimeout": "soon"}}, "config.taskTimeout must be a whole number"),
        ({"params": {"data": {"output_template": "{{.nme", "outputs": [{"output_type": "mp4"}]}}}, "output_template"),
    ],
)
def test_what_is_wrong_is_refused_with_its_field(api, client, fields, said):
    """A create that cannot be is a 400 whose message names the field, and makes nothing."""
    given = {"name": "A test job", "templateId": TEMPLATE, **fields}
    refused = client.ask("POST", "/jobs", given, status=400)
    assert 3 == refused["code"]
    assert said in refused["message"]
    assert [] == api.jobs()


def test_outputs_of_one_name_are_refused(client):
    """Two outputs that the template names alike would be one file."""
    job_id = client.ask("POST", "/jobs", {"name": "A test job", "templateId": TEMPLATE})["job"]["id"]
    refused = client.ask("PATCH", f"/jobs/{job_id}/params", document(60, 80, name="{{.job_name}}"), status=400)
    assert "2 outputs would be named 'A_test_job.mp4'" in refused["message"]


def test_outputs_may_have_one_name_if_their_files_have_two(client):
    """What tells files apart is the template, whatever the outputs are called."""
    job_id = client.ask("POST", "/jobs", {"name": "A test job", "templateId": TEMPLATE})["job"]["id"]
    asked = document(60, 80)
    for output in asked["data"]["outputs"]:
        output["name"] = "same"
    client.ask("PATCH", f"/jobs/{job_id}/params", asked)


@pytest.mark.parametrize("part", ["video", "audio"])
def test_an_output_without_a_codec_for_sound_or_picture_is_refused(client, part):
    """In the words of the document, with an example."""
    job_id = client.ask("POST", "/jobs", {"name": "A test job", "templateId": TEMPLATE})["job"]["id"]
    asked = document(60)
    del asked["data"]["outputs"][0]["output_params"][part]
    refused = client.ask("PATCH", f"/jobs/{job_id}/params", asked, status=400)
    assert f"data.outputs[0].output_params.{part}: no codec is named" in refused["message"]


def test_a_field_that_nobody_knows_is_refused_unless_it_is_empty(client):
    """What would not be heeded is not taken silently."""
    job_id = client.ask("POST", "/jobs", {"name": "A test job", "templateId": TEMPLATE})["job"]["id"]
    asked = document(60)
    asked["data"]["outputs"][0]["output_params"]["video"]["denoise"] = ""
    client.ask("PATCH", f"/jobs/{job_id}/params", asked)
    asked["data"]["outputs"][0]["output_params"]["video"]["denoise"] = "strong"
    refused = client.ask("PATCH", f"/jobs/{job_id}/params", asked, status=400)
    assert "data.outputs[0].output_params.video.denoise" in refused["message"]


def test_a_job_without_source_or_parameters_does_not_run(api, client):
    """The answer to run says what is missing, in a body that says that it is not ok."""
    job_id = client.ask("POST", "/jobs", {"name": "A test job", "templateId": TEMPLATE})["job"]["id"]
    assert "dataSource is not set" == client.run(job_id, status=400)["error"]["description"]
    source = {"dataSource": {"dataSourceDescriptor": "url", "params": {"url": URL}}}
    client.ask("PATCH", f"/jobs/{job_id}/datasource", source)
    assert client.run(job_id, status=400)["message"].startswith("params is not set")
    assert (0, "NEW") == (api.starts(job_id), api.job(job_id).state)


def test_a_started_job_cannot_be_changed(client):
    """Every setter is refused after the run, with a word on the state."""
    job_id = client.draft(URL, document(60))
    client.run(job_id)
    client.ended(job_id)
    for method, path, sent in [
        ("PATCH", f"/jobs/{job_id}/params", document(80)),
        ("POST", f"/jobs/params/{job_id}", document(80)),
        ("PATCH", f"/jobs/{job_id}/datasource", {}),
        ("PATCH", f"/jobs/{job_id}/jobname", "another name"),
        ("PATCH", f"/jobs/{job_id}/configs", {"jobTimeout": 5}),
    ]:
        refused = client.ask(method, path, sent, status=400)
        assert (9, True) == (refused["code"], "JOB_STATE_COMPLETE" in refused["message"])


def test_a_job_starts_once(api, client):
    """A second run says that it was started, and starts nothing."""
    job_id = client.draft(URL, document(60))
    assert client.run(job_id)["ok"]
    client.ended(job_id)
    refused = client.run(job_id, status=409)
    assert (False, 409, "JOB_STATE_COMPLETE") == (
        refused["ok"],
        refused["error"]["code"],
        refused["message"].rpartition(" ")[2],
    )
    assert 1 == api.starts(job_id)


def test_of_many_runs_at_once_one_counts(api, client):
    """Twenty clients start one job at the same time: one is told yes, and it is started once."""
    job_id = client.draft(URL, document(60))
    url, header = f"{api.api_url}/customer/jobs/{job_id}/run", dict(client.session.headers)
    with ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(lambda _: requests.post(url, headers=header, timeout=30).status_code, range(20)))
    assert [200, *[409] * 19] == sorted(codes)
    assert 1 == api.starts(job_id)


def test_states_come_in_their_order(tmp_path, clips):
    """A real encode passes through all ten states, each with its time, and what is seen never goes back."""
    with serving({"/clip.mp4": Page(clips.plain())}) as site, serving_api(tmp_path) as api:
        client = api.client()
        job_id = client.draft(site.url("/clip.mp4"), document(60, 80))
        client.run(job_id)
        job, seen = client.ended(job_id)
    passed = [f"JOB_STATE_{state}" for state in ORDER]
    assert passed == list(job["stateTimestamps"])
    assert sorted(job["stateTimestamps"].values()) == list(job["stateTimestamps"].values())
    assert sorted(seen, key=passed.index) == seen
    assert ("JOB_STATE_COMPLETE", 1.0, "2", "1") == (
        job["state"],
        job["progress"],
        job["numChunks"],
        job["numUnitsEstimation"],
    )
    assert job["startedAt"] < job["endedAt"]
    assert job["endedAt"] == job["completedAt"]


def test_a_source_that_is_not_there_fails_the_job(tmp_path):
    """It ends FAILED with the reason, costs nothing, and has no results."""
    with serving({}) as site, serving_api(tmp_path, rate=Decimal(5), balance=Decimal(100)) as api:
        client = api.client()
        job_id = client.draft(site.url("/gone.mp4"), document(60))
        client.run(job_id)
        job, _ = client.ended(job_id)
        assert "JOB_STATE_FAILED" == job["state"]
        assert "/gone.mp4 answered 404 Not Found" in job["errorMessage"]
        assert "0" == job["paymentAmount"]
        assert {"results": None} == client.ask("GET", f"/jobs/{job_id}/results")
        logs = client.ask("POST", "/logs", {"jobId": job_id, "levels": ["ERROR"], "services": [], "taskIds": []})
        assert job["errorMessage"] == logs["taskrunner"][job_id]["logs"][0]["log"]


def test_a_broken_source_fails_the_job(tmp_path, clips):
    """A master that was cut off gives no result, though ffmpeg makes a file of it."""
    with serving({"/cut.mkv": Page(clips.cut("mkv"))}) as site, serving_api(tmp_path) as api:
        client = api.client()
        job_id = client.draft(site.url("/cut.mkv"), document(60))
        client.run(job_id)
        job, _ = client.ended(job_id)
        assert "JOB_STATE_FAILED" == job["state"]
        assert "cut off" in job["errorMessage"]
        assert [] == [path for path in (tmp_path / "server" / "results").rglob("*") if path.is_file()]


def test_a_source_is_fetched_with_its_username_and_password(tmp_path, clips):
    """As a login of HTTP, with characters that a URL would need escaped; another user's job fetches it anew."""
    with serving({"/clip.mp4": Page(clips.plain())}) as site, serving_api(tmp_path) as api:
        client = api.client()
        logins = [("me", "p@ss/w:rd?"), ("you", "other"), ("", "")]
        for username, password in logins:
            given = {"url": site.url("/clip.mp4"), "username": username, "password": password}
            source = {"dataSourceDescriptor": "url", "params": given}
            job_id = client.draft("", document(60), dataSource=source)
            client.run(job_id)
            assert "" == client.ended(job_id)[0]["errorMessage"]
    sent = [request.headers.get("Authorization") for request in site.of("/clip.mp4")]
    wanted = [base64.b64encode(f"{user}:{word}".encode()).decode() for user, word in logins[:2]]
    assert [*(f"Basic {each}" for each in wanted), None] == list(dict.fromkeys(sent))
    assert sum(request.served for request in site.of("/clip.mp4")) >= 3 * clips.plain().stat().st_size


def test_private_addresses_are_refused_unless_allowed(tmp_path, clips):
    """By number when the source is set, by name when it is fetched."""
    with (
        serving({"/clip.mp4": Page(clips.plain())}) as site,
        serving_api(tmp_path, allow_private=False) as api,
    ):
        client = api.client()
        given = {"dataSourceDescriptor": "url", "params": {"url": site.url("/clip.mp4")}}
        refused = client.ask(
            "POST", "/jobs", {"name": "A test job", "templateId": TEMPLATE, "dataSource": given}, status=400
        )
        assert "127.0.0.1 is not a public address" in refused["message"]
        assert [] == site.requests
        tested = client.ask("POST", "/datasource/test", {"dataSource": given}, status=400)
        assert "not a public address" in tested["message"]


def test_aborting_a_draft_deletes_it(api, client):
    """As ByteNite says; afterwards there is no such job."""
    job_id = client.draft(URL, document(60))
    assert client.ask("POST", f"/jobs/{job_id}/abort")["ok"]
    assert {"code": 5, "message": f"job {job_id} not found", "details": []} == client.ask(
        "GET", f"/jobs/{job_id}", status=404
    )


def test_aborting_a_running_job_ends_it(tmp_path, clips):
    """It fails as aborted at once, its files go, and the next job runs."""
    with serving_api(tmp_path, instant=clips.plain(), instant_seconds=3600) as api:
        client = api.client()
        job_id = client.draft(URL, document(60))
        client.run(job_id)
        assert client.ask("POST", f"/jobs/{job_id}/abort")["ok"]
        job = client.job(job_id)
        assert ("JOB_STATE_FAILED", "aborted") == (job["state"], job["errorMessage"])
        assert client.ask("POST", f"/jobs/{job_id}/abort")["ok"], "again is no error"
        assert 1 == api.starts(job_id)


def test_a_real_encode_is_killed_by_an_abort(tmp_path, clips):
    """Nothing of it is left among the work files."""
    slow = document(720, preset="veryslow", crf=10)
    clip = clips.long(seconds=20)
    with serving({"/clip.mp4": Page(clip)}) as site, serving_api(tmp_path) as api:
        client = api.client()
        slow["data"]["outputs"][0]["output_params"]["aspect"]["resolution"]["avoid_upscaling"] = False
        job_id = client.draft(site.url("/clip.mp4"), slow)
        client.run(job_id)
        _until(lambda: client.job(job_id)["progress"] > 0)
        client.ask("POST", f"/jobs/{job_id}/abort")
        _until(lambda: [] == list((tmp_path / "server" / "outputs").iterdir()))
        assert "aborted" == client.job(job_id)["errorMessage"]


def test_a_deleted_job_is_gone_with_its_files(api, client, tmp_path):
    """404 from then on, also for deleting it again; its links open nothing."""
    job_id = client.draft(URL, document(60))
    client.run(job_id)
    client.ended(job_id)
    (result,) = client.ask("GET", f"/jobs/{job_id}/results")["results"]
    assert client.ask("DELETE", f"/jobs/{job_id}")["ok"]
    assert 404 == requests.get(result["link"], timeout=10).status_code
    assert 404 == client.ask("DELETE", f"/jobs/{job_id}", status=404)["error"]["code"]
    client.ask("GET", f"/jobs/{job_id}/results", status=404)
    assert [] == list((tmp_path / "server" / "results").iterdir())


def test_timeouts_of_a_config_are_heeded(tmp_path, clips):
    """A job that takes longer than its jobTimeout, or encodes longer than its taskTimeout, fails by that name."""
    with serving_api(tmp_path, instant=clips.plain(), instant_seconds=3600) as api:
        client = api.client()
        for name in ("jobTimeout", "taskTimeout"):
            job_id = client.draft(URL, document(60))
            told = client.ask("PATCH", f"/jobs/{job_id}/configs", {name: "1"})["job"]["config"]
            assert 1 == told[name]
            client.run(job_id)
            job, _ = client.ended(job_id)
            assert name in job["errorMessage"]


def test_the_queue_is_bounded(tmp_path, clips):
    """Beyond it a run is told to come later, and nothing is started."""
    with serving_api(tmp_path, instant=clips.plain(), instant_seconds=3600, queue=2) as api:
        client = api.client()
        drafts = [client.draft(URL, document(60)) for _ in range(3)]
        assert client.run(drafts[0])["ok"]
        assert client.run(drafts[1])["ok"]
        answer = client.session.post(f"{api.api_url}/customer/jobs/{drafts[2]}/run", timeout=10)
        assert (429, False) == (answer.status_code, answer.json()["ok"])
        assert int(answer.headers["Retry-After"]) > 0
        assert 0 == api.starts(drafts[2])
        client.ask("POST", f"/jobs/{drafts[0]}/abort")
        assert client.run(drafts[2])["ok"]


def test_an_encoder_that_breaks_fails_the_job_and_not_the_server(tmp_path, clips):
    """A mistake inside a run ends that job in words, and the next one runs."""

    class Breaks(InstantProvider):
        broken = True

        def observe(self, job_ids):
            if self.broken:
                self.broken = False
                raise ZeroDivisionError
            return super().observe(job_ids)

    with serving_api(tmp_path, provider=lambda data, _: Breaks(data, clips.plain())) as api:
        client = api.client()
        first = client.draft(URL, document(60))
        client.run(first)
        assert "internal error" in client.ended(first)[0]["errorMessage"]
        second = client.draft(URL, document(60))
        client.run(second)
        assert "JOB_STATE_COMPLETE" == client.ended(second)[0]["state"]


def test_running_tasks_and_a_rename(tmp_path, clips):
    """How many outputs are being encoded is told per job; a name is a bare JSON text."""
    with serving_api(tmp_path, instant=clips.plain(), instant_seconds=3600) as api:
        client = api.client()
        job_id = client.draft(URL, document(60, 80))
        assert "another name" == client.ask("PATCH", f"/jobs/{job_id}/jobname", "another name")["job"]["name"]
        assert {job_id: 0} == client.ask("POST", "/jobs/runningTasks", {"jobsIds": [job_id]})["jobsRunningTasks"]
        client.run(job_id)
        _until(
            lambda: {job_id: 2} == client.ask("POST", "/jobs/runningTasks", {"jobsIds": [job_id]})["jobsRunningTasks"]
        )


def test_events_tell_of_states(api, client):
    """The stream gives a line of JSON when a job comes to its end."""
    job_id = client.draft(URL, document(60))
    with client.session.get(f"{api.api_url}/customer/events", stream=True, timeout=20) as stream:
        client.run(job_id)
        line = next(line for line in stream.iter_lines() if b"COMPLETE" in line)
    assert job_id.encode() in line


def _until(true, *, within=30.0):
    until = time.monotonic() + within
    while time.monotonic() < until:
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it never came")
