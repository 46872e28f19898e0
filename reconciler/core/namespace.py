"""All spec files as one namespace: a name is defined once, wherever it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from reconciler.core.errors import Place, Problem
from reconciler.core.names import name_error, normal
from reconciler.core.nodes import Entry, MapNode, Node, ScalarNode, described, is_null
from reconciler.core.presets import BUILT_IN
from reconciler.core.spec import Spec
from reconciler.core.validation import unknown_keys

SECTIONS = ("providers", "presets", "variables", "encodes")
_ONE = {"providers": "provider", "presets": "preset", "variables": "variable", "encodes": "encode"}


@dataclass(frozen=True, slots=True)
class Document:
    """A spec file that was read; `root` is None if nothing is written in it."""

    file: str
    root: Node | None


@dataclass(frozen=True, slots=True)
class Namespace:
    """What all files declare, `limits` as often as it stands there.

    `incomplete` sections could not be read, so a name may be known that is not here. A name that
    cannot be one, or that is defined before, was told; its entry is here so that it is looked at, too.
    """

    project: str
    providers: Mapping[str, Entry]
    presets: Mapping[str, Entry]
    variables: Mapping[str, Entry]
    encodes: Mapping[str, Entry]
    defaults: MapNode
    files: tuple[str, ...]
    incomplete: frozenset[str] = frozenset()
    limits: tuple[Node, ...] = ()


def gather(documents: Sequence[Document], problems: list[Problem], *, incomplete: bool = False) -> Namespace:
    """The documents as one; what is wrong with their top levels goes to `problems`.

    `incomplete`: a file could not be read.
    """
    gathering = _Gathering(problems)
    for document in documents:
        gathering.add(document)
    if gathering.project is None and not (incomplete or gathering.misshapen):
        problems.append(_no_project(documents))
    return Namespace(
        project="" if gathering.project is None else normal(gathering.project.text),
        defaults=gathering.defaults or MapNode({}, None),
        files=tuple(document.file for document in documents),
        incomplete=frozenset(SECTIONS if incomplete or gathering.misshapen else gathering.unread),
        limits=tuple(gathering.limits),
        **gathering.sections,
    )


class _Gathering:
    """What was found so far, and where, so that a second definition can name the first."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.sections: dict[str, dict[str, Entry]] = {section: {} for section in SECTIONS}
        self.project: ScalarNode | None = None
        self.defaults: MapNode | None = None
        self.limits: list[Node] = []
        self.misshapen = False
        self.unread: set[str] = set()
        self._defaults_key: Place | None = None

    def add(self, document: Document) -> None:
        """Take in one document."""
        root = document.root
        if root is None or is_null(root):
            return
        if not isinstance(root, MapNode):
            self.misshapen = True
            hint = "Write  project: NAME  and  encodes:  as keys at the start of lines."
            self._problem(f"a spec file is a mapping, not {described(root)}", root.place, "", hint)
            return
        self.problems.extend(unknown_keys(root, Spec, ""))
        self._version(root.items.get("version"))
        self._project(root.items.get("project"))
        self._defaults(root.items.get("defaults"))
        self._limits(root.items.get("limits"))
        for section in SECTIONS:
            entry = root.items.get(section)
            if entry is not None and not is_null(entry.node):
                self._section(section, entry.node)

    def _problem(self, message: str, place: Place | None, path: str, *hints: str) -> None:
        self.problems.append(Problem(message, place, path, hints))

    def _version(self, entry: Entry | None) -> None:
        if entry is None:
            return
        # To Python true is 1.
        if isinstance(entry.node, ScalarNode) and entry.node.value == 1 and entry.node.value is not True:
            return
        hint = "Write  version: 1. A newer version needs a newer reconciler."
        self._problem(f"version cannot be {described(entry.node)}", entry.node.place, "version", hint)

    def _project(self, entry: Entry | None) -> None:
        if entry is None:
            return
        node = entry.node
        if not isinstance(node, ScalarNode) or node.value is None:
            self._problem(
                f"project must be a name, not {described(node)}", node.place, "project", "Write  project: NAME"
            )
            return
        if self.project is not None:
            self._twice("project", "project", node.place, self.project.place)
            return
        self.project = node
        error = name_error(normal(node.text))
        if error is not None:
            self._problem(f'project cannot be "{node.text}": {error}', node.place, "project", _NAMES)

    def _defaults(self, entry: Entry | None) -> None:
        if entry is None or is_null(entry.node):
            return
        if not isinstance(entry.node, MapNode):
            hint = "Write  defaults: {protect: true}"
            self._problem(
                f"defaults must be a mapping, not {described(entry.node)}", entry.node.place, "defaults", hint
            )
        elif self.defaults is not None:
            self._twice("defaults", "defaults", entry.key, self._defaults_key)
            self.defaults = MapNode({**entry.node.items, **self.defaults.items}, self.defaults.place)
        else:
            self.defaults, self._defaults_key = entry.node, entry.key

    def _limits(self, entry: Entry | None) -> None:
        """Every file may set limits: the strictest counts, so that none can loosen what another says."""
        if entry is None or is_null(entry.node):
            return
        if isinstance(entry.node, MapNode):
            self.limits.append(entry.node)
        else:
            hint = "Write  limits: {max_jobs: 100}"
            self._problem(f"limits must be a mapping, not {described(entry.node)}", entry.node.place, "limits", hint)

    def _section(self, section: str, node: Node) -> None:
        if not isinstance(node, MapNode):
            self.unread.add(section)
            hint = f"Write the name of each {_ONE[section]} as a key below it."
            self._problem(f"{section} must be a mapping, not {described(node)}", node.place, section, hint)
            return
        known = self.sections[section]
        for written, entry in node.items.items():
            name = normal(written)
            path = f"{section}.{name}"
            error = name_error(name)
            if error is not None:
                self._problem(
                    f'"{written}" cannot name {"an" if section == "encodes" else "a"} {_ONE[section]}: {error}',
                    entry.key,
                    path,
                    _NAMES,
                )
            elif name in known:
                self._twice(f'{_ONE[section]} "{name}"', path, entry.key, known[name].key)
                name = _again(name, known)
            elif section == "presets" and name in BUILT_IN:
                hint = f"Give yours a name of its own; it can take over this one:  my-{name}: {{extends: {name}}}"
                self._problem(f'"{name}" is a built-in preset, which cannot be changed', entry.key, path, hint)
            known.setdefault(name, entry)

    def _twice(self, what: str, path: str, place: Place | None, first: Place | None) -> None:
        hint = f"It is first at {first}. All files are one: keep one of them, or give one another name."
        self._problem(f"{what} is defined twice", place, path, hint)


_NAMES = "A name is letters, digits and _ . - in any language."


def _again(name: str, known: Mapping[str, Entry]) -> str:
    """What a second definition goes by in the paths of problems; no reference can name it."""
    return next(again for number in count(2) if (again := f"{name} ({number})") not in known)


def _no_project(documents: Sequence[Document]) -> Problem:
    said = [document for document in documents if document.root is not None and not is_null(document.root)]
    place = Place((said or documents)[0].file, 1, 1) if documents else None
    hints = ("Write  project: NAME  in one spec file. The name stays: state and jobs belong to it.",)
    if said or not documents:
        return Problem("no project is named", place, "project", hints)
    return Problem("nothing is written in this file", place, "", (*hints, "Below it, encodes: say what to make."))
