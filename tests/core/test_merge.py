"""States of two branches as one: no record is lost, and what contradicts is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders_state import known, snapshot
from reconciler.core.errors import StateError
from reconciler.core.merge import merge
from reconciler.core.state import Approval, Attempt, JobRecord, OutputRecord, SourceRecord


def state(approved=None, **records):
    """A state of these records, with these open approvals."""
    from msgspec.structs import replace

    return replace(snapshot(**records), approved=approved or {})


def made(rev, name, **more):
    """A finished record of a file of its own."""
    return known(rev, fingerprint=name * 64, output=OutputRecord(name=name, path=f"outputs/{name}.mp4"), **more)


OLD, OURS, THEIRS = made(1, "a"), made(2, "b"), made(3, "c")


@pytest.mark.parametrize(
    ("expected", "before", "ours", "theirs"),
    [
        (OLD, OLD, OLD, OLD),
        (THEIRS, OLD, OLD, THEIRS),
        (OURS, OLD, OURS, OLD),
        (OURS, OLD, OURS, OURS),
        (None, OLD, OLD, None),
        (None, OLD, None, OLD),
        (None, OLD, None, None),
        (OURS, OLD, OURS, None),
        (THEIRS, OLD, None, THEIRS),
        (OURS, None, OURS, None),
        (THEIRS, None, None, THEIRS),
        (OURS, None, OURS, OURS),
    ],
)
def test_the_table(expected, before, ours, theirs):
    """Every row: changed beats unchanged, removed beats unchanged, changed beats removed."""
    sides = [state(**({"a__x": each} if each is not None else {})) for each in (before, ours, theirs)]
    merged = merge(*sides)

    assert (expected, ()) == (merged.snapshot.records.get("a/x"), merged.conflicts)


def test_different_addresses_never_meet():
    """Two branches that made different outputs both keep theirs, sorted by address."""
    merged = merge(state(), state(b__x=OURS), state(a__x=THEIRS)).snapshot

    assert [("a/x", THEIRS), ("b/x", OURS)] == list(merged.records.items())


def test_without_an_ancestor_everything_is_kept():
    """Two states that were begun apart are put together."""
    assert {"a/x": OURS, "b/x": THEIRS} == merge(None, state(a__x=OURS), state(b__x=THEIRS)).snapshot.records


def test_the_same_job_further_on_wins():
    """Two machines that watched one job agree: who saw its end knows more, whatever the revs."""
    job = JobRecord(id="j", phase="started")
    running, done = known(9, "running", job=job), known(4, "complete", job=job)

    assert done == merge(state(), state(a__x=running), state(a__x=done)).snapshot.records["a/x"]
    assert done == merge(state(), state(a__x=done), state(a__x=running)).snapshot.records["a/x"]


def test_a_record_that_holds_the_other_as_an_earlier_attempt_wins():
    """What was made on top of the other side's file follows from it."""
    earlier = Attempt(OURS.fingerprint, OURS.manifest, SourceRecord("m"), OURS.output)
    newer = made(5, "d", previous=(earlier,))

    for sides in ((OURS, newer), (newer, OURS)):
        merged = merge(state(a__x=OLD), *(state(a__x=each) for each in sides))
        assert (newer, ()) == (merged.snapshot.records["a/x"], merged.conflicts)


def test_records_that_contradict_are_a_conflict():
    """A higher rev alone proves nothing: both are told, ours stands, all others are merged."""
    merged = merge(state(a__x=OLD), state(a__x=OURS, b__x=OLD), state(a__x=THEIRS, c__x=OLD))

    assert [("a/x", OURS, THEIRS)] == [(each.address, each.ours, each.theirs) for each in merged.conflicts]
    assert {"a/x": OURS, "b/x": OLD, "c/x": OLD} == merged.snapshot.records


def test_open_approvals_are_merged_too():
    """One that is finished on a side goes, others stay, the later of two stays."""
    first, later = Approval("2026-01-01T00:00:00Z", ("encode a 1",)), Approval("2026-02-01T00:00:00Z", ("encode a 1",))
    before = state(approved={"done": first, "both": first})
    merged = merge(
        before, state(approved={"both": later, "ours": first}), state(approved={"both": first, "done": first})
    )

    assert {"both": later, "ours": first} == merged.snapshot.approved


def test_states_of_two_projects_are_refused():
    """A wrong file is no side of a merge."""
    from msgspec.structs import replace

    with pytest.raises(StateError, match='project "test", the other of "else"'):
        merge(None, state(), replace(state(), project="else"))


RECORDS = st.dictionaries(
    st.sampled_from(["a/x", "b/x", "c/x"]), st.builds(made, st.integers(1, 4), st.sampled_from("abcd"))
)


@given(RECORDS, RECORDS, RECORDS)
def test_no_record_is_lost(before, ours, theirs):
    """Whatever either side has is in the result or in a conflict, unless the other side removed it as it was."""
    sides = [state(**{name.replace("/", "__"): each for name, each in side.items()}) for side in (before, ours, theirs)]
    merged = merge(*sides)
    told = [record for each in merged.conflicts for record in (each.ours, each.theirs)]

    for one, other in ((ours, theirs), (theirs, ours)):
        for address, record in one.items():
            removed = address not in other and record == before.get(address)
            replaced = address in other and record == before.get(address)
            held = merged.snapshot.records.get(address)
            assert removed or replaced or record == held or record in told, address


@given(RECORDS, RECORDS, RECORDS)
def test_sides_may_be_swapped(before, ours, theirs):
    """Which side is called ours matters only where they conflict."""
    sides = [state(**{name.replace("/", "__"): each for name, each in side.items()}) for side in (before, ours, theirs)]
    one, other = merge(*sides), merge(sides[0], sides[2], sides[1])
    open_ones = {each.address for each in one.conflicts}

    assert open_ones == {each.address for each in other.conflicts}
    assert {a: r for a, r in one.snapshot.records.items() if a not in open_ones} == {
        a: r for a, r in other.snapshot.records.items() if a not in open_ones
    }
