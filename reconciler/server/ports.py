"""What the server asks of the outside world, besides a Provider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from reconciler.core.encode import Source
from reconciler.core.ports import Fetched


class Sources(Protocol):
    """Brings sources to this machine; what is fetched is in use until it is released."""

    def fetch(
        self, source: Source, report: Callable[[int, int | None], None], cancelled: Callable[[], bool]
    ) -> Fetched:
        """See core.ports.Fetch."""

    def size(self, source: Source) -> int | None:
        """How large a remote source is, if its server says so. Raises RejectedError, UnavailableError."""

    def release(self, source: Source) -> None:
        """Let go of a source that was fetched once, or that was to be; one that never was is no error."""
