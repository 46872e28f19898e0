"""`ci github`: comments, summaries, annotations and outputs, against a stand-in for GitHub."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from builders_commands import Desk, desk
from builders_github import BOT, TOKEN, github, outputs, runner
from builders_project import ladder_spec, tiny
from reconciler.core.approval import plan_id
from reconciler.views.markdown import plan_id_line


@pytest.fixture
def hub():
    """GitHub, or as good."""
    with github() as known:
        yield known


def reviewed(folder, hub, **more):
    """A project in a run about pull request 7."""
    made = desk(folder / "work")
    made.environment = {**runner(folder, hub, **more), "RECONCILER_ENVIRONMENT": "prod"}
    return made


def test_a_plan_is_told_everywhere(tmp_path, hub):
    """One run: the log, the comment, the summary and the outputs, all of one plan."""
    made = reviewed(tmp_path, hub)
    result = made.run("ci", "github", "plan", "--out", "plan.json").ok()
    (comment,) = hub.comments
    said = outputs(tmp_path)
    identifier = json.loads((made.folder / "plan.json").read_text())["plan_id"]

    assert comment["body"].startswith(
        f"<!-- reconciler:plan:prod -->\n{plan_id_line(identifier)}\n### Plan for `prod`: "
    )
    assert f"Plan `{identifier}` of `bbbbbbb`, offline." in comment["body"]
    assert (tmp_path / "summary.md").read_text() == comment["body"]
    assert {
        "plan_id": identifier,
        "changes": "true",
        "refused": "false",
        "to_encode": "2",
        "to_create": "2",
    }.items() <= (said.items())
    assert comment["html_url"] == said["comment_url"]
    assert "Plan: 2 to encode (2 new, 0 rerun), 0 to retire." == said["summary"]
    assert "Plan: 2 to encode" in result.out
    assert {f"Bearer {TOKEN}"} == hub.tokens
    assert TOKEN not in result.out + result.err


def test_the_comment_is_updated_in_place(tmp_path, hub):
    """Created once, updated after; the same plan again writes nothing; comments of others are left alone."""
    made = reviewed(tmp_path, hub)
    hub.add("<!-- reconciler:plan:prod -->\nnot from the bot", login="somebody")
    hub.add("<!-- reconciler:plan:other -->\nanother environment")
    made.run("ci", "github", "plan").ok()
    made.run("ci", "github", "plan").ok()
    made.write("specs/encodes.yaml", ladder_spec(crf=20))
    made.run("ci", "github", "plan").ok()

    assert 3 == len(hub.comments)
    assert 1 == len([each for each in hub.asked if each.startswith("POST")])
    assert 1 == len([each for each in hub.asked if each.startswith("PATCH")])
    assert "not from the bot" in hub.comments[0]["body"]


def test_a_comment_is_found_on_later_pages(tmp_path, hub):
    """Long discussions have pages; the comment on the third one is still the one."""
    made = reviewed(tmp_path, hub)
    for each in range(250):
        hub.add(f"talk {each}", login="somebody")
    hub.add("<!-- reconciler:plan:prod -->\nold")
    made.run("ci", "github", "plan").ok()

    assert 251 == len(hub.comments)
    assert "2 new outputs" in hub.comments[-1]["body"]


def test_nothing_changed_begins_no_comment(tmp_path, hub):
    """A pull request that changes no encode stays quiet; one that no longer does says so in its comment."""
    made = reviewed(tmp_path, hub)
    made.run("apply", "--auto-approve").ok()
    made.run("ci", "github", "plan").ok()
    assert [] == hub.comments

    hub.add("<!-- reconciler:plan:prod -->\n### Plan for `prod`: 2 new outputs")
    made.run("ci", "github", "plan").ok()
    assert "### Plan for `prod`: no changes" in hub.comments[0]["body"]
    assert "false" == outputs(tmp_path)["changes"]


@pytest.mark.parametrize(
    ("warned", "written", "troubles"),
    [
        ("answered GET /issues/7/comments with 403: trouble of its own", 0, [403]),
        ("pull-requests: write", 0, [None, 403]),
        ("answered POST /issues/7/comments with 404", 0, [None, 404]),
        ("answered GET /issues/7/comments with 503", 0, [500, 502, 503]),
        ("", 1, [500, 502, None]),
        ("", 1, [None, 502, None]),
        ("answered POST /issues/7/comments with 502", 0, [None, 502, None, 502]),
    ],
)
def test_trouble_with_github_is_a_warning(tmp_path, hub, warned, written, troubles):
    """Whatever GitHub answers, the plan is made, told in summary and log, and exits 0."""
    made = reviewed(tmp_path, hub)
    hub.troubles = troubles
    out = made.run("ci", "github", "plan").ok().out

    assert written == len(hub.comments)
    assert warned in out
    assert bool(warned) == ("::warning::the pull request has no new comment: " in out)
    assert "2 new outputs" in (tmp_path / "summary.md").read_text()
    assert TOKEN not in out


def test_a_comment_that_was_made_though_the_answer_was_lost(tmp_path, hub):
    """An answer that never came does not make a second comment."""
    made = reviewed(tmp_path, hub)
    answer = hub.answer

    def lossy(method, path, content):
        status, value = answer(method, path, content)
        return (502, {}) if method == "POST" else (status, value)

    hub.answer = lossy
    made.run("ci", "github", "plan").ok()

    assert 1 == len(hub.comments)


def test_a_comment_that_is_too_long_is_said_shorter(tmp_path, hub):
    """A server that takes less than GitHub still gets the summary."""
    made = reviewed(tmp_path, hub)
    made.write(
        "specs/encodes.yaml",
        ladder_spec()
        + "".join(
            f"  e{each}: {{source: 'lavfi:testsrc2=duration={each + 1}', outputs: [small]}}\n" for each in range(300)
        ),
    )
    hub.longest = 9_000
    made.run("ci", "github", "plan").ok()

    (comment,) = hub.comments
    assert "302 new outputs" in comment["body"]
    assert "more: see the plan in the log" in comment["body"]
    hub.longest, comment["body"] = 10, "<!-- reconciler:plan:prod -->\nold"
    assert "::warning::the pull request has no new comment: " in made.run("ci", "github", "plan").ok().out


@pytest.mark.parametrize("more", [{"fork": True}, {"token": ""}, {"number": None}])
def test_without_a_right_to_comment_there_is_a_summary(tmp_path, hub, more):
    """On a fork, without a token and outside pull requests GitHub is asked for nothing."""
    made = reviewed(tmp_path, hub, **more)
    made.run("ci", "github", "plan").ok()

    assert [] == hub.asked
    assert "2 new outputs" in (tmp_path / "summary.md").read_text()


def test_a_fork_without_the_state_compares_specs(tmp_path, hub):
    """Where the state takes credentials that a fork has not: what the specs change, and nothing to approve."""
    made = reviewed(tmp_path, hub, fork=True)
    made.environment["RECONCILER_STATE"] = "s3://states/talks"
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["init", "-q"], ["add", "specs"], [*who, "commit", "-qm", "first"]):
        subprocess.run(["git", *words], cwd=made.folder, check=True)
    assert 8 == made.run("ci", "github", "plan").code
    made.write("specs/encodes.yaml", ladder_spec(crf=20))
    (tmp_path / "summary.md").unlink()
    made.run("ci", "github", "plan", "--base", "HEAD").ok()
    summary, said = (tmp_path / "summary.md").read_text(), outputs(tmp_path)

    assert "### Specs of `prod` since <code>HEAD &#40;" in summary
    assert ("", "true", "1") == (said["plan_id"], said["changes"], said["to_rerun"])
    assert "plan-id" not in summary
    assert [] == hub.asked
    assert 64 == made.run("ci", "github", "plan", "--base", "HEAD", "--out", "plan.json").code


def test_a_token_is_sent_to_https_alone(tmp_path, hub):
    """An API that is not https, and not on this machine, gets no token."""
    made = reviewed(tmp_path, hub)
    made.environment["GITHUB_API_URL"] = "http://api.example.com"
    out = made.run("ci", "github", "plan").ok().out

    assert "GITHUB_API_URL is not https" in out


def test_broken_specs_are_annotations(tmp_path, hub):
    """Each problem stands at its line in the repository; exit 1, the comment and the summary say the same."""
    made = reviewed(tmp_path, hub)
    made.write("specs/bad.yaml", "encodes:\n  x: {source: a.mov, outputs: [web-720]}\n")
    result = made.run("ci", "github", "plan")

    assert 1 == result.code
    (line,) = [each for each in result.out.splitlines() if each.startswith("::error")]
    assert line.startswith(
        '::error file=work/specs/bad.yaml,line=2,col=32,title=encodes.x.outputs.web-720::unknown preset "web-720"%0A'
    )
    assert "### Plan for `prod`: failed" in hub.comments[0]["body"]
    assert "`specs/bad.yaml:2:32`" in (tmp_path / "summary.md").read_text()
    made.write("specs/bad.yaml", "")
    made.run("ci", "github", "plan").ok()
    assert 1 == len(hub.comments)
    assert "2 new outputs" in hub.comments[0]["body"]


def test_ten_annotations_of_a_kind(tmp_path, hub):
    """The runner drops what comes after the tenth, so the tenth says how many there are."""
    made = reviewed(tmp_path, hub)
    made.write(
        "specs/bad.yaml",
        "encodes:\n" + "".join(f"  x{each}: {{source: a.mov, outputs: [w{each}]}}\n" for each in range(15)),
    )
    lines = [line for line in made.run("ci", "github", "plan").out.splitlines() if line.startswith("::error")]

    assert 10 == len(lines)
    assert "::error::and 6 more: see the summary of this run" == lines[-1]


def test_limits_are_annotations_too(tmp_path, hub):
    """A breach is a warning, and an error with exit code 4 where the plan is to fail for it."""
    made = reviewed(tmp_path, hub)
    warned = made.run("ci", "github", "plan", "--max-jobs", "0").ok()
    failed = made.run("ci", "github", "plan", "--max-jobs", "0", "--fail-on-limits")

    said = "title=apply refuses this::the plan starts 1 job, and max_jobs is 0 jobs%0A"
    assert f"::warning {said}" in warned.out
    assert (4, True) == (failed.code, f"::error {said}" in failed.out)
    assert "Apply refuses this plan" in hub.comments[0]["body"]


def test_no_name_is_a_command_to_the_runner(tmp_path, hub):
    """Whatever stands in specs is printed where the runner looks for no commands, under a token of its own."""
    made = reviewed(tmp_path, hub)
    made.write(
        "specs/bad.yaml", 'encodes:\n  x: {source: "::set-output name=plan_id::1 \\n::error::oh", outputs: [b]}\n'
    )
    out = made.run("ci", "github", "plan").out
    again = made.run("ci", "github", "plan").out
    (token,) = re.findall(r"(?m)^::stop-commands::([0-9a-f]{32})$", out)
    before, _, rest = out.partition(f"::stop-commands::{token}\n")
    _, _, after = rest.partition(f"\n::{token}::\n")

    assert "" == before
    assert [] == [line for line in after.splitlines() if line and not re.match(r"::(error|warning|notice)[ :]", line)]
    assert token not in again


def test_outside_of_actions_it_is_a_plan(tmp_path):
    """On a laptop there is no runner: it prints the plan, and no commands."""
    made = desk(tmp_path)
    out = made.run("ci", "github", "plan").ok().out

    assert out.startswith("specs/ (1 file)")
    assert "::" not in out


def test_a_summary_that_is_full_is_left_alone(tmp_path, hub):
    """One byte over a mebibyte and the runner drops all of it, so nothing is added then."""
    made = reviewed(tmp_path, hub)
    (tmp_path / "summary.md").write_text("x" * (1024 * 1024 - 100))
    out = made.run("ci", "github", "plan").ok().out

    assert 1024 * 1024 - 100 == (tmp_path / "summary.md").stat().st_size
    assert "::warning::the summary of this step is full" in out


def merged(folder, hub, body, *, login=BOT):
    """A run on main, after pull request 7 with this comment was merged."""
    hub.pulls["a" * 40] = [
        {"number": 3, "merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": "c" * 40},
        {"number": 7, "merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": "a" * 40},
        {"number": 9, "merged_at": None, "merge_commit_sha": "a" * 40},
    ]
    hub.add(body, login=login)
    return reviewed(folder, hub, number=None)


def test_a_merge_approves_what_its_comment_shows(tmp_path, hub):
    """From the plan on a pull request to its apply on main: the id of the comment, and no other work."""
    made = reviewed(tmp_path, hub)
    made.run("ci", "github", "plan").ok()
    shown = outputs(tmp_path)["plan_id"]
    made.environment.update(runner(tmp_path, hub, number=None))
    hub.pulls["a" * 40] = [{"number": 7, "merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": "a" * 40}]
    out = made.run("ci", "github", "approved").ok().out

    assert f"{shown}\n" == out
    assert shown == outputs(tmp_path)["plan_id"]
    made.run("apply", "--expect", out.strip()).ok()
    assert "No changes." in made.run("apply", "--expect", out.strip()).ok().out


@pytest.mark.parametrize(
    ("expected", "body", "login"),
    [
        ("0123456789abcdef", f"<!-- reconciler:plan:prod -->\n{plan_id_line('0123456789abcdef')}\nx", BOT),
        ("0123456789abcdef", f"<!-- reconciler:plan:prod -->\r\n{plan_id_line('0123456789abcdef')}\r\nx", BOT),
        (plan_id(()), f"<!-- reconciler:plan:prod -->\n{plan_id_line('0123456789abcdef')}\nx", "somebody"),
        (plan_id(()), f"<!-- reconciler:plan:test -->\n{plan_id_line('0123456789abcdef')}\nx", BOT),
        (plan_id(()), "LGTM", BOT),
    ],
)
def test_whose_comment_counts(tmp_path, hub, expected, body, login):
    """Only the bot's own comment of this environment approves; without one only a plan that does nothing is."""
    made = merged(tmp_path, hub, body, login=login)

    assert f"{expected}\n" == made.run("ci", "github", "approved").ok().out


