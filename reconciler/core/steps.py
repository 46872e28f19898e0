"""The things that a plan can do to one address, each with just what it needs.

`actions` are OpenTofu's words for the JSON plan, `symbol` and `phrase` its words for people. `line` is the
step's part of the plan id: None for steps that the specs did not cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from reconciler.core.encode import Output
from reconciler.core.manifest import Difference
from reconciler.core.state import Attempt, Record

# What the differences of an Update are called that are checks.
CHECKS = "checks."

StepClass = Literal["record", "relink", "deliver", "encode"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a word for machines and a sentence for people."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class OutputStep:
    """A step for an output that the specs declare."""

    output: Output
    reason: Reason

    @property
    def address(self) -> str:
        """The address that the step is about."""
        return self.output.address


@dataclass(frozen=True, slots=True)
class NewStep(OutputStep):
    """A step that encodes where no finished file is replaced."""

    symbol: ClassVar[str] = "+"
    phrase: ClassVar[str] = "will be created"
    actions: ClassVar[tuple[str, ...]] = ("create",)
    step_class: ClassVar[StepClass] = "encode"


@dataclass(frozen=True, slots=True)
class ReplacingStep(OutputStep):
    """A step that encodes anew: the old file goes when the new one is whole."""

    record: Record
    changes: tuple[Difference, ...]
    symbol: ClassVar[str] = "+/-"
    phrase: ClassVar[str] = "must be replaced"
    actions: ClassVar[tuple[str, ...]] = ("create", "delete")
    step_class: ClassVar[StepClass] = "encode"


@dataclass(frozen=True, slots=True)
class UpdatingStep(OutputStep):
    """A step that encodes nothing: only the record, or the name of a file, changes."""

    symbol: ClassVar[str] = "~"
    phrase: ClassVar[str] = "will be updated in-place"
    actions: ClassVar[tuple[str, ...]] = ("update",)
    step_class: ClassVar[StepClass] = "record"


@dataclass(frozen=True, slots=True)
class Create(NewStep):
    """Encode an output that the state does not know."""


@dataclass(frozen=True, slots=True)
class Retry(NewStep):
    """Try a failed output once more; its attempts are not used up."""

    record: Record


@dataclass(frozen=True, slots=True)
class Rerun(ReplacingStep):
    """Encode an output again: what is wanted, or its source, is not what was made."""


@dataclass(frozen=True, slots=True)
class Supersede(ReplacingStep):
    """Cancel a job in flight whose output is no longer wanted like that, then encode what is."""


@dataclass(frozen=True, slots=True)
class Resume(OutputStep):
    """Go on with a job that an earlier apply began."""

    record: Record
    symbol: ClassVar[str] = "<="
    phrase: ClassVar[str] = "will be read during apply"
    actions: ClassVar[tuple[str, ...]] = ("read",)
    step_class: ClassVar[StepClass] = "encode"


@dataclass(frozen=True, slots=True)
class Reuse(UpdatingStep):
    """Take a living file with the same fingerprint instead of encoding: a hard link, else a copy.

    `of` is the address it is taken from, whose record is `attempt`'s; the address itself when an earlier
    attempt is still alive. `record` is what is known of the output's own address.
    """

    of: str
    attempt: Attempt
    record: Record | None


@dataclass(frozen=True, slots=True)
class ReuseTwin(UpdatingStep):
    """Take the file of an output that this same plan encodes: the second of two twins.

    `record` is what is known of the output's own address.
    """

    of: str
    record: Record | None


@dataclass(frozen=True, slots=True)
class Move(UpdatingStep):
    """Give a record and its file the address that the specs now use."""

    of: str
    record: Record
    phrase: ClassVar[str] = "has moved to"


@dataclass(frozen=True, slots=True)
class Update(UpdatingStep):
    """Record what changed about an output without changing its bits: labels, protection, provider.

    Where checks are among that, its file is measured for them.
    """

    record: Record
    changes: tuple[Difference, ...]

    @property
    def measures(self) -> bool:
        """Whether its file is measured."""
        return any(change.field.startswith(CHECKS) for change in self.changes)


@dataclass(frozen=True, slots=True)
class Redeliver(UpdatingStep):
    """Copy a finished file to where `deliver:` says: it is not there (any more), or what is there is another."""

    record: Record
    where: str
    step_class: ClassVar[StepClass] = "deliver"


@dataclass(frozen=True, slots=True)
class Relink:
    """Have the dead link of a living file signed anew: free, caused by the clock alone, and no change."""

    address: str
    record: Record


@dataclass(frozen=True, slots=True)
class Retire:
    """Mark a record whose output is no longer declared; nothing is deleted. A job in flight is cancelled."""

    address: str
    record: Record
    reason: Reason
    symbol: ClassVar[str] = "."
    phrase: ClassVar[str] = "will be forgotten"
    actions: ClassVar[tuple[str, ...]] = ("forget",)
    step_class: ClassVar[StepClass] = "record"


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the files of an output that is declared no longer and was declared with `on_remove: delete`."""

    address: str
    record: Record
    reason: Reason
    symbol: ClassVar[str] = "-"
    phrase: ClassVar[str] = "will be destroyed"
    actions: ClassVar[tuple[str, ...]] = ("delete",)
    step_class: ClassVar[StepClass] = "record"


EncodeStep = Create | Rerun | Retry | Resume | Supersede
FreeStep = Reuse | ReuseTwin | Move | Update | Redeliver | Retire | Delete
Step = EncodeStep | FreeStep


def line(step: Step) -> str | None:
    """The step's line in the plan id; None where the specs did not cause it, or where no bits change."""
    match step:
        case Create() | Rerun() | Supersede():
            return f"encode {step.address} {step.output.fingerprint}"
        case Reuse() | ReuseTwin() if replaces_file(step):
            return f"reuse {step.address} {step.output.fingerprint}"
        case Retire():
            return f"retire {step.address} {step.record.fingerprint}"
        case Delete():
            return f"delete {step.address} {step.record.fingerprint}"
        case _:
            return None


def replaces_file(step: Step) -> bool:
    """Whether a finished file of the address is replaced by one of another fingerprint."""
    match step:
        case Rerun() | Supersede():
            return step.record.output is not None or bool(step.record.previous)
        case Reuse() | ReuseTwin():
            return step.record is not None and step.output.fingerprint not in _living(step.record, default=step)
        case _:
            return False


def _living(record: Record, default: Reuse | ReuseTwin) -> set[str]:
    """The fingerprints of the files that a record may still have; that of the step itself where it has none."""
    own = {record.fingerprint} if record.output is not None else set[str]()
    found = own or {attempt.fingerprint for attempt in record.previous}
    return found or {default.output.fingerprint}
