"""An apply as it goes and as it ended: lines, bars, the last screen."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from rich.console import Console

from builders import desired, output, record, world
from builders_views import document, h264, job, ladder
from reconciler.core.cost import Money
from reconciler.core.happenings import (
    JobMessage,
    JobProgress,
    JobStarted,
    Outcome,
    OutputDone,
    OutputFailed,
    StepDone,
    Stopping,
)
from reconciler.core.plan import make_plan
from reconciler.core.ports import Running
from reconciler.core.selection import Selection
from reconciler.core.steps import Retire
from reconciler.views.apply_text import apply_text, headline
from reconciler.views.cells import width
from reconciler.views.progress import PlainProgress
from reconciler.views.progress_terminal import TerminalProgress, job_lines

NOON = datetime(2026, 9, 21, 14, 2, 7, tzinfo=UTC)


def done(address="bbb/720p", size=71_300_000, notes=()):
    """A finished output."""
    return OutputDone(address, f"outputs/{address}.mp4", size, "10:34", notes)


def failed(address="films/sintel/720p", *, status="failed", failures=1, attempts=2, old_file=None):
    """An output that failed."""
    return OutputFailed(address, status, 'ffmpeg: "input stream 0 is corrupt"', failures, attempts, old_file)


def outcome(encoded=(), failed=(), **more):
    """How an apply ended."""
    values = {"free": 0, "not_run": 0, "interrupted": False, "seconds": 348.0}
    return Outcome(encoded=tuple(encoded), failed=tuple(failed), **{**values, **more})


def test_lines_without_a_terminal():
    """Each happening is a line with the time; a running job has one every few seconds."""
    lines, clock, running = [], Clock(NOON), job()
    progress = PlainProgress(lines.append, clock, outputs=3)
    progress.tell(JobStarted(running, resumed=False))
    progress.tell(JobMessage(running, "fetched bbb.mp4  158 MB in 14 s: 10:34, 1920x1080, 30 fps"))
    progress.tell(JobMessage(running, "audio 5.1 is mixed down to stereo (preset: channels 2)"))
    for _ in range(60):
        clock.now += timedelta(seconds=0.1)
        progress.tell(JobProgress(running, Running("encoding", fraction=0.619, speed=1.94, remaining=131)))
    progress.tell(done(notes=("no \x1b[31msubtitles", "audio 5.1 is mixed down to stereo (preset: channels 2)")))
    progress.tell(failed())
    progress.tell(StepDone(retire()))
    progress.tell(Stopping())

    assert (
        r"""
