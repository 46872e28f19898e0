"""What a provider says that a plan will cost, asked before anybody approves it, for nothing."""

from __future__ import annotations

import json

import pytest

from builders_http import Page, serving
from builders_remote import instant_clip, remote_project, remote_spec
from builders_server import Answer, serving_api

PRIVATE = "--allow-private-sources"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """The source, and what every output is a copy of."""
    return instant_clip(tmp_path_factory.mktemp("instant"), seconds=2)


@pytest.fixture
def web(clip):
    """Where the source is."""
    with serving({"/m.mp4": Page(clip)}) as site:
        yield site


def planned(project, *arguments):
    """The document of a plan."""
    lines = project.run("--json", "plan", PRIVATE, *arguments).ok().out.splitlines()
    return json.loads(lines[-1])["plan"]


def test_a_quote_is_shown_and_counted_and_leaves_nothing_behind(tmp_path, clip, web):
    """In text, Markdown and JSON, as quoted; max_cost rests on it in plan and apply; the drafts are gone after."""
    with serving_api(tmp_path, instant=clip, rate=6000, balance=100_000) as api:
        project = remote_project(tmp_path / "project", api, remote_spec(source=web.url("/m.mp4"), price=False))
        offline = planned(project)
        assert (["price"] * 2, 0) == ([each["cost"]["unknown"] for each in offline["resource_changes"]], len(api.calls))

        document = planned(project, "--quote")
        (job,) = document["jobs"]
        quoted = job["quoted"]
        assert ("BYC", True, 1) == (quoted["currency"], quoted["quoted"], document["cost"]["quoted_jobs"])
        assert float(quoted["expected"]) > 1
        assert [None, None] == [each["cost"]["unknown"] for each in document["resource_changes"]]
        assert offline["plan_id"] == document["plan_id"]
        said = f"{quoted['expected']} BYC"
        plan = project.run("plan", PRIVATE, "--quote", "--markdown", "plan.md").ok()
        assert f"Cost: {said}, quoted for 1 job." in plan.out
        assert f"{said} as quoted" in (project.folder / "plan.md").read_text()
        assert ([], {}) == (api.jobs(), api.all_starts())
        assert not (project.folder / "state").exists()

        little = ("--max-cost", f"{float(quoted['expected']) - 1:.2f} BYC")
        refused = project.apply(PRIVATE, "--quote", *little)
        assert (4, True) == (refused.code, f"costs {said}" in " ".join((refused.out + refused.err).split()))
        assert 4 == project.apply(PRIVATE, *little).code
        project.apply(PRIVATE, "--quote", "--max-cost", said).ok()
        assert [1] == list(api.all_starts().values())
        assert 1 == len(api.jobs())


def test_a_rate_card_is_not_what_was_asked_for(tmp_path, clip, web):
    """Where the provider is asked, what it says stands before what the user wrote down."""
    with serving_api(tmp_path, instant=clip, rate=6000, balance=100_000) as api:
        project = remote_project(tmp_path / "project", api, remote_spec(source=web.url("/m.mp4")))
        document = planned(project, "--quote")
        assert (["BYC"], []) == (
            [each["currency"] for each in document["cost"]["quoted"]],
            document["cost"]["expected"],
        )


def no_estimation(method, path, _number):
    """A server of the newer kind, which has no such call."""
    return Answer(404) if "estimation" in path else None


def test_who_does_not_quote_is_told(tmp_path, clip, web):
    """What the provider does not say stays unknown, with a sentence; so does what would have to be uploaded."""
    with serving_api(tmp_path, instant=clip, faults=[no_estimation]) as api:
        spec = remote_spec(source=web.url("/m.mp4"), price=False)
        project = remote_project(tmp_path / "project", api, spec)
        plan = project.run("plan", PRIVATE, "--quote").ok()
        assert "bytenite does not say what 1 of its jobs will cost" in plan.err
        assert "Cost of 2 outputs: not known" in plan.out
        project.write("specs/a.yaml", spec.replace(web.url("/m.mp4"), "m.mp4"))
        (project.folder / "m.mp4").write_bytes(clip.read_bytes())
        plan = project.run("plan", "--quote").ok()
        assert "its source would have to be uploaded for that" in " ".join(plan.err.split())
        assert [] == api.jobs()


def test_without_credentials(tmp_path, clip, web):
    """Exit 8, as of every command that asks a provider."""
    with serving_api(tmp_path, instant=clip) as api:
        project = remote_project(tmp_path / "project", api, remote_spec(source=web.url("/m.mp4")))
        project.environment["BYTENITE_API_KEY"] = "wrong"
        assert [8, 0] == [project.run("plan", *more).code for more in (["--quote"], [])]
