"""What an apply tells whoever watches it. Views turn these into lines, bars or JSON events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.core.jobs import PlannedJob
from reconciler.core.ports import Running
from reconciler.core.steps import Step


@dataclass(frozen=True, slots=True)
class StepDone:
    """A free step (move, reuse, update, retire) is recorded."""

    step: Step


@dataclass(frozen=True, slots=True)
class JobStarted:
    """A job was started, or an earlier one is attended again."""

    job: PlannedJob
    resumed: bool


@dataclass(frozen=True, slots=True)
class JobProgress:
    """Where a running job stands; sent often."""

    job: PlannedJob
    running: Running


@dataclass(frozen=True, slots=True)
class JobMessage:
    """Something worth a line of its own: what was fetched, a note."""

    job: PlannedJob
    text: str


@dataclass(frozen=True, slots=True)
class OutputDone:
    """An output is verified and published under its final name."""

    address: str
    path: str
    size: int
    summary: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OutputFailed:
    """An output failed or is suspect. `failures` of `attempts` are used; `old_file` is the living one, if any."""

    address: str
    status: str
    error: str
    failures: int
    attempts: int
    old_file: str | None = None


@dataclass(frozen=True, slots=True)
class Stopping:
    """The first interrupt: nothing more is started."""


Happening = StepDone | JobStarted | JobProgress | JobMessage | OutputDone | OutputFailed | Stopping
Tell = Callable[[Happening], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an apply ended. `interrupted` and `not_run` say that the next apply has something to go on with."""

    encoded: tuple[OutputDone, ...]
    failed: tuple[OutputFailed, ...]
    free: int
    not_run: int
    interrupted: bool
    seconds: float
