"""Jobs from intent to result: write, call, write; then watch until they end.

The journal line is on disk before the call it announces, so a process that is killed anywhere leaves enough
to go on without starting anything twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import assert_never

from reconciler.apply.hands import Hands
from reconciler.apply.settle import publish_or_fail
from reconciler.core import transitions
from reconciler.core.errors import CredentialsError, ProviderError
from reconciler.core.happenings import JobMessage, JobProgress, JobStarted, OutputDone, OutputFailed
from reconciler.core.jobs import PlannedJob
from reconciler.core.ports import (
    Done,
    Draft,
    Failed,
    Lost,
    NotMade,
    Observation,
    OutputResult,
    Provider,
    Running,
    Suspect,
    Verified,
)
from reconciler.core.state import Phase, Record
from reconciler.core.steps import EncodeStep, Resume

# How long a job that may have been started is watched before a draft is believed to be one, in seconds.
SETTLING = (1.0, 2.0, 4.0, 8.0)


@dataclass(slots=True)
class Attended:
    """A job that this apply watches, and what came of it so far."""

    planned: PlannedJob
    provider: Provider
    job_id: str
    process: tuple[int, float] | None = None


@dataclass(slots=True)
class JobLoop:
    """Starts jobs and brings in their results."""

    hands: Hands
    encoded: list[OutputDone] = field(default_factory=list)
    failed: list[OutputFailed] = field(default_factory=list)

    def begin(self, planned: PlannedJob, provider: Provider) -> Attended | None:
        """Prepare and start a job, or attach to the one an earlier apply began; None if it could not be."""
        resumed = all(isinstance(step, Resume) for step in planned.steps)
        maybe_started = resumed and _phase(planned) in {"starting", "started"} and provider.traits.outlives
        self._intend(planned)
        try:
            job_id = provider.prepare(planned.request)
            if not maybe_started:
                self._advance(planned, "prepared", job_id)
            if not maybe_started or self._still_draft(provider, job_id):
                self._advance(planned, "starting", job_id)
                provider.start(job_id)
        except CredentialsError:
            raise
        except ProviderError as error:
            self._all_failed(planned, str(error))
            return None
        self._advance(planned, "started", job_id)
        self.hands.tell(JobStarted(planned, resumed))
        return Attended(planned, provider, job_id)

    def watch(self, jobs: list[Attended]) -> list[Attended]:
        """Look at every job once, bring in what ended; the jobs that still run."""
        running: list[Attended] = []
        for provider in {id(job.provider): job.provider for job in jobs}.values():
            own = [job for job in jobs if job.provider is provider]
            seen = provider.observe([job.job_id for job in own])
            running.extend(job for job in own if self._look(job, seen[job.job_id]))
        return running

    def leave(self, job: Attended) -> None:
        """Record that a job was ended before it had a result, so that the next apply runs it again."""
        self._advance(job.planned, "prepared", job.job_id)

    def _intend(self, planned: PlannedJob) -> None:
        state, now = self.hands.state, self.hands.stamp()
        known = state.snapshot.records
        records = {
            step.address: transitions.intended(
                step, planned, known.get(step.address), state.next_rev(step.address), now
            )
            for step in planned.steps
        }
        state.record("intended", records=records)

    def _advance(self, planned: PlannedJob, phase: Phase, job_id: str) -> None:
        state, now = self.hands.state, self.hands.stamp()
        records = {
            step.address: transitions.in_phase(self._record(step), phase, state.next_rev(step.address), now, job_id)
            for step in planned.steps
        }
        state.record(phase, records=records)

    def _still_draft(self, provider: Provider, job_id: str) -> bool:
        """Whether a job that may have been started is a draft after all; the provider may still be digesting it."""
        for pause in SETTLING:
            if not isinstance(provider.observe([job_id])[job_id], Draft):
                return False
            self.hands.sleep(pause)
        return isinstance(provider.observe([job_id])[job_id], Draft)

    def _look(self, job: Attended, seen: Observation) -> bool:
        """Act on one observation; whether the job still runs."""
        match seen:
            case Running():
                self._running(job, seen)
                return True
            case Draft():
                return True
            case Done():
                self._messages(job.planned, seen.messages)
                self._done(job.planned, seen)
            case Failed():
                self._all_failed(job.planned, seen.error)
            case Lost():
                self._lost(job.planned)
            case _:
                assert_never(seen)
        return False

    def _running(self, job: Attended, seen: Running) -> None:
        self._messages(job.planned, seen.messages)
        if seen.process is not None and seen.process != job.process:
            job.process = seen.process
            state, now = self.hands.state, self.hands.stamp()
            records = {
                step.address: transitions.with_process(
                    self._record(step), seen.process, state.next_rev(step.address), now
                )
                for step in job.planned.steps
            }
            state.record("process", records=records)
        self.hands.tell(JobProgress(job.planned, seen))

    def _messages(self, planned: PlannedJob, messages: tuple[str, ...]) -> None:
        for message in messages:
            self.hands.tell(JobMessage(planned, message))

    def _done(self, planned: PlannedJob, done: Done) -> None:
        """Record every whole file first (one line), then name them, then record what failed."""
        results = self._trusted(planned, done)
        state, now = self.hands.state, self.hands.stamp()
        whole: dict[str, Record] = {}
        for step, result in results:
            if isinstance(result, Verified):
                record = transitions.read_from(self._record(step), done, now)
                rev = state.next_rev(step.address)
                host = self.hands.host
                whole[step.address] = transitions.verified(record, result, step.output, rev=rev, now=now, host=host)
        if whole:
            state.record("verified", records=whole)
        for step, result in results:
            if isinstance(result, Verified):
                self._publish(step, whole[step.address])
            else:
                self._not_made(step, result, done)

    def _trusted(self, planned: PlannedJob, done: Done) -> list[tuple[EncodeStep, OutputResult]]:
        """A result for every step; none is whole if the source changed while it was read."""
        results = [
            (step, done.outputs.get(step.output.name, NotMade("the provider gave no result for it")))
            for step in planned.steps
        ]
        whole = any(isinstance(result, Verified) for _, result in results)
        if whole and not self.hands.files.unchanged(planned.request.source, done.source):
            for _, result in results:
                if isinstance(result, Verified):
                    self.hands.files.remove(result.path)
            return [(step, NotMade("the source changed while it was encoded")) for step in planned.steps]
        return results

    def _publish(self, step: EncodeStep, record: Record) -> None:
        done = publish_or_fail(self.hands, step.address, record)
        if done.status != "complete" or done.output is None:
            self.told_failed(step.address, step.output.attempts)
            return
        file = done.output
        happening = OutputDone(step.address, file.path, file.size, file.summary, done.notes)
        self.encoded.append(happening)
        self.hands.tell(happening)

    def _not_made(self, step: EncodeStep, result: Suspect | NotMade, done: Done) -> None:
        now, rev = self.hands.stamp(), self.hands.state.next_rev(step.address)
        record = transitions.read_from(self._record(step), done, now)
        if isinstance(result, Suspect):
            self._fail(step, transitions.suspect(record, result, rev, now), "suspect")
        else:
            self._fail(step, transitions.failed(record, result.error, rev, now), "failed")

    def _all_failed(self, planned: PlannedJob, error: str) -> None:
        for step in planned.steps:
            rev = self.hands.state.next_rev(step.address)
            self._fail(step, transitions.failed(self._record(step), error, rev, self.hands.stamp()), "failed")

    def _lost(self, planned: PlannedJob) -> None:
        for step in planned.steps:
            rev = self.hands.state.next_rev(step.address)
            self._fail(step, transitions.lost(self._record(step), rev, self.hands.stamp()), "lost")

    def _fail(self, step: EncodeStep, record: Record, event: str) -> None:
        self.hands.record(event, record, step.address)
        self.told_failed(step.address, step.output.attempts)

    def told_failed(self, address: str, attempts: int) -> None:
        """Tell of an output whose record says that it failed."""
        record = self.hands.state.snapshot.records[address]
        living = next((attempt.output.path for attempt in record.previous), None)
        error = record.error or "its file could not be renamed and stays where it is"
        happening = OutputFailed(address, record.status, error, record.failures, attempts, living)
        self.failed.append(happening)
        self.hands.tell(happening)

    def _record(self, step: EncodeStep) -> Record:
        return self.hands.state.snapshot.records[step.address]


def _phase(planned: PlannedJob) -> Phase:
    """How far the job to be resumed had come: the furthest of its addresses."""
    order: tuple[Phase, ...] = ("intended", "prepared", "starting", "started")
    phases = [step.record.job.phase for step in planned.steps if isinstance(step, Resume) and step.record.job]
    return max(phases, key=order.index, default="intended")
