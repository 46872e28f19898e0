"""The errors that a user may meet, each with its exit code.

ReconcilerError              1   expected; says what, where and what to do
├── SpecError                1   problems of the spec files, all of one run together
├── StateError               1   a state that cannot be read, or must not be rewritten
├── NotApprovedError         1   an apply without approval and without a terminal
├── PartlyAppliedError       3   something failed; running again goes on
├── RefusedError             4   a limit or a protection
├── PlanChangedError         5   the plan is not the one that was approved
├── LockedError              6   somebody else writes the state
├── StillRunningError        7   jobs that were waited for long enough
├── UsageError              64   options that contradict each other
├── InterruptedApplyError  130   stopped by the user; running again goes on
└── ProviderError            1   a provider could not do what it was asked
    ├── RejectedError        1   the request itself is wrong: never repeated
    ├── NotReadyError        1   this machine lacks something: nothing was tried, no attempt is used
    ├── UnavailableError     1   try later
    └── CredentialsError     8   credentials or balance: stops the whole run
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a spec file; line and column count from 1."""

    file: str
    line: int
    column: int
    length: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a spec.

    `path` is the offending path (`encodes.trailer.outputs.720p`), `hints` are whole sentences that say
    what would be right, one a line. `member` is the member of a fan-out whose value is wrong; another member's
    may be wrong in the same words, at the same place.
    """

    message: str
    place: Place | None = None
    path: str = ""
    hints: tuple[str, ...] = ()
    member: str = ""


def unique(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each problem once, by message, place and member: a preset that is wrong is wrong for everybody who uses it."""
    seen: dict[tuple[str, Place | None, str], Problem] = {}
    for problem in problems:
        seen.setdefault((problem.message, problem.place, problem.member), problem)
    return tuple(seen.values())


class ReconcilerError(Exception):
    """An expected error: its text says what is wrong, where, and what to do."""

    exit_code = 1


class SpecError(ReconcilerError):
    """Everything that is wrong with the spec files of one run."""

    def __init__(
        self,
        problems: Sequence[Problem],
        *,
        texts: Mapping[str, Sequence[str]] | None = None,
        files: int = 0,
    ) -> None:
        """`texts` holds the lines of the files that problems point into; `files` counts all files read."""
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)
        self.texts = dict(texts or {})
        self.files = files


class StateError(ReconcilerError):
    """The state cannot be read, or is of a version that must not be rewritten."""


class NotApprovedError(ReconcilerError):
    """An apply that nobody approved and that cannot ask."""


class PartlyAppliedError(ReconcilerError):
    """Some outputs failed; the others are recorded and the next apply goes on."""

    exit_code = 3


class RefusedError(ReconcilerError):
    """A limit or a protection forbids this apply."""

    exit_code = 4


class PlanChangedError(ReconcilerError):
    """The plan of now holds work that was not approved."""

    exit_code = 5


class LockedError(ReconcilerError):
    """Another process writes the state."""

    exit_code = 6


class StillRunningError(ReconcilerError):
    """Jobs still run after the time to wait for them; the next apply brings them in."""

    exit_code = 7


class UsageError(ReconcilerError):
    """Options that contradict each other, or a pattern that matches nothing."""

    exit_code = 64


class InterruptedApplyError(ReconcilerError):
    """The user stopped the apply; everything is recorded."""

    exit_code = 130


class ProviderError(ReconcilerError):
    """A provider could not do what it was asked."""


class RejectedError(ProviderError):
    """The provider says that the request is wrong; repeating it would not help."""


class NotReadyError(ProviderError):
    """This machine lacks what a job needs (a variable, a folder it may write to): nothing was tried."""


class UnavailableError(ProviderError):
    """The provider cannot be reached now; trying later may help."""


class CredentialsError(ProviderError):
    """Credentials or balance: no job can run, so the whole run stops."""

    exit_code = 8
