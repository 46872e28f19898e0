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
from reconciler.views.events import Event, action, event, resource
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
                hook = {"resource": resource(step.address), "action": word, "elapsed_seconds": 0}
                yield event("apply_complete", f"{step.address}: {step.reason.sentence}", stamp, hook=hook)
            case JobStarted(job=job, resumed=resumed):
                yield from self._started(job, now, resumed=resumed)
            case JobProgress(job=job):
                yield from self._progress(happening, job, now)
            case JobMessage(job=job, text=text):
                yield event("log", f"{job.request.encode}: {text}", stamp, encode=job.request.encode, text=text)
            case OutputDone():
                yield self._complete(happening, now)
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
            hook = {"resource": resource(step.address), "action": _action(step), "resumed": resumed}
            yield event(
                "apply_start", f"{step.address}: {'Resuming' if resumed else 'Encoding'}...", _stamp(now), hook=hook
            )

    def _progress(self, happening: JobProgress, job: PlannedJob, now: datetime) -> Iterator[Event]:
        last, running = self._last.get(job.request.job_id), happening.running
        if last is not None and now - last < self._every:
            return
        self._last[job.request.job_id] = now
        facts = {
            "stage": running.stage,
            "fraction": running.fraction,
            "speed": running.speed,
            "remaining_seconds": running.remaining,
        }
        for step in job.steps:
            hook = {**self._hook(step.address, now), **facts}
            message = f"{step.address}: Still {running.stage}...{where_it_stands(running)}"
            yield event("apply_progress", message, _stamp(now), hook=hook)

    def _complete(self, done: OutputDone, now: datetime) -> Event:
        facts = {"size": done.size, "summary": done.summary, "notes": list(done.notes)}
        hook = {**self._hook(done.address, now), "id_key": "path", "id_value": done.path, **facts}
        message = f"{done.address}: Encoding complete after {hook['elapsed_seconds']}s [path={done.path}]"
        return event("apply_complete", message, _stamp(now), hook=hook)

    def _delivered(self, done: OutputDelivered, now: datetime) -> Event:
        hook = {**self._hook(done.address, now), "where": done.where, "url": done.url, "size": done.size}
        return event("log", f"{done.address}: delivered to {done.where}", _stamp(now), hook=hook)

    def _errored(self, failed: OutputFailed, now: datetime) -> Event:
        facts = {
            "status": failed.status,
            "error": failed.error,
            "failures": failed.failures,
            "attempts": failed.attempts,
            "old_file": failed.old_file,
        }
        hook = {**self._hook(failed.address, now), **facts}
        return event("apply_errored", f"{failed.address}: {failed.error}", _stamp(now), level="error", hook=hook)

    def _hook(self, address: str, now: datetime) -> dict[str, object]:
        began = self._began.get(address, now)
        elapsed = round((now - began).total_seconds())
        word = self._actions.get(address, "create")
        return {"resource": resource(address), "action": word, "elapsed_seconds": elapsed}


def outcome_events(outcome: Outcome, timestamp: str, exit_code: int) -> Iterator[Event]:
    """How an apply ended: OpenTofu's counts, then ours as the last line."""
    counts = {"add": len(outcome.encoded), "change": outcome.free, "import": 0, "remove": 0, "forget": 0}
    words = f"{len(outcome.encoded)} encoded, {len(outcome.failed)} failed"
    message = f"Apply complete! {words}." if exit_code == 0 else f"Apply ended: {words}, {outcome.not_run} not run."
    yield event("change_summary", message, timestamp, changes={**counts, "operation": "apply"})
    yield event(
        "outcome",
        message,
        timestamp,
        exit_code=exit_code,
        encoded=[done.address for done in outcome.encoded],
        failed=[failed.address for failed in outcome.failed],
        recorded=outcome.free,
        not_run=outcome.not_run,
        interrupted=outcome.interrupted,
        running=outcome.running,
        relinked=outcome.relinked,
        delivered=[each.address for each in outcome.delivered],
        timed_out=outcome.timed_out,
        paid=[str(money) for money in outcome.paid],
        seconds=round(outcome.seconds, 1),
    )


def _about_all(happening: Canaries | Stopping, stamp: str) -> Event:
    if isinstance(happening, Stopping):
        return event("log", STOPPING, stamp, level="warn")
    first = [step.address for job in happening.jobs for step in job.steps]
    return event("log", f"{len(first)} outputs first; {happening.waiting} wait for them", stamp, canaries=first)


def _action(step: EncodeStep) -> str:
    return action(step.actions)


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
