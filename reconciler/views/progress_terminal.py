"""An apply as it goes on a terminal: a line with a bar for each running job, messages above, the tally below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from reconciler.core.happenings import Happening, JobProgress, JobStarted, OutputDone, OutputFailed, Stopping
from reconciler.core.jobs import PlannedJob
from reconciler.core.ports import Running
from reconciler.views.cells import columns_of, fold, pad, pad_left, width
from reconciler.views.progress import Heard, job_label, percent, said
from reconciler.views.words import clock as time_left

JOBS_AT_MOST = 8
_REDRAW_EVERY = 0.1  # seconds
_STAGE = 10
_BAR_AT_LEAST, _BAR_AT_MOST = 8, 24


class TerminalProgress:
    """Redraws as happenings come, and is gone when the apply has ended.

    It draws on `console` and runs no thread of its own. `clock` counts seconds from anywhere.
    """

    def __init__(self, console: Console, clock: Callable[[], float], *, outputs: int) -> None:
        self._console = console
        self._clock = clock
        self._drawn = float("-inf")
        self._outputs = outputs
        self._ended = 0
        self._stopping = False
        self._heard: Heard = set()
        self._running: dict[str, tuple[PlannedJob, Running]] = {}
        self._left: dict[str, set[str]] = {}
        self._live = Live(
            console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def tell(self, happening: Happening) -> None:
        """Show one happening."""
        match happening:
            case JobStarted(job=job):
                self._running[job.request.job_id] = (job, Running(stage="waiting"))
                self._left[job.request.job_id] = {step.address for step in job.steps}
            case JobProgress(job=job, running=running):
                self._running[job.request.job_id] = (job, running)
            case OutputDone() | OutputFailed():
                self._end(happening.address)
            case Stopping():
                self._stopping = True
        if not isinstance(happening, JobStarted | JobProgress):
            self._say(happening)
        self._redraw(at_once=not isinstance(happening, JobProgress))

    def _end(self, address: str) -> None:
        """One output more has ended; its job's line goes with its last output."""
        self._ended += 1
        for job_id, left in self._left.items():
            left.discard(address)
            if not left:
                self._running.pop(job_id, None)

    def _say(self, happening: Happening) -> None:
        for verb, text in said(happening, self._heard):
            if verb == "verified":
                continue  # the last screen has a table of them
            for line in fold(text, self._console.width, first=f"  {verb:<{_STAGE}}"):
                self._console.print(Text(line), soft_wrap=True)

    def _redraw(self, *, at_once: bool) -> None:
        now = self._clock()
        if not at_once and now - self._drawn < _REDRAW_EVERY:
            return
        self._drawn = now
        lines = [*job_lines(list(self._running.values()), self._console.width), self._tally()]
        self._live.update(Text("\n".join(lines), no_wrap=True, overflow="ellipsis"), refresh=True)

    def _tally(self) -> str:
        if self._stopping:
            return f"  {self._ended} of {self._outputs} done, stopping. Ctrl-C once more: at once."
        whole = f"  {self._ended} of {self._outputs} done. Ctrl-C stops cleanly; run apply again to go on."
        return whole if len(whole) < self._console.width else f"  {self._ended} of {self._outputs} done. Ctrl-C stops."


def job_lines(running: Sequence[tuple[PlannedJob, Running]], columns: int) -> list[str]:
    """A line for each of the first jobs, all with bars of the same length, or without where there is no room."""
    shown = list(running[:JOBS_AT_MOST])
    lines = _lines(shown, columns - 1)  # the last column stays empty: some terminals wrap when it is filled
    more = len(running) - JOBS_AT_MOST
    return [*lines, f"  and {more} more running"] if more > 0 else lines


def _lines(shown: Sequence[tuple[PlannedJob, Running]], columns: int) -> list[str]:
    if not shown:
        return []
    heads = [f"  {running.stage:<{_STAGE}}{job_label(job)}" for job, running in shown]
    numbers = [_numbers(running) for _, running in shown]
    head, room = columns_of(heads), columns - columns_of(numbers) - 2
    bar = min(room - head - 4, _BAR_AT_MOST)
    if bar >= _BAR_AT_LEAST:
        return [
            f"{pad(text, head)}  {_bar(running.fraction, bar)}  {number}".rstrip()
            for text, number, (_, running) in zip(heads, numbers, shown, strict=True)
        ]
    return [
        f"{pad(_clipped(text, room), room)}  {number}".rstrip() for text, number in zip(heads, numbers, strict=True)
    ]


def _numbers(running: Running) -> str:
    """Percent, speed and what is left, each in its own column; blank where it is not known."""
    cells = (
        (5, "" if running.fraction is None else f"{percent(running.fraction)} %"),
        (5, "" if running.speed is None else f"{running.speed:.1f}x"),
        (12, "" if running.remaining is None else f"{time_left(running.remaining)} left"),
    )
    return " ".join(pad_left(text, wide) for wide, text in cells) if any(text for _, text in cells) else ""


def _bar(fraction: float | None, columns: int) -> str:
    """`[=====>.....]`, with brackets."""
    done = int(min(max(fraction or 0.0, 0.0), 1.0) * columns)
    tip = ">" if fraction is not None and 0 < done < columns else ""
    return f"[{'=' * (done - len(tip))}{tip}{'.' * (columns - done)}]"


def _clipped(text: str, columns: int) -> str:
    """A line that lives for a moment may be cut; what is printed to stay never is."""
    if width(text) <= columns:
        return text
    while text and width(text) > columns - 3:
        text = text[:-1]
    return text + "..."
