"""The plan as a document: what `plan --out` saves, `plan --json` ends with and every screen of a plan is made from.

Where OpenTofu has a name for a thing the name is OpenTofu's (its `plan -json` representation), so that what reads
its plans reads ours. Ours are `plan_id`, `lines`, `selection`, `step`, `class`, `cost`, `changes` and the like.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from reconciler.core.approval import Refusal, plan_id
from reconciler.core.errors import ReconcilerError
from reconciler.core.finished import Notice
from reconciler.core.manifest import Canonical
from reconciler.core.selection import Selection

FORMAT = "encode-reconciler-plan"
VERSION = 1
FORMAT_VERSION = "1.2"  # the version of OpenTofu's representation whose names are used


class Frozen(msgspec.Struct, frozen=True):
    """Part of a document; does not change once made."""


class ChangedField(Frozen, frozen=True):
    """One field of an output that differs, and where its new value is written, if anywhere."""

    field: str
    before: Canonical | None
    after: Canonical | None
    place: str | None = None
    preset: str | None = None


class Change(Frozen, frozen=True):
    """OpenTofu's `change`: its words for what is done, and the manifests before and after."""

    actions: tuple[str, ...]
    before: Mapping[str, Canonical] | None
    after: Mapping[str, Canonical] | None


class Cost(Frozen, frozen=True):
    """What a step costs, as a decimal string; without a currency where nothing is paid.

    `expected` is null where it is not known, and `unknown` says what is missing: "price" (no rate card is
    declared) or "duration" (of the source). `jobs` is how many earlier jobs it was learnt from (0: your rate card),
    and `likeness` whether these made the "same", something "alike", or "other" things. `quoted`: the provider said
    it; of a job that makes several outputs it said it for all of them, and `expected` is null (see the job).
    """

    expected: str | None = "0"
    currency: str | None = None
    unknown: str | None = None
    jobs: int = 0
    likeness: str = "same"
    quoted: bool = False


class Total(Frozen, frozen=True):
    """What a plan costs: `expected` one amount a currency, for `minutes` of output; `unknown` counts the rest.

    `learnt` is about what the outputs cost that no rate card prices, by earlier jobs, for `learnt_minutes`; `quoted`
    what `quoted_jobs` cost by the word of their providers.
    """

    expected: tuple[Cost, ...] = ()
    minutes: float = 0.0
    learnt: tuple[Cost, ...] = ()
    learnt_minutes: float = 0.0
    quoted: tuple[Cost, ...] = ()
    quoted_jobs: int = 0
    unknown_price: int = 0
    unknown_duration: int = 0


class SourceShown(Frozen, frozen=True):
    """A source as people know it; never with a signature or credential."""

    kind: str
    identity: str
    from_environment: bool = False


class ResourceChange(Frozen, frozen=True):
    """One step. `path` is the file that it makes or is about, `reuse_of` the address whose file it takes.

    `upstream` is the output that the same plan encodes before it, since it is made from that one's file.
    """

    address: str
    type: str
    name: str
    provider_name: str
    action_reason: str
    change: Change
    step: str
    step_class: str = msgspec.field(name="class")
    symbol: str = ""
    phrase: str = ""
    reason: str = ""
    changes: tuple[ChangedField, ...] = ()
    cost: Cost = Cost()
    encode: str = ""
    path: str | None = None
    reuse_of: str | None = None
    previous_address: str | None = None
    upstream: str | None = None

    @property
    def told(self) -> tuple[ChangedField, ...]:
        """The changed fields that say why; what its upstream caused is said of that, not as a fingerprint."""
        if self.action_reason == "upstream":
            return ()
        if self.upstream is None:
            return self.changes
        return tuple(each for each in self.changes if each.field != "source")


