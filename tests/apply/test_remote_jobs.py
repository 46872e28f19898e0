"""Jobs that cost money and outlive us: doubt is settled by looking, and what a provider holds stays with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders import desired, output, source
from fakes import Process, Universe
from reconciler.apply.executor import Options
from reconciler.core.approval import plan_lines
from reconciler.core.cost import Money
from reconciler.core.delivery import Deliver
from reconciler.core.spending import free_of_charge
from reconciler.core.steps import Redeliver, Resume, Reuse

LADDER = [output("bbb/720p", crf=23), output("bbb/480p", crf=26)]
OTHER = output("tos/720p", of=source("masters/tos.mov"))
WANTED = desired(*LADDER, OTHER)


def remote(**more):
    """A world whose one provider costs money, outlives us and keeps what it makes."""
    return Universe(paid=True, holds=True, **more)


def phases(universe):
    """How far the job of each address is known to be."""
    return {address: record.job.phase for address, record in universe.state().records.items()}


def test_what_a_provider_holds_is_complete_with_its_link():
    """The record has the link without its signature, the signature is kept apart, and no file is named."""
    universe = remote()
    outcome = Process(universe).run(WANTED)
    record = universe.state().records["bbb/720p"]

    link = f"https://cdn.test/{LADDER[0].fingerprint[:8]}/720p.mp4"
    assert ("complete", None, link) == (record.status, record.output.path, record.output.link)
    assert ("2026-01-03T00:00:00Z", 60.0) == (record.output.expires_at, record.output.duration)
    assert f"{link}?X-Goog-Signature=secret" == universe.links["bbb/720p"]
    assert {} == universe.files
    assert (Money(56, "BYC"),) == outcome.paid
    assert () == Process(universe).plan(WANTED).steps


def test_an_amount_that_was_not_told_is_not_nothing():
    """A provider that costs money and says no amount of a finished job is named; one that is free is not."""
    told, silent, free = (
        Process(Universe(paid=paid, holds=holds)).run(WANTED).untold
        for paid, holds in ((True, True), (True, False), (False, False))
    )
    assert ((), ("local",), ()) == (told, silent, free)


def test_undoing_a_change_is_free_while_the_old_file_lives():
    """The file of the attempt before is still at the provider: going back to it starts nothing."""
    universe = remote()
    Process(universe).run(WANTED)
    Process(universe).run(desired(output("bbb/720p", crf=21), LADDER[1], OTHER))
    before = sum(universe.starts.values())
    plan = Process(universe).plan(WANTED)
    outcome = Process(universe).run(WANTED)

    assert [Reuse] == [type(step) for step in plan.steps]
    assert (1, before) == (outcome.free, sum(universe.starts.values()))
    assert () == Process(universe).plan(WANTED).steps


@pytest.mark.parametrize("lost", ["before", "after"])
def test_a_start_without_an_answer_is_looked_at_and_not_repeated_blindly(lost):
    """Whether the start arrived or only its reply was lost, the job is started once and finishes."""
    universe = remote(troubles=[("start", lost)])
    outcome = Process(universe).run(WANTED)

    assert ([], 3) == (list(outcome.failed), len(outcome.encoded))
    assert {1} == set(universe.starts.values())


def test_a_start_that_never_arrives_is_left_to_the_next_apply():
    """Twice without an answer and still a draft: no attempt is used, and the next apply starts it."""
    universe = remote(troubles=[("start", "before"), ("start", "before")])
    outcome = Process(universe).run(WANTED)

    assert [("submitted", 0), ("submitted", 0)] == [(each.status, each.failures) for each in outcome.failed]
    assert {"starting"} == {phases(universe)[each.address] for each in outcome.failed}
    assert not Process(universe).run(WANTED).failed
    assert {1} == set(universe.starts.values())


@pytest.mark.parametrize("lost", ["before", "after"])
def test_a_provider_that_cannot_be_reached_uses_up_no_attempt(lost):
    """A draft that could not be made stays intended, however often; the next apply makes it under the same id."""
    universe = remote(troubles=[("prepare", lost)])
    outcome = Process(universe).run(desired(*LADDER))
    again = Process(universe).run(desired(*LADDER))

    assert {("submitted", 0)} == {(each.status, each.failures) for each in outcome.failed}
    assert ([], 2) == (list(again.failed), len(again.encoded))
    assert 1 == len(universe.jobs)


def test_a_request_that_is_refused_fails():
    """What the provider calls wrong counts as an attempt and says why."""
    universe = remote(troubles=[("prepare", "refused")])
    outcome = Process(universe).run(desired(*LADDER))

    assert {("failed", 1, "it is not valid")} == {(each.status, each.failures, each.error) for each in outcome.failed}


def test_jobs_that_are_out_of_sight_run_on():
    """When looking fails for good, the jobs stay as running as they were, and the next apply brings them in."""
    universe = remote(troubles=[("observe", "before")])
    outcome = Process(universe).run(desired(*LADDER))

    assert {"running"} == {each.status for each in outcome.failed}
    assert 2 == len(Process(universe).run(desired(*LADDER)).encoded)
    assert {1} == set(universe.starts.values())


def test_a_started_job_that_is_told_to_be_a_draft_is_not_waited_for_without_end():
    """Its start was taken, so it is not made again by itself: it is told, and stays as it was."""
    universe = remote()
    Process(universe).run(WANTED, options=Options(wait=False))
    universe.jobs.update(dict.fromkeys(universe.jobs, "draft"))
    before = dict(universe.starts)
    outcome = Process(universe).run(WANTED)

    assert {"running"} == {each.status for each in outcome.failed}
    assert all("never started" in each.error for each in outcome.failed)
    assert before == dict(universe.starts)


def test_without_waiting_jobs_are_started_and_left():
    """Everything is started, nothing is watched; a later apply brings all of it in and starts nothing."""
    universe = remote(endless=True)
    outcome = Process(universe).run(WANTED, options=Options(wait=False))

    assert (3, 0, (), ()) == (outcome.running, outcome.not_run, outcome.encoded, outcome.failed)
    assert {"started"} == set(phases(universe).values())
    assert {Resume} == {type(step) for step in Process(universe).plan(WANTED).steps}
    universe.endless = False
    assert 3 == len(Process(universe).run(WANTED).encoded)
    assert {1} == set(universe.starts.values())


def test_waiting_has_an_end():
    """After the time to wait, running jobs are left to run and nothing has failed."""
    universe = remote(endless=True)
    outcome = Process(universe).run(desired(*LADDER), options=Options(wait_timeout=10.0))

    assert (True, 2, ()) == (outcome.timed_out, outcome.running, outcome.failed)
    assert {"started"} == set(phases(universe).values())


def test_a_dead_link_is_renewed_for_nothing_and_is_no_change():
    """After four hours the plan has no step and no line, only a link to renew; apply records the new one."""
    universe = remote()
    Process(universe).run(WANTED)
    universe.now = "2026-01-01T05:00:00Z"
    plan = Process(universe).plan(WANTED)
    before = dict(universe.links)
    outcome = Process(universe).run(WANTED)

    assert ((), 3) == (plan.steps, len(plan.relinks))
    assert (3, ()) == (outcome.relinked, outcome.encoded)
    assert all(universe.links[address] != link for address, link in before.items())


def test_a_link_that_cannot_be_renewed_stops_nothing():
    """The outage of one renewal leaves that link dead, and the others are renewed."""
    universe = remote()
    Process(universe).run(WANTED)
    universe.now, universe.troubles = "2026-01-01T05:00:00Z", [("links", "before")]

    assert 2 == Process(universe).run(WANTED).relinked


def test_a_deleted_file_is_told_and_not_made_again():
    """When its retention is over nothing is encoded by itself: it would cost money every two days."""
    universe = remote()
    Process(universe).run(WANTED)
    universe.now = "2026-01-03T00:00:00Z"
    plan = Process(universe).plan(WANTED)

    assert ((), ()) == (plan.steps, plan.relinks)
    assert {"expired"} == {notice.code for notice in plan.notices}


def test_a_job_that_vanished_is_lost_and_not_bought_again():
    """A started job that its provider does not know any more is lost; only a named rerun makes it again."""
    universe = remote(endless=True)
    Process(universe).run(desired(*LADDER), options=Options(wait=False))
    universe.jobs.clear()
    outcome = Process(universe).run(desired(*LADDER))

    assert {"lost"} == {each.status for each in outcome.failed}
    assert () == Process(universe).plan(desired(*LADDER)).steps
    assert 1 == sum(universe.starts.values())


def delivered(wanted, to="s3://site/t"):
    """The same output, to be delivered."""
    return replace(wanted, deliver=Deliver(to))


def test_what_takes_the_file_of_another_output_is_delivered_too():
    """A twin of the same plan, an output that is declared later, and a change that is undone: in the same apply."""
    universe = remote()
    first = delivered(output("bbb/720p"))
    twin, later = (
        replace(first, address=f"bbb/{name}", name=name, path=f"outputs/bbb/{name}.mp4") for name in ("web", "late")
    )
    outcome = Process(universe).run(desired(first, twin))
    assert ["s3://site/t/bbb/720p.mp4", "s3://site/t/bbb/web.mp4"] == sorted(copy.where for copy in outcome.delivered)
    outcome = Process(universe).run(desired(first, twin, later))
    assert ["s3://site/t/bbb/late.mp4"] == [copy.where for copy in outcome.delivered]
    changed = delivered(output("bbb/720p", crf=21))
    Process(universe).run(desired(changed, twin, later))
    outcome = Process(universe).run(desired(first, twin, later))
    assert ["s3://site/t/bbb/720p.mp4"] == [copy.where for copy in outcome.delivered]
    assert () == Process(universe).plan(desired(first, twin, later)).steps
    assert 2 == sum(universe.starts.values())


def test_finished_outputs_are_delivered_and_stay_so():
    """What a provider holds is copied where it is wanted; then neither its dead link nor its deletion matters."""
    universe = remote()
    wanted = desired(*map(delivered, [*LADDER, OTHER]))
    outcome = Process(universe).run(wanted)

    assert 3 == len(outcome.delivered)
    assert "s3://site/t/bbb/720p.mp4" == universe.state().records["bbb/720p"].delivered.where
    universe.now = "2026-01-09T00:00:00Z"
    plan = Process(universe).plan(wanted)
    assert ((), (), ()) == (plan.steps, plan.relinks, plan.notices)


@pytest.mark.parametrize(("policy", "starts"), [({"deliver": Deliver("s3://site/t")}, 1), ({}, 11)])
def test_ten_periods_of_what_is_to_be_made_again_when_it_is_gone(policy, starts):
    """on_expiry: rerun buys once a period, as its plan says; of a delivered output it never buys again."""
    universe = remote()
    wanted = desired(replace(LADDER[0], on_expiry="rerun", **policy))
    Process(universe).run(wanted)
    for period in range(10):
        universe.now = f"2026-02-{period + 1:02}T00:00:00Z"
        Process(universe).run(wanted)

    assert starts == sum(universe.starts.values())


def test_a_copy_that_is_gone_is_made_again_for_nothing():
    """While the provider has the file, a missing copy is a Redeliver; after that only on_expiry decides."""
    universe = remote()
    wanted = desired(delivered(LADDER[0]))
    Process(universe).run(wanted)
    universe.copies.clear()

    assert [Redeliver] == [type(step) for step in Process(universe).plan(wanted).steps]
    assert 1 == len(Process(universe).run(wanted).delivered)
    assert 1 == sum(universe.starts.values())
    universe.copies.clear()
    universe.now = "2026-01-09T00:00:00Z"
    assert ["expired"] == [notice.code for notice in Process(universe).plan(wanted).notices]
    again = desired(replace(delivered(LADDER[0]), on_expiry="rerun"))
    assert ["expired"] == [step.reason.code for step in Process(universe).plan(again).steps]


def test_a_copy_that_cannot_be_made_leaves_the_output_complete():
    """The store does not answer: exit 3 for that, no attempt, and the next apply delivers."""
    universe = remote(troubles=[("deliver", "before")])
    wanted = desired(delivered(LADDER[0]))
    outcome = Process(universe).run(wanted)

    assert ["undelivered"] == [failed.status for failed in outcome.failed]
    assert "complete" == universe.state().records["bbb/720p"].status
    assert ((), 1) == ((again := Process(universe).run(wanted)).failed, len(again.delivered))


def test_without_spending_only_what_is_free_is_done():
    """--no-spend brings in what was started and delivers; what would have to be started is left."""
    universe = remote(endless=True)
    Process(universe).run(desired(delivered(LADDER[0])), options=Options(wait=False))
    universe.endless = False
    wanted = desired(delivered(LADDER[0]), OTHER)
    plan = free_of_charge(Process(universe).plan(wanted))

    assert ["bbb/720p"] == [step.address for step in plan.steps]


def test_on_remove_delete_deletes_what_we_made():
    """The copy, and the job with its files, go with the declaration; the record goes with them."""
    universe = remote()
    doomed = replace(delivered(LADDER[0]), on_remove="delete")
    Process(universe).run(desired(doomed, OTHER))
    plan = Process(universe).plan(desired(OTHER))
    Process(universe).run(desired(OTHER))

    assert [f"delete bbb/720p {doomed.fingerprint}"] == list(plan_lines(plan))
    assert {} == universe.copies
    assert {"tos/720p"} == set(universe.state().records)
    assert 1 == len(universe.jobs)


def test_on_remove_delete_spares_what_others_use():
    """A job whose files another address still uses is not deleted with the first one."""
    universe = remote()
    twin = replace(output("copy/720p", crf=23), on_remove="delete")
    Process(universe).run(desired(LADDER[0], twin))
    Process(universe).run(desired(LADDER[0]))

    assert {"bbb/720p"} == set(universe.state().records)
    assert 1 == len(universe.jobs)


SERIES = [output(f"s{n}/x", crf=20 + n, of=source(f"masters/{n}.mov")) for n in range(4)]


def test_a_canary_goes_first_and_alone():
    """The first job is finished before the others are started, and then they run as always."""
    universe = remote()
    process = Process(universe)
    outcome = process.run(desired(*SERIES), options=Options(canary=1))
    told = [type(happening).__name__ for happening in process.told]

    assert (4, ()) == (len(outcome.encoded), outcome.failed)
    assert told.index("OutputDone") < [n for n, name in enumerate(told) if name == "JobStarted"][1]
    assert ["Canaries"] == [name for name in told if name == "Canaries"]


def test_a_canary_that_fails_holds_the_others_back():
    """Nothing else was started or paid for; without the canary's failure the next apply goes on."""
    universe = remote(fails={"s0/x"})
    outcome = Process(universe).run(desired(*SERIES), options=Options(canary=1))

    assert (["s0/x"], 3) == ([failed.address for failed in outcome.failed], outcome.not_run)
    assert 1 == sum(universe.starts.values())


def test_after_so_many_failures_nothing_more_is_started():
    """Two failures are allowed to happen; what was not started by then is left."""
    universe = remote(fails={each.address for each in SERIES})
    outcome = Process(universe).run(desired(*SERIES), options=Options(max_failures=2, parallelism=1))

    assert (2, 2) == (len(outcome.failed), outcome.not_run)
