"""Plan ids, approvals and protection."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from builders import desired, output, record, world
from reconciler.core.approval import (
    check_expected,
    check_saved,
    done_lines,
    finished_approvals,
    plan_id,
    plan_lines,
    refusals,
)
from reconciler.core.errors import PlanChangedError
from reconciler.core.plan import make_plan
from reconciler.core.selection import Selection
from reconciler.core.state import Approval, JobRecord
from reconciler.core.transitions import own_attempt

A, B = output("bbb/480p", crf=26), output("bbb/720p", crf=23)


def plan(outputs, records=None, **selection):
    """A plan over `{address: record}`."""
    records = records or {}
    return make_plan(desired(*outputs), records, world(*records.values()), Selection(**selection))


def test_the_id_does_not_depend_on_labels_order_or_retries():
    """Labels, the order of files, retries and resumed jobs are not in the plan id."""
    failed = {A.address: record(A, "failed"), B.address: record(B, "running")}
    labelled = [output("bbb/720p", crf=23, labels={"a": "b"}), A]

    assert plan_id(plan_lines(plan([A, B]))) == plan_id(plan_lines(plan(labelled)))
    assert () == plan_lines(plan([A, B], failed))


def test_create_and_rerun_of_the_same_bits_are_one_line():
    """Whether an output is new or changed, the same encode is the same line."""
    changed = {B.address: record(output("bbb/720p", crf=30))}

    assert plan_lines(plan([B])) == plan_lines(plan([B], changed))


def test_the_golden_id():
    """The id of a known plan is pinned: changing it would void every approval that is open."""
    assert "9b2a5b58abfc7a50" == plan_id(["retire c/d 11", "encode a/b 00"])


def test_fewer_lines_than_approved_go_on():
    """A part of what was approved may be finished under the same id; more may not."""
    lines = plan_lines(plan([A, B]))
    approved = {plan_id(lines): Approval(at="now", lines=lines)}

    assert plan_id(lines) == check_expected(plan_id(lines), lines[:1], approved)
    assert plan_id(lines) == check_saved(lines, lines[1:], {})


def test_nothing_left_is_fine_under_any_id():
    """When nothing is left to do, an old approval does no harm."""
    assert "0123" == check_expected("0123", (), {})


def test_a_line_beyond_the_approval_is_refused_with_both_ids():
    """An apply that would do more than was approved names both ids and the lines."""
    lines = plan_lines(plan([A, B]))
    with pytest.raises(PlanChangedError) as caught:
        check_saved(lines[:1], lines, {})

    text = str(caught.value)
    assert (5, True, True) == (caught.value.exit_code, plan_id(lines[:1]) in text, plan_id(lines) in text)
    assert f"  encode bbb/720p {B.fingerprint}" in text
    assert "bbb/480p" not in text


def test_an_unknown_id_is_refused():
    """An id that nobody approved does not open the door."""
    with pytest.raises(PlanChangedError):
        check_expected("deadbeefdeadbeef", plan_lines(plan([A])), {})


def test_approvals_end_when_their_lines_are_done():
    """An approval is finished when every line is complete or retired, whatever fingerprint it ended with since."""
    approved = {"x": Approval(at="1", lines=(f"encode {A.address} 00", f"retire {B.address} 00"))}
    since = record(A, job=JobRecord("job-1", finished_at="2"))

    assert [] == finished_approvals(approved, {B.address: record(B)})
    assert ["x"] == finished_approvals(approved, {A.address: since})
    assert ["x"] == finished_approvals(approved, {A.address: since, B.address: record(B, "retired")})


def test_an_approval_lasts_while_an_output_is_as_it_was_before():
    """A finished file of an earlier apply is not what was approved, nor is one that this apply has not come to."""
    approved = {"x": Approval(at="2", lines=(f"encode {A.address} {A.fingerprint}",))}
    older = record(output("bbb/480p", crf=27), job=JobRecord("job-1", finished_at="1"))

    assert [] == finished_approvals(approved, {A.address: older})
    assert [] == finished_approvals(approved, {A.address: record(A)}, left={A.address})
    assert ["x"] == finished_approvals(approved, {A.address: record(A)})


def test_only_the_ten_newest_open_approvals_are_kept():
    """Approvals that nobody finishes do not pile up."""
    approved = {f"{n:02}": Approval(at=f"{n:02}", lines=("encode never/720p 00",)) for n in range(12)}

    assert ["00", "01"] == finished_approvals(approved, {})


def test_protected_outputs_refuse_reruns_and_retirement():
    """A protected finished output stops the apply, and the message says both ways out."""
    changed = output("bbb/720p", crf=20, protect=True)
    records = {B.address: record(replace_protect(B)), A.address: record(replace_protect(A))}
    found = refusals(plan([changed], records))

    assert ["bbb/480p", "bbb/720p"] == [refusal.address for refusal in found]
    assert "--exclude bbb/720p" in found[1].lift
    assert "--allow rerun:bbb/720p" in found[1].lift


def test_removing_protect_in_the_same_change_does_not_lift_it():
    """Protection that is recorded counts until its removal was applied."""
    bare = output("bbb/720p", crf=20)

    assert 1 == len(refusals(plan([bare], {B.address: record(replace_protect(B))})))


def test_allow_and_exclude_lift_by_name():
    """--allow rerun:GLOB and --exclude let one protected output through, or leave it out."""
    changed = output("bbb/720p", crf=20, protect=True)
    records = {B.address: record(replace_protect(B))}

    assert () == refusals(plan([changed], records, allow=("rerun:bbb/*",)))
    assert () == refusals(plan([changed], records, excludes=("bbb/720p",)))
    other = output("other/720p")
    assert 1 == len(refusals(plan([changed, other], records, allow=("rerun:other/*",))))


def test_an_unfinished_protected_output_may_run():
    """Protection guards what was made; an output that never completed is free to run."""
    protected = output("bbb/720p", protect=True)
    failed = replace(record(B, "failed", failures=2), protect=True)

    assert () == refusals(plan([protected], {B.address: failed}, reruns=("bbb/720p",)))


def replace_protect(wanted):
    """The same output, protected."""
    return output(wanted.address, crf=wanted.manifest["video.crf"], protect=True)


def test_taking_another_file_is_in_the_id_where_it_replaces_one():
    """A reuse that replaces a finished file has a line; one for a new address, or of its own file, has none."""
    wanted = [A, output("bbb/720p", crf=26), output("new/480p", crf=26)]
    records = {A.address: record(A), B.address: record(B)}
    fingerprint = wanted[1].fingerprint

    assert (f"reuse bbb/720p {fingerprint}",) == plan_lines(plan(wanted, records))
    with pytest.raises(PlanChangedError):
        check_expected("0" * 16, plan_lines(plan(wanted, records)), {})


def test_a_free_reuse_is_within_an_approved_encode():
    """Where an encode was approved, taking a living file of the same fingerprint may stand in; not the other way."""
    approved = {"x": Approval(at="1", lines=("encode a/b 00",))}

    assert "x" == check_expected("x", ("reuse a/b 00",), approved)
    with pytest.raises(PlanChangedError):
        check_expected("x", ("encode a/b 00",), {"x": Approval(at="1", lines=("reuse a/b 00",))})


@pytest.mark.parametrize("twin", [False, True])
def test_protection_also_guards_against_taking_another_file(twin):
    """A protected file is not replaced by a link to another one, nor by a twin's."""
    new = 26 if twin else 30
    wanted = [output("bbb/480p", crf=new), output("bbb/720p", crf=new, protect=True)]
    records = {A.address: record(output("bbb/480p", crf=30)), B.address: record(replace_protect(B))}

    assert ["bbb/720p"] == [refusal.address for refusal in refusals(plan(wanted, records))]
    assert () == refusals(plan(wanted, records, allow=("rerun:bbb/720p",)))


