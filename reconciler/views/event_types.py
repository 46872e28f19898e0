"""The lines of the JSON stream, one class a `type`: OpenTofu's names where it has one, and what we add.

A field that is UNSET is left out of the line; every other one is always there.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from reconciler.views.document import PlanDocument

Event = dict[str, Any]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Something inside a line."""


class Line(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every line has; `level` is warn or error where somebody should look."""

    level: Literal["info", "warn", "error"] = msgspec.field(name="@level", default="info")
    message: str = msgspec.field(name="@message")
    module: Literal["reconciler.ui"] = msgspec.field(name="@module", default="reconciler.ui")
    timestamp: str = msgspec.field(name="@timestamp")

    def told(self) -> Event:
        """The line as it is printed."""
        line: Event = msgspec.to_builtins(self)
        return line


class Resource(Part, frozen=True, kw_only=True):
    """An address in the form that OpenTofu gives to a resource."""

    addr: str
    module: str = ""
    resource: str
    implied_provider: str = "reconciler"
    resource_type: str = "output"
    resource_name: str
    resource_key: str | None = None


class PlannedChange(Part, frozen=True, kw_only=True):
    """One step of a plan, by OpenTofu's one word for it."""

    resource: Resource
    action: str
    reason: str
    previous_resource: Resource | UnsetType = UNSET


class Changes(Part, frozen=True, kw_only=True):
    """OpenTofu's counts: what is replaced is both added and removed."""

    add: int
    change: int
    import_: int = msgspec.field(name="import", default=0)
    remove: int
    forget: int
    operation: Literal["plan", "apply"]


class Position(Part, frozen=True, kw_only=True):
    """A place in a file."""

    line: int
    column: int
    byte: int


class Range(Part, frozen=True, kw_only=True):
    """A stretch of one line of a file."""

    filename: str
    start: Position
    end: Position


class Snippet(Part, frozen=True, kw_only=True):
    """The line that a diagnostic is about."""

    context: str | None = None
    code: str
    start_line: int
    highlight_start_offset: int
    highlight_end_offset: int
    values: tuple[str, ...] = ()


class Diagnostic(Part, frozen=True, kw_only=True):
    """A warning or an error. Where it is about a spec it has a `path`, and a place where that is known."""

    severity: Literal["warning", "error"]
    summary: str
    detail: str
    address: str | UnsetType = UNSET
    code: str | UnsetType = UNSET
    path: str | UnsetType = UNSET
    range: Range | UnsetType = UNSET
    snippet: Snippet | UnsetType = UNSET


class Started(Part, frozen=True, kw_only=True):
    """An output whose job begins, or is attended again."""

    resource: Resource
    action: str
    resumed: bool


class Progress(Part, frozen=True, kw_only=True):
    """Where the job of an output stands."""

    resource: Resource
    action: str
    elapsed_seconds: int
    stage: Literal["waiting", "fetching", "encoding", "verifying"]
    fraction: float | None
    speed: float | None
    remaining_seconds: float | None


class Completed(Part, frozen=True, kw_only=True):
    """A step that is done; one that encoded also says what it made and where."""

    resource: Resource
    action: str
    elapsed_seconds: int
    id_key: Literal["path"] | UnsetType = UNSET
    id_value: str | UnsetType = UNSET
    size: int | UnsetType | None = UNSET
    summary: str | UnsetType = UNSET
    notes: tuple[str, ...] | UnsetType = UNSET


class Errored(Part, frozen=True, kw_only=True):
    """An output that failed, or is suspect."""

    resource: Resource
    action: str
    elapsed_seconds: int
    status: str
    error: str
    failures: int
    attempts: int
    old_file: str | None


class Copied(Part, frozen=True, kw_only=True):
    """A finished output that was copied to where `deliver:` says."""

    resource: Resource
    action: str
    elapsed_seconds: int
    where: str
    url: str | None
    size: int


class Version(Line, frozen=True, kw_only=True, tag="version"):
    """The first line of every stream."""

    reconciler: str
    ui: str


class Planned(Line, frozen=True, kw_only=True, tag="planned_change"):
    """One step of the plan."""

    change: PlannedChange


class Diagnosed(Line, frozen=True, kw_only=True, tag="diagnostic"):
    """A warning or an error."""

    diagnostic: Diagnostic


class ChangeSummary(Line, frozen=True, kw_only=True, tag="change_summary"):
    """How many changes a plan has, or an apply made."""

    changes: Changes


class WholePlan(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="plan"):
    """The last line of `plan --json`."""

    plan: PlanDocument

    def told(self) -> Event:
        """The line as it is printed."""
        line: Event = msgspec.to_builtins(self)
        return line


class ApplyStart(Line, frozen=True, kw_only=True, tag="apply_start"):
    """A job begins; one line for each output it makes."""

    hook: Started


class ApplyProgress(Line, frozen=True, kw_only=True, tag="apply_progress"):
    """A job goes on; at most one line in five seconds for each output."""

    hook: Progress


class ApplyComplete(Line, frozen=True, kw_only=True, tag="apply_complete"):
    """A step is done."""

    hook: Completed


class ApplyErrored(Line, frozen=True, kw_only=True, tag="apply_errored"):
    """A step failed; the others go on."""

    hook: Errored


class Log(Line, frozen=True, kw_only=True, tag="log"):
    """Something worth a line: what a job says, a copy that was made, which outputs go first."""

    encode: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    hook: Copied | UnsetType = UNSET
    canaries: tuple[str, ...] | UnsetType = UNSET


class Ended(Line, frozen=True, kw_only=True, tag="outcome"):
    """The last line of `apply --json`: how it ended."""

    exit_code: int
    encoded: tuple[str, ...]
    failed: tuple[str, ...]
    recorded: int
    not_run: int
    interrupted: bool
    running: int
    relinked: int
    delivered: tuple[str, ...]
    timed_out: bool
    paid: tuple[str, ...]
    untold: tuple[str, ...]
    seconds: float
    held_up: int


class Validated(Line, frozen=True, kw_only=True, tag="validated"):
    """The specs have no errors."""

    valid: Literal[True] = True
    outputs: int
    encodes: int


class ProviderAsked(Line, frozen=True, kw_only=True, tag="provider"):
    """What `validate --online` heard from a provider."""

    provider: str
    ok: bool
    report: tuple[str, ...]


LINES = (
    Version,
    Planned,
    Diagnosed,
    ChangeSummary,
    WholePlan,
    ApplyStart,
    ApplyProgress,
    ApplyComplete,
    ApplyErrored,
    Log,
    Ended,
    Validated,
    ProviderAsked,
)
