"""Plans and applies as programs read them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from builders import source
from builders_views import document, h264, job, ladder, made
from reconciler.core.errors import Place, Problem, ReconcilerError, SpecError
from reconciler.core.happenings import JobProgress, JobStarted, Outcome, OutputDone, OutputFailed
from reconciler.core.ports import Running
from reconciler.views.apply_events import ApplyEvents, outcome_events
from reconciler.views.document import read_document, write_document
from reconciler.views.events import error_events, plan_events, version_event

STAMP = "2026-09-21T14:12:00Z"


def changed():
    """A plan with one rerun, one new, one moved and one retired output."""
    old = [h264("bbb/720p", 720, 23, "128k"), h264("old/720p", 720, 30, "128k", of=source("t.mov"))]
    gone = h264("gone/720p", 720, 31, "128k", of=source("t.mov"))
    new = [
        h264("bbb/720p", 720, 21, "128k", origins={"video.crf": ("web", "specs/p.yaml", 12)}),
        h264("bbb/480p", 480, 24, "96k"),
        h264("new/720p", 720, 30, "128k", of=source("t.mov")),
    ]
    return document(new, made(*old, gone), targets=("*",))


def test_a_document_is_read_back_as_it_was_written():
    """What is saved is what is read, to the last field."""
    plan = changed()

    assert plan == read_document(write_document(plan), "plan.json")


def test_the_document_speaks_opentofu():
    """Names, actions and nesting are those of OpenTofu's plans; ours stand beside them."""
    plan = json.loads(write_document(changed()))
    changes = {each["address"]: each for each in plan["resource_changes"]}

    assert "1.2" == plan["format_version"]
    assert {
        "bbb/480p": ["create"],
        "bbb/720p": ["create", "delete"],
        "gone/720p": ["forget"],
        "new/720p": ["update"],
    } == {address: each["change"]["actions"] for address, each in changes.items()}
    rerun = changes["bbb/720p"]
    assert ("changed", "encode", "output", "720p", "local") == (
        rerun["action_reason"],
        rerun["class"],
        rerun["type"],
        rerun["name"],
        rerun["provider_name"],
    )
    assert (23, 21) == (rerun["change"]["before"]["video.crf"], rerun["change"]["after"]["video.crf"])
    assert [{"field": "video.crf", "before": 23, "after": 21, "place": "specs/p.yaml:12", "preset": "web"}] == rerun[
        "changes"
    ]
    assert ("old/720p", "old/720p") == (changes["new/720p"]["previous_address"], changes["new/720p"]["reuse_of"])
    assert None is changes["bbb/480p"]["change"]["before"]
    assert None is changes["gone/720p"]["change"]["after"]


def test_the_document_holds_what_an_approval_is_about():
    """The id, its lines and the selection are in the document; time and version are not part of the id."""
    plan = changed()
    later = msgspec.structs.replace(plan, timestamp="2027-01-01T00:00:00Z", tool_version="9")

    assert ["encode bbb/480p", "encode bbb/720p", "retire gone/720p"] == [
        line.rpartition(" ")[0] for line in plan.lines
    ]
    assert ("*",) == read_document(write_document(later), "plan.json").selection.targets
    assert plan.plan_id == read_document(write_document(later), "plan.json").plan_id


@pytest.mark.parametrize(
    ("complaint", "text"),
    [
        ("is not a saved plan: JSON is malformed", "encodes: {}"),
        ("is not a saved plan: Input data was truncated", write_document(document(ladder()))[:-9]),
        ('is not a saved plan: it has no "format"', '{"format_version": "1.2", "resource_changes": []}'),
        ("is not a saved plan", "[]"),
        ("is a plan of version 2; this reconciler reads version 1", '{"format":"encode-reconciler-plan","version":2}'),
        ("is a damaged plan: Object missing required field", '{"format":"encode-reconciler-plan","version":1}'),
        (
            "is not the plan that was saved: its lines do not give its id",
            write_document(document(ladder())).replace("encode bbb/480p", "encode bbb/999p"),
        ),
    ],
)
def test_what_is_no_whole_plan_of_this_version_is_refused(complaint, text):
    """A file that is no plan, is cut off, edited, or of another version is refused with what to do."""
    with pytest.raises(ReconcilerError, match=r"^plan\.json ") as caught:
        read_document(text, "plan.json")

    assert complaint in str(caught.value)


