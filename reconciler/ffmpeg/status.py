"""Where one job stands, written by its thread and read by whoever observes it."""

from __future__ import annotations

import threading
from dataclasses import replace

from reconciler.core.ports import Done, Draft, Failed, Observation, Running


class Status:
    """The latest observation of a job. Messages wait until somebody looks, and are given once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now: Draft | Running | Done | Failed = Draft()
        self._messages: list[str] = []

    def observe(self) -> Observation:
        """Where the job stands, with the messages that nobody has seen."""
        with self._lock:
            if not isinstance(self._now, Running | Done):
                return self._now
            messages, self._messages = tuple(self._messages), []
            return replace(self._now, messages=messages)

    def say(self, message: str) -> None:
        """Leave a message."""
        with self._lock:
            self._messages.append(message)

    def become(self, now: Running | Done | Failed) -> None:
        """Note where the job stands now. What has ended stays as it ended."""
        with self._lock:
            if not isinstance(self._now, Done | Failed):
                self._now = now

    @property
    def ended(self) -> bool:
        """Whether the job is done or failed."""
        with self._lock:
            return isinstance(self._now, Done | Failed)
