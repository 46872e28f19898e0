"""ByteNite's own guide and its published bodies, as plain requests code against the real server."""

from __future__ import annotations

import json
import time

import pytest
import requests

from builders_http import Page, serving
from builders_server import KEY, TEMPLATE, serving_api
from reconciler.ffmpeg.probe import probe

ENCODABLE = [
    "params.request.mp4_named_outputs",
    "params.request.mp4_x264_and_vp9_vbr",
    "params.request.mp4_x264_crf_480p",
    "params.request.mp4_x265_cbr_540p_1080p",
]


def finished(base, token, job_id, *, within=120):
    """The job when it has ended, as the guide's step 6 would be if it waited."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        answer = requests.get(f"{base}/v1/customer/jobs/{job_id}", headers={"Authorization": token}, timeout=10)
        answer.raise_for_status()
        job = answer.json()["job"]
        if job["state"] in {"JOB_STATE_COMPLETE", "JOB_STATE_FAILED"}:
            return job
        time.sleep(0.1)
    raise AssertionError(job)


def downloaded(link, path):
    """The file behind a result link."""
    answer = requests.get(link, timeout=30)
    answer.raise_for_status()
    path.write_bytes(answer.content)
    return probe(str(path))


def test_the_seven_steps_of_the_guide_give_a_playable_file(tmp_path, clips, body):
    """Token, job, source, parameters, run, status, results: the guide's calls with their bodies really sent."""
    template = tmp_path / "template.json"
    template.write_text(json.dumps(body("params.request.mp4_x264_crf_480p")))
    with serving({"/bbb.mp4": Page(clips.plain("guide.mp4", size="320x180"))}) as site, serving_api(tmp_path) as api:
        input_video_url = site.url("/bbb.mp4")

        # 1. Get an access token
        response = requests.post(f"{api.url}/v1/auth/access_token", json={"apiKey": KEY}, timeout=10)
        access_token = response.json()["token"]

        # 2. Create a new job
        response = requests.post(
            f"{api.url}/v1/customer/jobs",
            json={"name": "Big Buck Bunny SD H.264", "templateId": TEMPLATE},
            headers={"Authorization": access_token},
            timeout=10,
        )
        job_id = response.json()["job"]["id"]

        # 3. Set a URL as data source
        data_source_body = {
            "dataSource": {
                "dataSourceDescriptor": "url",
                "params": {
                    "@type": "type.googleapis.com/bytenite.data_source.HttpDataSource",
                    "url": input_video_url,
                },
            },
            "dataDestination": {"dataSourceDescriptor": "bucket"},
        }
        response = requests.post(
            f"{api.url}/v1/customer/jobs/datasource/{job_id}",
            json=data_source_body,
            headers={"Authorization": access_token},
            timeout=10,
        )
        response.raise_for_status()

        # 4. Configure the encoding parameters
        with template.open() as venc_template:
            job_parameters = json.load(venc_template)
        response = requests.post(
            f"{api.url}/v1/customer/jobs/params/{job_id}",
            json=job_parameters,
            headers={"Authorization": access_token},
            timeout=10,
        )
        response.raise_for_status()

        # 5. Start the job
        response = requests.post(
            f"{api.url}/v1/customer/jobs/run/{job_id}", headers={"Authorization": access_token}, timeout=10
        )
        assert {"ok": True, "requestId": "", "message": "", "error": None} == response.json()

        # 6. Check the job status
        assert "JOB_STATE_COMPLETE" == finished(api.url, access_token, job_id)["state"]

        # 7. Download the output video
        response = requests.get(
            f"{api.url}/v1/customer/jobs/{job_id}/results", headers={"Authorization": access_token}, timeout=10
        )
        results = response.json()["results"]
        assert ["Big_Buck_Bunny_SD_H.264_480p.mp4"] == [each["name"] for each in results]
        facts = downloaded(results[0]["link"], tmp_path / "out.mp4")
    assert [("h264", 854, 480)] == [(one.codec, one.width, one.height) for one in facts.video]
    assert 2.0 == pytest.approx(facts.end, abs=0.1)


@pytest.mark.parametrize("name", ENCODABLE)
def test_published_documents_run_in_the_paths_of_2023(tmp_path, clips, body, name):
    """Every published mp4 document gives its files: codec and height as it says, named by its template."""
    document = body(name)
    with (
        serving({"/tos.mp4": Page(clips.plain("short.mp4", seconds=0.5, rate=10))}) as site,
        serving_api(tmp_path) as api,
    ):
        source = body("datasource.request.url_to_bucket.legacy")
        source["dataSource"]["params"]["url"] = site.url("/tos.mp4")
        client = api.client()
        job_id = client.ask("POST", "/jobs", body("create_job.request.legacy_minimal"))["job"]["id"]
        client.ask("POST", f"/jobs/datasource/{job_id}", source)
        echo = client.ask("POST", f"/jobs/params/{job_id}", document)["job"]["params"]
        assert {"schema": "", "preset": "", "selectedOutputs": [], **document} == echo
        assert client.ask("POST", f"/jobs/run/{job_id}", body("run.request.legacy"))["ok"]
        job, _ = client.ended(job_id, within=240)
        assert "" == job["errorMessage"]
        results = client.ask("GET", f"/jobs/{job_id}/results")["results"]
        made = {each["name"].rpartition("/")[2]: downloaded(each["link"], tmp_path / "one") for each in results}
    asked = document["data"]["outputs"]
    names = {"libx264": "h264", "libx265": "hevc", "libvpx-vp9": "vp9"}
    assert len(asked) == len(made)
    for output in asked:
        height = output["output_params"]["aspect"]["resolution"]["height"]
        facts = next(facts for name, facts in made.items() if height in name)
        upscaled = not output["output_params"]["aspect"]["resolution"]["avoid_upscaling"]
        wanted = int(height[:-1]) if upscaled else 120
        codec = names[output["output_params"]["video"]["codec"]]
        assert [(codec, wanted)] == [(one.codec, one.height) for one in facts.video]