14:02:07 started   bbb: 1080p 480p 720p
14:02:07 fetched   bbb.mp4  158 MB in 14 s: 10:34, 1920x1080, 30 fps
14:02:07 note      bbb: audio 5.1 is mixed down to stereo (preset: channels 2)
14:02:12 encoding  bbb  61 %  1.9x  2:11 left
14:02:13 verified  bbb/720p  71.3 MB  10:34 (1 of 3)
14:02:13 note      bbb/720p: no \x1b[31msubtitles
14:02:13 failed    films/sintel/720p: ffmpeg: "input stream 0 is corrupt" (2 of 3)
14:02:13 recorded  old/720p: no longer declared; its record is kept, its file is not deleted
14:02:13 stopping  nothing more is started; what runs here is ended, what runs elsewhere goes on. Once more: at once
""".strip().splitlines()
        == lines
    )


def test_an_error_of_several_lines_is_one():
    """Its lines are words in a row, and the longest status is apart from the address."""
    lines = []
    failure = OutputFailed("a/b", "undelivered", "no credentials.\n  Set \x1b[31mA and B.", 0, 2)
    PlainProgress(lines.append, Clock(NOON), outputs=1).tell(failure)
    assert [r"14:02:07 undelivered a/b: no credentials. Set \x1b[31mA and B."] == lines
    text = apply_text(outcome([], [failure]), state="state/encodes.json", exit_code=3)
    assert r"          no credentials. Set \x1b[31mA and B." in text


class Clock:
    """A clock that a test turns."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


def retire():
    """A free step."""
    wanted = output("old/720p")
    plan = make_plan(desired(output("new/720p", crf=30)), {"old/720p": record(wanted)}, world(), Selection())
    return next(step for step in plan.steps if isinstance(step, Retire))


def test_a_bar_for_each_job():
    """A running job has stage, names, bar, percent, speed and what is left, on one line of the terminal."""
    running = Running("encoding", fraction=0.61, speed=1.94, remaining=131)

    assert ["  encoding  bbb: 1080p 480p 720p  [=============>..........]   61 %  1.9x    2:11 left"] == job_lines(
        [(job(), running)], 100
    )
    assert ["  encoding  bbb: 1080p 480p 720p  [=========>.......]   61 %  1.9x    2:11 left"] == job_lines(
        [(job(), running)], 80
    )


def test_bars_give_way_on_a_narrow_terminal():
    """In sixty columns the numbers stay and the bar goes; with long names the names are cut, for a moment only."""
    running = Running("encoding", fraction=0.61, speed=1.94, remaining=131)
    narrow = job_lines([(job(), running)], 60)
    narrower = job_lines([(job(), running)], 50)
    long = job_lines([(job(h264("映画" * 20 + "/720p", 720, 23, "128k")), running)], 60)

    assert ["  encoding  bbb: 1080p 480p 720p    61 %  1.9x    2:11 left"] == narrow
    assert ["  encoding  bbb: 108...   61 %  1.9x    2:11 left"] == narrower
    assert [True] == [line.endswith("...   61 %  1.9x    2:11 left") for line in long]
    assert [] == [line for line in narrow + long if width(line) > 59]


def test_only_the_first_jobs_have_bars():
    """Many running jobs do not fill the screen."""
    jobs = [(job(), Running("waiting"))] * 20

    assert (9, "  and 12 more running") == (len(job_lines(jobs, 80)), job_lines(jobs, 80)[-1])


def drawn(happenings, *, columns=80, no_color=True):
    """What a terminal was sent."""
    sent = io.StringIO()
    console = Console(file=sent, force_terminal=True, width=columns, no_color=no_color, highlight=False)
    ticks = iter(range(1000))
    with TerminalProgress(console, lambda: next(ticks), outputs=3) as progress:
        for happening in happenings:
            progress.tell(happening)
    return sent.getvalue()


def test_the_terminal_shows_jobs_messages_and_a_tally():
    """Bars are redrawn, messages stay above them, and the tally counts what has ended."""
    running = job()
    screen = drawn(
        [
            JobStarted(running, resumed=False),
            JobMessage(running, "fetched bbb.mp4"),
            JobProgress(running, Running("encoding", fraction=0.5)),
            done("bbb/1080p", notes=("made \x1b[31mso",)),
            done("bbb/480p"),
            Stopping(),
            done("bbb/720p"),
        ]
    )

    assert "  fetched   bbb.mp4\n" in screen
    assert "  encoding  bbb: 1080p 480p 720p  [" in screen
    assert r"  note      bbb/1080p: made \x1b[31mso" in screen
    assert "  0 of 3 done. Ctrl-C stops cleanly; run apply again to go on." in screen
    assert "  2 of 3 done, stopping. Ctrl-C once more: at once." in screen
    assert "\x1b[31m" not in screen
    assert re.search(r"3 of 3 done[^\n]*\n?[^=]*$", screen), "the job's line goes with its last output"


def test_the_end_of_an_apply():
    """What was made, where it is, how large, how long it plays, and that it is verified."""
    made = [done("bbb/1080p", 142_800_000), done("bbb/720p"), done("bbb/480p", 38_900_000)]

    assert (
        apply_text(outcome(made), state="state/encodes.json", exit_code=0)
        == """\
Apply complete! 3 encoded, 0 failed, in 5 m 48 s. Paid: nothing.

  bbb/1080p  outputs/bbb/1080p.mp4  142.8 MB  10:34  verified
  bbb/480p   outputs/bbb/480p.mp4    38.9 MB  10:34  verified
  bbb/720p   outputs/bbb/720p.mp4    71.3 MB  10:34  verified

Recorded in state/encodes.json. Change a preset and plan again: only the outputs
that use it run.
"""
    )


def test_what_a_provider_does_not_tell_is_not_called_nothing():
    """An amount that is unknown is said to be unknown, beside what is known."""
    unknown, more = (
        headline(replace(outcome(), paid=paid, untold=("bytenite",))).partition("Paid: ")[2]
        for paid in ((), (Money(Decimal(28), "BYC"),))
    )
    assert ("unknown, bytenite told no amount.", "28 BYC, and what bytenite did not tell.") == (unknown, more)


def test_an_apply_that_only_recorded():
    """Free steps are counted, and nothing is said of encodes."""
    text = apply_text(outcome(free=2, seconds=0.04), state="state/encodes.json", exit_code=0)

    assert (
        "Apply complete! 0 encoded, 0 failed, 2 recorded, in 0 s. Paid: nothing.\n\nRecorded in state/encodes.json.\n"
        == text
    )


def test_an_apply_with_failures():
    """Failures come first: which, how often, why, what still works and what the next apply does."""
    failures = [
        failed(old_file="outputs/films/sintel/720p.mp4"),
        failed("films/tos/720p", failures=2),
        failed("films/uit/720p", status="suspect"),
    ]
    text = apply_text(outcome([done("films/bbb/720p")], failures, not_run=1), state="state/encodes.json", exit_code=3)

    assert (
        text
        == """\
Error: 3 of 5 outputs failed, 1 encoded, 1 not run, in 5 m 48 s. Paid: nothing.

  failed  films/sintel/720p  attempt 1 of 2
          ffmpeg: "input stream 0 is corrupt"
          the old file is still live (outputs/films/sintel/720p.mp4); the next
          apply tries once more
  failed  films/tos/720p  attempt 2 of 2
          ffmpeg: "input stream 0 is corrupt"
          not tried again until its spec or source changes, or by name:
          reconciler apply --rerun films/tos/720p
  suspect films/uit/720p  attempt 1 of 2
          ffmpeg: "input stream 0 is corrupt"
          not tried again until its spec or source changes, or by name:
          reconciler apply --rerun films/uit/720p

  films/bbb/720p  outputs/films/bbb/720p.mp4  71.3 MB  10:34  verified

Recorded in state/encodes.json. Exit 3: part done, safe to run again, nothing is
paid twice.
"""
    )


def test_an_interrupted_apply():
    """An interrupt says what is recorded and how to go on."""
    text = apply_text(
        outcome([done()], not_run=2, interrupted=True), state="state/encodes.json", exit_code=130, options=" --specs s"
    )

    assert (
        text
        == """\
Error: interrupted: 1 encoded, 0 failed, 2 not run, in 5 m 48 s. Paid: nothing.

  bbb/720p  outputs/bbb/720p.mp4  71.3 MB  10:34  verified

Recorded in state/encodes.json. Nothing is lost. To go on:
reconciler apply --specs s
"""
    )


def test_the_end_in_sixty_columns():
    """What does not fit beside an address stands below it, whole."""
    text = apply_text(outcome([done("trailer/big-buck-bunny/1080p")]), state="s", exit_code=0, columns=60)

    assert (
        "  trailer/big-buck-bunny/1080p\n    outputs/trailer/big-buck-bunny/1080p.mp4  71.3 MB  10:34\n    verified\n"
    ) in text


def test_a_plan_and_its_jobs_agree():
    """The document counts the outputs of the job that will run."""
    assert [("bbb/1080p", "bbb/480p", "bbb/720p")] == [each.addresses for each in document(ladder()).jobs]


def test_what_could_not_be_deleted_says_what_ends_it():
    """A copy that somebody altered is left alone by every apply; whoever deletes it ends that."""
    failure = OutputFailed("a/b", "undeleted", "dist/b.mp4 is not the copy that was made: it is left alone", 0, 2)
    text = apply_text(outcome([], [failure]), state="state/encodes.json", exit_code=3)
    assert "the next apply tries once more; what you deleted yourself, it forgets" in text
