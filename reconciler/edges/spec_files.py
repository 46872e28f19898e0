"""The spec files of a project, read and resolved: from a folder of YAML to what is wanted."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.core.encode import Desired, Output
from reconciler.core.errors import Place, Problem, SpecError, unique
from reconciler.core.links import link_problem
from reconciler.core.namespace import Document, gather
from reconciler.core.nodes import masked
from reconciler.core.provider_types import Knowledge
from reconciler.core.resolve import Resolver
from reconciler.core.sources import Trust
from reconciler.edges.local_sources import LocalSources
from reconciler.edges.side_files import SideFiles
from reconciler.edges.spec_texts import LARGEST, Folders, Texts, find_specs, read_text, real
from reconciler.edges.tables import read_tables
from reconciler.edges.yaml_nodes import read_yaml

MOST_TOLD = 200  # problems; the others are counted


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the specs want, and which local sources are not there.

    A missing source is an error only for what would read it: `validate` asks for all, a plan for the encodes
    that it encodes. `warnings` are sentences about what may not be meant, such as a fan-out over nothing.
    """

    desired: Desired
    sources: LocalSources
    texts: Texts
    warnings: tuple[str, ...] = ()

    @property
    def missing(self) -> frozenset[str]:
        """The encodes (`Output.encode`) whose local source is not there."""
        return frozenset(self.sources.missing)

    def require_sources(self, encodes: Iterable[str] | None = None) -> None:
        """Raise SpecError if a local source of one of these encodes (None: of any) is not there."""
        problems = list(self.sources.told(encodes))
        if problems:
            raise _error(problems, self.texts, len(self.desired.files))

    def require_links(self, outputs: Iterable[Output], now: str) -> None:
        """Raise SpecError if the signed link of a source dies before it could be fetched; `now` is RFC 3339."""
        problems = [
            Problem(f"{output.source.identity}: {why}", _source_place(output), f"encodes.{output.encode}.source", _SIGN)
            for output in outputs
            if output.source.kind == "http" and (why := link_problem(output.source.location, now)) is not None
        ]
        if problems:
            raise _error(problems, self.texts, len(self.desired.files))


_SIGN = ('A link that is signed at apply stands in the environment:  {id: NAME, url: "${env.RECONCILER_NAME_URL}"}',)


def _source_place(output: Output) -> Place:
    origin = output.origins.get("source")
    return origin.place if origin is not None and origin.place is not None else output.place


def load(
    project: Path,
    specs: str = "specs",
    *,
    knowledge: Knowledge,
    variables: Mapping[str, str] | None = None,
    media_roots: Sequence[Path] = (),
    spec_env: Collection[str] = (),
    require_sources: bool = False,
    largest: int = LARGEST,
) -> Loaded:
    """Read and resolve all spec files below `specs` (a folder, or one file).

    `knowledge` is what is known of providers. `variables` are the texts of `--var`; `media_roots` are folders in
    which absolute paths may lie; `spec_env` are names that `${env.}` may read beyond BYTENITE_* and RECONCILER_*.
    With `require_sources` a local source that is not there is a problem like any other; without, see
    `Loaded.require_sources`. No file may have more than `largest` bytes. Nothing is written, no environment is
    read, no network is used. Raises SpecError with all problems of all files, sorted by place.
    """
    with _without_garbage_collection():
        loading = _Loading(project, media_roots, largest, knowledge)
        return loading.load(specs, variables or {}, spec_env, require_sources=require_sources)


class _Loading:
    """One run: what was read, and what is wrong with it."""

    def __init__(self, project: Path, media_roots: Sequence[Path], largest: int, knowledge: Knowledge) -> None:
        roots = tuple(project / root for root in media_roots)
        self.folders = Folders(project, roots)
        self.texts = Texts()
        self.problems: list[Problem] = []
        self.largest = largest
        self.knowledge = knowledge

    def load(
        self, specs: str, variables: Mapping[str, str], spec_env: Collection[str], *, require_sources: bool
    ) -> Loaded:
        """The whole way."""
        documents, complete = self._documents(specs)
        if not documents and self.problems:
            raise _error(self.problems, self.texts, 0)
        namespace = gather(documents, self.problems, incomplete=not complete)
        roots = {str(path) for root in self.folders.media_roots for path in (root, real(root))}
        trust = Trust(tuple(sorted(roots)), frozenset(spec_env))
        resolver = Resolver(namespace, self._printable(variables), trust, self.knowledge)
        tables = read_tables(resolver.requests(), self.folders, self.texts, self.problems)
        resolution = resolver.resolve(tables, SideFiles(self.folders).look)
        sources = LocalSources(self.folders)
        sources.look(resolution.desired.outputs)
        self.problems += [*resolution.problems, *sources.wrong]
        if require_sources:
            self.problems += sources.told()
        if self.problems:
            raise _error(self.problems, self.texts, len(documents))
        return Loaded(resolution.desired, sources, self.texts, resolution.warnings)

    def _documents(self, specs: str) -> tuple[list[Document], bool]:
        """The files that were read, and whether that is all of them."""
        documents: list[Document] = []
        paths = find_specs(self.folders, self.folders.project / specs, self.problems)
        complete = not self.problems
        for path in paths:
            shown = self.folders.shown(path)
            text = read_text(path, shown, self.texts, largest=self.largest)
            found = [text] if isinstance(text, Problem) else []
            root = None
            if isinstance(text, str):
                root, found = read_yaml(text, shown)
            self.problems += found
            complete = complete and (root is not None or not found)
            documents.append(Document(shown, root))
        return documents, complete

    def _printable(self, variables: Mapping[str, str]) -> dict[str, str]:
        good = {name: text for name, text in variables.items() if text.isprintable()}
        for name in variables.keys() - good.keys():
            self.problems.append(Problem(f"--var {name} holds what is no text", None, f"variables.{name}"))
        return good


def _error(problems: Iterable[Problem], texts: Texts, files: int) -> SpecError:
    """All problems, each once, by place; of a flood the first ones, and a count."""
    found = sorted(map(_masked, unique(problems)), key=_position)
    if len(found) > MOST_TOLD:
        more = Problem(f"and {len(found) - MOST_TOLD} more problems", None, "", ("Mend these first.",))
        found = [*found[:MOST_TOLD], more]
    return SpecError(found, texts=texts.lines(found), files=files)


def _masked(problem: Problem) -> Problem:
    """The same without credentials: somebody may have pasted a signed URL where a word belongs."""
    hints = tuple(map(masked, problem.hints))
    return replace(problem, message=masked(problem.message), path=masked(problem.path), hints=hints)


def _position(problem: Problem) -> tuple[str, int, int]:
    place = problem.place
    return ("", 0, 0) if place is None else (place.file, place.line, place.column)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """A spec is a large tree without cycles; looking for some while it grows doubles the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
