"""What people are told of chains: what comes first, what is blocked, what waits for what was left to run."""

from __future__ import annotations

from dataclasses import replace

from builders import made_from
from builders_views import document, h264, made
from reconciler.core.happenings import Outcome, OutputFailed
from reconciler.views.apply_text import apply_text
from reconciler.views.markdown import plan_markdown
from reconciler.views.plan_text import plan_text
from reconciler.views.words import value


def chain(crf=12, *, rungs=2, height=360):
    """A mezzanine and its rungs."""
    mezzanine = h264("mezz/master", 1080, crf, "192k")
    made_of = made_from(mezzanine)
    return [mezzanine, *(h264(f"ladder/{n}", height, 23 + n, "96k", of=made_of) for n in range(rungs))]


def rows(text):
    """The lines of a screen about steps, without their indentation."""
    return [line.strip() for line in text.splitlines()]


def test_a_new_rung_says_what_it_comes_after():
    """Below its line, where its path is."""
    assert 2 == rows(plan_text(document(chain(), {}))).count("after mezz/master")


def test_a_rung_of_a_changed_mezzanine_names_that_and_no_fingerprints():
    """The reason says it; what the rung changed itself stands beside what comes first."""
    records = made(*chain())
    told = rows(plan_text(document(chain(10), records)))
    assert (2, 0) == (told.count("mezz/master is encoded anew"), sum("source:" in line for line in told))

    told = rows(plan_text(document(chain(10, height=240), records)))
    assert (2, 0) == (told.count("after mezz/master"), sum("source:" in line for line in told))
    assert 2 == told.count("video.height: 360 -> 240")


def test_many_rungs_are_one_cause():
    """Above ten outputs a changed mezzanine and what is made from it are two lines of causes."""
    records = made(*chain(rungs=12))
    text = plan_text(document(chain(10, rungs=12), records))
    assert "mezz/master is encoded anew" in text
    assert "12 outputs" in text

    new = plan_text(document(chain(rungs=12), {}))
    assert "each after what it is made from" in new


def test_a_comment_says_what_comes_first():
    """In Markdown, beside what is asked."""
    assert "after `mezz/master`" in plan_markdown(document(chain(), {}), environment="talks")
    assert "mezz/master is encoded anew" in plan_markdown(document(chain(10), made(*chain())), environment="talks")


def test_programs_are_told_the_upstream_and_its_address():
    """`upstream` of a step, and the source of its job by the address that it is made from."""
    shown = document(chain(), {})
    assert {"ladder/0": "mezz/master", "ladder/1": "mezz/master", "mezz/master": None} == {
        change.address: change.upstream for change in shown.resource_changes
    }
    assert ["mezz/master"] == [job.source.identity for job in shown.jobs if job.source.kind == "encode"]


def test_a_fingerprint_as_a_source_is_shown_short():
    """Eight digits are enough to tell them apart."""
    assert "encode:0123abcd" == value("source", f"encode:{'0123abcd' * 8}")


def outcome(**changes):
    """How an apply ended."""
    return replace(Outcome((), (), 0, 0, interrupted=False, seconds=1.0), **changes)


def test_blocked_outputs_are_counted_apart_from_what_failed():
    """With no attempt used, and what has to be there first."""
    failed = OutputFailed("mezz/master", "failed", "it broke", 1, 2)
    blocked = OutputFailed("ladder/0", "blocked", "mezz/master, which it is made from, is failed", 0, 2, "old.mp4")
    text = apply_text(outcome(failed=(failed, blocked)), state="state.json", exit_code=3)

    assert text.startswith("Error: 1 of 2 outputs failed, 0 encoded, 1 blocked, in 1 s.")
    assert "  blocked ladder/0  no attempt was used" in text
    assert "the old file is still live (old.mp4); begun once that is there" in text
    alone = apply_text(outcome(failed=(blocked,)), state="state.json", exit_code=3)
    assert alone.startswith("Error: 1 of 1 output blocked, 0 encoded in 1 s.")


def test_what_waits_for_jobs_that_were_left_to_run_is_no_failure():
    """It is said how many outputs the next apply begins."""
    text = " ".join(apply_text(outcome(running=1, held_up=2), state="state.json", exit_code=0).split())

    assert text.startswith("Apply complete! 0 encoded, 1 running, 2 waiting for those, 0 failed")
    assert "to bring in what they make, and to begin 2 outputs made from that: reconciler apply" in text
