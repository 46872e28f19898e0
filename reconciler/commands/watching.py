"""Whoever watches an apply: bars on a terminal, lines elsewhere, events with `--json`."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rich.console import Console

from reconciler.commands.options import Globals
from reconciler.commands.speaking import Screen
from reconciler.core.happenings import Happening, Tell
from reconciler.views.apply_events import ApplyEvents
from reconciler.views.progress import PlainProgress
from reconciler.views.progress_terminal import TerminalProgress


class Watching:
    """Tells what happens, from the first happening on. That nobody reads it any more stops no apply."""

    def __init__(self, screen: Screen, settings: Globals) -> None:
        self._screen = screen
        self._settings = settings
        self._tell: Tell | None = None
        self._terminal: TerminalProgress | None = None
        self.outputs = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._terminal is not None:
            with suppress(OSError):
                self._terminal.__exit__(kind, error, trace)

    def tell(self, happening: Happening) -> None:
        """Show one happening."""
        if self._tell is None:
            self._tell = self._begin()
        try:
            self._tell(happening)
        except OSError:
            self._tell = _silence

    def _bars(self) -> TerminalProgress:
        console = Console(stderr=True, no_color=not self._settings.color, highlight=False)
        self._terminal = TerminalProgress(console, time.monotonic, outputs=self.outputs)
        return self._terminal.__enter__()

    def _begin(self) -> Tell:
        if self._settings.json:
            return ApplyEvents(self._screen.event, lambda: datetime.now(UTC)).tell
        if self._screen.draws:
            return self._bars().tell
        lines = PlainProgress(lambda line: self._screen.talk(f"{line}\n"), _local_time, outputs=self.outputs)
        return lines.tell


def _local_time() -> datetime:
    return datetime.now(UTC).astimezone()


def _silence(_: Happening) -> None:
    """Nobody reads any more."""
