"""Folding events into a state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from builders_state import event, known, snapshot
from reconciler.core.state import Approval, Folding, empty, fold

ADDRESSES = ("a/1", "a/2", "b/1")
PLANS = ("p", "q")
ACTIONS = some.one_of(
    some.tuples(some.just("record"), some.sampled_from(ADDRESSES)),
    some.tuples(some.just("remove"), some.sampled_from(ADDRESSES)),
    some.tuples(some.just("approve"), some.sampled_from(PLANS)),
    some.tuples(some.just("finish"), some.sampled_from(PLANS)),
)


def history(actions):
    """The events that these actions cause, and the snapshot after each of them, as it would be read from disk."""
    folding, events, snapshots = Folding(empty("test")), [], [empty("test")]
    for number, (action, name) in enumerate(actions):
        match action:
            case "record":
                made = event(records={name: known(folding.rev(name) + 1, error=str(number))})
            case "remove":
                made = event(removed={name: folding.rev(name) + 1})
            case "approve":
                made = event(approved={name: Approval(at=str(number), lines=(str(number),))})
            case "finish":
                made = event(approved={name: Approval(at=str(number), lines=())})
        folding.add(made)
        events.append(made)
        snapshots.append(folding.sorted())
    return events, snapshots


@given(some.lists(ACTIONS, max_size=12), some.data())
def test_any_stretch_of_the_journal_around_a_snapshot_gives_its_end(actions, data):
    """Events from at or before a snapshot to at or after it give the state of the last of them."""
    events, snapshots = history(actions)
    at = data.draw(some.integers(0, len(events)))
    begin = data.draw(some.integers(0, at))
    end = data.draw(some.integers(at, len(events)))

    assert snapshots[end] == fold(snapshots[at], events[begin:end])


@given(some.lists(ACTIONS, max_size=12))
def test_replaying_the_whole_journal_twice_changes_nothing(actions):
    """A journal folded in after a snapshot that holds all of it is harmless."""
    events, snapshots = history(actions)

    assert snapshots[-1] == fold(fold(empty("test"), events), events)


@given(some.lists(ACTIONS, max_size=12), some.integers(0, 12))
def test_folding_in_two_parts_is_folding_at_once(actions, cut):
    """Where the snapshot is taken does not matter."""
    events, snapshots = history(actions)

    assert snapshots[-1] == fold(fold(empty("test"), events[:cut]), events[cut:])


def test_events_of_different_addresses_commute():
    """Only the order within an address counts."""
    one, two = event(records={"a/1": known(1)}), event(records={"a/2": known(1)})

    assert fold(empty("test"), [one, two]) == fold(empty("test"), [two, one])


def test_an_older_event_changes_nothing():
    """An event with a rev that the record has reached is skipped."""
    newest = snapshot(a__1=known(3))

    assert newest == fold(
        newest, [event(records={"a/1": known(2, "failed")}), event(records={"a/1": known(3, "lost")})]
    )


def test_an_older_removal_changes_nothing():
    """A record that came back after its removal is not removed by the same event again."""
    newest = snapshot(a__1=known(3))

    assert newest == fold(newest, [event(removed={"a/1": 2}), event(removed={"a/1": 3})])


def test_a_removed_address_stays_removed():
    """The rev of a removal outlives the record: an event from before it brings nothing back."""
    folding = Folding(snapshot(a__1=known(2)))
    folding.add(event(removed={"a/1": 3}))
    folding.add(event(records={"a/1": known(3)}))

    assert {} == folding.sorted().records


def test_an_address_that_comes_back_counts_on():
    """After a removal the next record is newer than it."""
    folding = Folding(snapshot(a__1=known(2)))
    folding.add(event(removed={"a/1": 3}))
    folding.add(event(records={"a/1": known(folding.rev("a/1") + 1)}))

    assert 4 == folding.sorted().records["a/1"].rev


def test_an_unknown_address_has_rev_zero():
    """The first record of an address has rev 1."""
    assert 0 == Folding(empty("test")).rev("a/1")


def test_a_removal_of_what_is_not_there_is_remembered():
    """A removal counts also where the record was never seen, as in a journal that is read from its middle."""
    folding = Folding(empty("test"))
    folding.add(event(removed={"a/1": 5}))

    assert 5 == folding.rev("a/1")


def test_an_approval_without_lines_is_forgotten():
    """What was approved and is finished leaves the state."""
    approved = fold(empty("test"), [event(approved={"p": Approval(at="1", lines=("encode a/1 ff",))})])

    assert ("encode a/1 ff",) == approved.approved["p"].lines
    assert {} == fold(approved, [event(approved={"p": Approval(at="2", lines=())})]).approved


def test_folding_leaves_its_snapshot_alone():
    """The state that a fold begins with can be used again."""
    before = snapshot(a__1=known(1))
    fold(before, [event(records={"a/2": known(1)}, removed={"a/1": 2})])

    assert ["a/1"] == list(before.records)


@pytest.mark.parametrize("order", [("b/1", "a/2", "a/1"), ("a/1", "b/1", "a/2")])
def test_a_state_is_sorted_by_address(order):
    """The order of events does not show."""
    events = [event(records={address: known(1)}) for address in order]

    assert ["a/1", "a/2", "b/1"] == list(fold(empty("test"), events).records)
