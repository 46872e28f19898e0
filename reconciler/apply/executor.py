"""Carries out a plan: what is free first, then the jobs, then what waited for them.

`apply` is `resume`: it needs no memory of an earlier run but the state. One failure stops nothing else unless
`fail_fast` says so; the first interrupt stops starting, the rest is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.apply.deletions import delete
from reconciler.apply.deliveries import Deliveries
from reconciler.apply.feeds import Feeds, depth
from reconciler.apply.free_steps import cancel, hand_over, note, take
from reconciler.apply.hands import Hands
from reconciler.apply.job_loop import JobLoop
from reconciler.apply.relinks import relink
from reconciler.apply.running import Running
from reconciler.core.approval import finished_approvals, plan_id, plan_lines
from reconciler.core.cost import total
from reconciler.core.evidence import Content
from reconciler.core.happenings import Canaries, Outcome, StepDone
from reconciler.core.jobs import PlannedJob, plan_jobs
from reconciler.core.plan import Plan
from reconciler.core.ports import Sighting
from reconciler.core.state import Approval
from reconciler.core.steps import (
    Delete,
    EncodeStep,
    Move,
    Redeliver,
    Resume,
    Retire,
    Reuse,
    ReuseTwin,
    Step,
    Supersede,
    Update,
)
from reconciler.core.transitions import newest_attempts, own_attempt


@dataclass(frozen=True, slots=True)
class Options:
    """How to apply. `parallelism` overrides the providers' own; `approved_as` is the id that was approved.

    After `max_failures` failed outputs nothing more is started. The first `canary` jobs must all end well before
    the others are started. With `wait` false, jobs that outlive this process are started and left;
    `wait_timeout` is how many seconds they are waited for (None: until they end). `lifted` names the refusals that
    somebody lifted, by the address of what runs all the same.
    """

    parallelism: int | None = None
    fail_fast: bool = False
    max_failures: int | None = None
    canary: int = 0
    wait: bool = True
    wait_timeout: float | None = None
    approved_as: str | None = None
    approved_lines: tuple[str, ...] = ()
    sightings: Mapping[str, Sighting] = field(default_factory=dict)
    contents: Mapping[str, Content] = field(default_factory=dict)
    lifted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def apply(plan: Plan, hands: Hands, options: Options) -> Outcome:
    """Carry out `plan`; everything that happens is recorded and told. Raises CredentialsError, StateError."""
    return _Executor(plan, hands, options).run()


class _Executor:
    def __init__(self, plan: Plan, hands: Hands, options: Options) -> None:
        self.plan = plan
        self.hands = hands
        self.options = options
        leaders = {step.address: step.of for step in plan.steps if isinstance(step, ReuseTwin)}
        feeds = Feeds(hands, leaders)
        self.loop = JobLoop(hands, feeds, options.contents, options.sightings, options.lifted)
        self.began = hands.now()
        self.free = 0
        self.relinked = 0
        self.deliveries = Deliveries(hands)
        encode_steps = [step for step in plan.steps if isinstance(step, EncodeStep)]
        attempts = newest_attempts(hands.state.snapshot.records)
        # What others are made from comes before them.
        self.jobs = sorted(plan_jobs(plan.project, encode_steps, attempts), key=depth)
        self.shared = frozenset(
            step.record.job.id for step in plan.steps if isinstance(step, Resume) and step.record.job is not None
        )
        self.under_way = Running(hands, self.loop, feeds, self.deliveries, options, shared=self.shared)

    def run(self) -> Outcome:
        """The whole apply, in the order of the module's first sentence."""
        self._approve()
        self._free_steps()
        self.relinked = relink(self.hands, self.plan.relinks)
        self._rescue()
        left = self._run_in_turn()
        left_twins = self._twins()
        # The copies of what twins took.
        self.under_way.run(())
        if not self.under_way.stopping:
            self.deliveries.give_up()
        not_run = sum(len(job.steps) for job in left) + left_twins - self.under_way.held_up
        self._tell_blocked()
        undone = {step.address for job in left for step in job.steps}
        self._forget_finished_approvals(undone | {blocked.address for blocked in self.loop.blocked})
        return Outcome(
            encoded=tuple(self.loop.encoded),
            failed=(*self.loop.failed, *self.deliveries.failed, *self.loop.blocked),
            free=self.free,
            not_run=not_run,
            interrupted=self.under_way.stopping,
            seconds=(self.hands.now() - self.began).total_seconds(),
            running=self.under_way.running,
            relinked=self.relinked,
            delivered=tuple(self.deliveries.delivered),
            timed_out=self.under_way.timed_out,
            paid=total(self.loop.paid),
            untold=tuple(sorted(self.loop.untold)),
            held_up=self.under_way.held_up,
        )

    def _approve(self) -> None:
        """Keep what was approved, so that the same approval can finish it in a later apply."""
        lines = self.options.approved_lines or plan_lines(self.plan)
        identifier = self.options.approved_as or plan_id(lines)
        if plan_lines(self.plan) and identifier not in self.hands.state.snapshot.approved:
            approval = Approval(at=self.hands.stamp(), lines=tuple(lines))
            self.hands.state.record("approved", approved={identifier: approval})

    def _forget_finished_approvals(self, left: set[str]) -> None:
        state = self.hands.state.snapshot
        done = finished_approvals(state.approved, state.records, left)
        if done:
            nothing_left = Approval(at=self.hands.stamp(), lines=())
            self.hands.state.record("finished", approved=dict.fromkeys(done, nothing_left))

    def _free_steps(self) -> None:
        handed = [step for step in self.plan.steps if isinstance(step, Move | Reuse)]
        if self.under_way.stop_asked():
            return
        not_named = set(hand_over(self.hands, handed, self.options.lifted))
        for handing in handed:
            if handing.address not in not_named:
                self._done(handing)
            else:
                self.loop.told_failed(handing.address, handing.output.attempts)
        for step in self.plan.steps:
            if self.under_way.stop_asked():
                return
            if isinstance(step, Delete):
                self._delete(step)
            elif isinstance(step, Update | Retire):
                note(self.hands, step, self.options.sightings, self.shared, self.options.lifted)
                self._done(step)
            elif isinstance(step, Supersede) and step.output.source.upstream is None:
                cancel(self.hands, step.record, self.shared)

    def _delete(self, step: Delete) -> None:
        failed = delete(self.hands, step, self.options.lifted.get(step.address, ()))
        if failed is None:
            self._done(step)
        else:
            self.loop.failed.append(failed)
            self.hands.tell(failed)

    def _rescue(self) -> None:
        """Begin the copies that are due, before all work that costs; what expires first goes first."""
        due = [step for step in self.plan.steps if isinstance(step, Redeliver)]
        for step in sorted(due, key=lambda step: (step.record.output and step.record.output.expires_at) or "~"):
            self.deliveries.begin(step.output)

    def _run_in_turn(self) -> list[PlannedJob]:
        """Run the canaries, then the others if all of those ended well; the jobs that a later apply has to run."""
        canary = self.options.canary if self.options.wait else 0
        begun = [job for job in self.jobs if not depth(job) and all(isinstance(step, Resume) for step in job.steps)]
        new = [job for job in self.jobs if job not in begun]
        if not canary or len(new) <= canary:
            return self.under_way.run(self.jobs)
        first, others = new[:canary], new[canary:]
        self.hands.tell(Canaries(tuple(first), sum(len(job.steps) for job in others)))
        left = self.under_way.run([*begun, *first])
        names = {step.address for job in first for step in job.steps}
        failed = any(failure.address in names for failure in self.loop.failed)
        return [*left, *others] if left or failed or self.under_way.stopping else self.under_way.run(others)

    def _tell_blocked(self) -> None:
        """What the plan could not even begin is told again at the end, but where only what is free was asked for."""
        for notice in self.plan.notices:
            if notice.code == "blocked" and not self.plan.selection.no_spend:
                self.loop.block(notice.address, 1, notice.sentence.removeprefix("blocked: "))

    def _twins(self) -> int:
        """Let twins take the file that this apply made; how many have none to take."""
        left = 0
        for step in self.plan.steps:
            if not isinstance(step, ReuseTwin):
                continue
            made = self.hands.state.snapshot.records.get(step.of)
            attempt = own_attempt(made) if made is not None and made.status == "complete" else None
            if attempt is None or attempt.fingerprint != step.output.fingerprint:
                left += 1
                continue
            if take(self.hands, step, attempt, self.options.lifted):
                self._done(step)
            else:
                self.loop.told_failed(step.address, step.output.attempts)
        return left

    def _done(self, step: Step) -> None:
        self.free += 1
        self.hands.tell(StepDone(step))
        if isinstance(step, Move | Reuse | ReuseTwin) or (isinstance(step, Update) and step.measures):
            self.deliveries.begin_missing(step.output)
