"""An output that is made from another one begins when that is whole, reads its file, and waits for nothing else."""

from __future__ import annotations

from datetime import datetime

import pytest

from builders import desired, made_from, output
from fakes import MemoryProvider, Process, Universe
from reconciler.apply.executor import Options
from reconciler.core.approval import check_expected, plan_id, plan_lines
from reconciler.core.happenings import JobStarted, OutputDone
from reconciler.core.steps import Create, Rerun

MEZZANINE = output("mezz/master", crf=12, container="mov")
OTHER = output("zoo/720p", crf=30)


def chain(mezzanine=MEZZANINE, *, crf=23, provider="local"):
    """A mezzanine, two rungs made from it, and something that has nothing to do with them."""
    source = made_from(mezzanine)
    rungs = [
        output("ladder/720p", crf=crf, of=source, provider=provider),
        output("ladder/480p", crf=26, of=source, provider=provider),
    ]
    return desired(*rungs, mezzanine, OTHER)


def told(process):
    """What was started and finished, in order."""
    words = []
    for happening in process.told:
        if isinstance(happening, JobStarted):
            words.append(f"start {happening.job.request.encode}")
        if isinstance(happening, OutputDone):
            words.append(f"done {happening.address}")
    return words


@pytest.mark.parametrize("paid", [False, True])
def test_a_ladder_begins_when_its_mezzanine_is_whole(paid):
    """Other jobs go on meanwhile; the rungs hold the content of the mezzanine."""
    universe = Universe(paid=paid)
    process = Process(universe)
    outcome = process.run(chain())

    words = told(process)
    assert 4 == len(outcome.encoded)
    assert words.index("done mezz/master") < words.index("start ladder")
    assert f"from (mezz/master {MEZZANINE.fingerprint})" in universe.files["outputs/ladder/720p.mp4"]
    assert () == process.plan(chain()).steps


def test_a_changed_mezzanine_reruns_its_ladder_in_one_apply():
    """In order, and the rungs hold the new content; what is not made from it stays."""
    universe = Universe()
    Process(universe).run(chain())
    changed = chain(output("mezz/master", crf=10, container="mov"))

    process = Process(universe)
    outcome = process.run(changed)

    assert {"ladder/480p", "ladder/720p", "mezz/master"} == {done.address for done in outcome.encoded}
    assert "from (mezz/master" in universe.files["outputs/ladder/480p.mp4"]
    assert universe.files["outputs/mezz/master.mov"] in universe.files["outputs/ladder/480p.mp4"]
    assert () == process.plan(changed).steps


def test_a_mezzanine_that_is_asked_for_again_takes_its_ladder_along():
    """Its fingerprint is the same, its bits are not: the rungs are made from the new ones."""
    universe = Universe(varies=True)
    Process(universe).run(chain())

    process = Process(universe)
    outcome = process.run(chain(), reruns=("mezz/master",))

    assert 3 == len(outcome.encoded)
    assert universe.files["outputs/mezz/master.mov"] in universe.files["outputs/ladder/720p.mp4"]


def test_a_failed_mezzanine_blocks_its_ladder_without_attempts():
    """The rungs are told as blocked, nothing is recorded of them; repaired, everything goes on."""
    universe = Universe(fails={"mezz/master"})
    outcome = Process(universe).run(chain())

    statuses = {failure.address: failure.status for failure in outcome.failed}
    assert {"mezz/master": "failed", "ladder/720p": "blocked", "ladder/480p": "blocked"} == statuses
    assert {"mezz/master", "zoo/720p"} == universe.state().records.keys()

    universe.fails.clear()
    repaired = Process(universe).run(chain())
    assert () == repaired.failed
    assert 3 == len(repaired.encoded)
    assert [1, 1] == [universe.state().records[name].attempt for name in ("ladder/480p", "ladder/720p")]


def test_a_mezzanine_that_failed_for_good_keeps_blocking():
    """No attempt is left: the plan says who is in the way, and every apply tells of what is blocked."""
    mezzanine = output("mezz/master", crf=12, container="mov", attempts=1)
    universe = Universe(fails={"mezz/master"})
    Process(universe).run(chain(mezzanine))

    process = Process(universe)
    plan = process.plan(chain(mezzanine))
    outcome = process.run(chain(mezzanine))

    assert () == plan.steps
    assert {"blocked", "failed"} == {notice.code for notice in plan.notices}
    assert {("ladder/720p", "blocked"), ("ladder/480p", "blocked")} == {(f.address, f.status) for f in outcome.failed}
    asked = Process(universe).plan(chain(mezzanine), reruns=("mezz/master",))
    assert [Create, Create, Rerun] == [type(step) for step in asked.steps]


def test_blocked_outputs_are_no_failures_of_their_own():
    """`max_failures` counts the mezzanine alone, so that other jobs go on."""
    universe = Universe(fails={"mezz/master"})
    outcome = Process(universe).run(chain(), options=Options(max_failures=2))

    assert ["zoo/720p"] == [done.address for done in outcome.encoded]


def test_without_waiting_the_ladder_is_left_for_a_later_apply():
    """What it is made from runs on: that is no failure, and the next apply begins it."""
    universe = Universe(paid=True, endless=True)
    outcome = Process(universe).run(chain(), options=Options(wait=False))

    assert ((), 0, 2, 2) == (outcome.failed, outcome.not_run, outcome.running, outcome.held_up)
    assert "ladder/720p" not in universe.state().records

    universe.endless = False
    later = Process(universe).run(chain())
    assert ((), 4) == (later.failed, len(later.encoded))
    assert 1 == max(universe.starts.values())


