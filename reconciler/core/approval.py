"""Who may let a plan run: its id, what was approved under an id before, and what is protected.

The id is a hash over the lines that the specs cause, so it is the same before and after a merge, whatever
links died, jobs finished or attempts failed meanwhile.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from reconciler.core.errors import PlanChangedError
from reconciler.core.names import matches
from reconciler.core.plan import Plan
from reconciler.core.state import Approval, Record
from reconciler.core.steps import Delete, Rerun, Retire, Reuse, ReuseTwin, Step, Supersede, line, replaces_file

ID_LENGTH = 16

# How many unfinished approvals a state keeps.
KEPT = 10

# How many outputs may have been begun by others between a plan and its apply; and of how many of the newest just
# some may have been in the plan.
LOOKED_BACK = 500
CHOSEN_FROM = 10


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that forbids the apply, and what lifts it."""

    code: str
    address: str
    sentence: str
    lift: str


def plan_lines(plan: Plan) -> tuple[str, ...]:
    """The sorted lines that the specs cause: what is approved when a plan is."""
    return tuple(sorted(text for text in map(line, plan.steps) if text is not None))


def plan_id(lines: Sequence[str]) -> str:
    """The id of a plan with these lines: 16 hexadecimal digits."""
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:ID_LENGTH]


def check_expected(
    expected: str, lines: Sequence[str], approved: Mapping[str, Approval], done: Sequence[str] = ()
) -> str:
    """The id under which `lines` may run, given that somebody approved `expected`.

    Equal lines go; so do fewer lines than were approved under that id, and none at all. `done` are lines of work that
    needs no approval any more, the newest first (see `done_lines`): what others began since is no change of the plan.
    Raises PlanChangedError with both ids and the lines that go beyond the approval.
    """
    current = plan_id(lines)
    if current == expected or not lines or _is_rest(expected, lines, approved, done):
        return expected
    known = approved.get(expected)
    beyond = [text for text in lines if known is None or not _covered(text, known.lines)]
    if known is not None and not beyond:
        return expected
    head = f"the plan is not the one that was approved: expected {expected}, now {current}"
    listed = [f"  {text}" for text in beyond[:20]]
    more = [f"  and {len(beyond) - 20} more"] if len(beyond) > 20 else []
    tail = "Nothing was started. Look at the new plan (reconciler plan) and approve its id."
    raise PlanChangedError("\n".join([f"{head}. Not approved:", *listed, *more, tail]))


def _is_rest(expected: str, lines: Sequence[str], approved: Mapping[str, Approval], done: Sequence[str]) -> bool:
    """Whether an id is that of these lines and some that were begun by now, so that they are what is left of it.

    Lines of another approval that is not finished may stand beside them: those were approved, too.
    """
    own = [text for text in lines if not any(_covered(text, each.lines) for each in approved.values())]
    kinds = [lines] if len(own) == len(lines) else [lines, own]
    return any(plan_id([*kind, *part]) == expected for kind in kinds for part in _parts(done))


def _parts(done: Sequence[str]) -> Iterator[Sequence[str]]:
    """What of the work begun may have been in a plan: all of the newest, or any of the very newest."""
    yield from (done[:number] for number in range(min(len(done), LOOKED_BACK) + 1))
    newest = done[:CHOSEN_FROM]
    for number in range(1, len(newest)):
        yield from combinations(newest, number)


def done_lines(records: Mapping[str, Record]) -> tuple[str, ...]:
    """What would have been the lines of everything that was begun, however it ended or runs on; the newest first."""
    begun = ((_ended(record), address, record) for address, record in records.items())
    newest = sorted(begun, key=lambda each: each[:2], reverse=True)
    return tuple(
        f"{'retire' if record.status == 'retired' else 'encode'} {address} {record.fingerprint}"
        for _, address, record in newest
    )


def _ended(record: Record) -> str:
    """When the work on a record ended; a link that was renewed since is no work."""
    ended = record.job.finished_at if record.status == "complete" and record.job is not None else None
    return ended or record.updated_at or ""


def _covered(text: str, approved: Sequence[str]) -> bool:
    """Whether a line was approved; taking a living file is within what an approved encode would have done."""
    return text in approved or re.sub("^reuse ", "encode ", text) in approved


def check_saved(saved: Sequence[str], lines: Sequence[str], approved: Mapping[str, Approval]) -> str:
    """As `check_expected`, for a saved plan, which brings the lines that were approved."""
    identifier = plan_id(saved)
    return check_expected(identifier, lines, {**approved, identifier: Approval(at="", lines=tuple(saved))})


def finished_approvals(
    approved: Mapping[str, Approval], records: Mapping[str, Record], left: Collection[str] = ()
) -> list[str]:
    """The ids of approvals of which nothing is left to do, and the oldest beyond the ten that are kept.

    `left` are addresses that an apply has not come to, whatever their records say.
    """
    done = [
        identifier
        for identifier, approval in approved.items()
        if all(_done(text, approval.at, records, left) for text in approval.lines)
    ]
    open_ones = sorted((identifier for identifier in approved if identifier not in done), key=lambda i: approved[i].at)
    return done + open_ones[: max(0, len(open_ones) - KEPT)]


def _done(text: str, at: str, records: Mapping[str, Record], left: Collection[str]) -> bool:
    """Whether a line approved `at` needs no more work: its output is made, or made differently since, or retired."""
    verb, _, rest = text.partition(" ")
    address, _, fingerprint = rest.rpartition(" ")
    record = records.get(address)
    if verb not in {"encode", "reuse"}:
        return record is None or record.status == "retired"
    if address in left or record is None or record.status != "complete":
        return False
    finished = record.job.finished_at if record.job is not None else None
    return record.fingerprint == fingerprint or (finished or "") > at


def refusals(plan: Plan) -> tuple[Refusal, ...]:
    """The protected outputs that this plan would rerun, retire or delete without a named override."""
    return tuple(
        _protected(step.address, verb)
        for step in plan.steps
        for verb in _verbs(step)
        if not _allowed(plan.selection.allow, step.address)
    )


def _verbs(step: Step) -> list[str]:
    match step:
        case Rerun(record=record, output=output) | Supersede(record=record, output=output):
            return ["rerun"] if (record.protect or output.protect) and replaces_file(step) else []
        case Reuse(record=record, output=output) | ReuseTwin(record=record, output=output):
            protected = output.protect or (record is not None and record.protect)
            return ["replace"] if protected and replaces_file(step) else []
        case Retire(record=record):
            return ["retire"] if record.protect and _has_file(record) else []
        case Delete(record=record):
            return ["delete"] if record.protect and _has_file(record) else []
        case _:
            return []


def _has_file(record: Record) -> bool:
    """Whether there is a file to be protected, if only one of an earlier attempt."""
    return record.output is not None or bool(record.previous)


def _allowed(allow: Sequence[str], address: str) -> bool:
    globs = [text.partition(":")[2] for text in allow if text.startswith("rerun:")]
    return any(matches(glob, address) for glob in globs)


def lifted_protection(plan: Plan) -> dict[str, tuple[str, ...]]:
    """The named overrides that let something happen to protected outputs, by address."""
    return {
        step.address: tuple(text for text in plan.selection.allow if _allowed([text], step.address))
        for step in plan.steps
        if _verbs(step) and _allowed(plan.selection.allow, step.address)
    }


def _protected(address: str, verb: str) -> Refusal:
    return Refusal(
        code="protect",
        address=address,
        sentence=f"{address} is protected and this plan would {verb} it",
        lift=f"leave it alone with --exclude {address}, or let this one through with --allow rerun:{address}",
    )
