"""Sources in an object store, end to end: a real S3 on loopback, both providers, links that are signed when needed."""

from __future__ import annotations

import json

import pytest

from builders_project import Project, tiny
from builders_remote import instant_clip, remote_project, remote_spec
from builders_server import serving_api
from builders_stores import KEY, SECRET, s3

OBJECT = "s3://site/masters/a b.mov"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """The master."""
    return instant_clip(tmp_path_factory.mktemp("instant"))


@pytest.fixture(scope="module")
def longer(tmp_path_factory):
    """The master after somebody replaced it."""
    return instant_clip(tmp_path_factory.mktemp("longer"), seconds=2)


@pytest.fixture
def site(tmp_path, clip):
    """A store with the master in it."""
    with s3(tmp_path / "buckets") as served:
        put(served, clip)
        yield served


def put(site, clip):
    """Write the master."""
    path = site.folder / "site/masters/a b.mov"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(clip.read_bytes())


def written(project):
    """Everything that a project holds as text."""
    found = (path for path in project.folder.rglob("*") if path.is_file() and path.suffix in {".json", ".jsonl"})
    return "\n".join(path.read_text(errors="replace") for path in found)


def local_project(folder, site, *, watch=""):
    """A project that encodes the master here."""
    folder.mkdir(parents=True, exist_ok=True)
    project = Project(folder, site.environment())
    source = f'{{url: "{OBJECT}"{watch}}}'
    project.write(
        "specs/a.yaml",
        f"version: 1\nproject: talks\nencodes:\n  a:\n    source: {source}\n    outputs: {{x: {tiny()}}}\n",
    )
    return project


def test_ffmpeg_encodes_an_object_that_is_fetched(tmp_path, site):
    """Its identity is the object; neither a key nor a signature is told; without credentials nothing is tried."""
    project = local_project(tmp_path / "project", site)
    done = project.program("apply", "--auto-approve", "-v", "--allow-private-sources").ok()
    (record,) = project.records().values()

    assert ("complete", OBJECT) == (record["status"], record["source"]["identity"])
    assert "No changes" in project.run("plan", "--detailed-exitcode").ok().out
    for secret in (KEY, SECRET, "X-Amz-Signature"):
        assert secret not in written(project) + done.out + done.err

    other = local_project(tmp_path / "other", site)
    other.environment.clear()
    without = other.apply("--allow-private-sources")
    assert 0 != without.code
    assert "AWS_ACCESS_KEY_ID" in without.out + without.err
    assert 0 == sum(record["failures"] for record in map(failures_of, other.records().values()))


def failures_of(record):
    """A record with its count of failures, which the state leaves out where it is none."""
    return {"failures": 0, **record}


def test_a_changed_object_that_is_watched_reruns(tmp_path, site, longer):
    """watch: content and --refresh: the new object is another ETag; both are told; without a look nothing is known."""
    project = local_project(tmp_path / "project", site, watch=", watch: content")
    project.apply("--allow-private-sources").ok()
    assert "No changes" in project.run("plan", "--refresh", "--allow-private-sources").ok().out
    put(site, longer)
    assert "No changes" in project.run("plan").ok().out
    plan = project.run("plan", "--refresh", "--allow-private-sources", "--detailed-exitcode")

    assert (2, True) == (plan.code, "source content changed" in plan.out), plan.out
    project.apply("--refresh", "--allow-private-sources").ok()
    assert 2 == project.records()["a/x"]["attempt"]
    assert "No changes" in project.run("plan", "--refresh", "--allow-private-sources").ok().out


def test_bytenite_gets_a_link_that_we_sign(tmp_path, site):
    """A provider that has no secret for the store fetches through a link of a day; the server really reads it."""
    with serving_api(tmp_path) as api:
        spec = remote_spec(source=f'"{OBJECT}"', outputs=("720p",))
        project = remote_project(tmp_path / "project", api, spec)
        project.environment |= site.environment()
        done = project.program("apply", "--auto-approve", "-v").ok()
        (job,) = api.jobs()

        assert "complete" == project.records()["bbb/720p"]["status"]
        assert OBJECT == project.records()["bbb/720p"]["source"]["identity"]
        assert "X-Amz-Signature" in json.dumps(job.data_source)
        for secret in (KEY, SECRET, "X-Amz-Signature"):
            assert secret not in written(project).replace("links.json", "") + done.out + done.err
        assert "No changes" in project.run("plan", "--detailed-exitcode").ok().out