@pytest.mark.parametrize("interrupt_at", [5, 8, 11])
def test_an_approved_change_of_a_chain_may_be_finished_in_several_applies(interrupt_at):
    """What was approved is kept while any rung still has the bits of before."""
    universe = Universe(paid=True)
    Process(universe).run(chain())
    wanted = chain(output("mezz/master", crf=10, container="mov"))
    lines = plan_lines(Process(universe).plan(wanted))
    Process(universe, interrupt_at=interrupt_at).run(wanted)

    left = plan_lines(Process(universe).plan(wanted))
    assert () != left
    assert plan_id(lines) == check_expected(plan_id(lines), left, universe.state().approved)
    Process(universe).run(wanted)
    assert {} == universe.state().approved


def test_a_canary_goes_before_what_is_made_from_it():
    """The first job of a mass rerun is one that needs no other."""
    universe = Universe()
    process = Process(universe)
    outcome = process.run(chain(), options=Options(canary=1))

    assert ["start mezz", "done mezz/master"] == told(process)[:2]
    assert 4 == len(outcome.encoded)


def test_what_a_provider_holds_is_read_through_a_link_of_now():
    """A mezzanine elsewhere is fetched for a ladder here, though the link of its record died long ago."""
    mezzanine = output("mezz/master", crf=12, provider="away")
    universe = Universe(away=True)
    Process(universe).run(desired(mezzanine))
    universe.now = "2026-01-02T00:00:00Z"

    process = Process(universe, clock=process_time(universe.now))
    outcome = process.run(chain(mezzanine))

    assert ((), 3) == (outcome.failed, len(outcome.encoded))
    assert "from (https://cdn.test/" in universe.files["outputs/ladder/720p.mp4"]
    assert [] == [address for address, record in universe.state().records.items() if "secret" in repr(record)]


def test_a_file_of_ours_is_handed_to_a_provider_elsewhere():
    """A mezzanine on this machine is uploaded for a ladder elsewhere."""
    universe = Universe(away=True)
    wanted = chain(provider="away")
    outcome = Process(universe).run(wanted)

    assert ((), 4) == (outcome.failed, len(outcome.encoded))
    assert f"mezz/master {MEZZANINE.fingerprint}" in universe.read.values()


def test_a_mezzanine_that_a_provider_deleted_is_made_once_more_for_a_new_rung_alone():
    """What was made from it before is not paid for again."""
    mezzanine = output("mezz/master", crf=12, provider="away")
    universe = Universe(away=True)
    Process(universe).run(chain(mezzanine))
    universe.now = "2026-01-09T00:00:00Z"
    rung = output("ladder/240p", crf=30, of=made_from(mezzanine))
    wanted = desired(*chain(mezzanine).outputs, rung)

    process = Process(universe, clock=process_time(universe.now))
    outcome = process.run(wanted)

    assert ["mezz/master", "ladder/240p"] == [done.address for done in outcome.encoded]
    assert () == process.plan(wanted).steps


def test_a_twin_of_a_mezzanine_feeds_its_ladder_too():
    """The second of two equal mezzanines is not encoded: what is made from it is made from the first one's file."""
    twin = output("atlas/master", crf=12, container="mov")
    rung = output("copies/720p", crf=21, of=made_from(twin))
    other = output("ladder/720p", crf=23, of=made_from(MEZZANINE))
    wanted = desired(MEZZANINE, twin, rung, other)
    universe = Universe()

    outcome = Process(universe).run(wanted)

    assert ((), 0, 3) == (outcome.failed, outcome.not_run, len(outcome.encoded))
    assert () == Process(universe).plan(wanted).steps


def test_a_chain_of_three_is_made_from_the_beginning():
    """Each link waits for the one before, and a failure blocks all that follow it."""
    middle = output("middle/master", crf=15, of=made_from(MEZZANINE), container="mov")
    last = output("end/720p", crf=23, of=made_from(middle))
    wanted = desired(last, middle, MEZZANINE)

    process = Process(Universe())
    assert 3 == len(process.run(wanted).encoded)
    assert ["start mezz", "start middle", "start end"] == [word for word in told(process) if word[0] == "s"]

    broken = Process(Universe(fails={"mezz/master"})).run(wanted)
    blocked = {failure.address: failure.error for failure in broken.failed if failure.status == "blocked"}
    assert blocked.keys() == {"middle/master", "end/720p"}
    assert "middle/master" in blocked["end/720p"]


def test_a_job_in_flight_is_not_cancelled_before_its_new_mezzanine_is_whole():
    """If that fails, the paid job is still there to be brought in."""
    universe = Universe(away=True)
    Process(universe).run(desired(MEZZANINE, OTHER))
    universe.endless = True
    Process(universe).run(chain(provider="away"), options=Options(wait=False))
    universe.endless, universe.fails = False, {"mezz/master"}

    Process(universe).run(chain(output("mezz/master", crf=10, container="mov"), provider="away"))
    jobs = dict(universe.jobs)
    universe.fails.clear()
    back = Process(universe).run(chain(provider="away"))

    assert 1 == len(jobs)
    assert () == back.failed
    assert 1 == max(universe.starts.values())


def process_time(text):
    """A clock that stands at a time of the state."""
    return datetime.fromisoformat(text)


def test_the_fakes_notice_who_reads_what_is_not_there():
    """A job whose source was never turned into something that can be opened is caught."""
    process = Process(Universe())
    with pytest.raises(AssertionError, match="nobody can open"):
        MemoryProvider(process).opened(made_from(MEZZANINE))
