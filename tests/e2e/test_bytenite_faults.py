"""What may go wrong between us and the API: each ends in the right outcome, and says what happened."""

from __future__ import annotations

import json
import time

import pytest
import requests

from builders_http import serving
from builders_remote import instant_clip, remote_project, remote_spec, with_shuffled_results
from builders_server import DROP_BEFORE, Answer, Delay, serving_api


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """What every output is a copy of."""
    return instant_clip(tmp_path_factory.mktemp("instant"))


def on(method, end, answer, *, first=1, last=1):
    """A fault at some of the requests whose path ends like this, counted over all jobs from 1."""
    seen = {"count": 0}

    def fault(asked, path, _number):
        if asked != method or not path.endswith(end):
            return None
        seen["count"] += 1
        return answer if first <= seen["count"] <= last else None

    return fault


def told(status, message, **headers):
    """An error body as grpc-gateway writes it."""
    return Answer(status, json.dumps({"code": 13, "message": message, "details": []}).encode(), headers)


HTML = Answer(502, b"<html><h1>Bad Gateway</h1></html>", {"content-type": "text/html"})
NOT_OK = Answer(200, b'{"ok": false, "error": {"code": 400, "message": "no such preset"}}')
DROPPED = Answer(200, b'{"job": {"id": "x", "params": null}}')
PASSING = {
    "429 with Retry-After": on("PATCH", "/params", told(429, "slow down", **{"Retry-After": "1"})),
    "500 at a setter": on("PATCH", "/datasource", told(500, "internal")),
    "502 with HTML": on(
        "POST", "/jobs", Answer(502, b"<html><h1>Bad Gateway</h1></html>", {"content-type": "text/html"})
    ),
    "503": on("GET", "/jobs", told(503, "unavailable"), last=2),
    "truncated JSON": on("PATCH", "/params", Answer(200, b'{"job": {"id"', {"content-length": "500"})),
    "a slow reply": on("PATCH", "/params", Delay(1.5)),
    "a reset at the listing": on("GET", "/jobs", DROP_BEFORE, last=2),
    "results that come empty at first": on("GET", "/results", Answer(200, b'{"results": []}'), last=2),
    "results that are not ready": on("GET", "/results", told(400, "job has not yet been completed"), last=2),
    "a reset at the results": on("GET", "/results", DROP_BEFORE),
    "a run answered by 503": on("POST", "/run", told(503, "unavailable")),
    "a run answered by HTML": on("POST", "/run", Answer(502, b"<html>oops</html>")),
    "a run that is reset": on("POST", "/run", DROP_BEFORE),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_waited_for(name, tmp_path, clip):
    """Trouble that passes costs time only: everything is made, each job is started once."""
    with serving_api(tmp_path, instant=clip, faults=[PASSING[name]]) as api:
        project = remote_project(tmp_path / "project", api)
        project.apply().ok()
        assert {"complete"} == {record["status"] for record in project.records().values()}
        assert [1] == list(api.all_starts().values())


REFUSED = {
    "ok: false in a 200": (on("PATCH", "/params", NOT_OK, last=9), "no such preset"),
    "400 with a message": (on("PATCH", "/datasource", told(400, "the URL is bad"), last=9), "the URL is bad"),
    "parameters that are dropped": (on("PATCH", "/params", DROPPED, last=9), "otherwise than they were sent"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_fails_and_starts_nothing(name, tmp_path, clip):
    """A request that the API calls wrong fails its outputs with the API's own words, before anything is paid."""
    fault, words = REFUSED[name]
    with serving_api(tmp_path, instant=clip, faults=[fault]) as api:
        project = remote_project(tmp_path / "project", api)
        done = project.apply()
        assert 3 == done.code, done.out + done.err
        assert words in done.out + done.err
        assert {"failed"} == {record["status"] for record in project.records().values()}
        assert {} == api.all_starts()


def test_tokens_die_while_jobs_run(tmp_path, clip):
    """A token life of two seconds: it is renewed as often as needed, and the jobs finish."""
    with serving_api(tmp_path, instant=clip, instant_seconds=5.0, token_seconds=2) as api:
        project = remote_project(tmp_path / "project", api)
        project.apply().ok()
        assert 2 < sum(path.endswith("/access_token") for _, path in api.calls)


def test_a_401_in_the_middle_is_answered_with_a_new_token(tmp_path, clip):
    """One 401 is replayed once with a fresh token."""
    fault = on("PATCH", "/params", told(401, "token is expired"))
    with serving_api(tmp_path, instant=clip, faults=[fault]) as api:
        project = remote_project(tmp_path / "project", api)
        project.apply().ok()
        assert 2 == sum(path.endswith("/access_token") for _, path in api.calls)


def test_bad_credentials_stop_the_whole_run(tmp_path, clip):
    """A key that is not taken: exit 8, nothing is started, nothing has failed, no secret is shown."""
    with serving_api(tmp_path, instant=clip) as api:
        project = remote_project(tmp_path / "project", api)
        project.environment["BYTENITE_API_KEY"] = "a-wrong-key-0123456789"
        done = project.apply()
        assert 8 == done.code, done.out + done.err
        assert "a-wrong-key" not in done.out + done.err
        assert {} == api.all_starts()
        project.environment["BYTENITE_API_KEY"] = api.key
        project.apply().ok()


def test_a_job_that_fails_says_why(tmp_path):
    """The provider's own message is shown; its attempts are bounded, and each is a job of its own."""
    with serving_api(tmp_path) as api, serving({}) as site:
        spec = remote_spec(source=site.url("/none.mp4"))
        project = remote_project(tmp_path / "project", api, spec)
        first = project.apply()
        assert 3 == first.code
        assert "/none.mp4 answered 404 Not Found" in first.err
        assert 3 == project.apply().code
        left = project.apply().ok()
        assert "No changes" in left.out
        assert [1, 1] == list(api.all_starts().values())


def test_a_job_deleted_behind_our_back_is_lost(tmp_path, clip):
    """It is told as lost, not bought again by itself, and bought once more when somebody asks by name."""
    with serving_api(tmp_path, instant=clip, instant_seconds=60.0) as api:
        project = remote_project(tmp_path / "project", api)
        project.apply("--no-wait").ok()
        (job,) = api.jobs()
        headers = {"Authorization": api.token()}
        requests.post(f"{api.api_url}/customer/jobs/{job.id}/abort", headers=headers, timeout=10)
        requests.delete(f"{api.api_url}/customer/jobs/{job.id}", headers=headers, timeout=10)
        done = project.apply()
        assert 3 == done.code, done.out + done.err
        assert {"lost"} == {record["status"] for record in project.records().values()}
        assert "No changes" in project.apply().ok().out
        assert 1 == sum(api.all_starts().values())


def test_results_in_another_order_find_their_outputs(tmp_path, clip):
    """Files are matched by name, whatever the order and the folders they come in."""
    with serving_api(tmp_path, instant=clip, middleware=with_shuffled_results) as api:
        project = remote_project(tmp_path / "project", api)
        project.apply().ok()
        records = project.records()
        for name in ("720p", "480p"):
            assert f"/{name}-" in records[f"bbb/{name}"]["output"]["link"]


def test_a_host_that_does_not_resolve_is_named(tmp_path, clip):
    """Clear words for an endpoint that is gone, and what speaks the API instead; no attempt is used."""
    with serving_api(tmp_path, instant=clip) as api:
        project = remote_project(tmp_path / "project", api)
        project.environment["BYTENITE_API_URL"] = "https://api.bytenite.invalid/v1"
        began = time.monotonic()
        done = project.apply()
        said = done.out + done.err
        assert 3 == done.code, said
        assert "api.bytenite.invalid" in said
        assert "reconciler serve" in said
        assert time.monotonic() - began < 60
        asked = project.run("validate", "--online")
        assert 1 == asked.code
        assert "api.bytenite.invalid" in asked.out + asked.err
        project.environment["BYTENITE_API_URL"] = api.api_url
        project.apply().ok()
