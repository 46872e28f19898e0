"""`plan` for reviewers: Markdown beside the screen, comparison with another commit, limits."""

from __future__ import annotations

import json
import subprocess

import pytest

from builders_commands import applied, desk
from builders_project import ladder_spec, tiny


def git(folder, *arguments):
    """One git command in a repository that knows nobody."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def repository(folder, **more):
    """A desk whose specs are committed as main."""
    made = desk(folder, **more)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return made


def test_markdown_and_out_beside_the_screen(tmp_path):
    """One run gives the screen, the saved plan and the comment, all of the same plan."""
    made = desk(tmp_path)
    result = made.run("plan", "--out", "plan.json", "--markdown", "plan.md", "--environment", "prod").ok()
    plan, text = json.loads((tmp_path / "plan.json").read_text()), (tmp_path / "plan.md").read_text()

    assert text.startswith(f"<!-- reconciler:plan:prod -->\n<!-- reconciler:plan-id:{plan['plan_id']} -->\n")
    assert f"Plan id: {plan['plan_id']}" in result.out
    assert "### Plan for `prod`: 2 new outputs, nothing to pay\n" in text


def test_the_environment_is_the_project_unless_named(tmp_path):
    """A comment of a project that has one environment needs no name; one that could leave its marker is refused."""
    made = desk(tmp_path)
    made.run("plan", "--markdown", "plan.md").ok()

    assert (tmp_path / "plan.md").read_text().startswith("<!-- reconciler:plan:test -->\n")
    for name in ("a b", "-->", "x--y", "", "a" * 60):
        assert 64 == made.run("plan", "--environment", name).code, name


def test_the_comment_repeats_what_an_apply_has_to(tmp_path):
    """Options that change the plan stand in the command that the comment names."""
    made = desk(tmp_path)
    made.run("plan", "--markdown", "plan.md", "--target", "clip/b*", "--max-jobs", "5", "--max-cost", "9 USD").ok()

    text = (tmp_path / "plan.md").read_text()
    assert "--target &#39;clip&#47;b&#42;&#39; --max-cost &#39;9 USD&#39; --max-jobs 5</code>" in text


def test_base_shows_what_changed_since_a_commit(tmp_path):
    """A changed preset is a rerun though nothing was ever applied; nothing is written and no state is needed."""
    made = repository(tmp_path)
    made.write("specs/encodes.yaml", ladder_spec(crf=20))
    result = made.run("plan", "--base", "main").ok()

    assert "specs/ (1 file) against the specs of main (" in result.out
    assert "Plan: 1 to encode (0 new, 1 rerun), 0 to retire.\n" in result.out
    assert "  +/- clip/big  " in result.out
    assert "video.crf: 30 -> 20" in result.out
    assert [] == [words for words in ("Nothing has started", "Plan id") if words in result.out]
    assert not (tmp_path / "state").exists()


def test_base_is_the_same_over_any_state(tmp_path):
    """What was applied since plays no part."""
    made = repository(tmp_path)
    before = made.run("plan", "--base", "HEAD", "--detailed-exitcode")
    made.run("apply", "--auto-approve").ok()

    assert 0 == before.code
    assert before == made.run("plan", "--base", "HEAD", "--detailed-exitcode")
    made.write("specs/encodes.yaml", ladder_spec(name="other"))
    assert "2 moved" in made.run("plan", "--base", "HEAD").ok().out


RICH = f"""\
version: 1
project: test
defaults: {{on_remove: delete, labels: {{team: x}}}}
encodes:
  copied: {{source: "m/a.mov", deliver: PLACE, outputs: {{small: {tiny(20)}}}}}
  stored: {{source: "m/a.mov", deliver: {{to: "s3://site", public_url: "https://c.eu"}}, outputs: {{x: {tiny(21)}}}}}
  checked: {{source: "m/a.mov", checks: {{min_vmaf: VMAF, decode: full}}, outputs: {{small: {tiny(22)}}}}}
  searched:
    source: {{url: "m/a.mov", trim: {{end: 1}}}}
    on_expiry: rerun
    protect: true
    outputs:
      small: {{container: mp4, video: {{codec: h264, quality: {{vmaf: 90}}, autocrop: true}}, audio: {{codec: none}}}}
      jpg: {{container: jpg, stills: {{at: 10%}}}}
  watched: {{source: {{url: "https://h.example/a.mov", watch: content}}, outputs: [480p-h264]}}
  ladder: {{source: {{encode: copied/small}}, outputs: {{off: {{extends: 480p-h264, enabled: false}}, on: 480p-h264}}}}
