"""Jobs from intent to result: submit them, then watch until they end and bring in what they made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

from reconciler.apply.feeds import Feeds
from reconciler.apply.hands import Hands
from reconciler.apply.settle import publish_or_fail
from reconciler.apply.submissions import Attended, Stage, Submissions
from reconciler.core import transitions
from reconciler.core.cost import Money, read_money
from reconciler.core.encode import Output
from reconciler.core.errors import CredentialsError, NotReadyError, ProviderError, UnavailableError
from reconciler.core.evidence import Content
from reconciler.core.happenings import JobMessage, JobProgress, OutputDone, OutputFailed
from reconciler.core.jobs import PlannedJob
from reconciler.core.ports import (
    Done,
    Draft,
    Failed,
    Held,
    Lost,
    NotMade,
    Observation,
    OutputResult,
    Provider,
    Running,
    Sighting,
    Suspect,
    Verified,
)
from reconciler.core.state import Record
from reconciler.core.steps import EncodeStep

# How long a job that was started may be told to be a draft, in seconds.
NEVER_STARTED = 60.0


@dataclass(slots=True)
class JobLoop:
    """Takes jobs from intent to result, and keeps what came of them."""

    hands: Hands
    feeds: Feeds
    contents: Mapping[str, Content] = field(default_factory=dict)
    sightings: Mapping[str, Sighting] = field(default_factory=dict)
    lifted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    encoded: list[OutputDone] = field(default_factory=list)
    failed: list[OutputFailed] = field(default_factory=list)
    blocked: list[OutputFailed] = field(default_factory=list)
    paid: list[Money] = field(default_factory=list)
    untold: set[str] = field(default_factory=set)
    _finished: list[Output] = field(default_factory=list)
    submissions: Submissions = field(init=False)

    def __post_init__(self) -> None:
        self.submissions = Submissions(self.hands, self.feeds, self.contents, self.sightings, self.lifted)

    def begin(self, planned: PlannedJob, provider: Provider) -> Attended | None:
        """Prepare and start a job, or attach to the one an earlier apply began; None if it could not be."""
        try:
            job = self.submissions.begin(planned, provider)
            return job if self._submitted(job) else None
        except CredentialsError:
            raise
        except ProviderError as error:
            self._not_begun(planned, error, "preparing")
            return None

    def watch(self, jobs: list[Attended]) -> list[Attended]:
        """Look at every job once, bring in what ended; the jobs that still run."""
        going = [job for job in jobs if self._submitted(job)]
        running = [job for job in going if job.stage == "running"]
        ended: set[int] = set()
        for provider in {id(job.provider): job.provider for job in running}.values():
            own = [job for job in running if job.provider is provider]
            try:
                seen = provider.observe([job.job_id for job in own])
            except CredentialsError:
                raise
            except ProviderError as error:
                ended.update(id(job) for job in own)
                for job in own:
                    self._out_of_sight(job, error)
                continue
            ended.update(id(job) for job in own if not self._look(job, seen[job.job_id]))
        return [job for job in going if id(job) not in ended]

    def finished(self) -> list[Output]:
        """The outputs that became complete since this was asked last."""
        found, self._finished = self._finished, []
        return found

    def leave(self, job: Attended) -> None:
        """Record that a job was ended before it had a result, so that the next apply runs it again."""
        self.submissions.advance(job.planned, "prepared", job.job_id)

    def _submitted(self, job: Attended) -> bool:
        """Go on with the submission of a job as far as its calls are answered; whether it goes on at all."""
        while job.pending is not None and job.pending.done():
            stage = job.stage
            try:
                self.submissions.step(job)
            except CredentialsError:
                raise
            except ProviderError as error:
                self._not_begun(job.planned, error, stage)
                return False
        return True

    def _not_begun(self, planned: PlannedJob, error: ProviderError, stage: Stage) -> None:
        """A job that could not be started. Where an outage is to blame, it waits for the next apply as it is."""
        provider = self.hands.providers[planned.provider]
        waits = isinstance(error, UnavailableError) and provider.traits.outlives
        if not waits and stage != "settling":
            self._all_failed(planned, str(error), tried=not isinstance(error, NotReadyError))
            return
        for step in planned.steps:
            rev = self.hands.state.next_rev(step.address)
            self._fail(step, transitions.waiting(self._record(step), str(error), rev, self.hands.stamp()), "waiting")

    def _out_of_sight(self, job: Attended, error: ProviderError) -> None:
        """A job that cannot be looked at runs on; the next apply brings it in."""
        for step in job.planned.steps:
            rev = self.hands.state.next_rev(step.address)
            record = transitions.waiting(self._record(step), str(error), rev, self.hands.stamp())
            self._fail(step, record, "out of sight")

    def _look(self, job: Attended, seen: Observation) -> bool:
        """Act on one observation; whether the job still runs."""
        match seen:
            case Running():
                self._running(job, seen)
                return True
            case Draft():
                return self._draft(job)
            case Done():
                self._messages(job.planned, seen.messages)
                self._done(job, seen)
            case Failed():
                self._all_failed(job.planned, seen.error, tried=seen.tried)
            case Lost():
                self._lost(job.planned)
            case _:
                assert_never(seen)
        return False

    def _draft(self, job: Attended) -> bool:
        """A start that was taken and does not show is neither waited for without end nor made again."""
        now = self.hands.now()
        job.draft_since = job.draft_since or now
        if not job.provider.traits.outlives or (now - job.draft_since).total_seconds() < NEVER_STARTED:
            return True
        words = "the provider took the start of this job, and says that it was never started; look there first"
        self._out_of_sight(job, UnavailableError(words))
        return False

    def _running(self, job: Attended, seen: Running) -> None:
        job.draft_since = None
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

    def _done(self, job: Attended, done: Done) -> None:
        """Record every whole file first (one line), then name them, then record what failed."""
        results = self._trusted(job, done)
        state, now = self.hands.state, self.hands.stamp()
        whole: dict[str, Record] = {}
        for step, result in results:
            if isinstance(result, Verified | Held):
                record = transitions.read_from(self._record(step), done, now)
                whole[step.address] = self._whole(step, record, result)
        if whole:
            state.record("verified", records=whole)
        self._count_cost(job.planned, done)
        for step, result in results:
            match result:
                case Verified():
                    self._publish(step, whole[step.address])
                case Held():
                    self._held(step, whole[step.address], result)
                case Suspect() | NotMade():
                    self._not_made(step, result, done)
                case _:
                    assert_never(result)

    def _whole(self, step: EncodeStep, record: Record, result: Verified | Held) -> Record:
        rev, now = self.hands.state.next_rev(step.address), self.hands.stamp()
        if isinstance(result, Held):
            return transitions.held(record, result, step.output, rev, now)
        return transitions.verified(record, result, step.output, rev=rev, now=now, host=self.hands.host)

    def _count_cost(self, planned: PlannedJob, done: Done) -> None:
        """What is paid for a job is told once: by whoever started it, and its record says it to everybody."""
        if done.found:
            self.hands.tell(JobMessage(planned, "found at the provider, started before: nothing is paid for it now"))
            return
        try:
            self.paid.append(read_money(done.cost))
        except ValueError:
            if self.hands.providers[planned.provider].traits.paid:
                self.untold.add(planned.provider)

    def _trusted(self, job: Attended, done: Done) -> list[tuple[EncodeStep, OutputResult]]:
        """A result for every step; none is whole if the source changed while it was read."""
        planned = job.planned
        results = [
            (step, done.outputs.get(step.output.name, NotMade("the provider gave no result for it")))
            for step in planned.steps
        ]
        whole = any(isinstance(result, Verified | Held) for _, result in results)
        if whole and not self.hands.files.unchanged(job.source or planned.request.source, done.source):
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
        happening = OutputDone(step.address, file.path or "", file.size, file.summary, done.notes)
        self.encoded.append(happening)
        self._finished.append(step.output)
        self.hands.tell(happening)

    def _held(self, step: EncodeStep, record: Record, result: Held) -> None:
        """A file that stays with its provider has its name already."""
        file = record.output
        assert file is not None, "a held output has a record of its file"
        self.hands.state.keep_link(step.address, result.link)
        happening = OutputDone(
            step.address, file.link or "", file.size, file.summary, record.notes, record.provider, file.expires_at
        )
        self.encoded.append(happening)
        self._finished.append(step.output)
        self.hands.tell(happening)

    def _not_made(self, step: EncodeStep, result: Suspect | NotMade, done: Done) -> None:
        now, rev = self.hands.stamp(), self.hands.state.next_rev(step.address)
        record = transitions.read_from(self._record(step), done, now)
        if isinstance(result, Suspect):
            self._fail(step, transitions.suspect(record, result, step.output, rev, now), "suspect")
        else:
            self._fail(step, transitions.failed(record, result.error, rev, now), "failed")

    def _all_failed(self, planned: PlannedJob, error: str, *, tried: bool) -> None:
        for step in planned.steps:
            rev = self.hands.state.next_rev(step.address)
            record = transitions.failed(self._record(step), error, rev, self.hands.stamp(), tried=tried)
            self._fail(step, record, "failed")

    def _lost(self, planned: PlannedJob) -> None:
        for step in planned.steps:
            rev = self.hands.state.next_rev(step.address)
            self._fail(step, transitions.lost(self._record(step), rev, self.hands.stamp()), "lost")

    def _fail(self, step: EncodeStep, record: Record, event: str) -> None:
        self.hands.record(event, record, step.address)
        self.told_failed(step.address, step.output.attempts)

    def block(self, address: str, attempts: int, error: str) -> None:
        """Tell of an output that could not be begun, for what it is made from; nothing is recorded of it."""
        record = self.hands.state.snapshot.records.get(address)
        old = record.output if record is not None and record.status == "complete" else None
        happening = OutputFailed(address, "blocked", error, 0, attempts, (old.path or old.link) if old else None)
        self.blocked.append(happening)
        self.hands.tell(happening)

    def told_failed(self, address: str, attempts: int) -> None:
        """Tell of an output whose record says that it failed."""
        record = self.hands.state.snapshot.records[address]
        older = transitions.older_attempts(record)
        living = next((attempt.output.path or attempt.provider for attempt in older), None)
        error = record.error or "its file could not be renamed and stays where it is"
        happening = OutputFailed(address, record.status, error, record.failures, attempts, living)
        self.failed.append(happening)
        self.hands.tell(happening)

    def _record(self, step: EncodeStep) -> Record:
        return self.hands.state.snapshot.records[step.address]
