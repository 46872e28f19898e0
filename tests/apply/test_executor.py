"""What an apply does, and what it leaves alone."""

from __future__ import annotations

import pytest

from builders import desired, output, source
from fakes import Killed, Process, Universe
from reconciler.apply.executor import Options
from reconciler.core.checks import Checks
from reconciler.core.delivery import Deliver
from reconciler.core.happenings import JobStarted
from reconciler.core.steps import Reuse

LADDER = [output("bbb/720p", crf=23), output("bbb/480p", crf=26)]
OTHER = output("tos/720p", of=source("masters/tos.mov"))


def test_outputs_of_one_encode_share_a_job():
    """The outputs of one encode are made by one job, in one decode."""
    universe = Universe()
    process = Process(universe)
    process.run(desired(*LADDER, OTHER))
    started = [told.job for told in process.told if isinstance(told, JobStarted)]

    assert [["bbb/480p", "bbb/720p"], ["tos/720p"]] == [[step.address for step in job.steps] for job in started]


def test_a_second_apply_does_nothing():
    """Applying twice starts nothing the second time."""
    universe = Universe()
    Process(universe).run(desired(*LADDER))
    outcome = Process(universe).run(desired(*LADDER))

    assert (0, ()) == (outcome.free, outcome.encoded)
    assert [1] == list(universe.starts.values())


def test_only_the_changed_output_is_encoded():
    """One changed output is the only one in the job."""
    universe = Universe()
    Process(universe).run(desired(*LADDER))
    outcome = Process(universe).run(desired(output("bbb/720p", crf=21), LADDER[1]))

    assert ["bbb/720p"] == [done.address for done in outcome.encoded]


def test_one_failure_does_not_stop_the_others():
    """A failing output is recorded, the others finish, and only it is retried, until its attempts are used."""
    universe = Universe(fails={"bbb/720p"})
    wanted = desired(*LADDER, OTHER)
    outcome = Process(universe).run(wanted)

    assert (["bbb/480p", "tos/720p"], ["bbb/720p"]) == addresses(outcome)
    assert ([], ["bbb/720p"]) == addresses(Process(universe).run(wanted))
    assert ([], []) == addresses(Process(universe).run(wanted))
    assert ["failed"] == [notice.code for notice in Process(universe).plan(wanted).notices]


def test_a_machine_that_is_not_ready_uses_up_no_attempt():
    """What could not even be tried is told, and tried by every later apply until the machine is ready."""
    universe = Universe(troubles=[("prepare", "unready")] * 3)
    wanted = desired(LADDER[0])
    for _ in range(3):
        outcome = Process(universe).run(wanted)
        assert [0] == [failed.failures for failed in outcome.failed]
    assert ([LADDER[0].address], []) == addresses(Process(universe).run(wanted))


def test_a_named_rerun_revives_a_spent_output():
    """--rerun tries an output whose attempts are used; when it works the record is clean."""
    universe = Universe(fails={"bbb/720p"})
    for _ in range(2):
        Process(universe).run(desired(*LADDER))
    universe.fails.clear()
    outcome = Process(universe).run(desired(*LADDER), reruns=("bbb/720p",))
    done = universe.state().records["bbb/720p"]

    assert (["bbb/720p"], []) == addresses(outcome)
    assert ("complete", 0, 3, None) == (done.status, done.failures, done.attempt, done.error)


def test_every_try_has_a_job_of_its_own():
    """A rerun with the same fingerprint never adopts the job of an earlier try."""
    universe = Universe(paid=True)
    Process(universe).run(desired(*LADDER))
    Process(universe).run(desired(*LADDER), reruns=("bbb/*",))
    Process(universe).run(desired(*LADDER), reruns=("bbb/*",))

    assert [1, 1, 1] == list(universe.starts.values())


def test_the_old_file_lives_until_the_new_one_is_whole():
    """A failed rerun leaves the earlier file in place, and undoing the change is free."""
    universe = Universe()
    Process(universe).run(desired(*LADDER))
    before = dict(universe.files)
    universe.fails.add("bbb/720p")
    outcome = Process(universe).run(desired(output("bbb/720p", crf=21), LADDER[1]))

    assert before == universe.files
    assert "outputs/bbb/720p.mp4" == outcome.failed[0].old_file
    assert [Reuse] == [type(step) for step in Process(universe).plan(desired(*LADDER)).steps]
    assert ((), ()) == (Process(universe).run(desired(*LADDER)).encoded, Process(universe).plan(desired(*LADDER)).steps)


