"""Threads that ask a server while others wait only a moment, and that no end of a program waits for."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future

from reconciler.core.errors import UnavailableError

_Work = tuple[Callable[[], None], "Future[None]"]


def _closed() -> UnavailableError:
    return UnavailableError("the provider was closed meanwhile")


class Workers:
    """At most `count` threads, made when there is work. Safe in threads."""

    def __init__(self, name: str, count: int) -> None:
        self._name, self._count = name, count
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self.closed = False

    def submit(self, work: Callable[[], None]) -> Future[None]:
        """Do `work` as soon as a thread is free; after `close` the future holds UnavailableError."""
        future: Future[None] = Future()
        with self._lock:
            if self.closed:
                future.set_exception(_closed())
                return future
            self._queue.put((work, future))
            if len(self._threads) < self._count:
                thread = threading.Thread(target=self._run, name=f"{self._name} {len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
        return future

    def close(self) -> None:
        """Begin nothing more; what has begun ends by itself."""
        with self._lock:
            self.closed = True
            for _ in self._threads:
                self._queue.put(None)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            work, future = item
            if self.closed:
                future.set_exception(_closed())
                continue
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - whoever waits for the future is told
                future.set_exception(error)
            else:
                future.set_result(None)
