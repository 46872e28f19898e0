"""Who is let in, and what nobody gets to see."""

from __future__ import annotations

import base64
import json
import logging

import pytest
import requests

from builders_server import KEY, Clock, document, serving_api
from reconciler.server.access_log import loggable


@pytest.fixture
def api(tmp_path, clips):
    """A server whose encodes take no time."""
    with serving_api(tmp_path, instant=clips.plain()) as running:
        yield running


def asked(api, header):
    """The answer to a request with an Authorization header."""
    headers = {} if header is None else {"Authorization": header}
    return requests.get(f"{api.api_url}/customer/jobs", headers=headers, timeout=10)


def claims_of(token):
    """What a token says."""
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_a_key_is_exchanged_for_a_token(api, body):
    """It looks like ByteNite's: a JWT with its claims, and a lifetime that is a text."""
    answer = requests.post(f"{api.api_url}/auth/access_token", json={"apiKey": f" {KEY} "}, timeout=10).json()
    assert set(body("auth_access_token.response.openapi_example")) == set(answer)
    assert "3600" == answer["expiresIn"]
    claims = claims_of(answer["token"])
    assert 3600 == claims["exp"] - claims["iat"]
    assert ("https://auth.bytenite.com/", ["bytenite-app"]) == (claims["iss"], claims["aud"])


@pytest.mark.parametrize("scheme", ["", "Bearer ", "bearer "])
def test_a_token_is_taken_bare_and_as_bearer(api, scheme):
    """Both kinds of clients are let in."""
    assert 200 == asked(api, scheme + api.token()).status_code


@pytest.mark.parametrize("header", [None, "", "Bearer", KEY, "a.b.c", "e30.e30.", "äöü".encode().decode("latin-1")])
def test_anything_else_is_not(api, header):
    """401 with the gRPC code of it, and no word of what was sent."""
    refused = asked(api, header)
    assert (401, 16) == (refused.status_code, refused.json()["code"])
    assert KEY not in refused.text


@pytest.mark.parametrize("sent", [{"apiKey": "wrong"}, {"apiKey": KEY[:-1]}, {"apiKey": KEY + "x"}])
def test_a_wrong_key_gives_no_token(api, sent):
    """401, whatever it looks like."""
    answer = requests.post(f"{api.api_url}/auth/access_token", json=sent, timeout=10)
    assert (401, 16) == (answer.status_code, answer.json()["code"])


@pytest.mark.parametrize("sent", [b"{}", b"", b"[]", b"{", b'{"apiKey": 5}', b"[" * 3000, b'{"apiKey": "\\ud800"}'])
def test_a_broken_body_is_refused_in_words(api, sent):
    """400 in ByteNite's shape, whatever is sent."""
    answer = requests.post(f"{api.api_url}/auth/access_token", data=sent, timeout=10)
    assert (400, 3) == (answer.status_code, answer.json()["code"])


def test_a_changed_token_is_worthless(api):
    """Its claims are signed."""
    head, body, signature = api.token().split(".")
    claims = {**claims_of(f".{body}."), "exp": 2**40}
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert 401 == asked(api, f"{head}.{forged}.{signature}").status_code


def test_a_token_expires(tmp_path, clips):
    """After its life it is 401; a new one is let in."""
    clock = Clock()
    with serving_api(tmp_path, instant=clips.plain(), token_seconds=2, clock=clock) as api:
        token = api.token()
        clock.forward(seconds=2)
        assert 200 == asked(api, token).status_code
        clock.forward(seconds=1)
        refused = asked(api, token)
        assert (401, True) == (refused.status_code, "expired" in refused.json()["message"])
        assert 200 == asked(api, api.token()).status_code


def test_signing_out_ends_a_token_and_no_other(api):
    """Also across a restart of the server, since it is kept."""
    one, other = api.token(), api.token()
    answer = requests.post(f"{api.api_url}/auth/signout", json={}, headers={"Authorization": one}, timeout=10)
    assert answer.json()["ok"]
    assert [401, 200] == [asked(api, token).status_code for token in (one, other)]


def test_tokens_live_on_over_a_restart_but_not_without_their_key(tmp_path, clips):
    """A restarted server lets its clients in, unless their key was taken from it."""
    with serving_api(tmp_path, instant=clips.plain()) as api:
        token = api.token()
    with serving_api(tmp_path, instant=clips.plain()) as api:
        assert 200 == asked(api, token).status_code
    with serving_api(tmp_path, instant=clips.plain(), keys=("another-key-0123456789",)) as api:
        assert 401 == asked(api, token).status_code


def test_every_route_wants_a_token(api):
    """All of the documented ones but the token itself, the versions and the health."""
    free = {"/v1/auth/access_token", "/v1/auth/info", "/v1/customer/info"}
    paths = requests.get(f"{api.url}/openapi.json", timeout=10).json()["paths"]
    assert len(paths) > 30
    for path, methods in paths.items():
        for method in methods:
            url = api.url + path.replace("{", "").replace("}", "")
            status = requests.request(method, url, json={}, timeout=10).status_code
            assert (path in free) == (status != 401), (method, path, status)


def test_the_api_is_also_called_computing(api):
    """The name that ByteNite announced for it in September 2025."""
    client = api.client()
    job_id = client.draft("https://example.com/v.mp4", document(60))
    answer = client.session.get(f"{api.api_url}/computing/jobs/{job_id}", timeout=10)
    assert job_id == answer.json()["job"]["id"]