def test_protection_outlives_a_failed_rerun():
    """The earlier file is still protected after a rerun of it failed."""
    failed = record(replace_protect(B), "failed", previous=(own_attempt(record(replace_protect(B))),))

    assert 1 == len(refusals(plan([output("bbb/720p", crf=19, protect=True)], {B.address: failed})))


def test_protection_guards_against_deletion():
    """`on_remove: delete` of a protected file is refused, retirement of one whose rerun failed too; by name it goes."""
    doomed = record(replace_protect(A), on_remove="delete")
    failed = record(replace_protect(B), "failed", previous=(own_attempt(record(replace_protect(B))),))
    records = {A.address: doomed, B.address: failed}
    other = output("other/720p")

    assert [
        "bbb/480p is protected and this plan would delete it",
        "bbb/720p is protected and this plan would retire it",
    ] == [refusal.sentence for refusal in refusals(plan([other], records))]
    assert () == refusals(plan([other], records, allow=("rerun:bbb/*",)))


def test_what_others_finished_since_is_no_change_of_the_plan():
    """An id that was approved over more work holds for the rest, once the other lines are done; not for one more."""
    old, new = output("old/720p", crf=30), output("new/720p", crf=41)
    expected = plan_id(plan_lines(plan([A, B])))
    after = {
        old.address: record(old, updated_at="2026-01-01T00:00:00Z"),
        A.address: record(A, updated_at="2026-01-02T00:00:00Z"),
    }
    rest = plan_lines(plan([old, A, B], after))

    assert 1 == len(rest)
    assert expected == check_expected(expected, rest, {}, done_lines(after))
    for lines in (
        plan_lines(plan([old, A, B, new], after)),
        plan_lines(plan([old, A, output(B.address, crf=9)], after)),
    ):
        with pytest.raises(PlanChangedError):
            check_expected(expected, lines, {}, done_lines(after))
    with pytest.raises(PlanChangedError):
        check_expected(expected, rest, {}, ())
    newer = {**after, new.address: record(new, updated_at="2026-01-03T00:00:00Z")}
    assert expected == check_expected(expected, rest, {}, done_lines(newer))


