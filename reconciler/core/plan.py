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

`--rerun` makes each of the first rows with a record a Rerun(requested); `enabled: false` makes every one of a
declared output nothing. A file made on another machine is taken to be where it was made.
"""  # noqa: E501 - a table reads best as one

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.core.encode import Desired, Output
from reconciler.core.finished import Notice, finished
from reconciler.core.manifest import Canonical, Difference, Manifest, difference
from reconciler.core.selection import Selection, refuse_empty, refuse_unmatched
from reconciler.core.state import Attempt, Record
from reconciler.core.steps import (
    Create,
    Delete,
    Move,
    Reason,
    Relink,
    Rerun,
    Resume,
    Retire,
    Retry,
    Reuse,
    ReuseTwin,
    Step,
    Supersede,
    Update,
)
from reconciler.core.world import World, living_attempts, same_content

IN_FLIGHT = frozenset({"submitted", "running"})


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps, sorted by address, and what was left alone.

    `selection` is what the plan was asked to look at, `declared` counts the outputs of the specs and
    `unchanged` those that need nothing. `relinks` are free, and no change.
    """

    project: str
    steps: tuple[Step, ...]
    relinks: tuple[Relink, ...] = ()
    notices: tuple[Notice, ...] = ()
    declared: int = 0
    unchanged: int = 0
    paused: int = 0
    recorded: int = 0
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
        relinks=tuple(planner.relinks),
        notices=tuple(planner.notices),
        declared=len(desired.outputs),
        unchanged=planner.unchanged,
        paused=planner.paused,
        recorded=len(records),
        selection=selection,
    )


