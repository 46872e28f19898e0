"""The builder that other tests use: what it cuts, answers and counts."""

from __future__ import annotations

import time

import pytest
import requests

from builders_server import DROP_AFTER, DROP_BEFORE, TEMPLATE, Answer, Delay, document, serving_api

URL = "https://example.com/master.mp4"


def on(suffix, what, *, first=1, last=1):
    """A fault of the first to the last request of a path that ends so."""
    return lambda _, path, number: what if path.endswith(suffix) and first <= number <= last else None


@pytest.fixture
def api(tmp_path, clips):
    """A server whose encodes take no time; a test gives it its faults."""
    with serving_api(tmp_path, instant=clips.plain()) as running:
        yield running


def test_a_request_that_is_cut_before_did_nothing(api):
    """The client hears nothing, and no job was made."""
    client = api.client()
    api.faults.append(on("/jobs", DROP_BEFORE))
    with pytest.raises(requests.ConnectionError):
        client.ask("POST", "/jobs", {"name": "A test job", "templateId": TEMPLATE})
    assert [] == api.jobs()
    client.ask("POST", "/jobs", {"name": "A test job", "templateId": TEMPLATE})
    assert 1 == len(api.jobs())


def test_a_request_that_is_cut_after_was_done(api):
    """The client hears nothing, and the job was started."""
    client = api.client()
    job_id = client.draft(URL, document(60))
    api.faults.append(on("/run", DROP_AFTER))
    with pytest.raises(requests.ConnectionError):
        client.run(job_id)
    assert {job_id: 1} == api.all_starts()
    assert ("POST", f"/v1/customer/jobs/{job_id}/run") == api.calls[-1]


def test_an_answer_can_be_made_up(api):
    """Any status, headers and body, and one that breaks off in the middle."""
    client = api.client()
    api.faults.append(on("/jobs", Answer(429, b"slow down", {"Retry-After": "1", "Content-Type": "text/plain"})))
    api.faults.append(on("/jobs", Answer(200, b'{"data": [', {"Content-Length": "100"}), first=2, last=2))
    answer = client.session.get(f"{api.api_url}/customer/jobs", timeout=10)
    assert (429, "1", "slow down") == (answer.status_code, answer.headers["Retry-After"], answer.text)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.session.get(f"{api.api_url}/customer/jobs", timeout=10)
    assert 200 == client.session.get(f"{api.api_url}/customer/jobs", timeout=10).status_code


def test_an_answer_can_be_late(api):
    """It comes after so many seconds."""
    client = api.client()
    api.faults.append(on("/jobs", Delay(0.5)))
    began = time.monotonic()
    client.ask("GET", "/jobs")
    assert time.monotonic() - began >= 0.5
