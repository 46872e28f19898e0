"""A look at the files beside the specs that become part of outputs: is each there, and what is its digest."""

from __future__ import annotations

import stat
from pathlib import Path

from reconciler.core.names import nearest
from reconciler.core.side_files import INSIDE, LARGEST, Seen
from reconciler.edges.spec_texts import Folders
from reconciler.io.hashing import sha256


class SideFiles:
    """Looks at each file once, however many outputs name it."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._seen: dict[str, Seen] = {}

    def look(self, path: str) -> Seen:
        """See core.side_files.Look."""
        if path not in self._seen:
            self._seen[path] = self._look(path, self._folders.project / path)
        return self._seen[path]

    def _look(self, name: str, path: Path) -> Seen:
        if not self._folders.allowed(path):
            return Seen(wrong=f"{name} leads out of the project folder", hints=(INSIDE,))
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                return Seen(wrong=f"{name} is no regular file", hints=("Put a file in its place.",))
            if status.st_size > LARGEST:
                most = f"The most is {LARGEST / 1e6:g} MB."
                return Seen(wrong=f"{name} has {status.st_size / 1e6:.1f} MB", hints=(most,))
            return Seen(sha256(path))
        except FileNotFoundError:
            return Seen(wrong=f"{name} is not there", hints=self._near(path))
        except OSError as error:
            return Seen(wrong=f"{name} cannot be read: {error.strerror}", hints=("Look at its permissions.",))

    def _near(self, path: Path) -> tuple[str, ...]:
        try:
            names = sorted(other.name for other in path.parent.iterdir())
        except OSError:
            return (f"Its folder {self._folders.shown(path.parent)}/ is not there either.",)
        close = nearest(path.name, names[:1000])
        if close is None:
            return ("Paths are relative to the project folder.",)
        return (f'Did you mean "{self._folders.shown(path.parent / close)}"?',)
