"""Uploads and results over their signed links, and how long files live."""

from __future__ import annotations

import time

import pytest
import requests

from builders_server import TEMPLATE, Clock, InstantProvider, document, serving_api
from reconciler.core.codecs import CONTAINERS
from reconciler.core.ports import Verified
from reconciler.core.urls import without_query
from reconciler.ffmpeg import work_files
from reconciler.ffmpeg.probe import probe

URL = "https://example.com/master.mp4"


@pytest.fixture
def clock():
    """The time that the server sees."""
    return Clock()


@pytest.fixture
def api(tmp_path, clips, clock):
    """A server whose encodes take no time."""
    with serving_api(tmp_path, instant=clips.plain(), clock=clock, token_seconds=10**6) as running:
        yield running


def finished(client, *heights):
    """The id of a complete job, and its results."""
    job_id = client.draft(URL, document(*heights))
    client.run(job_id)
    assert "JOB_STATE_COMPLETE" == client.ended(job_id)[0]["state"]
    return job_id, client.ask("GET", f"/jobs/{job_id}/results")["results"]


def test_links_look_like_those_of_the_storage(api):
    """The query has the parts that clients read, 14399 seconds for four hours, and each answer signs anew."""
    client = api.client()
    job_id, (result,) = finished(client, 60)
    query = dict(part.split("=") for part in result["link"].partition("?")[2].split("&"))
    names = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
    assert {f"X-Goog-{name}" for name in names} == set(query)
    assert ("14399", "20260622T080000Z", "host") == tuple(
        query[f"X-Goog-{name}"] for name in ("Expires", "Date", "SignedHeaders")
    )
    assert f"/{job_id}/A_test_job_60p.mp4?" in result["link"]


def test_results_of_several_outputs_are_in_folders_in_another_order(api):
    """As ByteNite does it, `out_0` is not the first output that was asked for: names tell."""
    _, results = finished(api.client(), 80, 60)
    assert ["out_0/A_test_job_60p.mp4", "out_1/A_test_job_80p.mp4"] == [each["name"] for each in results]


def test_a_link_serves_ranges(api, clips):
    """GET, HEAD and ranges, with lengths and a type that players want."""
    _, (result,) = finished(api.client(), 60)
    whole = requests.get(result["link"], timeout=10)
    assert clips.plain().read_bytes() == whole.content
    assert ("video/mp4", "bytes") == (whole.headers["Content-Type"], whole.headers["Accept-Ranges"])
    head = requests.head(result["link"], timeout=10)
    assert (200, str(len(whole.content)), b"") == (head.status_code, head.headers["Content-Length"], head.content)
    part = requests.get(result["link"], headers={"Range": "bytes=100-199"}, timeout=10)
    assert (206, whole.content[100:200]) == (part.status_code, part.content)
    assert f"bytes 100-199/{len(whole.content)}" == part.headers["Content-Range"]
    same = requests.get(result["link"], headers={"Range": "bytes=0-0", "If-Range": whole.headers["ETag"]}, timeout=10)
    assert 206 == same.status_code
    beyond = requests.get(result["link"], headers={"Range": "bytes=999999999-"}, timeout=10)
    assert 416 == beyond.status_code


# A package is opened by a file of its own, and a folder of stills by its list.
PACKED = {"hls": ("m3u8", "m4s", "ts"), "dash": ("mpd", "m4s"), "cmaf": ("mpd", "m3u8", "mp4")}


@pytest.mark.parametrize("ending", sorted({end for name in CONTAINERS for end in PACKED.get(name, (name,))}))
def test_every_kind_of_file_says_what_it_is(api, tmp_path, ending):
    """Browsers and players go by the type: none that an output may have is just bytes."""
    folder = tmp_path / "server/results/some-job"
    folder.mkdir(parents=True)
    (folder / f"a.{ending}").write_bytes(b"x")
    answer = requests.get(api.url + api.house.links.signed("GET", f"/results/some-job/a.{ending}"), timeout=10)
    assert (200, "nosniff") == (answer.status_code, answer.headers["X-Content-Type-Options"])
    kind = answer.headers["Content-Type"].partition("/")[0]
    assert kind in {"video", "audio", "image", "text"} or ending in {"m3u8", "mpd", "srt"}
    assert "application/octet-stream" != answer.headers["Content-Type"]


