"""What an apply tells whoever watches it. Views turn these into lines, bars or JSON events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.core.cost import Money
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
    """An output is verified, and has its final name or stays with a provider.

    `path` is its file, or its link without the query if `held_by` names the provider that keeps it, until
    `expires_at` (RFC 3339; None: not known to end).
    """

    address: str
    path: str
    size: int | None
    summary: str
    notes: tuple[str, ...]
    held_by: str | None = None
    expires_at: str | None = None


@dataclass(frozen=True, slots=True)
class OutputDelivered:
    """The copy of a finished output is where `deliver:` says; `url` is where it is seen in public, if anywhere."""

    address: str
    where: str
    size: int
    url: str | None = None


@dataclass(frozen=True, slots=True)
class OutputFailed:
    """An output failed or is suspect. `failures` of `attempts` are used; `old_file` is the living one, if any.

    A `status` of undelivered or undeleted is about its copy or its deletion, not about the output itself; one of
    submitted or running means that its provider could not be reached: the next apply goes on. A blocked one was not
    begun, since what it is made from is not there.
    """

    address: str
    status: str
    error: str
    failures: int
    attempts: int
    old_file: str | None = None


@dataclass(frozen=True, slots=True)
class Canaries:
    """The first jobs of many; `waiting` counts the outputs that are started only if all of these end well."""

    jobs: tuple[PlannedJob, ...]
    waiting: int


@dataclass(frozen=True, slots=True)
class Stopping:
    """The first interrupt: nothing more is started."""


Happening = (
    StepDone | JobStarted | JobProgress | JobMessage | OutputDone | OutputDelivered | OutputFailed | Canaries | Stopping
)
Tell = Callable[[Happening], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an apply ended. `interrupted` and `not_run` say that the next apply has something to go on with.

    `relinked` counts links that were renewed, `delivered` copies that were made, `running` outputs whose jobs
    were left to run, `held_up` outputs that are made from those, `timed_out` whether waiting for them took too long,
    `paid` is what the jobs that ended did cost, one amount a currency, `untold` the providers that cost money and told
    no amount for such a job.
    """

    encoded: tuple[OutputDone, ...]
    failed: tuple[OutputFailed, ...]
    free: int
    not_run: int
    interrupted: bool
    seconds: float
    running: int = 0
    relinked: int = 0
    delivered: tuple[OutputDelivered, ...] = ()
    timed_out: bool = False
    paid: tuple[Money, ...] = ()
    held_up: int = 0
    untold: tuple[str, ...] = ()
