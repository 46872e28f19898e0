"""An apply as it goes, a plain line at a time: for logs, pipes and whoever has no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import assert_never

from reconciler.core.happenings import (
    Canaries,
    Happening,
    JobMessage,
    JobProgress,
    JobStarted,
    OutputDelivered,
    OutputDone,
    OutputFailed,
    StepDone,
    Stopping,
)
from reconciler.core.jobs import PlannedJob
from reconciler.core.ports import Running
from reconciler.views.cells import visible
from reconciler.views.words import clock, count, size

_VERB = 10
STOPPING = "nothing more is started; what runs here is ended, what runs elsewhere goes on. Once more: at once"


class PlainProgress:
    """Turns happenings into lines; a running job has one every `every` at most."""

    def __init__(
        self,
        say: Callable[[str], None],
        now: Callable[[], datetime],
        *,
        outputs: int,
        every: timedelta = timedelta(seconds=5),
    ) -> None:
        self._say = say
        self._now = now
        self._outputs = outputs
        self._every = every
        self._ended = 0
        self._last: dict[str, datetime] = {}
        self._heard: Heard = set()

    def tell(self, happening: Happening) -> None:
        """Say what there is to say about one happening."""
        now = self._now()
        if isinstance(happening, JobStarted):
            self._last[happening.job.request.job_id] = now
        if isinstance(happening, JobProgress) and not self._due(happening, now):
            return
        if isinstance(happening, OutputDone | OutputFailed):
            self._ended += 1
        for verb, text in said(happening, self._heard):
            tally = f" ({self._ended} of {self._outputs})" if verb in {"verified", "failed"} else ""
            self._say(f"{now:%H:%M:%S} {f'{verb} ':<{_VERB}}{text}{tally}")

    def _due(self, happening: JobProgress, now: datetime) -> bool:
        job_id = happening.job.request.job_id
        if now - self._last.get(job_id, datetime.min.replace(tzinfo=now.tzinfo)) < self._every:
            return False
        self._last[job_id] = now
        return True


# The notes that were said of an encode while it ran: encode and text. Its outputs do not say them again.
Heard = set[tuple[str, str]]


def said(happening: Happening, heard: Heard) -> Iterator[tuple[str, str]]:
    """Verb and text of each line about one happening; adds to `heard`."""
    match happening:
        case StepDone(step=step):
            yield "recorded", f"{visible(step.address)}: {visible(step.reason.sentence)}"
        case JobStarted(job=job, resumed=resumed):
            yield "resumed" if resumed else "started", job_label(job)
        case JobProgress(job=job, running=running):
            yield running.stage, f"{visible(job.request.encode)}{where_it_stands(running)}"
        case JobMessage(job=job, text=text):
            heard.add((job.request.encode, text))
            yield message(job, text)
        case OutputDone():
            yield from _done(happening, heard)
        case OutputDelivered() | OutputFailed() | Canaries() | Stopping():
            yield _plainly(happening)
        case _:
            assert_never(happening)


def _plainly(happening: OutputDelivered | OutputFailed | Canaries | Stopping) -> tuple[str, str]:
    """What needs no memory of what was said before."""
    match happening:
        case OutputDelivered():
            return "delivered", f"{visible(happening.address)}  {visible(happening.where)}"
        case OutputFailed():
            return happening.status, f"{visible(happening.address)}: {visible(' '.join(happening.error.split()))}"
        case Canaries(jobs=jobs, waiting=waiting):
            return "canary", f"{', '.join(map(job_label, jobs))} first; {count(waiting, 'output')} wait for that"
        case Stopping():
            return "stopping", STOPPING


def _done(done: OutputDone, heard: Heard) -> Iterator[tuple[str, str]]:
    yield "verified", f"{visible(done.address)}  {size(done.size)}  {visible(done.summary)}".rstrip()
    encode = done.address.rpartition("/")[0]
    for note in done.notes:
        if (encode, note) not in heard:
            yield "note", f"{visible(done.address)}: {visible(note)}"


def job_label(job: PlannedJob) -> str:
    """`bbb: 1080p 720p 480p`."""
    names = " ".join(visible(output.name) for output in job.request.outputs)
    return f"{visible(job.request.encode)}: {names}"


def message(job: PlannedJob, text: str) -> tuple[str, str]:
    """A provider's message: what was fetched has a verb of its own, all else is a note about the encode."""
    first, _, rest = text.partition(" ")
    if first in {"fetched", "cached", "read"}:
        return first, visible(rest.strip())
    return "note", f"{visible(job.request.encode)}: {visible(text)}"


def where_it_stands(running: Running) -> str:
    """`  61 %  1.9x  2:11 left`, as far as it is known."""
    words = []
    if running.fraction is not None:
        words.append(f"{percent(running.fraction)} %")
    if running.speed is not None:
        words.append(f"{running.speed:.1f}x")
    if running.remaining is not None:
        words.append(f"{clock(running.remaining)} left")
    return "".join(f"  {word}" for word in words)


def percent(fraction: float) -> int:
    """Whole percent, rounded down: 100 is said when it is done and not before."""
    return int(min(max(fraction, 0.0), 1.0) * 100)