def test_a_link_expires_and_another_one_is_free(api, clock):
    """After four hours it is 403 in the storage's words; asking for the results gives one that opens."""
    client = api.client()
    job_id, (result,) = finished(client, 60)
    clock.forward(seconds=14398)
    assert 200 == requests.get(result["link"], timeout=10).status_code
    clock.forward(seconds=1)
    dead = requests.get(result["link"], timeout=10)
    assert 403 == dead.status_code
    assert "<Code>ExpiredToken</Code>" in dead.text
    (again,) = client.ask("GET", f"/jobs/{job_id}/results")["results"]
    assert 200 == requests.get(again["link"], timeout=10).status_code


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (lambda link: link.partition("?")[0], 403, "AccessDenied"),
        (lambda link: link[:-1] + ("0" if link[-1] != "0" else "1"), 403, "SignatureDoesNotMatch"),
        (lambda link: link.replace("X-Goog-Expires=14399", "X-Goog-Expires=999999"), 403, "SignatureDoesNotMatch"),
        (lambda link: link.replace("_60p.mp4", "_61p.mp4"), 403, "SignatureDoesNotMatch"),
        (lambda link: link.replace("X-Goog-Date=2026", "X-Goog-Date=2027"), 403, "SignatureDoesNotMatch"),
        (lambda link: link.replace("Signature=", "Signature=%C3%A4"), 403, "SignatureDoesNotMatch"),
    ],
)
def test_a_link_opens_nothing_else(api, change, status, code):
    """Any change of it is 403."""
    _, (result,) = finished(api.client(), 60)
    answer = requests.get(change(result["link"]), timeout=10)
    assert status == answer.status_code
    assert f"<Code>{code}</Code>" in answer.text


def test_a_link_takes_no_token(api):
    """As the storage does: a token beside a signature is 400, so that clients which send theirs along are found."""
    client = api.client()
    _, (result,) = finished(client, 60)
    refused = client.session.get(result["link"], timeout=10)
    assert (400, True) == (refused.status_code, "InvalidArgument" in refused.text)


def test_files_are_deleted_48_hours_after_their_job(api, clock, tmp_path):
    """The job stays in the list, its results are empty, a fresh link to the old name is 404."""
    client = api.client()
    job_id, (result,) = finished(client, 60)
    path = result["link"].partition("?")[0].removeprefix(api.url)
    clock.forward(hours=47, minutes=59)
    assert 0 == api.house.retention.sweep()
    clock.forward(minutes=1)
    assert 1 == api.house.retention.sweep()
    assert {"results": []} == client.ask("GET", f"/jobs/{job_id}/results")
    assert "JOB_STATE_COMPLETE" == client.job(job_id)["state"]
    assert [] == list((tmp_path / "server" / "results").iterdir())
    gone = requests.get(api.url + api.house.links.signed("GET", path), timeout=10)
    assert (404, True) == (gone.status_code, "NoSuchKey" in gone.text)


def test_an_uploaded_file_is_encoded(tmp_path, clips, body):
    """The four steps of an upload, with the header of the demo, in the paths of both generations."""
    with serving_api(tmp_path) as api:
        client = api.client()
        for source, done in (
            ("datasource.request.file_to_bucket.legacy", ("POST", "/jobs/uploadcompleted/{}")),
            ("datasource.request.file.current", ("PATCH", "/jobs/{}/uploadcompleted")),
        ):
            job_id = client.ask("POST", "/jobs", {"name": "A test job", "templateId": TEMPLATE})["job"]["id"]
            job = client.ask("POST", f"/jobs/datasource/{job_id}", body(source))["job"]
            client.ask("POST", f"/jobs/params/{job_id}", document(60))
            assert "nothing was uploaded" in client.run(job_id, status=400)["message"]
            assert not client.ask(done[0], done[1].format(job_id), {}, status=400)["ok"]
            headers = {"Content-Disposition": 'attachment; filename="a.mp4"'}
            with clips.plain().open("rb") as file:
                sent = requests.put(job["dataSource"]["params"]["tempUrl"], data=file, headers=headers, timeout=10)
            assert 200 == sent.status_code
            assert client.ask(done[0], done[1].format(job_id), {})["ok"]
            client.run(job_id)
            assert "JOB_STATE_COMPLETE" == client.ended(job_id)[0]["state"]
            (result,) = client.ask("GET", f"/jobs/{job_id}/results")["results"]
            made = tmp_path / "made.mp4"
            made.write_bytes(requests.get(result["link"], timeout=10).content)
            assert 60 == probe(str(made)).video[0].height
        _until_empty(tmp_path / "server" / "uploads")