class _Planner:
    """One walk over desired and recorded; holds what the rows of the table must know of each other."""

    def __init__(self, desired: Desired, records: Mapping[str, Record], world: World, selection: Selection) -> None:
        self.desired = desired
        self.records = records
        self.world = world
        self.selection = selection
        self.declared = {output.address for output in desired.outputs}
        self.notices: list[Notice] = []
        self.relinks: list[Relink] = []
        self.unchanged = 0
        self.paused = 0
        self.moved: set[str] = set()
        self.known_paths: set[str | None] = {
            record.output.path for record in records.values() if record.output is not None
        }
        self.known_paths |= {attempt.output.path for record in records.values() for attempt in record.previous}
        self._alive: dict[str, list[tuple[str, Attempt]]] | None = None
        self._vanished: dict[tuple[str, frozenset[tuple[str, Canonical]]], list[str]] | None = None

    def steps(self) -> list[Step]:
        """All steps: one loop for what is wanted, one for what is left over, then one encode for all twins."""
        steps: list[Step] = []
        for output in self.desired.outputs:
            if self.selection.selects(output.address):
                steps.extend(self.wanted(output))
        for address, record in self.records.items():
            left_over = address not in self.declared and address not in self.moved and record.status != "retired"
            if left_over and self.selection.selects(address):
                steps.append(_left_over(address, record))
        return _once_for_twins(steps)

    def wanted(self, output: Output) -> Iterator[Step]:
        """The step for one declared output, if it needs one."""
        if not output.enabled:
            self.paused += 1
            return
        step = self.decide(output, self.records.get(output.address))
        if step is None:
            self.unchanged += 1
            return
        self.warn_of_replaced(step)
        yield step

    def warn_of_replaced(self, step: Step) -> None:
        """A file that no record knows stands where a new one will be: say so before it is replaced."""
        if not isinstance(step, Create | Move | Reuse) or self.world.files.get(step.output.path) is None:
            return
        if step.output.path not in self.known_paths:
            sentence = f"{step.output.path} is there, and no record knows it: it will be replaced"
            self.notices.append(Notice("unrecorded_file", step.address, sentence))

    def decide(self, output: Output, record: Record | None) -> Step | None:
        """The row of the table that this output is in."""
        if record is None or record.status == "retired":
            return self.unrecorded(output, record)
        if record.status in IN_FLIGHT:
            return self.in_flight(output, record)
        changes = () if record.fingerprint == output.fingerprint else difference(record.manifest, output.manifest)
        if changes:
            return self.changed(output, record, changes)
        return self.same(output, record)

    def unrecorded(self, output: Output, record: Record | None) -> Step:
        """No living record: take a living file of this fingerprint, else create."""
        living = () if self.selection.reruns_it(output.address) else self.alive(output)
        for address, attempt in living:
            if address == output.address:
                reason = Reason("declared_again", "declared again; its file is still here")
                return Reuse(output, reason, address, attempt, record)
            owner = self.records[address]
            movable = address not in self.declared and self.selection.selects(address)
            if movable and owner.output == attempt.output:
                self.moved.add(address)
                return Move(output, Reason("moved", f"the same encode under a new name, was {address}"), address, owner)
        renamed = None if living or self.selection.reruns_it(output.address) else self.renamed(output)
        if renamed is not None:
            self.moved.add(renamed)
            sentence = f"the same encode of the same content under new names, was {renamed}"
            return Move(output, Reason("moved", sentence), renamed, self.records[renamed])
        for address, attempt in living:
            if self.takes(attempt):
                return Reuse(output, Reason("reuse", f"{address} is the same encode"), address, attempt, record)
        if record is None or living == ():
            return Create(
                output, Reason("new", "new") if record is None else Reason("requested", "asked for with --rerun")
            )
        return Create(output, Reason("declared_again", "its file is gone"))

    def renamed(self, output: Output) -> str | None:
        """The address, no longer declared, of a living file that differs in nothing but the name of its source."""
        seen = self.world.sightings.get(output.source.identity)
        digest = output.source.sha256 or (seen.sha256 if seen is not None else None)
        if digest is None:
            return None
        if self._vanished is None:
            self._vanished = defaultdict(list)
            for address, record in sorted(self.records.items()):
                lives = any(attempt.output == record.output for attempt in living_attempts(record, self.world))
                if address not in self.declared and record.source.sha256 is not None and lives:
                    self._vanished[record.source.sha256, _without_source(record.manifest)].append(address)
        found = [
            address
            for address in self._vanished.get((digest, _without_source(output.manifest)), ())
            if address not in self.moved
            and self.selection.selects(address)
            and self.records[address].provider == output.provider
        ]
        return min(found, key=lambda address: (address.rpartition("/")[2] != output.name, address), default=None)

    def in_flight(self, output: Output, record: Record) -> Step:
        """A job of an earlier apply: go on with it, or replace it."""
        changes = () if record.fingerprint == output.fingerprint else difference(record.manifest, output.manifest)
        if not changes:
            return Resume(output, Reason("in_flight", _flight(record)), record)
        reused = self.earlier(output, record)
        if reused is not None:
            return reused
        reason = Reason("superseded", f"{_flight(record)}, but something else is wanted now")
        return Supersede(output, reason, record, changes)

    def changed(self, output: Output, record: Record, changes: tuple[Difference, ...]) -> Step:
        """Another fingerprint is wanted than the one recorded."""
        reused = None if self.selection.reruns_it(output.address) else self.earlier(output, record)
        if reused is not None:
            return reused
        only_source = record.status == "complete" and [change.field for change in changes] == ["source"]
        if only_source and self.world.same_digest(record.source, output.source):
            reason = Reason("source_moved", "the source has a new name and the same content")
            return Update(output, reason, record, changes)
        return Rerun(output, Reason("changed", _cause(changes)), record, changes)

    def earlier(self, output: Output, record: Record) -> Reuse | None:
        """An earlier attempt of the wanted fingerprint whose file lives: undoing a change is free."""
        for address, attempt in self.alive(output):
            own = address == output.address
            if (own and attempt.output != record.output) or (not own and self.takes(attempt)):
                where = "an earlier attempt" if own else address
                return Reuse(output, Reason("reuse", f"{where} is the same encode"), address, attempt, record)
        return None

    def takes(self, attempt: Attempt) -> bool:
        """Whether another address may take a file: it is on this machine, or the provider holds it."""
        return attempt.output.path is None or attempt.output.host == self.world.host

    def same(self, output: Output, record: Record) -> Step | None:
        """The recorded fingerprint is the wanted one; look at source, file, attempts and labels."""
        if self.selection.reruns_it(output.address):
            return Rerun(output, Reason("requested", "asked for with --rerun"), record, ())
        changed = self.world.source_change(record.source, output.source)
        if changed is not None:
            return Rerun(output, Reason("source_changed", changed), record, ())
        if record.status != "complete":
            return self.other_pin(output, record) or self.unfinished(output, record)
        verdict = finished(output, record, self.world)
        if verdict.notice is not None:
            self.notices.append(verdict.notice)
        if verdict.relink is not None:
            self.relinks.append(verdict.relink)
        return verdict.step

    def other_pin(self, output: Output, record: Record) -> Step | None:
        """Failed while its source was pinned otherwise: taken back or encoded, as if the spec had changed."""
        if record.source.pin == output.source.sha256:
            return None
        reused = self.earlier(output, record)
        return reused or Rerun(output, Reason("source_changed", "the source is pinned otherwise"), record, ())

    def unfinished(self, output: Output, record: Record) -> Step | None:
        """Failed, suspect or lost: try again while attempts are left, else leave it to a person."""
        if record.status == "failed" and record.failures < output.attempts:
            sentence = f"attempt {record.failures + 1} of {output.attempts}; it failed: {record.error}"
            return Retry(output, Reason("retry", sentence), record)
        spent = (
            f"{record.failures} of {output.attempts} attempts used" if record.status == "failed" else "not tried again"
        )
        sentence = f"{record.status}: {record.error}; {spent}, until its spec or source changes or --rerun names it"
        self.notices.append(Notice(record.status, output.address, sentence))
        return None

    def alive(self, output: Output) -> list[tuple[str, Attempt]]:
        """Living files of the wanted fingerprint, on its provider, from the content its source has now.

        The output's own name comes first, then addresses in order; what was moved away is not there any more.
        """
        if self._alive is None:
            self._alive = defaultdict(list)
            for address, record in sorted(self.records.items()):
                for attempt in living_attempts(record, self.world):
                    self._alive[attempt.fingerprint].append((address, attempt))
        found = [
            (address, attempt)
            for address, attempt in self._alive.get(output.fingerprint, ())
            if address not in self.moved
            and attempt.provider == output.provider
            and same_content(attempt.source, output.source, self.world)
        ]
        return sorted(found, key=lambda pair: (pair[0] != output.address, pair[0].rpartition("/")[2] != output.name))


