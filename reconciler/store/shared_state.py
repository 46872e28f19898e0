"""A state in an object store, as commands see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.store import links, shared
from reconciler.store.objects import SharedObjects
from reconciler.store.states import Writer
from reconciler.store.store import Loaded
from reconciler.store.unsent import WorkFolder


@dataclass(frozen=True, slots=True)
class SharedState:
    """A state in an object store. Nothing is asked of the store before it is needed."""

    name: str
    open: Callable[[], SharedObjects]
    work: WorkFolder
    identifier: Callable[[], str]

    def exists(self) -> bool:
        """Whether the snapshot is there, or what a writer has begun."""
        seen = self.open().read("")
        return seen.version is not None or seen.pending is not None

    def read(self, project: str) -> Loaded:
        """The snapshot, with what the journals there and here hold."""
        return shared.read(self.open(), self.work, project)

    def write(self, project: str, *, timeout: float = 0.0, sleep: Callable[[float], None] | None = None) -> Writer:
        """The objects, under their lock."""
        return shared.SharedWriter(
            self.open(), self.work, project, identifier=self.identifier(), timeout=timeout, sleep=sleep
        )

    def live_links(self) -> dict[str, str]:
        """What the work folder on this machine holds; others get links of their own."""
        self.work.check()
        return links.read(self.work.links)
