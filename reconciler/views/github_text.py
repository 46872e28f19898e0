"""What GitHub's runner reads: workflow commands on stdout and `name=value` files, with everything escaped.

A line that the runner takes for a command may stand anywhere in a log, so text from outside is printed between
`stopped` lines, whose token nobody can guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.core.errors import ReconcilerError, SpecError
from reconciler.views.cells import visible
from reconciler.views.document import PlanDocument
from reconciler.views.money import amount
from reconciler.views.plan_text import no_changes, summary_line

# The runner shows ten annotations of a kind in a step and silently drops the others.
ANNOTATIONS_AT_MOST = 10


@dataclass(frozen=True, slots=True)
class Annotation:
    """A message beside a line of a file, or of the whole run; `kind` is error, warning or notice."""

    kind: str
    message: str
    title: str = ""
    file: str = ""
    line: int = 0
    column: int = 0


def annotation_lines(annotations: Sequence[Annotation]) -> Iterator[str]:
    """The workflow commands of annotations: of each kind the first ones, and how many more there are."""
    for kind in ("error", "warning", "notice"):
        own = [each for each in annotations if each.kind == kind]
        kept = own if len(own) <= ANNOTATIONS_AT_MOST else own[: ANNOTATIONS_AT_MOST - 1]
        yield from map(_command, kept)
        if len(kept) < len(own):
            yield _command(Annotation(kind, f"and {len(own) - len(kept):,} more: see the summary of this run"))


def failed_annotations(error: ReconcilerError, folder: str = "") -> list[Annotation]:
    """Every problem of a plan that could not be made; `folder` is where the project is in its repository."""
    if not isinstance(error, SpecError):
        first, *hints = str(error).split("\n")
        return [Annotation("error", "\n".join([first, *hints]))]
    found = []
    for problem in error.problems:
        message = "\n".join([problem.message, *problem.hints])
        place = problem.place
        if place is None:
            found.append(Annotation("error", message, problem.path))
        else:
            file = f"{folder}/{place.file}" if folder else place.file
            found.append(Annotation("error", message, problem.path, file, place.line, place.column))
    return found


def plan_annotations(document: PlanDocument, *, refusals_are_errors: bool) -> list[Annotation]:
    """What forbids the apply, and what only a person can decide about."""
    kind = "error" if refusals_are_errors else "warning"
    refused = [Annotation(kind, f"{each.sentence}\n{each.lift}", "apply refuses this") for each in document.refusals]
    refused += [Annotation("warning", each) for each in document.remarks]
    return refused + [Annotation("warning", f"{each.address}: {each.sentence}") for each in document.warnings]


def masked(secret: str) -> Iterator[str]:
    """The commands that keep a secret out of the log, line by line as the runner does."""
    for line in secret.splitlines():
        if line.strip():
            yield f"::add-mask::{_data(line)}"


def stopped(text: str, token: str) -> str:
    """Text in which the runner looks for no commands."""
    return f"::stop-commands::{token}\n{text}{'' if text.endswith(chr(10)) else chr(10)}::{token}::\n"


def plan_outputs(document: PlanDocument) -> dict[str, str]:
    """What later steps may want to know of a plan."""
    summary, changes, total = document.summary, bool(document.resource_changes), document.cost
    costs = (amount(each.expected or "0", each.currency) for each in (*total.expected, *total.learnt))
    return {
        # What was compared with other specs, nobody can approve.
        "plan_id": document.plan_id if document.basis.base is None else "",
        "changes": str(changes).lower(),
        "refused": str(bool(document.refusals)).lower(),
        "to_encode": str(summary.encode),
        "to_create": str(summary.new),
        "to_rerun": str(summary.rerun),
        "to_retire": str(summary.retire),
        "cost": " and ".join(costs),
        "cost_known": str(not (total.unknown_price or total.unknown_duration or total.learnt)).lower(),
        "summary": summary_line(summary) if changes else no_changes(document),
    }


def output_lines(values: Mapping[str, str], delimiter: Callable[[], str]) -> str:
    """Values for GITHUB_OUTPUT; `delimiter` gives words that nobody can guess, so that no value ends its own text."""
    return "".join(map("".join, _outputs(values, delimiter)))


def _outputs(values: Mapping[str, str], delimiter: Callable[[], str]) -> Iterable[tuple[str, ...]]:
    for name, value in values.items():
        end = delimiter()
        while end in value:
            end = delimiter()
        yield (f"{name}<<{end}\n", f"{value}\n", f"{end}\n")


def _command(annotation: Annotation) -> str:
    properties = {
        "file": annotation.file,
        "line": str(annotation.line or ""),
        "col": str(annotation.column or ""),
        "title": annotation.title,
    }
    given = ",".join(f"{name}={_property(visible(value))}" for name, value in properties.items() if value)
    message = "\n".join(map(visible, annotation.message.split("\n")))
    return f"::{annotation.kind}{f' {given}' if given else ''}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