class JobShown(Frozen, frozen=True):
    """Steps that share one job, and the source that it reads once. `seconds` is what it took last time.

    Where it was never made, `seconds` is learnt from `like` earlier jobs of other sources; `likeness` is whether these
    made the "same", something "alike", or "other" things. `quoted` is what its provider says that it costs.
    `kept_seconds` is how long files stay with the provider after the job, if not for ever, and `copied` how many
    outputs are delivered elsewhere.
    `kind` is the type of the provider; one that is `remote` runs jobs elsewhere and keeps what they make.
    """

    provider: str
    kind: str
    remote: bool
    encode: str
    addresses: tuple[str, ...]
    source: SourceShown
    seconds: float | None = None
    like: int = 0
    likeness: str = "same"
    quoted: Cost | None = None
    kept_seconds: float | None = None
    copied: int = 0


class Summary(Frozen, frozen=True):
    """How many of each; `encode` is `new`, `rerun` and `retry` together."""

    encode: int = 0
    new: int = 0
    rerun: int = 0
    retry: int = 0
    resume: int = 0
    retire: int = 0
    moved: int = 0
    reused: int = 0
    updated: int = 0
    delivered: int = 0
    deleted: int = 0
    unchanged: int = 0
    paused: int = 0
    declared: int = 0
    recorded: int = 0
    left: int = 0


class LimitShown(Frozen, frozen=True):
    """One limit of a plan, and what the plan comes to, as decimal numbers of `unit` (jobs, minutes, percent, or a
    currency); `used` is null where it cannot be computed, and `missing` says which fact is not known.

    `breached` limits forbid the apply unless they are `lifted` (`--allow`).
    """

    key: str
    limit: str
    unit: str
    used: str | None = None
    missing: str = ""
    breached: bool = False
    lifted: bool = False


class Basis(Frozen, frozen=True):
    """What the plan was made from; `state_exists` is false before the first apply.

    `base` is the commit whose specs stand in the place of a state, where specs are compared with specs.
    """

    specs: str
    files: int
    state: str
    state_exists: bool
    base: str | None = None


class PlanDocument(Frozen, frozen=True):
    """A whole plan. `lines` is what is approved when it is; `timestamp` is in no id.

    `relinks` are addresses whose link died while their file lives: renewed for nothing, and no change.
    """

    format: str
    version: int
    format_version: str
    tool_version: str
    timestamp: str
    project: str
    plan_id: str
    lines: tuple[str, ...]
    selection: Selection
    basis: Basis
    resource_changes: tuple[ResourceChange, ...]
    jobs: tuple[JobShown, ...]
    summary: Summary
    relinks: tuple[str, ...] = ()
    warnings: tuple[Notice, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    findings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    cost: Total = Total()
    limits: tuple[LimitShown, ...] = ()
    output_changes: dict[str, Any] = {}
    errored: bool = False
    applyable: bool = False
    complete: bool = True


def write_document(document: PlanDocument) -> str:
    """The document as one line of JSON."""
    return msgspec.json.encode(document).decode()


def read_document(text: str | bytes, file: str) -> PlanDocument:
    """A saved plan, read back. Raises ReconcilerError where it is none, is damaged, or is of another version."""
    try:
        raw = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReconcilerError(f"{file} is not a saved plan: {error}\nTo save one: reconciler plan --out FILE") from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ReconcilerError(f'{file} is not a saved plan: it has no "format": "{FORMAT}"')
    if raw.get("version") != VERSION:
        message = f"{file} is a plan of version {raw.get('version')}; this reconciler reads version {VERSION}"
        raise ReconcilerError(
            f"{message}.\nNothing was started. Plan again with this one: reconciler plan --out {file}"
        )
    try:
        document = msgspec.convert(raw, PlanDocument)
    except msgspec.ValidationError as error:
        raise ReconcilerError(f"{file} is a damaged plan: {error}\nNothing was started. Plan again.") from None
    if plan_id(document.lines) != document.plan_id:
        message = f"{file} is not the plan that was saved: its lines do not give its id {document.plan_id}"
        raise ReconcilerError(f"{message}.\nNothing was started. Plan again.")
    return document