"""


def test_base_takes_what_was_declared_for_done(tmp_path):
    """Copies, checks and what becomes of files are as declared too; only a change of them is one."""
    made = desk(tmp_path)
    made.write("specs/encodes.yaml", RICH.replace("PLACE", "shelf").replace("VMAF", "80"))
    made.write("m/a.mov", "x")
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "first")):
        git(tmp_path, *words)

    assert made.run("plan", "--base", "HEAD", "--detailed-exitcode").ok().out.startswith("No changes.")
    made.write("specs/encodes.yaml", RICH.replace("PLACE", "board").replace("VMAF", "80"))
    changes = made.events("plan", "--base", "main")[-1]["plan"]["resource_changes"]
    assert {"copied/small": "deliver_changed"} == {each["address"]: each["action_reason"] for each in changes}


def test_base_reads_tables_and_globs_of_the_commit(tmp_path):
    """What a fan-out goes over is that of the commit, too."""
    made = desk(tmp_path)
    spec = f"""\
version: 1
project: test
encodes:
  t: {{for_each: {{file: titles.csv, key: slug}}, source: "m/${{each.key}}.mov", outputs: {{small: {tiny()}}}}}
  g: {{for_each: {{glob: "m/*.mov"}}, source: "m/${{each.key}}.mov", outputs: {{big: {tiny(20)}}}}}
"""
    made.write("specs/encodes.yaml", spec)
    made.write("titles.csv", "slug\na\n")
    made.write("m/a.mov", "x" * 10)
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    made.write("titles.csv", "slug\na\nb\n")
    made.write("m/b.mov", "x")
    changes = made.events("plan", "--base", "main")[-1]["plan"]["resource_changes"]

    assert {"g/b/big", "t/b/small"} == {each["address"] for each in changes}


def test_base_without_specs_or_in_a_subfolder(tmp_path):
    """A commit from before the first spec has none; a project may be a folder of a repository."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "README").write_text("x")
    git(tmp_path, "add", "README")
    git(tmp_path, "commit", "-qm", "empty")
    made = desk(tmp_path / "site")
    assert "2 new" in made.run("plan", "--base", "main").ok().out
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "specs")

    assert made.run("plan", "--base", "HEAD").ok().out.startswith("No changes.")
    assert "2 new" in made.run("plan", "--base", "HEAD~1").ok().out


@pytest.mark.parametrize(
    ("code", "said", "arguments"),
    [
        (64, "names no commit that is here", ("--base", "nothing")),
        (64, "names no commit that is here", ("--base", "--output=x")),
        (64, "leave out --out", ("--base", "main", "--out", "plan.json")),
        (64, "leave out --out", ("--base", "main", "--refresh")),
        (1, "the specs of main cannot be read: unknown preset", ("--base", "main")),
    ],
)
def test_bases_that_cannot_be(tmp_path, code, said, arguments):
    """A name that git does not know, options of an apply, and specs that were broken then."""
    made = repository(tmp_path)
    if code == 1:
        good = (tmp_path / "specs/encodes.yaml").read_text()
        made.write("specs/encodes.yaml", good.replace("[big, small]", "[bag]"))
        git(tmp_path, "commit", "-qam", "broken")
        made.write("specs/encodes.yaml", good)
    result = made.run("plan", *arguments)

    assert (code, True) == (result.code, said in result.err), result.err


def test_links_in_a_commit_lead_nowhere(tmp_path):
    """A link that leaves the project is refused as it is in the working tree, and nothing is written through it."""
    made = repository(tmp_path)
    secret = tmp_path.parent / "secret.yaml"
    secret.write_text("version: 1\nproject: stolen\n")
    (tmp_path / "specs/link.yaml").symlink_to(secret)
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "link")
    (tmp_path / "specs/link.yaml").unlink()
    result = made.run("plan", "--base", "main")

    assert 1 == result.code
    assert "stolen" not in result.out + result.err


