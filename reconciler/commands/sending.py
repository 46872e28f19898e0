"""Calls for providers, in threads where a provider can take several at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue

from reconciler.core.errors import ProviderError
from reconciler.core.ports import Provider


class Sender:
    """Makes calls, as many at once for each provider as its traits allow.

    The threads are daemons: a server that does not answer holds up nobody who wants to leave. What such a call
    may have done, the next apply finds out.
    """

    def __init__(self) -> None:
        self._queues: dict[int, SimpleQueue[tuple[Callable[[], object], Future[object]]]] = {}

    def __call__(self, provider: Provider, call: Callable[[], object]) -> Future[object]:
        """The call under way; made at once, in this thread, where the provider wants it so."""
        pending: Future[object] = Future()
        if provider.traits.submissions <= 1:
            _answer(call, pending)
        else:
            self._queue(provider).put((call, pending))
        return pending

    def _queue(self, provider: Provider) -> SimpleQueue[tuple[Callable[[], object], Future[object]]]:
        queue = self._queues.get(id(provider))
        if queue is None:
            queue = self._queues[id(provider)] = SimpleQueue()
            for number in range(provider.traits.submissions):
                threading.Thread(target=_work, args=(queue,), name=f"submission {number}", daemon=True).start()
        return queue


def _work(queue: SimpleQueue[tuple[Callable[[], object], Future[object]]]) -> None:
    while True:
        call, pending = queue.get()
        try:
            pending.set_result(call())
        except Exception as error:  # noqa: BLE001 - raised again where the answer is taken
            pending.set_exception(error)


def _answer(call: Callable[[], object], pending: Future[object]) -> None:
    """In this thread, all but the expected goes through at once."""
    try:
        pending.set_result(call())
    except ProviderError as error:
        pending.set_exception(error)
