"""The files of another commit, laid out in a folder, so that specs can be read from it.

Only what specs can be made of is taken whole; of all other files just the names, which is all that globs look at.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reconciler.core import side_files
from reconciler.core.errors import ReconcilerError, UsageError
from reconciler.edges.spec_texts import LARGEST

_READ = frozenset({".yaml", ".yml", ".json", ".csv"})
_LINK, _FILES = "120000", frozenset({"100644", "100755"})


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of a commit: its mode, the id of its content, its size in bytes and its path below the project."""

    mode: str
    blob: str
    size: int
    path: PurePosixPath

    @property
    def is_read(self) -> bool:
        """Whether a spec may be made of its content; links hold where they lead to."""
        ending = self.path.suffix.lower()
        if ending in side_files.ENDINGS:
            return self.size <= side_files.LARGEST
        return self.size <= LARGEST and (self.mode == _LINK or ending in _READ)


def commit_of(project: Path, reference: str) -> str:
    """The commit that a name stands for, in full. Raises UsageError if git knows none of that name here."""
    try:
        return _git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}").strip()
    except ReconcilerError:
        hint = (
            "To fetch it, where only one commit was checked out:  git fetch origin BRANCH  (in Actions: fetch-depth: 0)"
        )
        raise UsageError(f'--base "{reference}" names no commit that is here.\n{hint}') from None


def lay_out(project: Path, commit: str, folder: Path) -> None:
    """Write the project folder of a commit into an empty folder. Raises ReconcilerError if git cannot tell it."""
    entries = list(_entries(_git(project, "ls-tree", "-r", "-z", "-l", commit)))
    wanted = [entry for entry in entries if entry.is_read]
    contents = dict(zip((entry.path for entry in wanted), _contents(project, wanted), strict=True))
    # Links come last, so that nothing is ever written through one.
    for entry in sorted(entries, key=lambda entry: entry.mode == _LINK):
        path = folder / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry.mode == _LINK:
            path.symlink_to(contents[entry.path].decode(errors="replace"))
        else:
            path.write_bytes(contents.get(entry.path, b""))


def _entries(listing: str) -> Iterator[_Entry]:
    for line in filter(None, listing.split("\0")):
        about, _, path = line.partition("\t")
        mode, _, blob, size = about.split()
        if mode in _FILES or mode == _LINK:
            yield _Entry(mode, blob, int(size), PurePosixPath(path))


def _contents(project: Path, entries: Sequence[_Entry]) -> Iterator[bytes]:
    """The contents of files, in their order."""
    asked = "".join(f"{entry.blob}\n" for entry in entries).encode()
    answer, at = _run(project, "cat-file", "--batch", given=asked), 0
    for entry in entries:
        start = answer.index(b"\n", at) + 1
        at = start + entry.size + 1
        yield answer[start : at - 1]


def _git(project: Path, *arguments: str) -> str:
    return _run(project, *arguments).decode(errors="surrogateescape")


def _run(project: Path, *arguments: str, given: bytes = b"") -> bytes:
    try:
        done = subprocess.run(["git", *arguments], cwd=project, input=given, capture_output=True, check=False)  # noqa: S607 - the user's own git
    except FileNotFoundError:
        raise ReconcilerError("git is not installed, and --base compares with what it keeps") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip() or "it ended without a word"
        raise ReconcilerError(f"git {arguments[0]}: {said}")
    return done.stdout
