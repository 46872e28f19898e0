"""One job's way from intent to start: write, call, write.

The journal line is on disk before the call it announces, so a process that is killed anywhere leaves enough to
go on without starting anything twice. The calls may run in threads; every line is written by the executor's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from reconciler.apply.feeds import Feeds, is_begun
from reconciler.apply.hands import Hands, Pending
from reconciler.core import transitions
from reconciler.core.encode import Source
from reconciler.core.errors import UnavailableError
from reconciler.core.evidence import Content
from reconciler.core.happenings import JobMessage, JobStarted
from reconciler.core.jobs import PlannedJob
from reconciler.core.ports import Draft, Lost, Provider, Quotes, Sighting
from reconciler.core.state import Phase, Record
from reconciler.core.steps import EncodeStep, Resume

# How long a job that may have been started is watched before a draft is believed to be one, in seconds.
SETTLING = (1.0, 2.0, 4.0, 8.0)

# How often one apply calls start for one job: once, and once more where observing showed that it was not started.
MOST_STARTS = 2

NOTHING: Mapping[str, tuple[str, ...]] = {}

Stage = Literal["preparing", "quoting", "starting", "settling", "running"]
Settled = Literal["draft", "started", "lost"]


@dataclass(slots=True)
class Attended:
    """A job that this apply carries, how far it is, and the call that is under way for it.

    `draft_since` is since when its provider says that it was not started, though it was. `source` is what it reads,
    where that is another output's file.
    """

    planned: PlannedJob
    provider: Provider
    job_id: str
    resumed: bool
    stage: Stage = "preparing"
    pending: Pending[object] | None = None
    starts: int = 0
    process: tuple[int, float] | None = field(default=None)
    draft_since: datetime | None = None
    source: Source | None = None


class Submissions:
    """Takes jobs through their stages until they run. What cannot be done is raised as ProviderError."""

    def __init__(
        self,
        hands: Hands,
        feeds: Feeds,
        contents: Mapping[str, Content],
        sightings: Mapping[str, Sighting],
        lifted: Mapping[str, tuple[str, ...]] = NOTHING,
    ) -> None:
        """`contents` are what servers say of the sources now, `sightings` looks at local ones, both by identity.

        `lifted` are refusals, by address.
        """
        self._hands = hands
        self._feeds = feeds
        self._contents = contents
        self._sightings = sightings
        self._lifted = lifted

    def begin(self, planned: PlannedJob, provider: Provider) -> Attended:
        """Prepare a job, or take up the one that an earlier apply may have started."""
        resumed = all(isinstance(step, Resume) for step in planned.steps)
        job = Attended(planned, provider, planned.request.job_id, resumed)
        phase = _phase(planned)
        if is_begun(planned, provider):
            provider.attach(self._feeds.attached(planned, provider))
            if phase == "started":
                self._running(job)
            else:
                self._send(job, "settling", lambda: self._settled(provider, job.job_id))
            return job
        self._intend(planned)
        source = job.source = self._feeds.read(planned, provider)
        self._send(job, "preparing", lambda: provider.prepare(self._feeds.request(planned, source)))
        return job

    def step(self, job: Attended) -> bool:
        """Go on with a job whose call has been answered; whether it goes on. Raises ProviderError.

        A job that nobody can be sure about is left to the next apply, which observes it: UnavailableError.
        """
        if job.pending is None or not job.pending.done():
            return True
        stage, pending, job.pending = job.stage, job.pending, None
        match stage:
            case "preparing":
                self._prepared(job, str(pending.result()))
            case "quoting":
                self._quoted(job, pending.result())
            case "starting":
                self._started(job, pending)
            case "settling":
                return self._observed(job, pending.result())
            case "running":
                raise AssertionError("a running job has no call under way")
        return True

    def _send(self, job: Attended, stage: Stage, call: Callable[[], object]) -> None:
        job.stage = stage
        job.pending = self._hands.send(job.provider, call)

    def _prepared(self, job: Attended, job_id: str) -> None:
        job.job_id = job_id
        self._advance(job, "prepared")
        provider = job.provider
        if isinstance(provider, Quotes):
            self._send(job, "quoting", lambda: provider.quote(job_id))
        else:
            self._start(job)

    def _quoted(self, job: Attended, quote: object) -> None:
        if isinstance(quote, str):
            state, now = self._hands.state, self._hands.stamp()
            records = {
                step.address: transitions.quoted(self.record(step), quote, state.next_rev(step.address), now)
                for step in job.planned.steps
            }
            state.record("quoted", records=records)
            self._hands.tell(JobMessage(job.planned, f"quoted: {quote}"))
        self._start(job)

    def _start(self, job: Attended) -> None:
        provider, job_id = job.provider, job.job_id
        job.starts += 1
        self._advance(job, "starting")
        self._send(job, "starting", lambda: provider.start(job_id))

    def _started(self, job: Attended, pending: Pending[object]) -> None:
        """The start was answered; where it was not, only a look can tell whether it took effect."""
        try:
            pending.result()
        except UnavailableError:
            if not job.provider.traits.outlives:
                raise
            provider, job_id = job.provider, job.job_id
            self._send(job, "settling", lambda: self._settled(provider, job_id))
            return
        self._running(job)

    def _observed(self, job: Attended, settled: object) -> bool:
        """What a look at a job that may have been started gave; whether the job goes on."""
        if settled == "draft" and job.starts < MOST_STARTS:
            self._start(job)
            return True
        if settled == "draft":
            raise UnavailableError("the provider did not take the start; the next apply looks, and starts it then")
        self._running(job)
        return True

    def _settled(self, provider: Provider, job_id: str) -> Settled:
        """Whether a job that may have been started is a draft after all; its server may still be digesting it."""
        for pause in (*SETTLING, None):
            seen = provider.observe([job_id])[job_id]
            if not isinstance(seen, Draft):
                return "lost" if isinstance(seen, Lost) else "started"
            if pause is not None:
                self._hands.sleep(pause)
        return "draft"

    def _running(self, job: Attended) -> None:
        if _phase(job.planned) != "started" or not job.resumed:
            self._advance(job, "started")
        job.stage = "running"
        self._hands.tell(JobStarted(job.planned, job.resumed))

    def _intend(self, planned: PlannedJob) -> None:
        state, now = self._hands.state, self._hands.stamp()
        known = state.snapshot.records
        source = planned.request.source.identity
        content, seen = self._contents.get(source), self._sightings.get(source)
        made_by = self._feeds.made_by(planned)
        records = {
            step.address: transitions.looked_at(
                transitions.intended(
                    step,
                    planned,
                    known.get(step.address),
                    rev=state.next_rev(step.address),
                    now=now,
                    allowed=self._lifted.get(step.address, ()),
                    made_by=made_by,
                ),
                content,
                seen,
            )
            for step in planned.steps
        }
        state.record("intended", records=records)

    def _advance(self, job: Attended, phase: Phase) -> None:
        self.advance(job.planned, phase, job.job_id)

    def advance(self, planned: PlannedJob, phase: Phase, job_id: str) -> None:
        """Write down that a job has come this far."""
        state, now = self._hands.state, self._hands.stamp()
        records = {
            step.address: transitions.in_phase(self.record(step), phase, state.next_rev(step.address), now, job_id)
            for step in planned.steps
        }
        state.record(phase, records=records)

    def record(self, step: EncodeStep) -> Record:
        """What is known of a step's address now."""
        return self._hands.state.snapshot.records[step.address]


def _phase(planned: PlannedJob) -> Phase:
    """How far the job to be resumed had come: the furthest of its addresses."""
    order: tuple[Phase, ...] = ("intended", "prepared", "starting", "started")
    phases = [step.record.job.phase for step in planned.steps if isinstance(step, Resume) and step.record.job]
    return max(phases, key=order.index, default="intended")
