"""An apply as JSON lines: `apply_start`, `apply_progress`, `apply_complete`, `apply_errored`, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import assert_never

from reconciler.core.happenings import (
    Canaries,
    Happening,
    JobMessage,
    JobProgress,
    JobStarted,
    Outcome,
    OutputDelivered,
    OutputDone,
    OutputFailed,
    StepDone,
    Stopping,
)
from reconciler.core.jobs import PlannedJob
from reconciler.core.steps import EncodeStep, Move
from reconciler.views.event_types import (
    ApplyComplete,
    ApplyErrored,
    ApplyProgress,
    ApplyStart,
    Changes,
    ChangeSummary,
    Completed,
    Copied,
    Ended,
    Errored,
    Event,
    Log,
    Progress,
    Started,
)
from reconciler.views.events import action, resource
from reconciler.views.progress import STOPPING, where_it_stands


class ApplyEvents:
    """Turns happenings into events; `write` is given each. A running job has one a step every `every` at most."""

    def __init__(
        self, write: Callable[[Event], None], now: Callable[[], datetime], *, every: timedelta = timedelta(seconds=5)
    ) -> None:
        self._write = write
        self._now = now
        self._every = every
        self._began: dict[str, datetime] = {}
        self._last: dict[str, datetime] = {}
        self._actions: dict[str, str] = {}

    def tell(self, happening: Happening) -> None:
        """Write the events of one happening."""
        now = self._now()
        for line in self._events(happening, now):
            self._write(line)

    def _events(self, happening: Happening, now: datetime) -> Iterator[Event]:
        stamp = _stamp(now)
        match happening:
            case StepDone(step=step):
                word = action(step.actions, step.of if isinstance(step, Move) else None)
                hook = Completed(resource=resource(step.address), action=word, elapsed_seconds=0)
                yield _complete(f"{step.address}: {step.reason.sentence}", stamp, hook)
            case JobStarted(job=job, resumed=resumed):
                yield from self._started(job, now, resumed=resumed)
            case JobProgress(job=job):
                yield from self._progress(happening, job, now)
            case JobMessage(job=job, text=text):
                encode = job.request.encode
                yield Log(message=f"{encode}: {text}", timestamp=stamp, encode=encode, text=text).told()
            case OutputDone():
                yield self._made(happening, now)
            case OutputDelivered():
                yield self._delivered(happening, now)
            case OutputFailed():
                yield self._errored(happening, now)
            case Canaries() | Stopping():
                yield _about_all(happening, stamp)
            case _:
                assert_never(happening)

    def _started(self, job: PlannedJob, now: datetime, *, resumed: bool) -> Iterator[Event]:
        for step in job.steps:
            self._began[step.address] = now
            self._last[job.request.job_id] = now
            self._actions[step.address] = _action(step)
            hook = Started(resource=resource(step.address), action=_action(step), resumed=resumed)
            message = f"{step.address}: {'Resuming' if resumed else 'Encoding'}..."
            yield ApplyStart(message=message, timestamp=_stamp(now), hook=hook).told()

    def _progress(self, happening: JobProgress, job: PlannedJob, now: datetime) -> Iterator[Event]:
        last, running = self._last.get(job.request.job_id), happening.running
        if last is not None and now - last < self._every:
            return
        self._last[job.request.job_id] = now
        for step in job.steps:
            hook = Progress(
                resource=resource(step.address),
                action=self._word(step.address),
                elapsed_seconds=self._elapsed(step.address, now),
                stage=running.stage,
                fraction=running.fraction,
                speed=running.speed,
                remaining_seconds=running.remaining,
            )
            message = f"{step.address}: Still {running.stage}...{where_it_stands(running)}"
            yield ApplyProgress(message=message, timestamp=_stamp(now), hook=hook).told()

    def _made(self, done: OutputDone, now: datetime) -> Event:
        hook = Completed(
            resource=resource(done.address),
            action=self._word(done.address),
            elapsed_seconds=self._elapsed(done.address, now),
            id_key="path",
            id_value=done.path,
            size=done.size,
            summary=done.summary,
            notes=done.notes,
        )
        message = f"{done.address}: Encoding complete after {hook.elapsed_seconds}s [path={done.path}]"
        return _complete(message, _stamp(now), hook)

    def _delivered(self, done: OutputDelivered, now: datetime) -> Event:
        hook = Copied(
            resource=resource(done.address),
            action=self._word(done.address),
            elapsed_seconds=self._elapsed(done.address, now),
            where=done.where,
            url=done.url,
            size=done.size,
        )
        return Log(message=f"{done.address}: delivered to {done.where}", timestamp=_stamp(now), hook=hook).told()

    def _errored(self, failed: OutputFailed, now: datetime) -> Event:
        hook = Errored(
            resource=resource(failed.address),
            action=self._word(failed.address),
            elapsed_seconds=self._elapsed(failed.address, now),
            status=failed.status,
            error=failed.error,
            failures=failed.failures,
            attempts=failed.attempts,
            old_file=failed.old_file,
        )
        message = f"{failed.address}: {failed.error}"
        return ApplyErrored(level="error", message=message, timestamp=_stamp(now), hook=hook).told()

    def _word(self, address: str) -> str:
        return self._actions.get(address, "create")

    def _elapsed(self, address: str, now: datetime) -> int:
        """Seconds since the job of an output began."""
        return round((now - self._began.get(address, now)).total_seconds())


def outcome_events(outcome: Outcome, timestamp: str, exit_code: int) -> Iterator[Event]:
    """How an apply ended: OpenTofu's counts, then ours as the last line."""
    counts = Changes(add=len(outcome.encoded), change=outcome.free, remove=0, forget=0, operation="apply")
    words = f"{len(outcome.encoded)} encoded, {len(outcome.failed)} failed"
    message = f"Apply complete! {words}." if exit_code == 0 else f"Apply ended: {words}, {outcome.not_run} not run."
    yield ChangeSummary(message=message, timestamp=timestamp, changes=counts).told()
    yield Ended(
        message=message,
        timestamp=timestamp,
        exit_code=exit_code,
        encoded=tuple(done.address for done in outcome.encoded),
        failed=tuple(failed.address for failed in outcome.failed),
        recorded=outcome.free,
        not_run=outcome.not_run,
        interrupted=outcome.interrupted,
        running=outcome.running,
        relinked=outcome.relinked,
        delivered=tuple(each.address for each in outcome.delivered),
        timed_out=outcome.timed_out,
        paid=tuple(str(money) for money in outcome.paid),
        untold=outcome.untold,
        seconds=round(outcome.seconds, 1),
        held_up=outcome.held_up,
    ).told()


def _about_all(happening: Canaries | Stopping, stamp: str) -> Event:
    if isinstance(happening, Stopping):
        return Log(level="warn", message=STOPPING, timestamp=stamp).told()
    first = tuple(step.address for job in happening.jobs for step in job.steps)
    message = f"{len(first)} outputs first; {happening.waiting} wait for them"
    return Log(message=message, timestamp=stamp, canaries=first).told()


def _complete(message: str, stamp: str, hook: Completed) -> Event:
    return ApplyComplete(message=message, timestamp=stamp, hook=hook).told()


def _action(step: EncodeStep) -> str:
    return action(step.actions)


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
