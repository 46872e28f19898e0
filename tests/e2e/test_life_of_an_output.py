"""The life of an output after its job, for real: a server whose links and files live for seconds."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
import requests

from builders_project import Project
from builders_remote import SMALL, instant_clip, remote_project, remote_spec
from builders_server import serving_api

LINK, FILE = 3, 10
# How many starts of the program a link and a file have to live through, with the waits between them.
OF_A_LINK, OF_A_FILE = 4, 10


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """What every output is a copy of."""
    return instant_clip(tmp_path_factory.mktemp("instant"))


def spec_of(retention=FILE, **policies):
    """Two outputs on a provider that keeps files for a while; what each says of its own life."""
    spec = remote_spec(more=f"    retention: {retention}s\n")
    for name, policy in policies.items():
        spec = spec.replace(f"      {name[1:]}: {{", f"      {name[1:]}: {{{policy}, ")
    return spec


def wait_until(stamp):
    """Sleep until a time of the state is over."""
    end = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    time.sleep(max(0.0, (end - datetime.now(UTC)).total_seconds() + 0.1))


def lifetimes(folder):
    """Seconds of a link and of a file; more on a machine so busy that the commands of a test would not fit in."""
    since = time.monotonic()
    Project(folder).program("validate")
    took = time.monotonic() - since
    return max(LINK, round(OF_A_LINK * took)), max(FILE, round(OF_A_FILE * took))


def link_of(project, address="bbb/720p"):
    """The live link that is kept of an output."""
    return json.loads((project.folder / "state/links.json").read_text())["links"][address]


def test_the_whole_life(tmp_path, clip):
    """Complete, its dead link renewed for nothing; one file is rescued, the other is gone, kept so, then made again."""
    link, file = lifetimes(tmp_path)
    with serving_api(tmp_path, instant=clip, link_seconds=link, retention=file) as api:
        project = remote_project(tmp_path / "project", api, spec_of(file))
        project.apply().ok()
        made = project.records()["bbb/480p"]["output"]
        first = link_of(project)
        assert 200 == requests.get(first, timeout=10).status_code

        wait_until(made["link_expires_at"])
        assert 403 == requests.get(first, timeout=10).status_code
        plan = project.run("plan", "--detailed-exitcode")
        assert (0, True) == (plan.code, "2 links are dead" in plan.out), plan.out
        free = project.run("apply", "--no-spend").ok()
        assert "2 links renewed" in free.out, free.out
        second = link_of(project)
        assert (True, 200) == (first != second, requests.get(second, timeout=10).status_code)

        project.write("specs/a.yaml", spec_of(file, _720p="deliver: copies"))
        saved = project.run("apply", "--no-spend").ok()
        assert "copies/bbb/720p.mp4" in saved.out
        assert clip.read_bytes() == (project.folder / "copies/bbb/720p.mp4").read_bytes()

        wait_until(made["expires_at"])
        plan = project.run("plan", "--detailed-exitcode")
        assert (0, True) == (plan.code, "bbb/480p" in plan.out and "no copy was kept" in plan.out), plan.out
        status = project.run("status").ok().out
        assert "! bbb/480p  gone: bytenite deleted it" in status
        assert "1 output in copies/, no expiry" in status
        project.apply().ok()
        assert [1] == list(api.all_starts().values())

        project.write("specs/a.yaml", spec_of(file, _720p="deliver: copies", _480p="on_expiry: rerun"))
        plan = project.run("plan", "--detailed-exitcode")
        assert (2, True) == (plan.code, "makes it again every time that happens" in " ".join(plan.out.split()))
        project.apply().ok()
        assert [1, 1] == list(api.all_starts().values())
        assert 2 == project.records()["bbb/480p"]["attempt"]
        assert "No changes" in project.run("plan", "--detailed-exitcode").ok().out
        explained = project.run("explain", "bbb/480p").ok().out.partition("Attempts")[2].splitlines()
        assert ["new", "expired"] == [line.split()[7] for line in explained if "complete" in line], explained


def test_a_dead_link_is_renewed_by_every_way_that_is_free(tmp_path, clip):
    """An ordinary apply renews, without a question; so does output, in text and in JSON."""
    with serving_api(tmp_path, instant=clip, link_seconds=1) as api:
        project = remote_project(tmp_path / "project", api, remote_spec(outputs=("720p",)))
        project.apply().ok()
        links = [link_of(project)]
        codes = [project.run("status", "--expiring", soon, "--detailed-exitcode").code for soon in ("24h", "72h")]
        assert [0, 2] == codes
        for command in (["apply"], ["output"], ["--json", "output"], ["output", "--show-links"]):
            wait_until(project.records()["bbb/720p"]["output"]["link_expires_at"])
            project.run(*command).ok()
            links.append(link_of(project))

        assert 5 == len(set(links))
        assert [1] == list(api.all_starts().values())


def age(project, days):
    """Let the recorded file have been deleted so many days ago, in the state that the next command reads."""
    path = project.folder / "state/encodes.json"
    state = json.loads(path.read_text())
    for record in state["records"].values():
        record["output"]["expires_at"] = f"2026-01-{days:02}T00:00:00Z"
        record["output"]["link_expires_at"] = f"2026-01-{days:02}T00:00:00Z"
    path.write_text(json.dumps(state))


def test_ten_periods_of_a_delivered_output_start_nothing(tmp_path, clip):
    """Deliver and on_expiry: rerun: whatever the provider deletes, ten times, the copy is enough."""
    with serving_api(tmp_path, instant=clip) as api:
        spec = spec_of(_720p="deliver: copies, on_expiry: rerun", _480p="deliver: copies, on_expiry: rerun")
        project = remote_project(tmp_path / "project", api, spec)
        project.apply().ok()
        for period in range(10):
            age(project, period + 1)
            assert "No changes" in project.apply().ok().out
        assert 0 == project.run("status", "--expiring", "24h", "--detailed-exitcode").code
        assert [1] == list(api.all_starts().values())


def test_a_cron_job_that_may_not_spend(tmp_path, clip):
    """--no-spend asks nobody and starts nothing new; what was started elsewhere it brings in and delivers."""
    with serving_api(tmp_path, instant=clip, instant_seconds=1.0) as api:
        project = remote_project(tmp_path / "project", api, spec_of(_720p="deliver: copies", _480p="deliver: copies"))
        project.write("copies/bbb/720p.mp4", "of somebody")
        told = " ".join(project.run("plan").ok().out.split())
        assert "bbb/720p: copies/bbb/720p.mp4 is there, and no record knows it: a copy will replace it" in told
        assert "copies/bbb/480p.mp4 is there" not in told
        nothing = project.run("apply", "--no-spend").ok()
        assert {} == api.all_starts(), nothing.out
        assert "2 wait for an apply without --no-spend" in " ".join(nothing.out.split())
        assert "No changes" not in nothing.out
        project.apply("--no-wait").ok()
        done = project.run("apply", "--no-spend").ok()

        assert ["bbb/480p.mp4", "bbb/720p.mp4"] == sorted(
            str(path.relative_to(project.folder / "copies")) for path in (project.folder / "copies").rglob("*.mp4")
        )
        assert {"complete"} == {record["status"] for record in project.records().values()}, done.out
        assert [1] == list(api.all_starts().values())


OTHER = f"""\
  tos:
    source: https://cdn.example.com/tos.mp4
    outputs:
      a: {SMALL.replace("CRF", "30")}
"""


def test_removing_with_delete(tmp_path, clip):
    """on_remove: delete is shown as `-`; it deletes our copy and the provider's job, and nothing that others use."""
    policy = "deliver: copies, on_remove: delete"
    both = spec_of(_720p=policy, _480p=policy)
    with serving_api(tmp_path, instant=clip) as api:
        project = remote_project(tmp_path / "project", api, both + OTHER)
        project.apply().ok()
        copies = project.folder / "copies/bbb"
        (copies / "mine.mp4").write_text("not ours")
        job = project.records()["bbb/720p"]["job"]["id"]

        project.write("specs/a.yaml", both.partition("      480p")[0] + OTHER)
        plan = project.run("plan").ok()
        assert "  - bbb/480p" in plan.out, plan.out
        project.apply().ok()
        assert {"720p.mp4", "mine.mp4"} == {path.name for path in copies.iterdir()}
        assert api.job(job) is not None
        assert "bbb/480p" not in project.records()

        project.write("specs/a.yaml", both.partition("  bbb:")[0] + OTHER)
        project.apply().ok()
        assert {"mine.mp4"} == {path.name for path in copies.iterdir()}
        assert api.job(job) is None
        assert {"tos/a"} == set(project.records())