def test_plan_events_are_named_as_opentofu_names_them():
    """A plan is a version, a line a change and a summary; every line has the common keys."""
    events = [version_event("0.1.0", STAMP), *plan_events(changed(), STAMP)]

    assert ["version", *["planned_change"] * 4, "change_summary"] == [each["type"] for each in events]
    assert [{"@level", "@message", "@module", "@timestamp", "type"}] == [
        {"@level", "@message", "@module", "@timestamp", "type"} & each.keys() for each in events[:1]
    ]
    assert {"bbb/480p": "create", "bbb/720p": "replace", "gone/720p": "forget", "new/720p": "move"} == {
        each["change"]["resource"]["addr"]: each["change"]["action"] for each in events[1:5]
    }
    assert {"add": 2, "change": 1, "import": 0, "remove": 1, "forget": 1, "operation": "plan"} == events[-1]["changes"]
    assert "Plan: 2 to encode (1 new, 1 rerun), 1 to retire, 1 moved." == events[-1]["@message"]
    json.dumps(events)


def test_a_spec_problem_is_a_diagnostic_with_its_range():
    """Line, column and byte of a problem are given, and the text that is meant."""
    lines = ["café: 1", "a: {bad: 1}"]
    error = SpecError([Problem("no", Place("s.yaml", 2, 5, 3), "a.bad", ("Write good.",))], texts={"s.yaml": lines})
    (event,) = error_events(error, STAMP)
    diagnostic = event["diagnostic"]

    assert ("error", "no", "Write good.", "a.bad") == tuple(
        diagnostic[key] for key in ("severity", "summary", "detail", "path")
    )
    assert {"line": 2, "column": 5, "byte": 13} == diagnostic["range"]["start"]
    assert "bad" == lines[1].encode()[13 - 9 : diagnostic["range"]["end"]["byte"] - 9].decode()
    assert ("a: {bad: 1}", 4, 7) == tuple(
        diagnostic["snippet"][key] for key in ("code", "highlight_start_offset", "highlight_end_offset")
    )


def test_the_snippet_of_a_diagnostic_is_masked():
    """A spec line may hold a signature or a password; stars take their places, so that columns stay right."""
    line = "source: https://ann:secret@cdn.test/a.mp4?X-Goog-Signature=5ec3e7"
    error = SpecError([Problem("no", Place("s.yaml", 1, 9, 5), "source", ())], texts={"s.yaml": [line]})
    (event,) = error_events(error, STAMP)
    code = event["diagnostic"]["snippet"]["code"]

    assert len(line) == len(code)
    assert "secret" not in code
    assert "5ec3e7" not in code
    assert "cdn.test/a.mp4" in code


def test_another_error_is_a_diagnostic_too():
    """Summary and detail are the first line and the rest."""
    (event,) = error_events(ReconcilerError("no state\nMake one."), STAMP)

    assert ("no state", "Make one.") == (event["diagnostic"]["summary"], event["diagnostic"]["detail"])


def test_apply_events():
    """A job has a start a step, progress every few seconds, and a complete or errored line a step."""
    clock = [datetime(2026, 9, 21, 14, tzinfo=UTC)]
    lines = []
    events = ApplyEvents(lines.append, lambda: clock[0])
    running = job(*ladder()[:2])
    events.tell(JobStarted(running, resumed=False))
    for _ in range(110):
        clock[0] += timedelta(seconds=0.1)
        events.tell(JobProgress(running, Running("encoding", fraction=0.5, speed=2.0, remaining=11.0)))
    events.tell(OutputDone("bbb/1080p", "outputs/bbb/1080p.mp4", 10, "10:34", ("odd",)))
    events.tell(OutputFailed("bbb/720p", "failed", "it broke", 1, 2))

    assert [
        *["apply_start"] * 2,
        *["apply_progress"] * 4,
        "apply_complete",
        "apply_errored",
    ] == [each["type"] for each in lines]
    assert [("create", 11, "path", "outputs/bbb/1080p.mp4")] == [
        tuple(each["hook"][key] for key in ("action", "elapsed_seconds", "id_key", "id_value"))
        for each in lines
        if each["type"] == "apply_complete"
    ]
    assert (0.5, 2.0, 11.0) == tuple(lines[2]["hook"][key] for key in ("fraction", "speed", "remaining_seconds"))
    assert "2026-09-21T14:00:11Z" == lines[-1]["@timestamp"]
    json.dumps(lines)


def test_the_last_event_of_an_apply_says_how_it_ended():
    """Counts in OpenTofu's form, then ours with the exit code."""
    failed = OutputFailed("a/b", "failed", "it broke", 1, 2)
    made_one = OutputDone("a/c", "outputs/a/c.mp4", 1, "", ())
    outcome = Outcome((made_one,), (failed,), free=1, not_run=2, interrupted=False, seconds=1.25)
    summary, last = outcome_events(outcome, STAMP, 3)

    assert {"add": 1, "change": 1, "import": 0, "remove": 0, "forget": 0, "operation": "apply"} == summary["changes"]
    assert (3, ("a/c",), ("a/b",), 2, False) == tuple(
        last[key] for key in ("exit_code", "encoded", "failed", "not_run", "interrupted")
    )
