"""Who encodes when."""

from __future__ import annotations

import threading
import time

import pytest

from reconciler.ffmpeg.slots import Slots


def taking(slots, number, order, hold):
    """A thread that takes a place, says so, and holds it until told."""

    def take():
        with slots.place(number, lambda: None):
            order.append(number)
            hold.wait(5)

    thread = threading.Thread(target=take)
    thread.start()
    return thread


def test_only_so_many_have_a_place():
    """Two places, three who want one: the third waits for the first to leave."""
    slots, order, hold = Slots(2), [], threading.Event()
    threads = [taking(slots, slots.number(), order, hold) for _ in range(3)]
    time.sleep(0.2)
    assert len(order) == 2
    hold.set()
    for thread in threads:
        thread.join(5)
    assert sorted(order) == [1, 2, 3]


def test_the_order_is_that_of_the_numbers():
    """Whoever stands in the queue is not overtaken, not even by somebody who is ready first."""
    slots, order, hold = Slots(1), [], threading.Event()
    first, second = slots.number(), slots.number()
    slots.stand(first)
    late = taking(slots, second, order, hold)
    time.sleep(0.2)
    assert order == []
    early = taking(slots, first, order, hold)
    time.sleep(0.2)
    assert order == [first]
    hold.set()
    early.join(5)
    late.join(5)
    assert order == [first, second]


def test_one_who_does_not_stand_holds_up_nobody():
    """A number whose download takes long, and one who left, are passed by."""
    slots, order, hold = Slots(1), [], threading.Event()
    downloading, gone, ready = slots.number(), slots.number(), slots.number()
    slots.stand(gone)
    slots.leave(gone)
    hold.set()
    taking(slots, ready, order, hold).join(5)
    assert (order, downloading) == ([ready], 1)


def test_waiting_can_be_given_up():
    """Who is not wanted any more leaves the queue with an exception of their own."""
    slots, order, hold = Slots(1), [], threading.Event()
    holder = taking(slots, slots.number(), order, hold)
    time.sleep(0.1)

    def give_up():
        raise InterruptedError

    with pytest.raises(InterruptedError), slots.place(slots.number(), give_up):
        pass
    hold.set()
    holder.join(5)
    taking(slots, slots.number(), order, hold).join(5)
    assert order == [1, 3]
