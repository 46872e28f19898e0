"""What happens as JSON lines, in the names of OpenTofu's `-json` stream; ours are `log` texts and the last line.

Each event has `@level`, `@message`, `@module`, `@timestamp` and `type`. Whoever reads them ignores keys and types
that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.core.errors import Place, Problem, ReconcilerError, SpecError
from reconciler.views.document import PlanDocument, ResourceChange
from reconciler.views.plan_text import no_changes, summary_line
from reconciler.views.problems import error_text, masked

Event = dict[str, Any]

UI = "1.2"

# OpenTofu's words for the actions of one change.
_ACTIONS: Mapping[tuple[str, ...], str] = {
    ("create",): "create",
    ("create", "delete"): "replace",
    ("read",): "read",
    ("update",): "update",
    ("forget",): "forget",
}


def event(kind: str, message: str, timestamp: str, *, level: str = "info", **fields: object) -> Event:
    """One line of the stream."""
    head = {"@level": level, "@message": message, "@module": "reconciler.ui", "@timestamp": timestamp}
    return {**head, "type": kind, **fields}


def version_event(tool_version: str, timestamp: str) -> Event:
    """The first line of every stream."""
    return event("version", f"reconciler {tool_version}", timestamp, reconciler=tool_version, ui=UI)


def plan_events(document: PlanDocument, timestamp: str) -> Iterator[Event]:
    """A plan: its changes, its warnings and its summary. The document itself is the caller's last line."""
    for change in document.resource_changes:
        yield _planned_change(change, timestamp)
    for notice in document.warnings:
        sentence = f"{notice.address}: {notice.sentence}"
        yield diagnostic("warning", sentence, timestamp, address=notice.address, code=notice.code)
    for refusal in document.refusals:
        detail = refusal.lift
        yield diagnostic("warning", refusal.sentence, timestamp, detail, address=refusal.address, code=refusal.code)
    message = summary_line(document.summary) if document.resource_changes else no_changes(document)
    yield event("change_summary", message, timestamp, changes=changes(document, "plan"))


def changes(document: PlanDocument, operation: str) -> dict[str, object]:
    """OpenTofu's counts: what is replaced is both added and removed, as its actions say."""
    summary = document.summary
    return {
        "add": summary.encode,
        "change": summary.moved + summary.reused + summary.updated,
        "import": 0,
        "remove": summary.rerun,
        "forget": summary.retire,
        "operation": operation,
    }


def error_events(error: ReconcilerError, timestamp: str) -> Iterator[Event]:
    """An expected error as diagnostics, one for each problem of a spec."""
    if isinstance(error, SpecError):
        for problem in error.problems:
            yield _spec_diagnostic(problem, error, timestamp)
        return
    summary, _, detail = error_text(error).removeprefix("Error: ").strip("\n").partition("\n")
    yield diagnostic("error", summary, timestamp, detail)


def diagnostic(severity: str, summary: str, timestamp: str, detail: str = "", **fields: object) -> Event:
    """A warning or an error."""
    level = "error" if severity == "error" else "warn"
    message = f"{severity.capitalize()}: {summary}"
    content = {"severity": severity, "summary": summary, "detail": detail, **fields}
    return event("diagnostic", message, timestamp, level=level, diagnostic=content)


def resource(address: str) -> dict[str, object]:
    """An address in the form that OpenTofu gives to a resource."""
    return {
        "addr": address,
        "module": "",
        "resource": address,
        "implied_provider": "reconciler",
        "resource_type": "output",
        "resource_name": address.rpartition("/")[2],
        "resource_key": None,
    }


def action(actions: tuple[str, ...], previous_address: str | None = None) -> str:
    """OpenTofu's one word for what is done."""
    return "move" if previous_address is not None else _ACTIONS.get(actions, "noop")


def _planned_change(change: ResourceChange, timestamp: str) -> Event:
    word = action(change.change.actions, change.previous_address)
    content: dict[str, object] = {"resource": resource(change.address), "action": word, "reason": change.action_reason}
    if change.previous_address is not None:
        content["previous_resource"] = resource(change.previous_address)
    return event("planned_change", f"{change.address}: Plan to {word}", timestamp, change=content)


def _spec_diagnostic(problem: Problem, error: SpecError, timestamp: str) -> Event:
    fields: dict[str, object] = {"path": problem.path}
    if problem.place is not None:
        fields.update(_range(problem.place, error))
    return diagnostic("error", problem.message, timestamp, "\n".join(problem.hints), **fields)


def _range(place: Place, error: SpecError) -> dict[str, object]:
    """OpenTofu's `range` and `snippet`; `byte` counts from the start of the file, columns from 1."""
    lines = error.texts.get(place.file, ())
    line = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
    before = sum(len(text.encode()) + 1 for text in lines[: place.line - 1])
    start = min(place.column - 1, len(line))
    end = min(start + place.length, len(line))
    return {
        "range": {
            "filename": place.file,
            "start": _position(place.line, start, before, line),
            "end": _position(place.line, end, before, line),
        },
        "snippet": {
            "context": None,
            "code": masked(line),
            "start_line": place.line,
            "highlight_start_offset": start,
            "highlight_end_offset": end,
            "values": [],
        },
    }


def _position(line: int, offset: int, before: int, text: str) -> dict[str, int]:
    return {"line": line, "column": offset + 1, "byte": before + len(text[:offset].encode())}
