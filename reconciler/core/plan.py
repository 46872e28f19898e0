r"""What to do: a pure function from what is wanted, what is recorded and what was seen to steps.

| recorded \ desired          | same fingerprint                        | other fingerprint            | not declared |
|------------------------------|-----------------------------------------|------------------------------|--------------|
| absent                       | Create; Move if a living file of this fingerprint belongs to an address that is no longer declared, also if its source has a new name and the same content; Reuse if to one that is; of new twins the first is Create, the others ReuseTwin | as absent | - |
| retired                      | Reuse of its own file if it lives, else as absent | as absent          | nothing      |
| complete                     | nothing; Relink if only its link died; Update for labels, protection, provider | Rerun; Reuse if an earlier attempt of this fingerprint lives; Update if only the source's name differs | Retire |
| complete, source changed     | Rerun(source_changed)                   | Rerun                        | Retire       |
| complete, file missing or altered where it was made | Rerun(output_missing), Rerun(output_altered) | Rerun | Retire |
| failed, attempts left        | Retry                                   | Rerun                        | Retire       |
| failed for good, suspect, lost | nothing, a warning; Rerun if the source changed | Rerun              | Retire       |
| submitted, running           | Resume                                  | Supersede                    | Retire, which cancels |
| complete, failed for good, suspect or lost, and made from an output that this plan encodes | Rerun(upstream) | Rerun(upstream), Rerun(changed) | Retire |

An output that is made from another one (see `chains`) is decided about after that one, and begins when that is whole.
A file that is only made once more, since it was gone, encodes nothing downstream: Rerun(output_missing), or
Rerun(needed_by) where somebody needs it that can be read nowhere. What needs a file that cannot be had is blocked.

`--rerun` makes each of the first rows with a record a Rerun(requested); `enabled: false` makes every one of a
declared output nothing. A file made on another machine is taken to be where it was made.
"""  # noqa: E501 - a table reads best as one

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.core.aftercare import target
from reconciler.core.chains import Chains
from reconciler.core.decisions import IN_FLIGHT, Decisions
from reconciler.core.encode import Desired, Output
from reconciler.core.finished import Notice
from reconciler.core.selection import Selection, refuse_empty, refuse_unmatched
from reconciler.core.state import Record
from reconciler.core.steps import Create, Delete, Move, Reason, Relink, Retire, Reuse, Step
from reconciler.core.twins import once_for_twins
from reconciler.core.world import World

__all__ = ["IN_FLIGHT", "Plan", "counts", "make_plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps, sorted by address, and what was left alone.

    `selection` is what the plan was asked to look at, `declared` counts the outputs of the specs and
    `unchanged` those that need nothing; `left` are steps that only an apply which may spend carries out. `relinks`
    are free, and no change.
    """

    project: str
    steps: tuple[Step, ...]
    relinks: tuple[Relink, ...] = ()
    notices: tuple[Notice, ...] = ()
    declared: int = 0
    unchanged: int = 0
    paused: int = 0
    recorded: int = 0
    left: int = 0
    selection: Selection = field(default_factory=Selection)


def make_plan(desired: Desired, records: Mapping[str, Record], world: World, selection: Selection) -> Plan:
    """Compare what is wanted with what is recorded.

    Raises UsageError for a pattern that matches nothing, and ReconcilerError when the specs declare nothing, or a
    fan-out matches nothing, over a state that holds something, unless `empty` is allowed.
    """
    refuse_unmatched(desired, records, selection)
    refuse_empty(desired, records, selection.allow)
    planner = _Planner(desired, records, world, selection)
    steps = planner.steps()
    return Plan(
        project=desired.project,
        steps=tuple(sorted(steps, key=lambda step: step.address)),
        relinks=tuple(planner.rows.relinks),
        notices=tuple(planner.rows.notices),
        declared=len(desired.outputs),
        unchanged=planner.unchanged,
        paused=planner.paused,
        recorded=len(records),
        selection=selection,
    )


class _Planner:
    """One walk over desired and recorded."""

    def __init__(self, desired: Desired, records: Mapping[str, Record], world: World, selection: Selection) -> None:
        self.desired = desired
        self.records = records
        self.selection = selection
        self.declared = frozenset(output.address for output in desired.outputs)
        self.found: dict[str, Step] = {}
        self.chains = Chains(desired, records, world, selection, self.found)
        self.world = replace(world, mezzanines=self.chains.mezzanines)
        self.rows = Decisions(self.declared, records, self.world, selection)
        self.unchanged = 0
        self.paused = 0
        self.known_paths: set[str | None] = {
            record.output.path for record in records.values() if record.output is not None
        }
        self.known_paths |= {attempt.output.path for record in records.values() for attempt in record.previous}

        self.known_copies = {record.delivered.where for record in records.values() if record.delivered is not None}

    def steps(self) -> list[Step]:
        """All steps: what is wanted, chains from their beginning on, what is left over, then one encode for twins."""
        for output in self.desired.outputs:
            if output.source.upstream is None and self.looks_at(output.address):
                self.wanted(output)
        for output in self.chains.outputs:
            if self.looks_at(output.address):
                self.chains.look(output)
                self.wanted(output)
                self.chains.feed(output, self.rows)
        self.chains.drop_what_was_not_needed(self.rows)
        for address, record in self.records.items():
            left_over = address not in self.declared and address not in self.rows.moved and record.status != "retired"
            if left_over and self.selection.selects(address):
                self.found[address] = _left_over(address, record)
        self.unchanged -= self.chains.taken_up
        for step in self.found.values():
            self.warn_of_replaced(step)
        return once_for_twins(list(self.found.values()))

    def looks_at(self, address: str) -> bool:
        """Whether the plan is about an output: by its address, or since what it selects is made from it."""
        return self.selection.selects(address) or address in self.chains.brought

    def wanted(self, output: Output) -> None:
        """Find the step for one declared output, if it needs one."""
        if not output.enabled:
            self.paused += output.address not in self.chains.brought
            return
        step = self.rows.decide(output, self.records.get(output.address))
        if step is not None:
            self.found[output.address] = step
        elif output.address not in self.chains.brought:
            self.unchanged += 1

    def warn_of_replaced(self, step: Step) -> None:
        """A file that no record knows stands where a new one will be, or a copy: say so before it is replaced."""
        if not isinstance(step, Retire | Delete):
            wanted = target(step.output)
            if wanted is not None and self.world.copies.get(wanted.where) and wanted.where not in self.known_copies:
                sentence = f"{wanted.where} is there, and no record knows it: a copy will replace it"
                self.rows.notices.append(Notice("unrecorded_file", step.address, sentence))
        if not isinstance(step, Create | Move | Reuse) or self.world.files.get(step.output.path) is None:
            return
        if step.output.path not in self.known_paths:
            sentence = f"{step.output.path} is there, and no record knows it: it will be replaced"
            self.rows.notices.append(Notice("unrecorded_file", step.address, sentence))


def _left_over(address: str, record: Record) -> Step:
    """What becomes of an output that is declared no longer."""
    if record.on_remove == "delete" and record.status not in IN_FLIGHT:
        return Delete(address, record, Reason("not_declared", "no longer declared; on_remove: delete"))
    return Retire(address, record, _retire_reason(record))


def _retire_reason(record: Record) -> Reason:
    if record.status in IN_FLIGHT:
        return Reason("not_declared", "no longer declared; its job is cancelled")
    return Reason("not_declared", "no longer declared; its record is kept, its file is not deleted")


def counts(plan: Plan) -> Counter[str]:
    """How many steps of each kind, by class name in lower case."""
    return Counter(type(step).__name__.lower() for step in plan.steps)