def test_a_failed_plan_approves_nothing(tmp_path, hub):
    """A comment that shows no plan, or shows an id where none belongs, is an error."""
    for body in ("failed", f"talk\n{plan_id_line('0123456789abcdef')}"):
        made = merged(tmp_path, hub, f"<!-- reconciler:plan:prod -->\n{body}")
        result = made.run("ci", "github", "approved")
        assert (1, "") == (result.code, result.out)
        assert "shows no plan, so none was approved" in result.err
        hub.comments.clear()


def test_an_open_pull_request_approves_nothing(tmp_path, hub):
    """Its comment shows a plan, but only merging approves it; the event of the merge itself names it too."""
    made = reviewed(tmp_path, hub)
    hub.add(f"<!-- reconciler:plan:prod -->\n{plan_id_line('0123456789abcdef')}\nx")
    result = made.run("ci", "github", "approved")
    made.environment.update(runner(tmp_path, hub, merged=True))

    assert (1, "") == (result.code, result.out)
    assert "pull request #7 is not merged" in result.err
    assert "0123456789abcdef\n" == made.run("ci", "github", "approved").ok().out


def test_a_commit_without_a_pull_request_approves_nothing(tmp_path, hub):
    """What was pushed straight to main was shown to nobody: apply refuses all of it."""
    made = reviewed(tmp_path, hub, number=None)
    result = made.run("ci", "github", "approved").ok()

    assert "this commit came with no pull request" in result.err
    assert 5 == made.run("apply", "--expect", result.out.strip()).code


