"""A state, wherever it is kept: what commands ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

from reconciler.core.state import Approval, Record, Snapshot
from reconciler.store import store
from reconciler.store.store import Loaded


class Writer(Protocol):
    """A locked state. What `record` is given survives this process when it returns; `close` lets the lock go."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd about what was found."""

    @property
    def snapshot(self) -> Snapshot:
        """The state as of the last recorded event."""

    def next_rev(self, address: str) -> int:
        """The rev that the next record or removal of this address takes."""

    def record(
        self,
        event: str,
        *,
        records: Mapping[str, Record] | None = None,
        removed: Mapping[str, int] | None = None,
        approved: Mapping[str, Approval] | None = None,
    ) -> None:
        """Write one event down. Raises StateError."""

    def keep_link(self, address: str, link: str) -> None:
        """Keep a live link with its signature on this machine."""

    def close(self) -> None:
        """Make a snapshot, and let the lock go. Raises StateError."""

    def __enter__(self) -> Writer:
        """The writer itself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""


class State(Protocol):
    """A place where a state is kept."""

    @property
    def name(self) -> str:
        """The place as `--state` has it."""

    def exists(self) -> bool:
        """Whether anything was ever recorded there. Raises StateError, CredentialsError."""

    def read(self, project: str) -> Loaded:
        """The state as of now, without the lock; an empty `project` takes that of any. Raises as `exists`."""

    def write(self, project: str, *, timeout: float = 0.0, sleep: Callable[[float], None] | None = None) -> Writer:
        """The locked state. Raises LockedError after `timeout` seconds, StateError, CredentialsError."""

    def live_links(self) -> dict[str, str]:
        """The links with their signatures that this machine holds, by address. Raises StateError."""


@dataclass(frozen=True, slots=True)
class FileState:
    """A state in a file of this machine."""

    path: Path

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def exists(self) -> bool:
        """Whether the file is there, or the journal that will make it."""
        return self.path.exists() or store.journal_path(self.path).exists()

    def read(self, project: str) -> Loaded:
        """The file, with what a journal beside it holds."""
        return store.read(self.path, project)

    def write(self, project: str, *, timeout: float = 0.0, sleep: Callable[[float], None] | None = None) -> Writer:
        """The file, under the lock beside it."""
        return store.Writer(self.path, project, timeout=timeout, sleep=sleep)

    def live_links(self) -> dict[str, str]:
        """What `links.json` beside it holds."""
        return store.live_links(self.path)