def test_another_container_replaces_the_file():
    """When a rerun changes the extension, the old file goes after the new one is recorded."""
    universe = Universe()
    Process(universe).run(desired(output(container="mp4")))
    Process(universe).run(desired(output(container="mkv")))

    assert ["outputs/bbb/720p.mkv"] == list(universe.files)


def test_fail_fast_starts_nothing_more():
    """With fail_fast the first failure leaves the waiting jobs to a later apply."""
    universe = Universe(fails={"a/720p"})
    encodes = [output(f"{name}/720p", crf=20 + n, of=source(f"{name}.mov")) for n, name in enumerate("abcd")]
    outcome = Process(universe).run(desired(*encodes), options=Options(parallelism=1, fail_fast=True))

    assert (1, 2) == (len(outcome.failed), outcome.not_run)


def test_an_approval_is_kept_until_it_is_finished():
    """What was approved stays on record while something of it is left, and is forgotten after."""
    universe = Universe(fails={"bbb/720p"})
    Process(universe).run(desired(*LADDER))

    assert [2] == [len(approval.lines) for approval in universe.state().approved.values()]
    universe.fails.clear()
    identifier = next(iter(universe.state().approved))
    Process(universe).run(desired(*LADDER), options=Options(approved_as=identifier))
    assert {} == universe.state().approved


def addresses(outcome):
    """The addresses of what was encoded and of what failed."""
    return [done.address for done in outcome.encoded], [failed.address for failed in outcome.failed]


@pytest.mark.parametrize("paid", [False, True])
def test_retiring_a_job_in_flight_cancels_it(paid):
    """An output that is no longer declared while its job runs is cancelled and retired."""
    universe = Universe(paid=paid)
    Process(universe, interrupt_at=4).run(desired(*LADDER, OTHER))
    Process(universe).run(desired(OTHER))
    records = universe.state().records

    assert ["retired", "retired", "complete"] == [records[a].status for a in ("bbb/480p", "bbb/720p", "tos/720p")]


def test_outputs_may_swap_their_files():
    """Two outputs that exchange their parameters exchange their files; nothing is encoded and nothing lost."""
    universe = Universe()
    Process(universe).run(desired(*LADDER))
    before = dict(universe.files)
    outcome = Process(universe).run(desired(output("bbb/720p", crf=26), output("bbb/480p", crf=23)))

    assert () == outcome.encoded
    assert before["outputs/bbb/720p.mp4"] == universe.files["outputs/bbb/480p.mp4"]
    assert before["outputs/bbb/480p.mp4"] == universe.files["outputs/bbb/720p.mp4"]
    assert 2 == len(universe.files)


def test_twins_stay_twins_after_a_failure_or_an_interrupt():
    """However the first apply ended, the encode of two twins is made once, under the same approval."""
    twins = desired(output("a/x"), output("b/x"))
    for universe, first in [(Universe(fails={"a/x"}), {}), (Universe(), {"interrupt_at": 6})]:
        Process(universe, **first).run(twins)
        universe.fails.clear()
        outcome = Process(universe).run(twins)
        assert ["a/x"] == [done.address for done in outcome.encoded]
        assert {"outputs/a/x.mp4", "outputs/b/x.mp4"} == set(universe.files)


def test_a_file_that_cannot_be_named_is_one_failure_among_others():
    """An output whose file cannot get its name fails, with nothing left behind; the others finish."""
    universe = Universe(unnameable={"outputs/bbb/720p.mp4"})
    outcome = Process(universe).run(desired(*LADDER, OTHER))

    assert (["bbb/480p", "tos/720p"], ["bbb/720p"]) == addresses(outcome)
    assert {"outputs/bbb/480p.mp4", "outputs/tos/720p.mp4"} == set(universe.files)
    universe.unnameable.clear()
    assert (["bbb/720p"], []) == addresses(Process(universe).run(desired(*LADDER, OTHER)))


