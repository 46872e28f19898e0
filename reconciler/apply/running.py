"""The jobs that an apply has under way: begun as there is room and what they are made from is there, then watched.

What runs elsewhere may be left to run; what runs here ends with this process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from reconciler.apply.deliveries import Deliveries
from reconciler.apply.feeds import Feeds, depth
from reconciler.apply.free_steps import cancel
from reconciler.apply.hands import Hands
from reconciler.apply.job_loop import JobLoop
from reconciler.apply.submissions import Attended
from reconciler.core.happenings import Stopping
from reconciler.core.jobs import PlannedJob
from reconciler.core.steps import Supersede

# How often running jobs are looked at, in seconds: rarely enough to cost nothing, often enough to feel alive.
LOOK_EVERY = 0.05


class Pace(Protocol):
    """When to begin no more, and how long to wait; see `executor.Options`."""

    @property
    def parallelism(self) -> int | None:
        """How many jobs run at once at each provider; None: as many as it can take."""

    @property
    def fail_fast(self) -> bool:
        """Whether one failure is enough."""

    @property
    def max_failures(self) -> int | None:
        """How many failed outputs are enough."""

    @property
    def wait(self) -> bool:
        """Whether jobs that outlive us are waited for."""

    @property
    def wait_timeout(self) -> float | None:
        """For how many seconds; None: until they end."""


class Running:
    """Runs jobs, as far as this apply may.

    `running` counts outputs whose jobs were left to run, `held_up` those that are made from them; `stopping` is
    whether somebody asked for an end, `timed_out` whether waiting took too long.
    """

    def __init__(
        self,
        hands: Hands,
        loop: JobLoop,
        feeds: Feeds,
        deliveries: Deliveries,
        options: Pace,
        *,
        shared: frozenset[str],
    ) -> None:
        """`shared` are ids of jobs that others go on with: they are not cancelled."""
        self._hands = hands
        self._loop = loop
        self._feeds = feeds
        self._deliveries = deliveries
        self._options = options
        self._shared = shared
        self._began = hands.now()
        self._left_running: set[str] = set()
        self._blocked: set[str] = set()
        self._chained = False
        self.running = 0
        self.held_up = 0
        self.stopping = False
        self.timed_out = False

    def run(self, jobs: Sequence[PlannedJob]) -> list[PlannedJob]:
        """Run jobs until all ended or a stop is asked; the jobs that a later apply has to run."""
        waiting, running = list(jobs), list[Attended]()
        self._chained = any(depth(job) for job in jobs)
        while running or self._deliveries.busy or (waiting and not self._closed()):
            if self.stop_asked():
                return [*self._leave(running), *waiting]
            before = len(waiting)
            waiting = self._admit(waiting, running)
            if not running and not self._deliveries.busy and len(waiting) == before:
                return self._hold_up(waiting)
            running = self._not_waited_for(self._loop.watch(running))
            for output in self._loop.finished():
                self._deliveries.begin(output)
            self._deliveries.look()
            if self._waited_long_enough(running):
                return [*self._leave(running), *waiting]
            if running or self._deliveries.busy:
                self._hands.sleep(LOOK_EVERY)
        return waiting

    def _admit(self, waiting: list[PlannedJob], running: list[Attended]) -> list[PlannedJob]:
        """Begin as many waiting jobs as there is room for; those that still wait."""
        left: list[PlannedJob] = []
        to_come = self._to_come(waiting, running)
        for planned in waiting:
            provider = self._hands.providers[planned.provider]
            own = sum(1 for job in running if job.provider is provider)
            # One more than runs at once, where the provider queues by itself: its source is fetched meanwhile.
            room = (self._options.parallelism or provider.parallelism) + (0 if provider.traits.outlives else 1)
            if own >= room or self._closed() or self.stop_asked():
                left.append(planned)
                continue
            gate = self._feeds.gate(planned, provider, to_come)
            if gate == "shut":
                self._block(planned)
            if gate != "open":
                left += [planned] if gate == "waits" else []
                continue
            for step in planned.steps:
                if isinstance(step, Supersede) and step.output.source.upstream is not None:
                    cancel(self._hands, step.record, self._shared)
            job = self._loop.begin(planned, provider)
            if job is not None:
                running.append(job)
            running[:] = self._not_waited_for(running)
        return left

    def _not_waited_for(self, jobs: list[Attended]) -> list[Attended]:
        """The jobs to watch on; without waiting, those that are started and outlive us are left to run."""
        if self._options.wait:
            return jobs
        left = [job for job in jobs if job.stage == "running" and job.provider.traits.outlives]
        self.running += sum(len(job.planned.steps) for job in left)
        self._left_running.update(step.address for job in left for step in job.planned.steps)
        return [job for job in jobs if job not in left]

    def _hold_up(self, waiting: list[PlannedJob]) -> list[PlannedJob]:
        """Jobs that cannot begin in this apply, since they are made from what was left to run."""
        held_up = self._left_running
        for job in waiting:
            if self._feeds.upstream(job) in held_up:
                held_up = held_up | {step.address for step in job.steps}
                self.held_up += len(job.steps)
        return waiting

    def _waited_long_enough(self, running: Sequence[Attended]) -> bool:
        limit = self._options.wait_timeout
        if limit is not None and running and (self._hands.now() - self._began).total_seconds() >= limit:
            self.timed_out = True
        return self.timed_out

    def _closed(self) -> bool:
        """Whether so much failed that nothing more is to be started."""
        most = 1 if self._options.fail_fast else self._options.max_failures
        return most is not None and len(self._loop.failed) >= most

    def _to_come(self, waiting: Sequence[PlannedJob], running: Sequence[Attended]) -> set[str]:
        """The addresses that others may still wait for; nobody does where there are no chains."""
        if not self._chained:
            return set()
        jobs = [*waiting, *(job.planned for job in running)]
        return {step.address for job in jobs for step in job.steps} | self._left_running

    def _block(self, planned: PlannedJob) -> None:
        """What it is made from was not made: no attempt is used, and nothing recorded."""
        upstream = self._feeds.upstream(planned) or ""
        record = self._hands.state.snapshot.records.get(upstream)
        was = f"is {record.status}" if record is not None and record.status != "complete" else "was not made"
        if upstream in self._blocked:
            was = "is blocked"
        for step in planned.steps:
            self._blocked.add(step.address)
            self._loop.block(step.address, step.output.attempts, f"{upstream}, which it is made from, {was}")

    def _leave(self, running: list[Attended]) -> list[PlannedJob]:
        """Jobs that outlive us run on, the others are ended together; a later apply goes on with all of them."""
        ending = [job for job in running if not job.provider.traits.outlives]
        for provider in {id(job.provider): job.provider for job in ending}.values():
            provider.close()
        for job in ending:
            self._loop.leave(job)
        going = [job for job in running if job not in ending and job.stage == "running"]
        self.running += sum(len(job.planned.steps) for job in going)
        return [job.planned for job in running if job not in going]

    def stop_asked(self) -> bool:
        """Whether somebody wants it all to stop; told once."""
        if self._hands.interrupts() and not self.stopping:
            self.stopping = True
            self._hands.tell(Stopping())
        return self.stopping
