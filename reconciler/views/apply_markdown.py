"""How an apply ended as Markdown, for the summary of a CI run: what failed and what becomes of it first."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.errors import ReconcilerError
from reconciler.core.happenings import Outcome, OutputDone, OutputFailed
from reconciler.views.apply_text import headline, last_words, what_next
from reconciler.views.cells import whole
from reconciler.views.markdown_budget import Section, fitted
from reconciler.views.markdown_text import code, prose
from reconciler.views.words import count, size

# A step summary of more than 1 MiB is dropped altogether.
BYTES = 1_000_000


def apply_markdown(outcome: Outcome, *, state: str, exit_code: int, options: str = "", budget: int = BYTES) -> str:
    """The end of an apply, in at most `budget` bytes. `options` are the flags that a command on it has to repeat."""
    word, _, rest = headline(outcome).partition(" ")
    title = f"### Apply: {prose(rest)}\n\n" if word == "Error:" else f"### {prose(f'{word} {rest}')}\n\n"
    sections = [
        Section(title, needed=True),
        _failed(sorted(outcome.failed, key=lambda failure: failure.address), options),
        _encoded(sorted(outcome.encoded, key=lambda done: done.address)),
        Section(f"{_spoken(last_words(outcome, state, exit_code, options))}\n", needed=True),
    ]
    return fitted([section for section in sections if section is not None], budget)


def refused_markdown(error: ReconcilerError, *, budget: int = BYTES) -> str:
    """An apply that did not come to an end of its own."""
    first, *more = str(error).split("\n")
    lines = [f"- {prose(line.strip())}\n" for line in more if line.strip()]
    sections = [Section("### Apply: failed\n\n", needed=True), Section(f"{prose(first)}\n\n", lines, needed=True)]
    return fitted(sections, budget)


def _failed(failed: Sequence[OutputFailed], options: str) -> Section | None:
    if not failed:
        return None
    rows = [
        f"- **{code(each.address)}** {each.status}: {prose(each.error)}<br>{_next(each, options)}\n" for each in failed
    ]
    return Section("", rows, "\n", lambda number: f"- and {number:,} more: see the log\n", needed=True)


def _next(failure: OutputFailed, options: str) -> str:
    return "<br>".join(map(_spoken, what_next(failure, options)))


def _encoded(encoded: Sequence[OutputDone]) -> Section | None:
    """What was made, folded away."""
    if not encoded:
        return None
    rows = [f"- {code(each.address)} {prose(f'{size(each.size)} {each.summary}')}\n" for each in encoded]
    before = f"<details><summary>{count(len(encoded), 'output')} encoded</summary>\n\n"
    return Section(before, rows, "\n</details>\n\n", lambda number: f"- and {number:,} more\n", needed=True)


def _spoken(sentence: str) -> str:
    """A sentence that may end in a command, the command as code."""
    words, command, rest = sentence.replace(whole(" "), " ").partition("reconciler apply")
    said = prose(words) if words.strip() else ""
    return f"{said} {code(f'{command}{rest}')}".strip() if command else said