def test_a_move_that_cannot_be_made_leaves_the_file_where_it_is():
    """A record whose file cannot be renamed keeps it under the old name, and is complete."""
    universe = Universe()
    Process(universe).run(desired(*LADDER))
    universe.unnameable.add("outputs/film/720p.mp4")
    Process(universe).run(desired(output("film/720p", crf=23), output("film/480p", crf=26)))
    moved = universe.state().records["film/720p"]

    assert ("complete", "outputs/bbb/720p.mp4") == (moved.status, moved.output.path)
    assert {"outputs/bbb/720p.mp4", "outputs/film/480p.mp4"} == set(universe.files)


def test_a_reuse_under_another_extension_leaves_one_file():
    """When a twin's container is taken over, the old file goes, as after an encode."""
    universe = Universe()
    Process(universe).run(desired(output("a/x"), output("b/x")))
    Process(universe).run(desired(output("a/x", container="mkv"), output("b/x")))
    Process(universe).run(desired(output("a/x", container="mkv"), output("b/x", container="mkv")))

    assert {"outputs/a/x.mkv", "outputs/b/x.mkv"} == set(universe.files)


STRICT = {"checks": Checks(min_vmaf=90)}


def handed(way):
    """Outputs before, and outputs that then take a finished file under checks that it was not made under."""
    plain, strict = output("bbb/a"), output("bbb/b", deliver=Deliver("dist"), **STRICT)
    return {
        "reused": ([plain], [plain, strict]),
        "moved": ([plain], [strict]),
        "of a twin": ([], [plain, strict]),
        "tightened": ([output("bbb/b")], [strict]),
    }[way]


@pytest.mark.parametrize("holds", [False, True])
@pytest.mark.parametrize("way", ["reused", "moved", "of a twin", "tightened"])
def test_a_file_that_was_not_made_under_its_checks_is_measured(way, holds):
    """However an output came by its file: what meets its checks is delivered, and measured once."""
    before, after = handed(way)
    universe = Universe(holds=holds)
    if before:
        Process(universe).run(desired(*before))
    outcome = Process(universe).run(desired(*after))
    record = universe.state().records["bbb/b"]

    assert ((), "complete", {"min_vmaf": 90}) == (outcome.failed, record.status, dict(record.checked))
    assert ["dist/bbb/b.mp4"] == list(universe.copies)
    assert () == Process(universe).plan(desired(*after)).steps
    assert [1] == list(universe.starts.values())


@pytest.mark.parametrize("holds", [False, True])
@pytest.mark.parametrize("way", ["reused", "moved", "of a twin", "tightened"])
def test_a_file_that_does_not_meet_later_checks_is_suspect(way, holds):
    """It is not delivered, not made again, and lives on: asking for less gives it back, for nothing."""
    before, after = handed(way)
    universe = Universe(holds=holds, poor={"bbb/b"})
    if before:
        Process(universe).run(desired(*before))
    outcome = Process(universe).run(desired(*after))

    assert ["suspect"] == [failure.status for failure in outcome.failed]
    assert ("suspect", {}) == (universe.state().records["bbb/b"].status, universe.copies)
    again = Process(universe).plan(desired(*after))
    assert ((), ["suspect"]) == (again.steps, [notice.code for notice in again.notices])

    lenient = [output("bbb/a"), output("bbb/b")] if len(after) == 2 else [output("bbb/b")]
    assert () == Process(universe).run(desired(*lenient)).failed
    assert "complete" == universe.state().records["bbb/b"].status
    assert [1] == list(universe.starts.values())


@pytest.mark.parametrize("poor", [False, True])
@pytest.mark.parametrize("way", ["reused", "moved", "of a twin", "tightened"])
def test_a_kill_beside_a_measurement_lets_nothing_pass(way, poor):
    """Killed before and after every effect, the next applies come to the same, and nothing unchecked is delivered."""
    before, after = handed(way)
    for kill_at in range(60):
        universe = Universe(poor={"bbb/b"} if poor else set())
        if before:
            Process(universe).run(desired(*before))
        process = Process(universe, kill_at)
        try:
            process.run(desired(*after))
        except Killed:
            assert not (poor and universe.copies)
            Process(universe).run(desired(*after))
        else:
            break
        assert ("suspect" if poor else "complete") == universe.state().records["bbb/b"].status, kill_at
        assert ([] if poor else ["dist/bbb/b.mp4"]) == list(universe.copies)
    assert kill_at > 4