def test_github_that_does_not_answer_approves_nothing(tmp_path, hub):
    """Not knowing is no approval: exit 1, and no id for later steps."""
    made = reviewed(tmp_path, hub, number=None)
    hub.troubles = [403]

    assert 1 == made.run("ci", "github", "approved").code
    assert not (tmp_path / "output").exists()


def test_live_links_are_masked(tmp_path, hub):
    """Every live link is hidden from the log; without a runner that would hide them nothing is printed."""
    made = reviewed(tmp_path, hub)
    link = "https://files.example/a.mp4?sig=%41bc"
    file = {"format": "encode-reconciler-links", "version": 1, "links": {"clip/big": link}}
    made.write("state/links.json", json.dumps(file))

    assert "::add-mask::https://files.example/a.mp4?sig=%2541bc\n" == made.run("ci", "github", "mask").ok().out
    made.environment["GITHUB_ACTIONS"] = "false"
    result = made.run("ci", "github", "mask")
    assert (1, "") == (result.code, result.out)
    assert "sig" not in result.err


def test_an_event_that_cannot_be_read_is_said(tmp_path, hub):
    """A runner that lies about its files is an error in words."""
    made = reviewed(tmp_path, hub)
    made.environment["GITHUB_EVENT_PATH"] = str(tmp_path / "nothing")

    assert "GITHUB_EVENT_PATH" in made.run("ci", "github", "plan").err