# Which of several twins makes the file that all take: a job that runs already, one that was tried, else the first.
_LEADERS = (Resume, Retry, Supersede, Rerun, Create)


def _once_for_twins(steps: list[Step]) -> list[Step]:
    """Of outputs that are the same encode one is encoded, and the others take its file."""
    twins: dict[tuple[str, str], list[Step]] = defaultdict(list)
    for step in steps:
        if isinstance(step, _LEADERS):
            twins[step.output.fingerprint, step.output.provider].append(step)
    leaders = {
        key: min(
            members,
            key=lambda step: (next(n for n, kind in enumerate(_LEADERS) if isinstance(step, kind)), step.address),
        )
        for key, members in twins.items()
    }
    return [_follow(step, leaders) for step in steps]


def _rank(step: Step) -> tuple[int, str]:
    return next(rank for rank, kind in enumerate(_LEADERS) if isinstance(step, kind)), step.address


def _follow(step: Step, leaders: Mapping[tuple[str, str], Step]) -> Step:
    """The step itself, or a ReuseTwin of its leader. A job in flight has its own outputs, whoever leads."""
    if not isinstance(step, Create | Rerun | Retry):
        return step
    leader = leaders[step.output.fingerprint, step.output.provider]
    if leader.address == step.address:
        return step
    record = None if isinstance(step, Create) else step.record
    return ReuseTwin(
        step.output, Reason("twin", f"the same encode as {leader.address}, made once"), leader.address, record
    )


def _without_source(manifest: Manifest) -> frozenset[tuple[str, Canonical]]:
    return frozenset(item for item in manifest.items() if item[0] != "source")


def _cause(changes: tuple[Difference, ...]) -> str:
    names = [change.field for change in changes]
    whole = ": the whole package is encoded again" if any(name.startswith("variants.") for name in names) else ""
    return f"{', '.join(names[:3])}{' and more' if len(names) > 3 else ''} changed{whole}"


def _flight(record: Record) -> str:
    job = record.job
    return "an earlier apply began it" if job is None else f"an earlier apply began it (job {job.id[:8]}, {job.phase})"


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
