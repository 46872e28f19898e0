"""Running the one ffmpeg of a job: where it stands, and when it has to be stopped."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.ports import Running
from reconciler.ffmpeg.process import Ended, Process
from reconciler.ffmpeg.progress import Progress
from reconciler.ffmpeg.status import Status

CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Machine:
    """What runs ffmpeg: the program, the little of the environment that it gets, a clock in seconds.

    A process that shows no progress for `stall_seconds` is given up.
    """

    program: str
    environment: Mapping[str, str]
    clock: Callable[[], float]
    stall_seconds: float


class Encode:
    """One run of ffmpeg, watched. `total` is how many seconds of media it has to write, if that is known."""

    def __init__(self, machine: Machine, status: Status, cancelled: Callable[[], bool], total: float) -> None:
        self._machine = machine
        self._status = status
        self._cancelled = cancelled
        self._total = total if math.isfinite(total) and total > 0 else None
        self._began = self._alive_at = machine.clock()
        self._last: object = None
        self._files: Sequence[Path] = ()
        self._process: Process | None = None

    def run(self, arguments: Sequence[str], files: Sequence[Path]) -> Ended:
        """Run ffmpeg to its end, or stop it. `files` are what it writes. Raises OSError if it does not start."""
        self._files = files
        self._process = Process(self._machine.program, arguments, self._machine.environment)
        self._report(Progress())
        return self._process.follow(self._report, self._why_stop, self._machine.clock)

    def kill(self) -> None:
        """Kill ffmpeg, if it runs."""
        if self._process is not None:
            self._process.signal(signal.SIGKILL)

    def _report(self, progress: Progress) -> None:
        elapsed = self._machine.clock() - self._began
        self._sign_of_life(progress)
        speed = progress.seconds / elapsed if progress.seconds and elapsed > 0 else None
        known = progress.seconds if self._total is not None else None
        self._status.become(
            Running(
                stage="encoding",
                fraction=min(known / self._total, 1.0) if known is not None and self._total else None,
                speed=speed,
                remaining=max(self._total - known, 0) / speed if speed and known is not None and self._total else None,
                process=self._process.identity if self._process is not None else None,
            )
        )

    def _sign_of_life(self, life: object) -> None:
        if life != self._last:
            self._last, self._alive_at = life, self._machine.clock()

    def _why_stop(self) -> str | None:
        if self._cancelled():
            return CANCELLED
        silent = self._machine.clock() - self._alive_at
        if silent < self._machine.stall_seconds:
            return None
        # While the index of a long file is moved to its front there is no progress, but the file changes.
        self._sign_of_life(tuple(file.stat().st_mtime_ns for file in self._files if file.exists()))
        if self._machine.clock() - self._alive_at < self._machine.stall_seconds:
            return None
        return f"ffmpeg made no progress for {silent:.0f} s and was stopped"