def test_fail_on_limits(tmp_path):
    """A breach is always shown; plan exits 4 for it only when asked, apply refuses, --allow lets it through."""
    made = desk(tmp_path)
    made.write("specs/limits.yaml", "limits: {max_jobs: 0}\n")
    plain, asked = made.run("plan", "--detailed-exitcode"), made.run("plan", "--fail-on-limits", "--detailed-exitcode")
    refused = made.run("apply", "--auto-approve")

    assert (2, 4, 4) == (plain.code, asked.code, refused.code)
    assert "apply will refuse this: the plan starts 1 job, and max_jobs is 0 jobs." in plain.out.replace("\n  ", " ")
    assert "--allow max_jobs" in refused.err
    assert not (tmp_path / "outputs").exists()
    assert "--allow lifts max_jobs: 1 of 0 jobs" in made.run("plan", "--allow", "max_jobs").ok().out
    made.run("apply", "--auto-approve", "--allow", "max_jobs").ok()


def test_flags_are_limits_too(tmp_path):
    """The strictest of files and flags counts, and what is refused is in the JSON plan."""
    made = desk(tmp_path)
    made.write("specs/a.yaml", "limits: {max_jobs: 5}\n")
    made.write("specs/b.yaml", 'limits: {max_jobs: "${var.most}"}\nvariables: {most: 9}\n')
    plan = made.events("plan", "--max-jobs", "0", "--max-minutes", "1.5")[-1]["plan"]

    assert ["max_jobs", "max_minutes"] == [each["code"] for each in plan["refusals"]]
    assert {"key": "max_jobs", "limit": "0", "used": "1", "breached": True}.items() <= plan["limits"][0].items()
    assert None is plan["limits"][1]["used"]
    assert 5 == int(made.events("plan")[-1]["plan"]["limits"][0]["limit"])


@pytest.mark.parametrize("number", ["nan", "inf", "1e400"])
@pytest.mark.parametrize("option", ["--max-minutes", "--max-rerun-percent", "--lock-timeout"])
def test_a_limit_is_a_number(tmp_path, option, number):
    """What compares with nothing would limit nothing, or let nothing through for a reason that nobody can read."""
    refused = desk(tmp_path).run("apply", "--auto-approve", option, number)

    assert (64, True) == (refused.code, f"'{option}'" in refused.err)


def test_a_saved_plan_keeps_its_limits_and_takes_stricter_ones(tmp_path):
    """What was lifted when the plan was saved stays lifted; a limit at the apply still counts."""
    made = desk(tmp_path)
    made.run("plan", "--max-jobs", "0", "--allow", "max_jobs", "--out", "plan.json").ok()
    made.run("plan", "--out", "other.json").ok()

    assert 4 == made.run("apply", "other.json", "--max-jobs", "0").code
    made.run("apply", "plan.json").ok()


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("max_job", "{max_job: 1}"),
        ('"50" is not an amount of money', "{max_cost: 50}"),
        ("max_jobs must be at least 0", "{max_jobs: -1}"),
        ("max_rerun_percent must be at most 100", "{max_rerun_percent: 101}"),
        ("limits must be a mapping", "5"),
    ],
)
def test_limits_that_cannot_be(tmp_path, said, text):
    """A wrong limit is an error with its place, never no limit."""
    made = desk(tmp_path)
    made.write("specs/limits.yaml", f"limits: {text}\n")
    result = made.run("validate")

    assert (1, True) == (result.code, said in result.err), result.err
    assert "specs/limits.yaml:1:" in result.err


@pytest.mark.parametrize("option", ["--max-cost=lots", "--max-jobs=-1", "--max-rerun-percent=200", "--allow=max_what"])
def test_flags_that_cannot_be(tmp_path, option):
    """A wrong flag is bad usage."""
    made = applied(tmp_path) if "allow" in option else desk(tmp_path)

    assert 64 == made.run("plan", option).code
