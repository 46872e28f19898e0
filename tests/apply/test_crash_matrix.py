"""Killed before and after every effect: the next apply finishes, and nothing is paid or made twice."""

from __future__ import annotations

from contextlib import suppress

import pytest

from builders import desired, made_from, output, source
from fakes import Killed, Process, Universe

LADDER = [output("bbb/720p", crf=23), output("bbb/480p", crf=26), output("tos/720p", of=source("masters/tos.mov"))]
SHIFTED = [output("a/x", crf=21), output("b/x", crf=22), output("c/x", crf=23)]

MEZZANINE = output("mezz/master", crf=12, container="mov")


def chain(mezzanine=MEZZANINE, *, crf=23):
    """A mezzanine and two rungs made from it, and one rung of a rung."""
    rungs = [output("ladder/720p", crf=crf, of=made_from(mezzanine)), output("ladder/480p", of=made_from(mezzanine))]
    return [mezzanine, *rungs, output("small/240p", crf=30, of=made_from(rungs[1]))]


def effects_of(prepare, wanted):
    """How many effects a whole apply has."""
    universe = prepare()
    process = Process(universe)
    process.run(wanted)
    return process.effects


def fresh(paid):
    """A universe in which nothing was ever applied."""
    return Universe(paid=paid)


def applied(paid, *outputs):
    """A universe in which these outputs were applied."""
    universe = Universe(paid=paid)
    Process(universe).run(desired(*outputs))
    universe.starts.clear()
    universe.made.clear()
    return universe


def lost(universe, wanted):
    """The same universe without the file of one output."""
    del universe.files[wanted.path]
    return universe


SCENARIOS = {
    "new": (fresh, desired(*LADDER)),
    "one changed": (lambda paid: applied(paid, *LADDER), desired(output("bbb/720p", crf=21), *LADDER[1:])),
    "renamed": (
        lambda paid: applied(paid, *LADDER),
        desired(output("film/720p", crf=23), output("film/480p", crf=26), LADDER[2]),
    ),
    "twin": (lambda paid: applied(paid, *LADDER), desired(*LADDER, output("copy/720p", crf=23))),
    "new twins": (fresh, desired(*LADDER, output("copy/720p", crf=23))),
    "other container": (lambda paid: applied(paid, *LADDER), desired(output("bbb/720p", container="mkv"), *LADDER[1:])),
    "swapped": (
        lambda paid: applied(paid, *LADDER),
        desired(output("bbb/720p", crf=26), output("bbb/480p", crf=23), LADDER[2]),
    ),
    "shifted": (
        lambda paid: applied(paid, *SHIFTED),
        desired(output("b/x", crf=21), output("c/x", crf=22), output("d/x", crf=23)),
    ),
    "removed": (lambda paid: applied(paid, *LADDER), desired(LADDER[0])),
    "new chain": (fresh, desired(*chain())),
    "changed chain": (lambda paid: applied(paid, *chain()), desired(*chain(output("mezz/master", crf=10)))),
    "renamed chain": (
        lambda paid: applied(paid, *chain()),
        desired(*chain(output("master/mezz", crf=12, container="mov"), crf=21)),
    ),
    "chain of twins": (
        fresh,
        desired(
            MEZZANINE,
            output("atlas/master", crf=12, container="mov"),
            output("ladder/720p", of=made_from(MEZZANINE)),
            output("maps/720p", crf=30, of=made_from(output("atlas/master", crf=12, container="mov"))),
        ),
    ),
    "chain without its mezzanine's file": (
        lambda paid: lost(applied(paid, *chain()), MEZZANINE),
        desired(*chain(), output("ladder/90p", crf=40, of=made_from(MEZZANINE))),
    ),
}
CASES = [
    pytest.param(name, paid, kill_at, id=f"{name}-{'paid' if paid else 'local'}-{kill_at}")
    for name, (prepare, wanted) in SCENARIOS.items()
    for paid in (False, True)
    for kill_at in range(2 * effects_of(lambda p=prepare, m=paid: p(m), wanted))
]


