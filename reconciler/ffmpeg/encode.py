"""Running the one ffmpeg of a job: where it stands, and when it has to be stopped."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.ports import Running
from reconciler.ffmpeg.complaints import Complaints
from reconciler.ffmpeg.process import Ended, Process
from reconciler.ffmpeg.progress import Progress
from reconciler.ffmpeg.status import Status

CANCELLED = "cancelled"

# How many times longer than an idle process a busy one is waited for.
_BUSY = 10


@dataclass(frozen=True, slots=True)
class Machine:
    """What runs ffmpeg: the program, the little of the environment that it gets, a clock in seconds.

    A process that shows no sign of life for `stall_seconds` is given up, and one that only keeps busy without
    any progress after ten times as long.
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
        self._began = self._moved_at = self._alive_at = machine.clock()
        self._progress = Progress()
        self._life: object = None
        self._files: Sequence[Path] = ()
        self._process: Process | None = None

    def run(self, arguments: Sequence[str], files: Sequence[Path], complaints: Complaints | None = None) -> Ended:
        """Run ffmpeg to its end, or stop it. `files` are what it writes. Raises OSError if it does not start.

        `complaints` takes what it says on its error stream.
        """
        self._files = files
        self._process = Process(self._machine.program, arguments, self._machine.environment, complaints)
        self._report(Progress())
        return self._process.follow(self._report, self._why_stop, self._machine.clock)

    def kill(self) -> None:
        """Kill ffmpeg, if it runs."""
        if self._process is not None:
            self._process.signal(signal.SIGKILL)

    def _report(self, progress: Progress) -> None:
        now = self._machine.clock()
        elapsed = now - self._began
        if progress != self._progress:
            self._progress, self._moved_at, self._alive_at = progress, now, now
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

    def _why_stop(self) -> str | None:
        if self._cancelled():
            return CANCELLED
        now, patience = self._machine.clock(), self._machine.stall_seconds
        if now - self._alive_at < patience:
            return None
        if (life := self._signs_of_life()) != self._life and now - self._moved_at < _BUSY * patience:
            self._life, self._alive_at = life, now
            return None
        return f"ffmpeg made no progress for {now - self._moved_at:.0f} s and was stopped"

    def _signs_of_life(self) -> object:
        """What changes while ffmpeg works without progress: on a hard picture, or moving an index to the front."""
        written = [file.stat().st_mtime_ns for file in self._files if file.exists()]
        return written, self._process.busy_seconds() if self._process is not None else 0
