"""What happens as JSON lines, in the names of OpenTofu's `-json` stream; ours are `log` texts and the last line.

Each event has `@level`, `@message`, `@module`, `@timestamp` and `type`. Whoever reads them ignores keys and types
that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from reconciler.core.errors import Place, Problem, ReconcilerError, SpecError
from reconciler.views.document import PlanDocument, ResourceChange
from reconciler.views.event_types import (
    Changes,
    ChangeSummary,
    Diagnosed,
    Diagnostic,
    Event,
    Planned,
    PlannedChange,
    Position,
    ProviderAsked,
    Range,
    Resource,
    Snippet,
    Validated,
    Version,
    WholePlan,
)
from reconciler.views.plan_text import no_changes, summary_line
from reconciler.views.problems import error_text, masked

UI = "1.2"

# OpenTofu's words for the actions of one change.
_ACTIONS: Mapping[tuple[str, ...], str] = {
    ("create",): "create",
    ("create", "delete"): "replace",
    ("read",): "read",
    ("update",): "update",
    ("forget",): "forget",
    ("delete",): "delete",
}


def version_event(tool_version: str, timestamp: str) -> Event:
    """The first line of every stream."""
    return Version(message=f"reconciler {tool_version}", timestamp=timestamp, reconciler=tool_version, ui=UI).told()


def plan_events(document: PlanDocument, timestamp: str) -> Iterator[Event]:
    """A plan: its changes, its warnings and its summary. `plan_event` is the last line where there is no apply."""
    for change in document.resource_changes:
        yield _planned_change(change, timestamp)
    for remark in document.remarks:
        yield diagnostic("warning", remark, timestamp)
    for notice in document.warnings:
        sentence = f"{notice.address}: {notice.sentence}"
        yield diagnostic("warning", sentence, timestamp, address=notice.address, code=notice.code)
    for refusal in document.refusals:
        detail = refusal.lift
        yield diagnostic("warning", refusal.sentence, timestamp, detail, address=refusal.address, code=refusal.code)
    message = summary_line(document.summary) if document.resource_changes else no_changes(document)
    yield ChangeSummary(message=message, timestamp=timestamp, changes=_changes(document)).told()


def plan_event(document: PlanDocument) -> Event:
    """The whole plan as a line."""
    return WholePlan(plan=document).told()


def validated_event(message: str, timestamp: str, *, outputs: int, encodes: int) -> Event:
    """The specs have no errors."""
    return Validated(message=message, timestamp=timestamp, outputs=outputs, encodes=encodes).told()


def provider_event(name: str, report: tuple[str, ...], timestamp: str, *, good: bool) -> Event:
    """What a provider answered."""
    message = f"{name}: {report[0]}"
    return ProviderAsked(message=message, timestamp=timestamp, provider=name, ok=good, report=report).told()


def _changes(document: PlanDocument) -> Changes:
    summary = document.summary
    return Changes(
        add=summary.encode,
        change=summary.moved + summary.reused + summary.updated + summary.delivered,
        remove=summary.rerun + summary.deleted,
        forget=summary.retire,
        operation="plan",
    )


def error_events(error: ReconcilerError, timestamp: str) -> Iterator[Event]:
    """An expected error as diagnostics, one for each problem of a spec."""
    if isinstance(error, SpecError):
        for problem in error.problems:
            yield _spec_diagnostic(problem, error, timestamp)
        return
    summary, _, detail = error_text(error).removeprefix("Error: ").strip("\n").partition("\n")
    yield diagnostic("error", summary, timestamp, detail)


def diagnostic(
    severity: Literal["warning", "error"],
    summary: str,
    timestamp: str,
    detail: str = "",
    **fields: Any,  # noqa: ANN401 - the optional fields of Diagnostic
) -> Event:
    """A warning or an error."""
    return Diagnosed(
        level="error" if severity == "error" else "warn",
        message=f"{severity.capitalize()}: {summary}",
        timestamp=timestamp,
        diagnostic=Diagnostic(severity=severity, summary=summary, detail=detail, **fields),
    ).told()


def resource(address: str) -> Resource:
    """An address in the form that OpenTofu gives to a resource."""
    return Resource(addr=address, resource=address, resource_name=address.rpartition("/")[2])


def action(actions: tuple[str, ...], previous_address: str | None = None) -> str:
    """OpenTofu's one word for what is done."""
    return "move" if previous_address is not None else _ACTIONS.get(actions, "noop")


def _planned_change(change: ResourceChange, timestamp: str) -> Event:
    word = action(change.change.actions, change.previous_address)
    before = {} if change.previous_address is None else {"previous_resource": resource(change.previous_address)}
    content = PlannedChange(resource=resource(change.address), action=word, reason=change.action_reason, **before)
    message = f"{change.address}: Plan to {word}"
    return Planned(message=message, timestamp=timestamp, change=content).told()


def _spec_diagnostic(problem: Problem, error: SpecError, timestamp: str) -> Event:
    place = {} if problem.place is None else _placed(problem.place, error)
    return diagnostic("error", problem.message, timestamp, "\n".join(problem.hints), path=problem.path, **place)


def _placed(place: Place, error: SpecError) -> dict[str, Any]:
    """OpenTofu's `range` and `snippet`; `byte` counts from the start of the file, columns from 1."""
    lines = error.texts.get(place.file, ())
    line = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
    before = sum(len(text.encode()) + 1 for text in lines[: place.line - 1])
    start = min(place.column - 1, len(line))
    end = min(start + place.length, len(line))
    return {
        "range": Range(
            filename=place.file,
            start=_position(place.line, start, before, line),
            end=_position(place.line, end, before, line),
        ),
        "snippet": Snippet(
            code=masked(line),
            start_line=place.line,
            highlight_start_offset=start,
            highlight_end_offset=end,
        ),
    }


def _position(line: int, offset: int, before: int, text: str) -> Position:
    return Position(line=line, column=offset + 1, byte=before + len(text[:offset].encode()))
