"""How an apply ended: what was made, what failed and what happens next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.core.happenings import Outcome, OutputDone, OutputFailed
from reconciler.views.cells import columns_of, fold, table, visible, whole
from reconciler.views.words import count, size, span

OUTPUTS_AT_MOST = 50


def apply_text(outcome: Outcome, *, state: str, exit_code: int, columns: int = 80, options: str = "") -> str:
    """The last screen of an apply. `options` are the flags that a command named on it has to repeat."""
    parts = [
        fold(_headline(outcome), columns, rest="  "),
        _failed(outcome.failed, columns, options),
        _encoded(outcome.encoded, columns),
        fold(_last_words(outcome, visible(state), exit_code, options), columns),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _headline(outcome: Outcome) -> str:
    took = f"in {span(outcome.seconds)}. Paid: nothing."
    made = f"{len(outcome.encoded):,} encoded"
    free = [f"{outcome.free:,} recorded"] if outcome.free else []
    if outcome.interrupted:
        parts = [made, f"{len(outcome.failed):,} failed", *free, f"{outcome.not_run:,} not run"]
        return f"Error: interrupted: {', '.join(parts)}, {took}"
    if outcome.failed:
        total = len(outcome.encoded) + len(outcome.failed) + outcome.not_run
        rest = [made, *free, *([f"{outcome.not_run:,} not run"] if outcome.not_run else [])]
        comma = "," if len(rest) > 1 else ""
        return f"Error: {len(outcome.failed):,} of {count(total, 'output')} failed, {', '.join(rest)}{comma} {took}"
    return f"Apply complete! {', '.join([made, '0 failed', *free])}, {took}"


def _encoded(encoded: Sequence[OutputDone], columns: int) -> list[str]:
    shown = sorted(encoded, key=lambda done: done.address)[:OUTPUTS_AT_MOST]
    cells = [
        (visible(done.address), visible(done.path), size(done.size), visible(done.summary), "verified")
        for done in shown
    ]
    lines = [f"  {line}" for line in table(cells, numbers={2})]
    if columns_of(lines) > columns:
        lines = [line for row in cells for line in (f"  {row[0]}", *_facts(row, columns))]
    more = len(encoded) - OUTPUTS_AT_MOST
    return [*lines, f"  and {more:,} more: reconciler output"] if more > 0 else lines


def _facts(row: tuple[str, ...], columns: int) -> list[str]:
    """What is known of an output, below its address, for narrow terminals and long names."""
    return fold("  ".join([row[1], row[2], *filter(None, row[3:])]), columns, first="    ")


def _failed(failed: Sequence[OutputFailed], columns: int, options: str) -> list[str]:
    lines: list[str] = []
    for failure in sorted(failed, key=lambda failure: failure.address):
        head = f"  {failure.status:<7} {visible(failure.address)}"
        attempt = f"attempt {failure.failures} of {max(failure.attempts, failure.failures)}"
        lines += fold(f"{head}  {attempt}", columns, rest=" " * 10)
        for line in (failure.error, *_what_next(failure, options)):
            lines += fold(visible(line), columns, first=" " * 10)
    return lines


def _what_next(failure: OutputFailed, options: str) -> Iterator[str]:
    live = f"the old file is still live ({failure.old_file}); " if failure.old_file is not None else ""
    left = failure.attempts - failure.failures
    if failure.status == "failed" and left > 0:
        yield f"{live}the next apply tries {'once more' if left == 1 else 'again'}"
        return
    yield f"{live}not tried again until its spec or source changes, or by name:"
    yield whole(f"reconciler apply --rerun {failure.address}{options}")


def _last_words(outcome: Outcome, state: str, exit_code: int, options: str) -> str:
    if outcome.interrupted:
        return f"Recorded in {state}. Nothing is lost. To go on: {whole(f'reconciler apply{options}')}"
    if outcome.failed:
        return f"Recorded in {state}. Exit {exit_code}: part done, safe to run again, nothing is paid twice."
    if not outcome.encoded:
        return f"Recorded in {state}."
    return f"Recorded in {state}. Change a preset and plan again: only the outputs that use it run."
