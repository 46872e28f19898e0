"""The digest of a source, computed beside its encode: nobody has to wait for a large master to be read twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.core.errors import RejectedError
from reconciler.io.hashing import sha256

_LOOKING = 0.1


class Reading:
    """A file that is read to its end for its sha256, in a thread of its own that ends with the `with` block.

    Nothing is read where the digest is `known`, or where there is no file: `path` None.
    """

    def __init__(self, path: Path | None, known: str | None) -> None:
        self._path = path
        self._digest = known
        self._error: OSError | None = None
        self._over = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._path is not None and self._digest is None:
            self._thread = threading.Thread(target=self._read, args=[self._path], name="digest", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        if self._thread is not None:
            self._thread.join()

    def digest(self, look: Callable[[], None]) -> str | None:
        """The digest, waited for; None where there is no file. Raises RejectedError for one that cannot be read.

        `look` is called now and then while waiting, and may raise to give up.
        """
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(_LOOKING)
            look()
        if self._path is not None and self._error is not None:
            reason = self._error.strerror or str(self._error)
            raise RejectedError(f"{self._path.name} cannot be read: {reason}")
        return self._digest

    def _read(self, path: Path) -> None:
        try:
            self._digest = sha256(path, self._go_on)
        except OSError as error:
            self._error = error
        except _OverError:
            pass

    def _go_on(self, _done: int) -> None:
        if self._over:
            raise _OverError


class _OverError(Exception):
    """Nobody waits for the digest any more."""
