"""So many encodes at once, in the order in which their jobs were started."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOOKING = 0.1


class Slots:
    """A queue for a number of places.

    A job takes a number when it is started, and stands in the queue from when its source is here: a slow
    download holds up nobody. Whoever stands in the queue is not overtaken.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._queue: set[int] = set()
        self._last_number = 0
        self._changed = threading.Condition()

    def number(self) -> int:
        """The next number."""
        with self._changed:
            self._last_number += 1
            return self._last_number

    def stand(self, number: int) -> None:
        """Stand in the queue; whoever stands already stays where they are."""
        with self._changed:
            self._queue.add(number)

    def leave(self, number: int) -> None:
        """Leave the queue, if one stands in it."""
        with self._changed:
            self._queue.discard(number)
            self._changed.notify_all()

    @contextmanager
    def place(self, number: int, look: Callable[[], None]) -> Iterator[None]:
        """Wait for a place and have it. `look` is called now and then while waiting, and may raise to give up."""
        self.stand(number)
        try:
            with self._changed:
                while not self._free or min(self._queue) != number:
                    self._changed.wait(_LOOKING)
                    look()
                self._free -= 1
        finally:
            self.leave(number)
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()
