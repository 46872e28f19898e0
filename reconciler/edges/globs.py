"""The files that a glob matches, found without wandering off.

`**` goes into no symlinked folder, so links in a circle and links to the whole disk cost nothing. A symlinked
folder that another part of the pattern matches is entered only if it leads to where files may lie.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from reconciler.edges.spec_texts import Folders

MOST_ENTRIES = 200_000
_EVERY = re.compile("")


class Glob:
    """One search. `files` are the names that match, as the pattern spells their folder.

    `outside` names the links to folders where no file may lie; `stopped` says that there was more to look at
    than the search may look at, so that `files` is not whole.
    """

    def __init__(self, pattern: str, folders: Folders, most: int = MOST_ENTRIES) -> None:
        """Search at once; hidden files and folders are matched only by parts that begin with a dot."""
        self.files: set[str] = set()
        self.outside: set[str] = set()
        self.stopped = False
        self._folders = folders
        self._left = most
        path = PurePosixPath(pattern)
        fixed = fixed_part(path)
        self._parts = path.parts[len(fixed.parts) :]
        if not self._parts:
            self._take(str(fixed))
        elif self._enters(str(fixed)):
            self._search(str(fixed))

    def _search(self, start: str) -> None:
        todo, seen = [(start, 0)], {(start, 0)}
        while todo and not self.stopped:
            for step in self._steps(*todo.pop()):
                if step not in seen:
                    seen.add(step)
                    todo.append(step)

    def _steps(self, folder: str, index: int) -> Iterator[tuple[str, int]]:
        """The folders to look into next, each with the part of the pattern that is due there."""
        part, last = self._parts[index], index == len(self._parts) - 1
        deep = part == "**"
        if deep and not last:
            yield folder, index + 1
        for name, is_folder in self._named(folder, part):
            if deep and is_folder:
                yield name, index
            elif last:
                self._take(name)
            elif not deep and self._enters(name):
                yield name, index + 1

    def _named(self, folder: str, part: str) -> Iterator[tuple[str, bool]]:
        """What a part of the pattern matches in a folder, and whether that is a folder and no link to one."""
        if not glob.has_magic(part):
            yield _joined(folder, part), False
            return
        pattern = _EVERY if part == "**" else re.compile(fnmatch.translate(part))
        try:
            with os.scandir(self._folders.project / folder) as entries:
                for entry in entries:
                    self._left -= 1
                    if self._left < 0:
                        self.stopped = True
                        return
                    if pattern.match(entry.name) and (part[0] == "." or entry.name[0] != "."):
                        yield _joined(folder, entry.name), entry.is_dir(follow_symlinks=False)
        except OSError:
            return  # what nobody may read holds nothing

    def _take(self, name: str) -> None:
        if stat.S_ISREG(_mode(self._folders.project / name)):
            self.files.add(name)

    def _enters(self, name: str) -> bool:
        path = self._folders.project / name
        if not stat.S_ISDIR(_mode(path)):
            return False
        if path.is_symlink() and not self._folders.allowed(path):
            self.outside.add(name)
            return False
        return True


def fixed_part(pattern: PurePosixPath) -> PurePosixPath:
    """The part of a pattern before its first wildcard."""
    parts: Sequence[str] = pattern.parts
    count = next((index for index, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return PurePosixPath(*parts[:count])


def _joined(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder.rstrip('/')}/{name}"


def _mode(path: Path) -> int:
    """What kind of thing lies there, links followed; 0 if nothing does, or nobody may look."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return 0