def test_an_upload_is_taken_whole_or_not_at_all(api, clips, tmp_path, clock):
    """Half a file counts for nothing; a bad, dead or late link writes nothing."""
    client = api.client()
    job_id = client.ask("POST", "/jobs", {"name": "A test job", "templateId": TEMPLATE})["job"]["id"]
    source = {"dataSource": {"dataSourceDescriptor": "file"}}
    job = client.ask("PATCH", f"/jobs/{job_id}/datasource", source)["job"]
    client.ask("PATCH", f"/jobs/{job_id}/params", document(60))
    link = job["dataSource"]["params"]["tempUrl"]

    def half():
        yield b"0" * 1000
        raise ConnectionError("the client dies")

    with pytest.raises(requests.ConnectionError):
        requests.put(link, data=half(), timeout=10)
    _until_empty(tmp_path / "server" / "uploads")
    assert "nothing was uploaded" in client.run(job_id, status=400)["message"]
    assert 403 == requests.put(link[:-2] + "zz", data=b"x", timeout=10).status_code
    assert 200 == requests.put(link, data=clips.plain().read_bytes(), timeout=10).status_code
    client.run(job_id)
    assert 400 == requests.put(link, data=b"other", timeout=10).status_code, "the job was started"
    clock.forward(hours=4)
    assert 403 == requests.put(link, data=b"other", timeout=10).status_code


def test_uploads_that_nobody_runs_are_removed(api, clips, tmp_path, clock):
    """After the retention the draft is as if nothing had been uploaded."""
    client = api.client()
    source = {"dataSource": {"dataSourceDescriptor": "file"}}
    job = client.ask("POST", "/jobs", {"name": "A test job", "templateId": TEMPLATE, **source})["job"]
    requests.put(job["dataSource"]["params"]["tempUrl"], data=clips.plain().read_bytes(), timeout=10)
    assert 1 == len(list((tmp_path / "server" / "uploads").iterdir()))
    clock.forward(hours=48)
    api.house.retention.sweep()
    assert [] == list((tmp_path / "server" / "uploads").iterdir())
    assert not api.job(job["id"]).uploaded


def package(data, clips):
    """A provider whose one output is a folder: a master playlist, a variant, a segment."""

    class Packages(InstantProvider):
        def _made(self, output, job_id):
            path = work_files.part_of(output, job_id)
            folder = data / path
            (folder / "v0").mkdir(parents=True)
            (folder / "master.m3u8").write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000\nv0/index.m3u8\n")
            (folder / "v0" / "index.m3u8").write_text("#EXTM3U\n#EXTINF:2,\nseg 0.ts\n#EXT-X-ENDLIST\n")
            (folder / "v0" / "seg 0.ts").write_bytes(b"segment")
            return Verified(path, 7, "0" * 64, "a package")

    return Packages(data, clips.plain())


def test_the_link_of_a_package_lets_its_segments_load(tmp_path, clips, clock):
    """What playlists name relative to themselves opens, until the link expires; nothing outside of the folder does."""
    with serving_api(tmp_path, provider=lambda data, _: package(data, clips), clock=clock) as api:
        client = api.client()
        job_id, (result,) = finished(client, 60)
        master = requests.get(result["link"], timeout=10)
        assert "application/vnd.apple.mpegurl" == master.headers["Content-Type"]
        variant_url = requests.compat.urljoin(result["link"], master.text.splitlines()[-1])
        variant = requests.get(variant_url, timeout=10)
        segment_url = requests.compat.urljoin(variant_url, variant.text.splitlines()[2])
        assert b"segment" == requests.get(segment_url, timeout=10).content
        other, _ = finished(client, 60)
        assert 403 == requests.get(segment_url.replace(job_id, other), timeout=10).status_code
        outside = requests.Request("GET", segment_url.rpartition("/v0/")[0]).prepare()
        outside.url += "/%2e%2e/%2e%2e/%2e%2e/jobs.sqlite3"
        with requests.Session() as session:
            assert 404 == session.send(outside, timeout=10).status_code
        assert requests.get(without_query(result["link"]), timeout=10).status_code in {403, 404}
        clock.forward(hours=4)
        assert 403 == requests.get(segment_url, timeout=10).status_code


def test_a_public_url_is_what_links_begin_with(tmp_path, clips):
    """Behind a proxy, links lead to the proxy."""
    with serving_api(tmp_path, instant=clips.plain(), public_url="https://encode.example.com/") as api:
        _, (result,) = finished(api.client(), 60)
    assert result["link"].startswith("https://encode.example.com/results/")


def _until_empty(folder, within=10.0):
    until = time.monotonic() + within
    while list(folder.iterdir()):
        assert time.monotonic() < until, list(folder.iterdir())
        time.sleep(0.05)
