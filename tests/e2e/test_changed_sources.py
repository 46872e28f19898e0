"""A source that changed behind its URL, and a signed one whose link dies: on both providers, end to end."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from builders_http import Page, serving
from builders_project import Project, tiny
from builders_remote import instant_clip, remote_project, remote_spec
from builders_server import serving_api

PRIVATE = "--allow-private-sources"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """The master."""
    return instant_clip(tmp_path_factory.mktemp("instant"))


@pytest.fixture(scope="module")
def longer(tmp_path_factory):
    """What somebody put in its place."""
    return instant_clip(tmp_path_factory.mktemp("longer"), seconds=2)


def local_spec(source):
    """One output that is encoded here."""
    return f"version: 1\nproject: talks\nencodes:\n  bbb:\n    source: {source}\n    outputs: {{720p: {tiny()}}}\n"


def changes(project, *options):
    """The steps of a plan, as address, reason and the sentence."""
    lines = project.run("--json", "plan", PRIVATE, *options).ok().out.splitlines()
    steps = json.loads(lines[-1])["plan"]["resource_changes"]
    return [(step["address"], step["action_reason"], step["reason"]) for step in steps]


@pytest.mark.parametrize("provider", ["local", "bytenite"])
def test_a_watched_source_that_changed_reruns(tmp_path, clip, longer, provider):
    """Only with watch: content and only where --refresh looked; the reason has the value before and the one now."""
    with serving({"/m.mp4": clip}) as site, serving_api(tmp_path) as api:
        source = f'{{url: "{site.url("/m.mp4")}", watch: content}}'
        spec = local_spec(source) if provider == "local" else remote_spec(source=source, outputs=("720p",))
        project = remote_project(tmp_path / "project", api, spec)
        project.apply(PRIVATE).ok()
        assert [] == changes(project, "--refresh")

        site.pages["/m.mp4"] = Page(longer)
        assert [] == changes(project)
        ((address, reason, sentence),) = changes(project, "--refresh")
        assert ("bbb/720p", "source_changed") == (address, reason)
        assert re.search(r'source content changed: .*".* -> ".*"|[0-9,]+ -> [0-9,]+ bytes', sentence), sentence
        assert "No changes" in project.apply(PRIVATE).ok().out
        project.apply(PRIVATE, "--refresh").ok()

        (record,) = project.records().values()
        assert (2, "source_changed") == (record["attempt"], record["history"][-1]["why"])
        assert [] == changes(project, "--refresh")
        if provider == "bytenite":
            assert [1, 1] == list(api.all_starts().values())


@pytest.mark.parametrize("provider", ["local", "bytenite"])
def test_a_source_that_nobody_watches_does_not_rerun(tmp_path, clip, longer, provider):
    """Whatever stands behind its URL now: without watch: content nobody is asked."""
    with serving({"/m.mp4": clip}) as site, serving_api(tmp_path, instant=clip) as api:
        source = f'"{site.url("/m.mp4")}"'
        spec = local_spec(source) if provider == "local" else remote_spec(source=source, outputs=("720p",))
        project = remote_project(tmp_path / "project", api, spec)
        project.apply(PRIVATE).ok()
        site.pages["/m.mp4"] = Page(longer)
        asked = len(site.requests)

        assert [] == changes(project, "--refresh")
        assert asked == len(site.requests)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (Page(statuses=[404] * 9), "its source could not be looked at: answered 404 Not Found"),
        (Page(etag='W/"other"'), "its source may have changed: weak ETag"),
        (Page(etag=None, modified="Tue, 06 Jan 2026 10:00:00 GMT"), "its source may have changed: Last-Modified"),
    ],
)
def test_a_watched_source_that_nobody_can_tell_about_is_told(tmp_path, clip, page, words):
    """Neither a rerun nor a silent "as declared": what could not be seen, or differs weakly, is a warning."""
    with serving({"/m.mp4": clip}) as site:
        project = Project(tmp_path)
        project.write("specs/a.yaml", local_spec(f'{{url: "{site.url("/m.mp4")}", watch: content}}'))
        project.apply(PRIVATE).ok()
        site.pages["/m.mp4"] = replace(page, content=clip)
        plan = project.run("plan", PRIVATE, "--refresh", "--detailed-exitcode").ok()

    told = " ".join((plan.out + plan.err).split())
    assert f"bbb/720p: {words}" in told
    assert "0 outputs are as declared, 1 needs you" in told


def test_a_multipart_etag_that_changed_alone_is_no_change(tmp_path, clip):
    """The same bytes uploaded in other parts: size and checksum say that it is the same."""
    same = {
        "x-amz-checksum-sha256": "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=",
        "x-amz-checksum-type": "FULL_OBJECT",
    }
    with serving({"/m.mp4": Page(clip, etag='"0123456789abcdef0123456789abcdef-4"', headers=same)}) as site:
        project = Project(tmp_path)
        project.write("specs/a.yaml", local_spec(f'{{url: "{site.url("/m.mp4")}", watch: content}}'))
        project.apply(PRIVATE).ok()
        site.pages["/m.mp4"] = Page(clip, etag='"fedcba9876543210fedcba9876543210-9"', headers=same)

        assert [] == changes(project, "--refresh")


def signed(url, *, ago, lives):
    """A URL that was signed so many seconds ago for so many seconds."""
    date = datetime.now(UTC) - timedelta(seconds=ago)
    return (
        f"{url}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20260101%2Fus-east-1%2Fs3%2Faws4_request"
        f"&X-Amz-Date={date:%Y%m%dT%H%M%SZ}&X-Amz-Expires={lives}&X-Amz-SignedHeaders=host&X-Amz-Signature=5ec3e7"
    )


@pytest.mark.parametrize(
    ("ago", "words"),
    [(3600, "its link died at"), (630, "its link dies in 4 min")],
)
@pytest.mark.parametrize("provider", ["local", "bytenite"])
def test_a_signed_source_whose_link_dies_is_an_error_of_plan(tmp_path, clip, provider, ago, words):
    """With the place in the spec and the time left; once it is made, the dead link of its source is no matter."""
    with serving({"/m.mp4": clip}) as site, serving_api(tmp_path, instant=clip) as api:

        def declare(**said):
            source = f'"{signed(site.url("/m.mp4"), **said)}"'
            spec = local_spec(source) if provider == "local" else remote_spec(source=source, outputs=("720p",))
            project.write("specs/a.yaml", spec)

        project = remote_project(tmp_path / "project", api)
        declare(ago=ago, lives=900)
        plan = project.run("plan")
        told = " ".join((plan.out + plan.err).split())
        assert (1, True, True) == (plan.code, words in told, "specs/a.yaml:" in told), told
        assert "5ec3e7" not in told
        assert 1 == project.apply(PRIVATE).code
        assert {} == api.all_starts()

        declare(ago=1, lives=7200)
        project.apply(PRIVATE).ok()
        declare(ago=ago, lives=900)
        assert "No changes" in project.run("plan", "--detailed-exitcode").ok().out