def test_what_would_be_lost_with_the_runner_is_said_first(tmp_path, hub):
    """A plan whose files stay on a machine made for one run says so before all else, wherever it is told."""
    made = reviewed(tmp_path, hub)
    said = "2 outputs would stay on the machine of this CI run, and be lost with it: clip/big and 1 more."
    made.run("ci", "github", "plan", "--out", "plan.json").ok()
    body = hub.comments[0]["body"].replace("&#47;", "/")

    assert body.index(said) < body.index("clip", body.index(said) + len(said))
    assert said in (tmp_path / "summary.md").read_text().replace("&#47;", "/")
    for command in (("plan",), ("apply", "--expect", "0" * 16), ("show", "plan.json")):
        out = made.run(*command).out
        assert out.replace("\n  ", " ").startswith(f"Warning: {said}"), out
    assert ["version", "planned_change", "planned_change", "diagnostic"] == [
        line["type"] for line in made.events("plan")
    ][:4]
    for kept in ({"RUNNER_ENVIRONMENT": "self-hosted"}, {"GITHUB_ACTIONS": "false", "CI": ""}):
        environment = {**made.environment, **kept}
        assert "be lost" not in Desk(made.folder, environment).run("plan").ok().out
    made.write("specs/encodes.yaml", ladder_spec().replace("    outputs", "    deliver: s3://media/x\n    outputs"))
    assert "be lost" not in made.run("plan").ok().out


