"""Sources and copies in a store that speaks as Google's does: fetched, watched, delivered, signed for a provider."""

from __future__ import annotations

import pytest

from builders_project import Project, tiny
from builders_remote import instant_clip, remote_project, remote_spec
from builders_server import serving_api
from builders_stores import google
from reconciler.io.stores import Store

PRIVATE = "--allow-private-sources"
MASTER = "gs://site/masters/m.mp4"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """The master."""
    return instant_clip(tmp_path_factory.mktemp("instant"))


@pytest.fixture
def site(tmp_path, clip):
    """A store with the master in it."""
    with google(tmp_path / "buckets") as served:
        put(served, clip.read_bytes())
        yield served


def put(site, content):
    """Write the master."""
    Store("gs", "site", site.environment()).put("masters/m.mp4", [content], len(content), "video/mp4")


def test_an_object_is_encoded_here_and_its_outputs_are_objects(tmp_path, site, clip):
    """A file and a package; a copy that is lost and a master that changed are seen, each by a look."""
    project = Project(tmp_path / "project", site.environment())
    package = tiny().replace("container: mp4", "container: hls")
    project.write(
        "specs/a.yaml",
        f"""\
version: 1
project: talks
encodes:
  a:
    source: {{url: {MASTER}, watch: content}}
    deliver: gs://site/t
    outputs: {{big: {tiny()}, web: {package}}}
""",
    )
    project.apply(PRIVATE).ok()
    names = site.names()
    assert {"t/a/big.mp4", "t/a/web/master.m3u8", "t/a/web/.reconciler.json"} <= set(names)
    assert (project.folder / "outputs/a/big.mp4").read_bytes() == site.content("t/a/big.mp4")
    assert "No changes" in project.run("plan", "--refresh", PRIVATE).ok().out

    Store("gs", "site", site.environment()).remove("t/a/big.mp4")
    assert "gs://site/t/a/big.mp4 is gone" in project.run("plan", "--refresh", PRIVATE).ok().out
    project.run("apply", "--no-spend", "--refresh", PRIVATE).ok()
    assert names == site.names()

    put(site, clip.read_bytes() + bytes(8))
    assert "source content changed" in project.run("plan", "--refresh", PRIVATE).ok().out


def test_a_provider_gets_a_link_that_the_account_signs(tmp_path, site):
    """The server reads the master through it, and the copy goes back into the store; no signature is told."""
    with serving_api(tmp_path) as api:
        spec = remote_spec(source=MASTER, outputs=("720p",)).replace(
            "    source:", "    deliver: gs://site/r\n    source:"
        )
        project = remote_project(tmp_path / "project", api, spec)
        project.environment |= site.environment()
        done = project.program("apply", "--auto-approve", PRIVATE, "-v").ok()
        (job,) = api.jobs()
    assert "X-Goog-Signature" in str(job.data_source)
    assert "r/bbb/720p.mp4" in site.names()
    state = (project.folder / "state/encodes.json").read_text()
    assert "X-Goog" not in state + done.out + done.err
