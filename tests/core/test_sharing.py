"""What one machine tells the others of a shared state, as events."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from builders_state import event, known, snapshot
from reconciler.core.sharing import difference, left_behind, next_revs, says_nothing, together
from reconciler.core.state import Approval, Event, Folding, fold

ADDRESSES = st.sampled_from(["a/1", "a/2", "b/1"])


@st.composite
def histories(draw):
    """Events as a writer makes them: every rev is newer than what was known of its address."""
    folding, events = Folding(snapshot()), []
    for number in range(draw(st.integers(1, 8))):
        address = draw(ADDRESSES)
        if draw(st.booleans()):
            made = event(records={address: known(folding.rev(address) + 1, error=str(number))})
        elif draw(st.booleans()):
            made = event(approved={address: Approval(at="now", lines=tuple("x" * draw(st.integers(0, 1))))})
        else:
            made = event(removed={address: folding.rev(address) + 1})
        folding.add(made)
        events.append(made)
    return events


@given(histories(), st.integers(0, 8))
def test_events_together_say_what_they_say_one_by_one(events, seen):
    """Over a state that has seen any number of them."""
    whole = None
    for each in events:
        whole = together(whole, each)
    before = fold(snapshot(), events[:seen])

    assert fold(before, events).records == fold(before, [whole]).records
    assert fold(snapshot(), events).approved == fold(snapshot(), [whole]).approved


@given(histories(), histories())
def test_the_difference_of_two_states_makes_the_one_out_of_the_other(ours, theirs):
    """All but the revs, which only grow; and what the event did is not done twice."""
    here, there = fold(snapshot(), ours), fold(snapshot(), theirs)
    told = difference(here, there, next_revs(here), event="joined", at="now")
    made = fold(here, [told])

    assert {name: replace(each, rev=0) for name, each in there.records.items()} == {
        name: replace(each, rev=0) for name, each in made.records.items()
    }
    assert there.approved == made.approved
    assert all(made.records[name].rev >= each.rev for name, each in here.records.items() if name in made.records)
    assert made == fold(made, [told])
    assert (here == there) == says_nothing(told)


def test_nothing_together_with_something():
    """Is the one that says something; of two that say nothing, nothing."""
    made = event(records={"a/1": known(1)})

    assert made is together(None, made) is together(made, None)
    assert together(None, None) is None
    assert says_nothing(Event(event="", at=""))


def test_what_a_pushed_state_does_not_know():
    """A newer rev, an address that it lacks, another history under the same rev; more than is known is no loss."""
    there = snapshot(a__same=known(1), a__newer=known(3), a__gone=known(1), a__other=known(2, error="x"))
    pushed = snapshot(a__same=known(1), a__newer=known(2), a__other=known(2), a__more=known(1))

    assert ["a/gone", "a/newer", "a/other"] == left_behind(there, pushed)
    assert [] == left_behind(there, there)
    assert [] == left_behind(snapshot(), pushed)
