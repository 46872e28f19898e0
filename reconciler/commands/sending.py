"""Calls for providers, in threads where a provider can take several at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

from reconciler.core.errors import ProviderError
from reconciler.core.ports import Provider

Value = TypeVar("Value")


class Threads:
    """Some daemon threads that make calls as they are put in.

    A server that does not answer holds up nobody who wants to leave.
    """

    def __init__(self, name: str, count: int) -> None:
        self._queue: SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = SimpleQueue()
        for number in range(count):
            threading.Thread(target=self._work, name=f"{name} {number}", daemon=True).start()

    def put(self, call: Callable[[], Value], pending: Future[Value]) -> None:
        """Make a call as soon as a thread is free; `pending` gets its answer."""
        self._queue.put((call, pending))

    def _work(self) -> None:
        while True:
            call, pending = self._queue.get()
            try:
                pending.set_result(call())
            except Exception as error:  # noqa: BLE001 - raised again where the answer is taken
                pending.set_exception(error)


class Sender:
    """Makes calls, as many at once for each provider as its traits allow.

    What a call may have done that nobody waited for, the next apply finds out.
    """

    def __init__(self) -> None:
        self._threads: dict[int, Threads] = {}

    def __call__(self, provider: Provider, call: Callable[[], object]) -> Future[object]:
        """The call under way; made at once, in this thread, where the provider wants it so."""
        pending: Future[object] = Future()
        if provider.traits.submissions <= 1:
            _answer(call, pending)
        else:
            self._of(provider).put(call, pending)
        return pending

    def _of(self, provider: Provider) -> Threads:
        threads = self._threads.get(id(provider))
        if threads is None:
            threads = self._threads[id(provider)] = Threads("submission", provider.traits.submissions)
        return threads


def _answer(call: Callable[[], object], pending: Future[object]) -> None:
    """In this thread, all but the expected goes through at once."""
    try:
        pending.set_result(call())
    except ProviderError as error:
        pending.set_exception(error)