def test_one_shot_create_in_the_dialect_of_2025(tmp_path, clips, body):
    """One create with everything, the document under `app`, and a run with a config: it comes back as it was sent."""
    document = {"app": body("params.request.mp4_x264_crf_480p"), "partitioner": {}, "assembler": {}}
    created = {**body("create_job.request.current_full"), "templateId": TEMPLATE, "params": document}
    with (
        serving({"/v.mp4": Page(clips.plain("short.mp4", seconds=0.5, rate=10))}) as site,
        serving_api(tmp_path) as api,
    ):
        created["dataSource"]["params"]["url"] = site.url("/v.mp4")
        client = api.client()
        client.session.headers["Authorization"] = f"Bearer {api.token()}"
        answer = client.ask("POST", "/jobs", created)
        assert document == answer["job"]["params"]
        assert TEMPLATE == answer["templateInfo"]["id"]
        assert (3600, True) == (answer["job"]["config"]["taskTimeout"], answer["job"]["config"]["isTestJob"])
        job_id = answer["job"]["id"]
        refused = client.ask("GET", f"/jobs/{job_id}/results", status=400)
        assert "job has not yet been completed" == refused["message"]
        assert client.ask("POST", f"/jobs/{job_id}/run", body("run.request.current"))["ok"]
        job, _ = client.ended(job_id)
        assert ("JOB_STATE_COMPLETE", 84200, False, 0.0) == (
            job["state"],
            job["config"]["jobTimeout"],
            job["config"]["isTestJob"],
            job["paymentAmount"],
        )
        (result,) = client.ask("GET", f"/jobs/{job_id}/results")["results"]
        assert "Audio_transcription_job_480p.mp4" == result["name"]
        assert 480 == downloaded(result["link"], tmp_path / "one").video[0].height


def test_the_one_shot_create_of_2023_in_snake_case_is_understood(tmp_path, body):
    """`data_source` and `data_destination` are read, and a store that cannot be read here is refused at the run."""
    with serving_api(tmp_path) as api:
        client = api.client()
        job = client.ask("POST", "/jobs", body("create_job.request.legacy_full_snake_case"))["job"]
        assert ("storj", "vqc/A086.mp4") == (
            job["dataSource"]["dataSourceDescriptor"],
            job["dataSource"]["params"]["name"],
        )
        assert {"results": None} == client.ask("GET", f"/jobs/{job['id']}/results")
        refused = client.run(job["id"], status=400)
        assert not refused["ok"]
        assert "this server reads url and file, not storj" in refused["error"]["description"]
        assert 0 == api.starts(job["id"])


@pytest.mark.parametrize(
    "name",
    [
        "datasource.request.aws.current",
        "datasource.request.bypass_to_bucket.current",
        "datasource.request.gcp.current",
        "datasource.request.storj.current",
        "datasource.request.storj.legacy",
    ],
)
def test_data_sources_of_stores_are_kept_but_cannot_run_here(tmp_path, clips, body, name):
    """They are told as ByteNite tells them; a run says which sources this server takes."""
    with serving_api(tmp_path, instant=clips.plain()) as api:
        client = api.client()
        job_id = client.draft("https://example.com/v.mp4", body("params.request.mp4_x264_crf_480p"))
        job = client.ask("PATCH", f"/jobs/{job_id}/datasource", body(name))["job"]
        assert body(name)["dataSource"]["dataSourceDescriptor"] == job["dataSource"]["dataSourceDescriptor"]
        assert "url and file" in client.run(job_id, status=400)["message"]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("params.request.png_opencv_container", "data.outputs[0].output_type"),
        ("params.request.current_three_keys", 'app: there is no "data" in it'),
    ],
)
def test_documents_that_are_no_video_are_refused_with_their_field(tmp_path, body, name, field):
    """A document that ffmpeg cannot make fails when it is set, not when it is run."""
    with serving_api(tmp_path) as api:
        client = api.client()
        job_id = client.ask("POST", "/jobs", body("create_job.request.seed"))["job"]["id"]
        for method, path in (("PATCH", f"/jobs/{job_id}/params"), ("POST", f"/jobs/params/{job_id}")):
            assert field in client.ask(method, path, body(name), status=400)["message"]
