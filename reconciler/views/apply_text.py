"""How an apply ended: what was made, what failed and what happens next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.core.happenings import Outcome, OutputDone, OutputFailed
from reconciler.core.plan import IN_FLIGHT
from reconciler.views.cells import columns_of, fold, table, visible, whole
from reconciler.views.document import PlanDocument
from reconciler.views.money import expected, paid_in_all
from reconciler.views.words import count, moment, size, span

OUTPUTS_AT_MOST = 50

# What fails after an output is whole.
_ABOUT_COPIES = frozenset({"undelivered", "undeleted"})


def apply_text(outcome: Outcome, *, state: str, exit_code: int, columns: int = 80, options: str = "") -> str:
    """The last screen of an apply. `options` are the flags that a command named on it has to repeat."""
    parts = [
        fold(headline(outcome), columns, rest="  "),
        _failed(outcome.failed, columns, options),
        _encoded(outcome.encoded, columns),
        fold(last_words(outcome, visible(state), exit_code, options), columns),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def question(document: PlanDocument) -> str:
    """What is asked on a terminal before anything starts."""
    summary = document.summary
    away = sorted({visible(job.provider) for job in document.jobs if job.remote})
    places = [*(["this machine"] if any(not job.remote for job in document.jobs) else []), *away]
    cost = expected(document.cost)
    where = f"on {' and '.join(places)}{f' for {cost}' if cost else ''}"
    if summary.encode:
        also = f" and go on with {summary.resume:,}" if summary.resume else ""
        return f'Encode {count(summary.encode, "output")}{also} {where}? Only "yes" starts them: '
    if summary.resume:
        return f'Go on with {count(summary.resume, "output")} {where}? Only "yes" starts them: '
    free = summary.retire + summary.moved + summary.reused + summary.updated
    return f'Record {count(free, "change")}? Nothing is encoded. Only "yes" records them: '


def not_approved_text(document: PlanDocument, options: str) -> str:
    """Who cannot be asked is told how to approve."""
    return "\n".join(
        [
            "nobody approved this plan, and there is no terminal to ask on. Nothing was started.",
            f"To approve just this plan:        reconciler apply --expect {document.plan_id}{options}",
            f"To approve whatever is planned:   reconciler apply --auto-approve{options}",
            "To approve a plan that was saved: reconciler apply FILE, from reconciler plan --out FILE",
        ]
    )


def headline(outcome: Outcome) -> str:
    """How it ended and what was paid, in a line; it begins with Error where something is left."""
    took = f"in {span(outcome.seconds)}. Paid: {paid_in_all(outcome.paid, outcome.untold)}."
    made = f"{len(outcome.encoded):,} encoded"
    if outcome.running:
        made = f"{made}, {outcome.running:,} running"
    if outcome.held_up:
        made = f"{made}, {outcome.held_up:,} waiting for those"
    free = [f"{outcome.free:,} recorded"] if outcome.free else []
    free += [f"{len(outcome.delivered):,} delivered"] if outcome.delivered else []
    free += [f"{count(outcome.relinked, 'link')} renewed"] if outcome.relinked else []
    if outcome.interrupted:
        parts = [made, f"{len(outcome.failed):,} failed", *free, f"{outcome.not_run:,} not run"]
        return f"Error: interrupted: {', '.join(parts)}, {took}"
    if outcome.timed_out:
        return f"Error: still running after the time to wait: {made}, {len(outcome.failed):,} failed, {took}"
    if outcome.failed:
        return f"Error: {_failures(outcome, [made, *free])} {took}"
    return f"Apply complete! {', '.join([made, '0 failed', *free])}, {took}"


def _failures(outcome: Outcome, beside: Sequence[str]) -> str:
    """`1 of 3 outputs failed, 1 encoded, 1 blocked,` or what is told of the worst that happened, if nothing failed."""
    total = count(len(outcome.encoded) + len(outcome.failed) + outcome.not_run, "output")
    waiting = sum(failure.status in IN_FLIGHT for failure in outcome.failed)
    blocked = sum(failure.status == "blocked" for failure in outcome.failed)
    failed = len(outcome.failed) - waiting - blocked
    kinds = ((failed, "failed", "failed"), (waiting, "wait", "waiting"), (blocked, "blocked", "blocked"))
    (number, verb, _), *others = [kind for kind in kinds if kind[0]]
    rest = [*beside, *([f"{outcome.not_run:,} not run"] if outcome.not_run else [])]
    rest += [f"{number:,} {word}" for number, _, word in others]
    comma = "," if len(rest) > 1 else ""
    return f"{number:,} of {total} {verb}, {', '.join(rest)}{comma}"


def _encoded(encoded: Sequence[OutputDone], columns: int) -> list[str]:
    """A table of what was made: with all that is known of it, else with its duration only, else below each other."""
    shown = sorted(encoded, key=lambda done: done.address)[:OUTPUTS_AT_MOST]
    rows = [_row(done, visible(done.summary)) for done in shown]
    lines = _table(rows)
    if columns_of(lines) > columns:
        lines = _table([_row(done, visible(done.summary.partition(" ")[0])) for done in shown])
    if columns_of(lines) > columns:
        lines = [line for row in rows for line in (f"  {row[0]}", *_facts(row, columns))]
    more = len(encoded) - OUTPUTS_AT_MOST
    return [*lines, f"  and {more:,} more: reconciler output"] if more > 0 else lines


def _row(done: OutputDone, summary: str) -> tuple[str, ...]:
    where = visible(done.path) if done.held_by is None else f"at {visible(done.held_by)}{_until(done)}"
    return (visible(done.address), where, size(done.size), summary, "verified")


def _until(done: OutputDone) -> str:
    return f" until {moment(done.expires_at)}" if done.expires_at is not None else ""


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [f"  {line}" for line in table(rows, numbers={2})]


def _facts(row: tuple[str, ...], columns: int) -> list[str]:
    """What is known of an output, below its address, for narrow terminals and long names."""
    return fold("  ".join([row[1], row[2], *filter(None, row[3:])]), columns, first="    ")


def _failed(failed: Sequence[OutputFailed], columns: int, options: str) -> list[str]:
    lines: list[str] = []
    for failure in sorted(failed, key=lambda failure: failure.address):
        status = "waits" if failure.status in IN_FLIGHT else failure.status
        head = f"  {status:<7} {visible(failure.address)}"
        attempt = f"attempt {failure.failures} of {max(failure.attempts, failure.failures)}"
        if failure.status in IN_FLIGHT or not failure.failures:
            attempt = "" if failure.status in _ABOUT_COPIES else "no attempt was used"
        lines += fold(f"{head}  {attempt}", columns, rest=" " * 10)
        for line in (" ".join(failure.error.split()), *what_next(failure, options)):
            lines += fold(visible(line), columns, first=" " * 10)
    return lines


def what_next(failure: OutputFailed, options: str) -> Iterator[str]:
    """What becomes of an output that failed, in sentences and commands."""
    live = f"the old file is still live ({failure.old_file}); " if failure.old_file is not None else ""
    left = failure.attempts - failure.failures
    if failure.status == "undeleted":
        yield "the next apply tries once more; what you deleted yourself, it forgets"
        return
    if failure.status in _ABOUT_COPIES:
        yield "the output itself is whole; the next apply tries once more"
        return
    if failure.status == "unchecked":
        yield "the file is as it was; the next apply looks at it again"
        return
    if failure.status == "blocked":
        yield f"{live}begun once that is there"
        return
    if failure.status in IN_FLIGHT:
        yield f"{live}its job is as it was; the next apply goes on with it"
        return
    if failure.status == "failed" and left > 0:
        yield f"{live}the next apply tries {'once more' if left == 1 else 'again'}"
        return
    yield f"{live}not tried again until its spec or source changes, or by name:"
    yield whole(f"reconciler apply --rerun {failure.address}{options}")


def last_words(outcome: Outcome, state: str, exit_code: int, options: str) -> str:
    """What is recorded, and how to go on."""
    if outcome.interrupted:
        return f"Recorded in {state}. Nothing is lost. To go on: {whole(f'reconciler apply{options}')}"
    if outcome.running and not outcome.failed:
        command = whole(f"reconciler apply{options}")
        also = f", and to begin {count(outcome.held_up, 'output')} made from that" if outcome.held_up else ""
        return f"Recorded in {state}. Running jobs go on without us; to bring in what they make{also}: {command}"
    if outcome.failed:
        return f"Recorded in {state}. Exit {exit_code}: part done, safe to run again, nothing is paid twice."
    if not outcome.encoded:
        return f"Recorded in {state}."
    return f"Recorded in {state}. Change a preset and plan again: only the outputs that use it run."