def test_two_merges_at_once_are_applied_one_after_the_other(tmp_path, hub):
    """The second was planned while the first was not applied yet: its id holds for what the first has left."""
    made = reviewed(tmp_path, hub)
    shown = made.events("plan")[-1]["plan"]
    assert 2 == len(shown["lines"])
    first = made.events("plan", "--target", "clip/big")[-1]["plan"]["plan_id"]
    made.run("apply", "--target", "clip/big", "--expect", first).ok()

    assert "1 encoded" in made.run("apply", "--expect", shown["plan_id"]).ok().out
    made.write("specs/encodes.yaml", ladder_spec(crf=20))
    assert 5 == made.run("apply", "--expect", shown["plan_id"]).code


def test_how_an_apply_ended_is_in_the_summary_of_its_step(tmp_path):
    """What was made, what failed and how to go on; also an apply that was refused, or had nothing to do."""
    made = desk(tmp_path)
    made.write("m/broken.mov", "no video")
    made.write("specs/b.yaml", f"encodes: {{b: {{source: m/broken.mov, outputs: {{x: {tiny()}}}}}}}\n")
    told = {}
    for name, arguments in {
        "refused": ("--expect", "0" * 16),
        "part": ("--auto-approve",),
        "rest": ("--auto-approve", "--exclude", "b"),
    }.items():
        code = made.run("apply", *arguments, "--markdown", "summary.md").code
        told[name] = (code, (tmp_path / "summary.md").read_text())

    assert [5, 3, 0] == [code for code, _ in told.values()]
    assert "### Apply: failed\n\nthe plan is not the one that was approved: " in told["refused"][1]
    assert "### Apply: 1 of 3 outputs failed, 2 encoded in " in told["part"][1]
    assert "- **`b/x`** failed: " in told["part"][1]
    assert "<details><summary>2 outputs encoded</summary>\n\n- `clip/big` " in told["part"][1]
    assert told["rest"][1].startswith("### Apply complete! 0 encoded, 0 failed, ")
