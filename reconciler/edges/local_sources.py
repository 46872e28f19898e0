"""Are the local sources there? A look at each, with the near miss named where one is not."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from reconciler.core.encode import Output
from reconciler.core.errors import Place, Problem
from reconciler.core.names import nearest
from reconciler.edges.spec_texts import Folders

MOST_TOLD = 5  # of one fan-out; the others are counted


class LocalSources:
    """Looks at the local sources of outputs. `wrong` ones may never be encoded; `missing` ones are not here now."""

    def __init__(self, folders: Folders) -> None:
        self.wrong: list[Problem] = []
        self.missing: dict[str, Problem] = {}
        self._folders = folders
        self._allowed: dict[Path, bool] = {}

    def look(self, outputs: Iterable[Output]) -> None:
        """Look at each encode's source once."""
        seen: set[str] = set()
        for output in outputs:
            if output.source.kind == "file" and output.encode not in seen:
                seen.add(output.encode)
                self._one(output)

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
            message = f"{output.source.location} is not there"
            self.missing[output.encode] = _problem(output, message, *_near(path, output.source.location))
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


def told(missing: Mapping[str, Problem], encodes: Iterable[str] | None) -> Iterator[Problem]:
    """The problems of the encodes asked for (None: all); of a long fan-out the first few, and a count."""
    asked = missing.keys() if encodes is None else set(encodes)
    wanted = [encode for encode in missing if encode in asked]
    by_place: dict[Place | None, list[Problem]] = {}
    for encode in wanted:
        by_place.setdefault(missing[encode].place, []).append(missing[encode])
    for problems in by_place.values():
        yield from problems[:MOST_TOLD]
        if len(problems) > MOST_TOLD:
            last = problems[MOST_TOLD]
            yield Problem(f"{len(problems) - MOST_TOLD} more sources are not there", last.place, last.path)


def _problem(output: Output, message: str, *hints: str) -> Problem:
    name = output.encode.partition("/")[0]
    origin = output.origins.get("source")
    return Problem(message, output.place if origin is None else origin.place, f"encodes.{name}.source", hints)


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