@pytest.mark.parametrize("status", ["submitted", "running", "failed", "suspect", "lost"])
def test_what_runs_or_failed_since_is_no_change_either(status):
    """Two merges: jobs of the first that run on elsewhere, or failed for good, do not refuse the second."""
    expected = plan_id(plan_lines(plan([A, B])))
    begun = record(A, status, failures=9, output=None, job=JobRecord(id="job-1", phase="started"))
    rest = plan_lines(plan([A, B], {A.address: begun}))

    assert [f"encode {B.address} {B.fingerprint}"] == list(rest)
    assert expected == check_expected(expected, rest, {}, done_lines({A.address: begun}))
    with pytest.raises(PlanChangedError):
        check_expected(expected, rest, {}, done_lines({A.address: replace(begun, fingerprint="0" * 64)}))


def test_what_another_approval_has_left_stands_beside():
    """Two merges, of which the first was stopped: its rest was approved, too, and does not refuse the second."""
    first = plan_lines(plan([A]))
    both = plan_lines(plan([A, B]))
    expected = plan_id(plan_lines(plan([B])))

    assert expected == check_expected(expected, both, {plan_id(first): Approval(at="1", lines=first)})
    with pytest.raises(PlanChangedError):
        check_expected(expected, both, {"x": Approval(at="1", lines=("encode bbb/480p 00",))})


def test_a_retirement_that_is_done_is_no_change_either():
    """As for encodes: what is retired already was part of what was approved."""
    records = {A.address: record(A)}
    lines = plan_lines(plan([B], records))
    after = {A.address: record(A, "retired", updated_at="2026-01-02T00:00:00Z")}

    assert 2 == len(lines)
    assert plan_id(lines) == check_expected(plan_id(lines), plan_lines(plan([B], after)), {}, done_lines(after))
