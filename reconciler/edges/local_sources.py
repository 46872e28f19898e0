"""Are the local sources there? A look at each, with the near miss named where one is not."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from reconciler.core.encode import Output
from reconciler.core.errors import Place, Problem
from reconciler.core.names import nearest
from reconciler.edges.spec_texts import Folders

MOST_TOLD = 5  # of one fan-out; the others are counted
MOST_HINTED = 20  # looking for near misses takes longer than looking for the file


class LocalSources:
    """Looks at the local sources of outputs. `wrong` ones may never be encoded; `missing` ones are not here now.

    `missing` has the output that told of each, by the name of its encode.
    """

    def __init__(self, folders: Folders) -> None:
        self.wrong: list[Problem] = []
        self.missing: dict[str, Output] = {}
        self._folders = folders
        self._allowed: dict[Path, bool] = {}

    def look(self, outputs: Iterable[Output]) -> None:
        """Look at each encode's source once."""
        seen: set[str] = set()
        for output in outputs:
            if output.source.kind == "file" and output.encode not in seen:
                seen.add(output.encode)
                self._one(output)

    def told(self, encodes: Iterable[str] | None = None) -> Iterator[Problem]:
        """The missing sources of these encodes (None: of all); of a long fan-out the first few, and a count."""
        asked = self.missing.keys() if encodes is None else set(encodes)
        by_place: dict[Place | None, list[Output]] = {}
        for encode, output in self.missing.items():
            if encode in asked:
                by_place.setdefault(_place(output), []).append(output)
        hinted = 0
        for outputs in by_place.values():
            for output in outputs[:MOST_TOLD]:
                location = output.source.location
                hints = _near(self._folders.project / location, location) if hinted < MOST_HINTED else ()
                hinted += 1
                yield _problem(output, f"{location} is not there", *hints)
            if len(outputs) > MOST_TOLD:
                yield _problem(outputs[0], f"{len(outputs) - MOST_TOLD} more sources are not there")

    def _one(self, output: Output) -> None:
        path = self._folders.project / output.source.location
        try:
            mode = path.lstat().st_mode
            if not self._is_allowed(path, linked=stat.S_ISLNK(mode)):
                hint = "Sources lie in the project folder, or in a folder given with --media-root DIR."
                self.wrong.append(_problem(output, f"{output.source.location} leads out of the project folder", hint))
                return
            if stat.S_ISLNK(mode):
                mode = path.stat().st_mode
        except (OSError, ValueError):
            self.missing[output.encode] = output
            return
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "no regular file"
            hint = 'For every file in it, fan out:  for_each: {glob: "FOLDER/*.mov"}' if what == "a folder" else ""
            self.wrong.append(_problem(output, f"{output.source.location} is {what}", *filter(None, [hint])))

    def _is_allowed(self, path: Path, *, linked: bool) -> bool:
        """Folders are looked at once: thousands of sources lie in few of them."""
        if linked:
            return self._folders.allowed(path)
        folder = path.parent
        if folder not in self._allowed:
            self._allowed[folder] = self._folders.allowed(folder)
        return self._allowed[folder]


def _problem(output: Output, message: str, *hints: str) -> Problem:
    name = output.encode.partition("/")[0]
    return Problem(message, _place(output), f"encodes.{name}.source", hints)


def _place(output: Output) -> Place | None:
    origin = output.origins.get("source")
    return output.place if origin is None else origin.place


def _near(path: Path, location: str) -> tuple[str, ...]:
    folder, _, name = location.rpartition("/")
    shown = f"{folder}/" if folder else "the project folder"
    try:
        names = sorted(other.name for other in path.parent.iterdir())
    except OSError:
        return (f"{shown} is not there either.",)
    close = nearest(name, names[:1000])
    if close is None:
        return (f"Paths are relative to the project folder. In {shown}: {', '.join(names[:5]) or 'nothing'}.",)
    return (f'Did you mean "{folder}/{close}"?' if folder else f'Did you mean "{close}"?',)
