"""Finding and reading text files that people wrote: spec files and tables. Nothing outside the project is read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.core.errors import Place, Problem
from reconciler.edges.yaml_nodes import LINE_ENDS

# 10,000 encodes of twelve lines each take 3.7 MB.
LARGEST = 4_000_000

_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


@dataclass(frozen=True, slots=True)
class Folders:
    """Where files may lie: the project folder, and the folders that the user named.

    Symlinks count as what they lead to.
    """

    project: Path
    media_roots: tuple[Path, ...] = ()

    def allowed(self, path: Path) -> bool:
        """Whether a path, symlinks resolved, lies in one of them."""
        found = real(path)
        return any(found.is_relative_to(real(root)) for root in (self.project, *self.media_roots))

    def shown(self, path: Path) -> str:
        """A path as messages and places name it: relative to the project folder, where it lies in it."""
        return path.relative_to(self.project).as_posix() if path.is_relative_to(self.project) else path.as_posix()


def real(path: Path) -> Path:
    """A path without symlinks; unlike Path.resolve it bears symlinks that lead in a circle."""
    return Path(os.path.realpath(path))


@dataclass(slots=True)
class Texts:
    """The texts that were read, by shown name, so that problems can show the lines they point into."""

    by_file: dict[str, str] = field(default_factory=dict)

    def lines(self, problems: Sequence[Problem]) -> Mapping[str, Sequence[str]]:
        """The lines of the files that problems point into."""
        files = {problem.place.file for problem in problems if problem.place is not None}
        return {file: LINE_ENDS.split(self.by_file[file]) for file in sorted(files) if file in self.by_file}


def find_specs(folders: Folders, specs: Path, problems: list[Problem]) -> list[Path]:
    """All `*.yaml` and `*.yml` below a folder, sorted; hidden ones are left out. `specs` may be one file."""
    shown = folders.shown(specs)
    if specs.is_file():
        return [specs]
    if not specs.is_dir():
        hint = "Make it, or name another with --specs DIR. To start with a working one:  reconciler init"
        problems.append(Problem(f"there is no folder {shown}/ with specs", None, "", (hint,)))
        return []
    found = sorted(_below(folders, specs, problems, frozenset()), key=folders.shown)
    if not found and not problems:
        hint = "Specs are files that end in .yaml or .yml. To start with a working one:  reconciler init"
        problems.append(Problem(f"there is no spec file in {shown}/", None, "", (hint,)))
    return found


def _below(folders: Folders, folder: Path, problems: list[Problem], above: frozenset[Path]) -> Iterator[Path]:
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names are all that is needed, ten times quicker
    except OSError as error:
        problems.append(Problem(f"{folders.shown(folder)}/ cannot be read: {error.strerror}"))
        return
    above = above | {real(folder)}
    for name in names:
        path = folder / name
        if name.startswith("."):
            continue
        if path.is_symlink() and not folders.allowed(path):
            if path.is_dir() or _is_spec(name):
                hint = "Specs lie in the project folder: copy it there."
                problems.append(Problem(f"{folders.shown(path)} leads out of the project folder", None, "", (hint,)))
        elif path.is_dir():
            if real(path) not in above:
                yield from _below(folders, path, problems, above)
        elif _is_spec(name):
            yield path


def _is_spec(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))


def read_text(path: Path, shown: str, texts: Texts, *, largest: int = LARGEST) -> str | Problem:
    """The text of a UTF-8 file, without its byte order mark; a problem if it cannot be one."""
    start = Place(shown, 1, 1)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return Problem(f"{shown} is no regular file", start, "", ("Put a file in its place.",))
        if status.st_size > largest:
            return _too_large(shown, status.st_size, largest)
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError as error:
        return Problem(f"{shown} cannot be read: {error.strerror}", start, "", ("Look at its permissions.",))
    if len(content) > largest:
        return _too_large(shown, len(content), largest)
    encoding = _BOMS.get(content[:2])
    if encoding is not None:
        return Problem(f"{shown} is {encoding}", start, "", ("Save it as UTF-8.",))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _not_utf8(content, error.start, shown, texts)
    texts.by_file[shown] = text
    return text


def _too_large(shown: str, size: int, largest: int) -> Problem:
    hint = "Split it: all files below the folder are one spec. Thousands of names fit into for_each: {file: names.csv}."
    message = f"{shown} has {size / 1e6:.1f} MB, the most is {largest / 1e6:g} MB"
    return Problem(message, Place(shown, 1, 1), "", (hint,))


def _not_utf8(content: bytes, position: int, shown: str, texts: Texts) -> Problem:
    before = LINE_ENDS.split(content[:position].decode("utf-8-sig"))
    texts.by_file[shown] = content.decode("utf-8-sig", "replace")
    place = Place(shown, len(before), len(before[-1]) + 1)
    return Problem(f"a byte that is no UTF-8 (0x{content[position]:02x})", place, "", ("Save the file as UTF-8.",))
