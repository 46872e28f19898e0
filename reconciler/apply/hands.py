"""What the executor is handed: the state to write to, the files to name, the providers, the clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from reconciler.core.checks import CheckResult
from reconciler.core.copies import DeliveredCopy, FromLink
from reconciler.core.encode import Output, Source
from reconciler.core.happenings import Tell
from reconciler.core.ports import Provider, SourceSeen
from reconciler.core.state import Approval, Delivered, Record, Snapshot
from reconciler.core.targets import Target


class StateWriter(Protocol):
    """The locked state. A recorded event is on disk when `record` returns."""

    @property
    def snapshot(self) -> Snapshot:
        """The state as of the last recorded event."""

    def record(
        self,
        event: str,
        *,
        records: Mapping[str, Record] | None = None,
        removed: Mapping[str, int] | None = None,
        approved: Mapping[str, Approval] | None = None,
    ) -> None:
        """Write one event to the journal and fold it in."""

    def next_rev(self, address: str) -> int:
        """The rev that the next record (or removal) of this address takes."""

    def keep_link(self, address: str, link: str) -> None:
        """Keep a live link with its signature, apart from the state; it is on disk soon, and may be lost."""


class Files(Protocol):
    """The published files of the project; paths are relative to its folder."""

    def publish(self, temp: str, path: str) -> None:
        """Give a whole file its final name, atomically; what had that name is replaced."""

    def duplicate(self, path: str, temp: str) -> None:
        """Make `temp` a file of its own with the content of `path`: a hard link where possible, else a copy."""

    def remove(self, path: str) -> None:
        """Remove a file; one that is not there is no error."""

    def holds(self, path: str, size: int, sha256: str) -> bool:
        """Whether a file is there with just this content."""

    def is_there(self, path: str, size: int) -> bool:
        """Whether a file of this size is there: a published one, or a copy in a folder."""

    def unchanged(self, source: Source, seen: SourceSeen) -> bool:
        """Whether a local source still is what was read."""


Value_co = TypeVar("Value_co", covariant=True)


class Pending(Protocol[Value_co]):
    """A call that was sent, perhaps to a thread."""

    def done(self) -> bool:
        """Whether it was answered."""

    def result(self) -> Value_co:
        """The answer; what the call raised is raised here."""


class Send(Protocol):
    """Makes a call for a provider, as many at once as its traits allow; all others wait their turn."""

    def __call__(self, provider: Provider, call: Callable[[], object]) -> Pending[object]:
        """The call under way, or answered already."""


class Deliver(Protocol):
    """Makes copies of finished outputs, several at a time."""

    def __call__(
        self, target: Target, record: Record, link: FromLink | None, cancelled: Callable[[], bool]
    ) -> Pending[DeliveredCopy]:
        """The copy under way; `link` is without its URL yet; None: the file is on this machine."""


class Measure(Protocol):
    """Makes the checks that a spec asks for, on a finished file that was not made under them."""

    def __call__(
        self, output: Output, record: Record, link: FromLink | None, cancelled: Callable[[], bool]
    ) -> Pending[tuple[CheckResult, ...]]:
        """The measurement under way; `link` is without its URL yet; None: the file is on this machine."""


@dataclass(frozen=True, slots=True)
class Hands:
    """Everything that the executor may touch.

    `interrupts` counts the user's wishes to stop so far. `host` names this machine in records.
    """

    state: StateWriter
    files: Files
    providers: Mapping[str, Provider]
    send: Send
    deliver: Deliver
    measure: Measure
    remove_copy: Callable[[Delivered], None]
    tell: Tell
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    interrupts: Callable[[], int]
    host: str

    def stamp(self) -> str:
        """The time of now as the state writes it: RFC 3339, UTC, whole seconds."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def record(self, event: str, record: Record, address: str) -> None:
        """Record one event about one address."""
        self.state.record(event, records={address: record})