def test_secrets_are_written_and_never_read(api, body):
    """Their list has no keys; one of the same id is replaced, one that is deleted is gone."""
    client = api.client()
    for name in ("aws", "gcp"):
        assert client.ask("POST", "/auth/secrets", body(f"auth_secret.request.{name}"))["ok"]
    assert client.ask("POST", "/auth/secrets", body("auth_secret.request.aws"))["ok"]
    listed = client.session.get(f"{api.api_url}/auth/secrets", timeout=10)
    assert ["my_aws_secret", "my_gcp_secret"] == [each["id"] for each in listed.json()["secrets"]]
    assert "AKIAXXEXAMPLEEXAMPLEX" == listed.json()["secrets"][0]["accessKey"]
    for name in ("aws", "gcp"):
        assert body(f"auth_secret.request.{name}")["secretKey"] not in listed.text
    one = client.ask("GET", "/auth/secrets?secretType=gcp")["secrets"]
    assert ["my_gcp_secret"] == [each["id"] for each in one]
    assert client.ask("DELETE", "/auth/secrets/gcp/my_gcp_secret")["ok"]
    client.ask("DELETE", "/auth/secrets/gcp/my_gcp_secret", status=404)
    user = client.ask("GET", "/auth/user")["user"]
    assert set(body("auth_user.response.2023-12")["user"]) == set(user)


def test_passwords_and_storage_keys_are_not_told_back(tmp_path, clips, body):
    """Only the dialect of 2023, asked for by name, echoes them as ByteNite did."""
    inline = body("datasource.request.storj.legacy")
    inline["dataSource"]["params"]["secretKey"] = "the-secret-of-the-store"
    url = {"url": "https://example.com/v.mp4", "username": "me", "password": "the-password"}
    for dialect, told in (("auto", False), ("current", False), ("legacy", True)):
        with serving_api(tmp_path / dialect, instant=clips.plain(), dialect=dialect) as api:
            client = api.client()
            job_id = client.draft("https://example.com/v.mp4", document(60))
            store = json.dumps(client.ask("POST", f"/jobs/datasource/{job_id}", inline))
            web = json.dumps(
                client.ask(
                    "PATCH",
                    f"/jobs/{job_id}/datasource",
                    {
                        "dataSource": {"dataSourceDescriptor": "url", "params": url},
                        "dataDestination": {"dataSourceDescriptor": "bucket"},
                    },
                )
            )
            assert [told, told] == ["the-secret-of-the-store" in store, "the-password" in web]
            client.run(job_id)
            client.ended(job_id)
            if not told:
                assert not on_disk(tmp_path / dialect, b"the-secret-of-the-store", b"the-password")
                assert "" == api.job(job_id).password


def on_disk(folder, *secrets):
    """Which of some secrets stand in the database of a server that runs, or in its log."""
    kept = b"".join(path.read_bytes() for path in (folder / "server").glob("jobs.sqlite3*"))
    return [secret for secret in secrets if secret in kept]


def test_what_is_forgotten_is_gone_from_the_disk(tmp_path, clips):
    """A password with its job's end, with its draft, or once another takes its place; a key with its secret."""
    with serving_api(tmp_path, instant=clips.plain()) as api:
        client = api.client()

        def draft(password):
            given = {"url": "https://example.com/v.mp4", "username": "me", "password": password}
            return client.draft("", document(60), dataSource={"dataSourceDescriptor": "url", "params": given})

        secret = {"id": "store", "secretType": "aws", "accessKey": "a"}
        client.ask("POST", "/auth/secrets", {"secret": secret, "secretKey": "KEY-OF-THE-STORE"})
        ended, deleted = draft("WORD-OF-ONE"), draft("WORD-OF-TWO")
        assert [b"WORD-OF-ONE", b"KEY-OF-THE-STORE"] == on_disk(tmp_path, b"WORD-OF-ONE", b"KEY-OF-THE-STORE")
        client.run(ended)
        client.ended(ended)
        client.ask("DELETE", f"/jobs/{deleted}")
        client.ask("DELETE", "/auth/secrets/aws/store")
        assert [] == on_disk(tmp_path, b"WORD-OF-ONE", b"WORD-OF-TWO", b"KEY-OF-THE-STORE")


def test_the_log_holds_nothing_that_opens_anything(tmp_path, clips, caplog):
    """At its most talkative: no key, no token, no signature, no query of a source."""
    caplog.set_level(logging.DEBUG)
    with serving_api(tmp_path, instant=clips.plain()) as api:
        client = api.client()
        job_id = client.draft("https://me:pass-word@example.com/v.mp4?X-Amz-Signature=ssssignature", document(60))
        client.run(job_id)
        client.ended(job_id)
        (result,) = client.ask("GET", f"/jobs/{job_id}/results")["results"]
        requests.get(result["link"], timeout=10)
        token, signature = client.session.headers["Authorization"], result["link"].rpartition("=")[2]
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("reconciler"))
    assert f"GET /results/{job_id}/A_test_job_60p.mp4 200" in logged
    for secret in (KEY, token, signature, "ssssignature", "pass-word"):
        assert secret not in logged


def test_a_path_in_the_log_is_one_line_without_its_token():
    """The token of a folder stands in the path; a newline in a path makes no line of its own."""
    assert "/results-folder/.../job/a" == loggable("/results-folder/12-ab/job/a")
    assert "/a\\nb" == loggable("/a\nb")