@pytest.mark.parametrize(("name", "paid", "kill_at"), CASES)
def test_killed_anywhere_the_next_apply_finishes(name, paid, kill_at):
    """After kill -9 at any effect, the next apply converges; no paid start is repeated, no finished file remade."""
    prepare, wanted = SCENARIOS[name]
    universe = prepare(paid)
    with pytest.raises(Killed):
        Process(universe, kill_at=kill_at).run(wanted)
    verified = {
        (address, record.fingerprint)
        for event in universe.journal
        for address, record in event.records.items()
        if event.event == "verified"
    }

    outcome = Process(universe).run(wanted)

    assert ((), 0, False) == (outcome.failed, outcome.not_run, outcome.interrupted)
    assert () == Process(universe).plan(wanted).steps
    assert [] == [job for job, starts in universe.starts.items() if paid and starts > 1]
    assert [] == [key for key in verified if universe.made[key] > 1]
    assert {o.path: f"{o.fingerprint}" for o in wanted.outputs} == contents(universe, wanted)
    assert {} == universe.state().approved
    assert [] == [o.address for o in wanted.outputs if not holds_its_source(universe, o)]


def holds_its_source(universe, wanted):
    """Whether an output of a chain was made from the file that its upstream has now."""
    upstream = wanted.source.upstream
    return upstream is None or upstream.fingerprint in universe.files[wanted.path]


def contents(universe, wanted):
    """The fingerprint inside each wanted file."""
    return {o.path: universe.files[o.path].split()[1] for o in wanted.outputs}


@pytest.mark.parametrize("interrupt_at", range(20))
@pytest.mark.parametrize("paid", [False, True])
def test_interrupted_anywhere_the_next_apply_finishes(paid, interrupt_at):
    """After an interrupt at any moment everything is recorded, and the next apply finishes."""
    universe = Universe(paid=paid)
    first = Process(universe, interrupt_at=interrupt_at)
    outcome = first.run(desired(*LADDER))

    assert [] == universe.journal
    assert outcome.interrupted == (len(outcome.encoded) < len(LADDER))
    Process(universe).run(desired(*LADDER))
    assert () == Process(universe).plan(desired(*LADDER)).steps
    assert [] == [job for job, starts in universe.starts.items() if paid and starts > 1]


@pytest.mark.parametrize("interrupt_at", range(0, 30, 2))
@pytest.mark.parametrize("paid", [False, True])
def test_a_chain_interrupted_anywhere_is_finished_by_the_next_apply(paid, interrupt_at):
    """An interrupt leaves the rungs that were not begun as they were; nothing is paid twice."""
    universe = Universe(paid=paid)
    Process(universe, interrupt_at=interrupt_at).run(desired(*chain()))

    assert [] == universe.journal
    outcome = Process(universe).run(desired(*chain()))
    assert ((), 0) == (outcome.failed, outcome.not_run)
    assert () == Process(universe).plan(desired(*chain())).steps
    assert [] == [job for job, starts in universe.starts.items() if paid and starts > 1]


@pytest.mark.parametrize("kill_at", range(60))
@pytest.mark.parametrize("paid", [False, True])
def test_a_ladder_never_stays_with_the_bits_of_an_older_mezzanine(paid, kill_at):
    """A mezzanine made anew makes other bits: wherever that is killed, the next apply makes the rungs from them."""
    universe = Universe(paid=paid, varies=True)
    Process(universe).run(desired(*chain()))
    with suppress(Killed):
        Process(universe, kill_at=kill_at).run(desired(*chain()), reruns=("mezz/master",))
    Process(universe).run(desired(*chain()))

    assert () == Process(universe).plan(desired(*chain())).steps
    for rung in chain()[1:3]:
        assert universe.files["outputs/mezz/master.mov"] in universe.files[rung.path]
    assert universe.files["outputs/ladder/480p.mp4"] in universe.files["outputs/small/240p.mp4"]


@pytest.mark.parametrize("kill_at", range(40))
def test_a_mezzanine_made_once_more_never_reruns_its_ladder(kill_at):
    """Only its file was gone: wherever making it again is killed, what was made from it before stays as it is."""
    universe = lost(applied(True, *chain()), MEZZANINE)
    universe.varies = True
    wanted = desired(*chain(), output("ladder/90p", crf=40, of=made_from(MEZZANINE)))
    with suppress(Killed):
        Process(universe, kill_at=kill_at).run(wanted)
    Process(universe).run(wanted)

    assert () == Process(universe).plan(wanted).steps
    assert {"mezz/master", "ladder/90p"} == {address for address, _ in universe.made}


def test_killed_twice_in_a_row_still_finishes():
    """Two crashes in a row, the second while the first is being repaired, change nothing."""
    for first in range(0, 40, 3):
        for second in range(0, 20, 3):
            universe = Universe(paid=True)
            for kill_at in (first, second):
                try:
                    Process(universe, kill_at=kill_at).run(desired(*LADDER))
                except Killed:
                    continue
            Process(universe).run(desired(*LADDER))
            assert () == Process(universe).plan(desired(*LADDER)).steps
            assert 1 == max(universe.starts.values())
