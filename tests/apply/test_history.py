"""Every attempt leaves a line in its record: when, why, what it cost, how it ended."""

from __future__ import annotations

from dataclasses import replace

from builders import desired, output
from fakes import Process, Universe
from reconciler.apply.executor import Options
from reconciler.core.encode import ProviderSettings
from reconciler.core.guards import guards, lifted
from reconciler.core.history import KEPT
from reconciler.core.limits import Limits
from reconciler.core.plan import make_plan
from reconciler.core.selection import Selection
from reconciler.ffmpeg.kind import FfmpegOptions

ONE = output("bbb/720p", crf=23)
OTHER = output("bbb/720p", crf=21)


def ends(universe, address="bbb/720p"):
    """The attempts at an address: number, how it ended, why it was made."""
    return [(each.attempt, each.status, each.why) for each in universe.state().records[address].history]


def test_attempts_are_told_in_order_with_their_reasons():
    """New, changed, asked for, failed and tried again: each is a line, and a free Reuse is none."""
    universe = Universe(paid=True, holds=True)
    Process(universe).run(desired(ONE))
    Process(universe).run(desired(OTHER))
    Process(universe).run(desired(ONE))
    Process(universe).run(desired(ONE), reruns=("bbb/720p",))
    universe.fails.add("bbb/720p")
    Process(universe).run(desired(ONE), reruns=("bbb/720p",))
    universe.fails.clear()
    Process(universe).run(desired(ONE))

    assert ends(universe) == [
        (1, "complete", "new"),
        (2, "complete", "changed"),
        (3, "complete", "requested"),
        (4, "failed", "requested"),
        (5, "complete", "retry"),
    ]
    history = universe.state().records["bbb/720p"].history
    assert {("28 BYC", "local")} == {(each.cost, each.provider) for each in history}
    assert ["it broke"] == [each.error for each in history if each.error is not None]


def test_a_local_attempt_is_told_once():
    """A file that is verified and then named is one attempt."""
    universe = Universe()
    Process(universe).run(desired(ONE))
    Process(universe).run(desired(OTHER))

    assert [(1, "complete", "new"), (2, "complete", "changed")] == ends(universe)


def test_a_job_that_is_given_up_is_told():
    """What was started and then superseded, or retired, ended too: somebody may have to pay for it."""
    universe = Universe(paid=True, holds=True, endless=True)
    Process(universe).run(desired(ONE), options=Options(wait=False))
    Process(universe).run(desired(OTHER), options=Options(wait=False))
    Process(universe).run(desired(), allow=("empty",))

    assert [(1, "cancelled", "new"), (2, "cancelled", "superseded")] == ends(universe)


def test_only_the_last_attempts_are_kept():
    """A record does not grow for ever."""
    universe = Universe(paid=True, holds=True)
    for _ in range(KEPT + 3):
        Process(universe).run(desired(ONE), reruns=("bbb/720p",))

    assert list(range(4, KEPT + 4)) == [each.attempt for each in universe.state().records["bbb/720p"].history]


def test_what_was_lifted_for_an_attempt_is_told():
    """--allow is recorded where it let something through, and nowhere else."""
    wanted = desired(replace(ONE, protect=True), output("tos/720p", crf=30))
    wanted = replace(wanted, providers={"local": ProviderSettings("local", "ffmpeg", FfmpegOptions(), paid=True)})
    universe = Universe(paid=True, holds=True)
    Process(universe).run(wanted)
    allow = ("rerun:bbb/*", "max_jobs", "max_minutes")
    chosen = Selection(reruns=("*",), allow=allow, limits=Limits(max_jobs=1))
    plan = make_plan(wanted, universe.state().records, universe.world(), chosen)
    names = lifted(plan, guards(plan, wanted, universe.state().records), wanted)
    Process(universe).run(wanted, reruns=("*",), options=Options(lifted=names))

    told = {address: record.history[-1].allowed for address, record in universe.state().records.items()}
    assert {"bbb/720p": ("max_jobs", "rerun:bbb/*"), "tos/720p": ("max_jobs",)} == told


def overridden(universe, wanted, *allow):
    """Apply what was let through by name; for each address the last line of its history."""
    before = universe.state().records
    plan = make_plan(wanted, before, universe.world(), Selection(allow=allow))
    names = lifted(plan, guards(plan, wanted, before), wanted)
    Process(universe).run(wanted, allow=allow, options=Options(lifted=names))
    told = {address: record.history[-1] for address, record in universe.state().records.items() if record.history}
    return {address: (each.status, each.why, each.allowed) for address, each in told.items() if each.allowed}


def test_what_was_lifted_without_a_job_is_told():
    """A protected file that is retired, deleted or replaced by name, and specs that were emptied by name."""
    kept = replace(ONE, protect=True)
    doomed = output("old/720p", crf=30, protect=True, on_remove="delete")
    twin = output("tos/720p", crf=40, protect=True)
    model = output("model/720p", crf=41)
    universe = Universe()
    Process(universe).run(desired(kept, doomed, twin, model))
    wanted = desired(output("tos/720p", crf=41, protect=True), model)

    assert {
        "bbb/720p": ("retired", "not_declared", ("rerun:bbb/*",)),
        "old/720p": ("deleted", "not_declared", ("rerun:old/*",)),
        "tos/720p": ("replaced", "reuse", ("rerun:tos/*",)),
    } == overridden(universe, wanted, "rerun:bbb/*", "rerun:old/*", "rerun:tos/*", "max_cost")
    deleted = universe.state().records["old/720p"]
    assert ("retired", None, None) == (deleted.status, deleted.output, deleted.job)
    emptied = overridden(universe, desired(), "empty", "rerun:tos/720p")
    assert ("retired", "not_declared", ("empty",)) == emptied["model/720p"]
    assert ("empty", "rerun:tos/720p") == emptied["tos/720p"][2]


def test_an_allow_that_nothing_needed_is_not_told():
    """What is retired without protection leaves no line, whatever was allowed."""
    universe = Universe()
    Process(universe).run(desired(ONE, output("tos/720p", crf=30)))

    assert {} == overridden(universe, desired(output("tos/720p", crf=30)), "empty", "rerun:*")
