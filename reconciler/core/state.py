"""What is known of every address, and how events change it.

A record holds absolute values and a `rev` that every change raises. An event carries the whole records it
produces, so replaying a journal over a snapshot that has already seen some or all of it is harmless: `fold`
skips what is not newer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from reconciler.core.checks import CheckResult
from reconciler.core.evidence import Content
from reconciler.core.manifest import Canonical

FORMAT = "encode-reconciler-state"
JOURNAL_FORMAT = "encode-reconciler-journal"
VERSION = 1

Status = Literal["submitted", "running", "complete", "suspect", "failed", "lost", "paused", "retired"]
Phase = Literal["intended", "prepared", "starting", "started"]
EndedAs = Literal["complete", "suspect", "failed", "lost", "cancelled", "retired", "deleted", "replaced"]


class Frozen(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Values that do not change once read; a key that nobody knows is an error, never dropped."""


class Evidence(Frozen, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a source's content looked like when it was last read: enough to see that it changed."""

    size: int | None = None
    mtime_ns: int | None = None


class SourceRecord(Frozen, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The source that an attempt was made from.

    `pin` is the sha256 that the spec asked for, if it did; `content` is what the server said of a remote one.
    Of a source that is another output, `made_by` is the job whose content it has (see `mezzanines`).
    """

    identity: str
    evidence: Evidence = Evidence()
    sha256: str | None = None
    pin: str | None = None
    content: Content | None = None
    made_by: str | None = None


class JobRecord(Frozen, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The provider's job. `pid` and `pid_started` (seconds since the epoch) name a local process.

    `quote` is what the provider said it would cost, `cost` what it did cost: a decimal number and its currency.
    `why` is the reason that the plan had for it, by its code; `allowed` names the refusals that were lifted for it.
    `remakes` is the job whose content it only makes once more, since the file was gone.
    """

    id: str
    name: str = ""
    phase: Phase = "intended"
    created_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    quote: str | None = None
    cost: str | None = None
    seconds: float | None = None
    pid: int | None = None
    pid_started: float | None = None
    why: str = ""
    allowed: tuple[str, ...] = ()
    remakes: str | None = None


class OutputRecord(Frozen, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A file that was made.

    One on a machine of ours has a `path`, relative to the project folder, and the `host` it is on. One that its
    provider holds has neither, but a `link`: a URL without its query, `link_expires_at`, and `expires_at`, when
    the file itself is deleted. `duration` is in seconds.
    """

    name: str
    path: str | None = None
    size: int | None = None
    sha256: str = ""
    host: str = ""
    link: str | None = None
    link_expires_at: str | None = None
    expires_at: str | None = None
    duration: float | None = None
    summary: str = ""
    mtime_ns: int | None = None
    temp: str | None = None

    @property
    def where(self) -> str:
        """Where it is, for people: its path, else its link without a signature."""
        return self.path or self.link or self.name

    def is_on(self, host: str) -> bool:
        """Whether it is a file on this machine, rather than on another one or at a provider."""
        return self.path is not None and self.host == host


class Delivered(Frozen, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The copy of a finished file that we made: which attempt it is of, and where it is.

    A copy in a folder is on the machine `host`. `url` is where it is seen in public, `etag` what its store calls
    its version.
    """

    where: str
    size: int
    sha256: str
    fingerprint: str
    attempt: int
    at: str
    host: str = ""
    url: str | None = None
    etag: str | None = None
    package: bool = False


class Attempt(Frozen, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An earlier attempt whose file is still alive."""

    fingerprint: str
    manifest: Mapping[str, Canonical]
    source: SourceRecord
    output: OutputRecord
    provider: str = "local"
    job: JobRecord | None = None
    checks: tuple[CheckResult, ...] = ()
    checked: Mapping[str, Canonical] = {}


class EndedAttempt(Frozen, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One attempt that is over: when, as what, and why it was made (the code of the plan's reason).

    One that is `retired`, `deleted` or `replaced` was no new attempt: `allowed` let that be done to its file.

    `cost` is what its job cost, which may have made other outputs too; `seconds` is how long the job took, and
    `duration` how long the output is.
    """

    attempt: int
    at: str
    status: EndedAs
    why: str = ""
    provider: str = ""
    job: str = ""
    cost: str | None = None
    seconds: float | None = None
    duration: float | None = None
    error: str | None = None
    allowed: tuple[str, ...] = ()


class Record(Frozen, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is known of one address.

    `output.temp` is set between "verified" and "published": a whole file that only lacks its final name.
    `checked` is what was asked of the file when it was measured, and was met unless it is suspect (see
    `checks.asked_of`).

    `attempt` counts every try at this address and is part of its job's identity; `failures` counts those that
    failed since the spec or the source last changed. `delivered` is the copy of this attempt, or still of an
    earlier one; `checks` is what was measured of it. `previous` are earlier attempts with a living file, `history`
    the last attempts that ended, whatever became of their files. `pins` are values that were found once (see `pins`).
    """

    rev: int
    status: Status
    fingerprint: str
    manifest: Mapping[str, Canonical]
    source: SourceRecord
    provider: str
    attempt: int = 1
    failures: int = 0
    job: JobRecord | None = None
    output: OutputRecord | None = None
    delivered: Delivered | None = None
    checks: tuple[CheckResult, ...] = ()
    previous: tuple[Attempt, ...] = ()
    history: tuple[EndedAttempt, ...] = ()
    notes: tuple[str, ...] = ()
    labels: Mapping[str, str] = {}
    protect: bool = False
    on_remove: Literal["keep", "delete"] = "keep"
    encoder: str = ""
    error: str | None = None
    updated_at: str | None = None
    pins: Mapping[str, Canonical] = {}
    checked: Mapping[str, Canonical] = {}


class Approval(Frozen, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An approved plan that is not finished: its lines, by plan id in the state."""

    at: str
    lines: tuple[str, ...]


class Snapshot(Frozen, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The state file as it stands on disk."""

    format: str
    version: int
    project: str
    records: dict[str, Record] = {}
    approved: dict[str, Approval] = {}


class Event(Frozen, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One journal line: what happened, when, and the records that follow from it.

    `removed` gives for each address that is no longer known the rev of its removal. `approved` replaces the
    approval of a plan id; one without lines is forgotten.
    """

    event: str
    at: str
    records: dict[str, Record] = {}
    removed: dict[str, int] = {}
    approved: dict[str, Approval] = {}


def empty(project: str) -> Snapshot:
    """The state of a project in which nothing was ever applied."""
    return Snapshot(format=FORMAT, version=VERSION, project=project)


def fold(snapshot: Snapshot, events: Iterable[Event]) -> Snapshot:
    """The state after `events`, sorted by address; events that the snapshot has seen change nothing."""
    folding = Folding(snapshot)
    for event in events:
        folding.add(event)
    return folding.sorted()


class Folding:
    """A state that takes events one by one, each in the time that its own records take.

    `removed` remembers the revs of removed addresses, so that an address that comes back counts on.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = msgspec.structs.replace(
            snapshot, records=dict(snapshot.records), approved=dict(snapshot.approved)
        )
        self.removed: dict[str, int] = {}

    def rev(self, address: str) -> int:
        """The newest rev of an address, whether it is there or was removed; 0 if it was never known."""
        record = self.snapshot.records.get(address)
        return max(record.rev if record is not None else 0, self.removed.get(address, 0))

    def add(self, event: Event) -> None:
        """Take one event; what is not newer than what is known changes nothing."""
        for address, record in event.records.items():
            if record.rev > self.rev(address):
                self.snapshot.records[address] = record
        for address, rev in event.removed.items():
            if rev > self.rev(address):
                self.snapshot.records.pop(address, None)
                self.removed[address] = rev
        for plan_id, approval in event.approved.items():
            self.snapshot.approved.pop(plan_id, None)
            if approval.lines:
                self.snapshot.approved[plan_id] = approval

    def sorted(self) -> Snapshot:
        """The state so far, sorted by address; events that come later do not change it."""
        records, approved = dict(sorted(self.snapshot.records.items())), dict(self.snapshot.approved)
        return msgspec.structs.replace(self.snapshot, records=records, approved=approved)
