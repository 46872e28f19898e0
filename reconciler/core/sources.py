"""What stands under `source:`, as a Source: where the media is, and what it is called.

Whether a local file is there is not asked here; whether its path stays where it may is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.core import lavfi
from reconciler.core.encode import Origin, Output, Source, SourceKind, Trim
from reconciler.core.errors import Place, Problem
from reconciler.core.lost import LostError, as_far_as_known
from reconciler.core.manifest import PreparedSource, prepared_source
from reconciler.core.names import normal
from reconciler.core.nodes import Entry, MapNode, Node, ScalarNode, described, find, holds_lost, is_null
from reconciler.core.provider_types import ENVIRONMENT
from reconciler.core.providers import readable
from reconciler.core.spec import SourceSpec
from reconciler.core.units import number
from reconciler.core.urls import SCHEMES, identity, url_error
from reconciler.core.validation import salvaged, variable_hint
from reconciler.core.variables import Each, Variables

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_NO_TEXT = re.compile("[\x00-\x1f\x7f\x85\ud800-\udfff]")
_LAVFI = "lavfi:"
_FORMS = (
    "A source is an https:// or http:// URL, a path in the project folder, s3:// gs:// az://, lavfi: pictures, "
    "or {encode: ENCODE/OUTPUT}."
)
_CHAIN = "encode:"
# Stores that we sign links to, or that a provider reads with credentials of its own, and stores that nobody reads.
SIGNED = frozenset({"s3", "gs", "az"})
_STORES = SIGNED | {"storj"}
_OTHER_STORES = frozenset({"gcs", "azure", "abfs", "wasb", "r2", "b2", "oss", "cos", "swift"})
_OBJECT = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}/[^?#]+")


# The output that a path in the specs names as a source; None, and a problem, if there is none.
FindUpstream = Callable[[ScalarNode, str], Output | None]


@dataclass(frozen=True, slots=True)
class Trust:
    """What flags and environment allow, never a spec: absolute folders, and names that `${env.}` may read."""

    media_roots: tuple[str, ...] = ()
    spec_env: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class SourceRead:
    """A source, what it contributes to manifests, and where it was written."""

    source: Source
    prepared: PreparedSource
    place: Place | None
    origins: Mapping[str, Origin] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is known before the location is looked at; without a trim that is wrong."""

    node: ScalarNode
    path: str
    trim: Trim | None
    spec: SourceSpec


def filled(node: Node, path: str, variables: Variables, each: Each | None) -> Node | None:
    """`node` with its references filled in, but for what is read from the environment at apply."""
    if not isinstance(node, MapNode):
        return variables.fill(node, path, each)
    kept = {
        key: entry for key, entry in node.items.items() if key in {"url", "password"} and _from_environment(entry.node)
    }
    rest = MapNode({key: entry for key, entry in node.items.items() if key not in kept}, node.place)
    done = variables.fill(rest if kept else node, path, each)
    return MapNode({**done.items, **kept}, node.place) if isinstance(done, MapNode) else None


def read_source(
    raw: Node, node: Node, path: str, trust: Trust, problems: list[Problem], *, find_upstream: FindUpstream
) -> SourceRead | None:
    """The source that `node` says, `raw` before references were filled in; None, and problems, if it cannot be."""
    before = len(problems)
    asked = _asked(node, path, problems)
    if asked is None:
        return None
    if asked.path.endswith(".encode") and isinstance(node, MapNode):
        return _chained(asked, node, find_upstream, problems)
    url = raw.get("url") if isinstance(raw, MapNode) else None
    read = _environment if url is not None and _from_environment(url) else _located
    try:
        kind, name, location = read(asked, trust, problems)
        if asked.spec.watch is not None and kind not in {"http", "store"}:
            _add(problems, asked, '"watch" is for remote sources; local ones are always looked at', "Leave it out.")
        _login(asked, node, kind, trust, problems)
    except LostError:
        return None
    if asked.trim is None or len(problems) > before or holds_lost(node):
        return None
    spec = asked.spec
    source = Source(
        kind,
        name,
        location,
        asked.trim,
        spec.sha256,
        watch=spec.watch is not None,
        username=spec.username or "",
        password=spec.password or "",
    )
    prepared = prepared_source(name, asked.trim.start, asked.trim.end)
    return SourceRead(source, prepared, asked.node.place, _origins(node, asked.node))


def _chained(asked: _Asked, node: MapNode, find_upstream: FindUpstream, problems: list[Problem]) -> SourceRead | None:
    """The file of another output, by that one's fingerprint: it is made first."""
    before = len(problems)
    for name, entry in node.items.items():
        if name in SourceSpec.model_fields and name not in {"encode", "trim"} and not is_null(entry.node):
            message = f'"{name}" says nothing for a source that is an output'
            where = f"{asked.path.removesuffix('encode')}{name}"
            problems.append(Problem(message, entry.key, where, ("Leave it out.",)))
    found = find_upstream(asked.node, asked.path)
    if found is None or asked.trim is None or len(problems) > before or holds_lost(node):
        return None
    name = f"{_CHAIN}{found.fingerprint}"
    source = Source("encode", name, found.address, asked.trim, upstream=found)
    prepared = prepared_source(name, asked.trim.start, asked.trim.end)
    return SourceRead(source, prepared, asked.node.place, _origins(node, asked.node))


def _login(asked: _Asked, node: Node, kind: SourceKind, trust: Trust, problems: list[Problem]) -> None:
    """A user and a password belong to URLs, and the password to the environment."""
    user, password = asked.spec.username, asked.spec.password
    if user is None and password is None:
        return
    if kind != "http":
        _add(problems, asked, "only an http(s) URL has a username and a password", "Leave them out.")
    elif user is None:
        _add(problems, asked, "a password without a username", "Write both, or neither.")
    match = ENVIRONMENT.fullmatch(password or "")
    entry = node.items.get("password") if isinstance(node, MapNode) else None
    if match is not None and entry is not None and not readable(match[1], trust.spec_env):
        hint = f"To allow it, where you run reconciler:  RECONCILER_SPEC_ENV={match[1]}"
        message = f"specs may not read {match[1]} from the environment"
        problems.append(Problem(message, entry.node.place, f"{asked.path}.password", (hint,)))


def _from_environment(node: Node) -> bool:
    return isinstance(node, ScalarNode) and ENVIRONMENT.fullmatch(node.text) is not None


def _asked(node: Node, path: str, problems: list[Problem]) -> _Asked | None:
    if isinstance(node, MapNode):
        return _mapping(node, path, problems)
    if isinstance(node, ScalarNode) and isinstance(node.value, str) and node.value:
        return _Asked(node, path, _WHOLE, _NOTHING_MORE)
    problems.append(Problem(f"source cannot be {described(node)}", node.place, path, (_FORMS, *variable_hint(node))))
    return None


_WHOLE = Trim()
_NOTHING_MORE = SourceSpec()
_NULL = ScalarNode(None, "null", None)


def _mapping(node: MapNode, path: str, problems: list[Problem]) -> _Asked | None:
    spec, good = salvaged(SourceSpec, node, path, problems)
    said = [name for name in ("url", "path", "encode") if not is_null(node.get(name) or _NULL)]
    if len(said) != 1:
        both = " or ".join("an encode" if name == "encode" else f"a {name}" for name in said)
        message = f"a source has {both}, not both" if said else "this source has neither url nor path"
        problems.append(Problem(message, node.place, path, (_FORMS,)))
        return None
    location = good.get(said[0]) if isinstance(good, MapNode) else None
    if spec is None or not isinstance(location, ScalarNode):
        return None
    return _Asked(location, f"{path}.{said[0]}", next(as_far_as_known(_trims(spec)), None), spec)


def _trims(spec: SourceSpec) -> Iterator[Trim]:
    trim = spec.trim
    if trim is None:
        yield Trim()
        return
    start = trim.start or 0
    yield Trim(start, trim.end if trim.duration is None else number(start + trim.duration))


Located = tuple[SourceKind, str, str]


def _environment(asked: _Asked, trust: Trust, problems: list[Problem]) -> Located:
    """A URL that only apply knows: its id is its identity."""
    text = asked.node.text
    match = ENVIRONMENT.fullmatch(text)
    name = match[1] if match is not None else ""
    if asked.spec.id is None:
        hint = f'Write  source: {{id: NAME, url: "{text}"}}: the id is what the state knows it by.'
        _add(problems, asked, "a URL from the environment needs an id beside it", hint)
    elif not readable(name, trust.spec_env):
        hint = f"To allow it, where you run reconciler:  RECONCILER_SPEC_ENV={name}"
        _add(problems, asked, f"specs may not read {name} from the environment", hint)
    return "http", _identifier(asked, problems), text


def _identifier(asked: _Asked, problems: list[Problem]) -> str:
    name = normal(asked.spec.id or "")
    if not name.isprintable():
        _add(problems, asked, "an id holds printable characters only", "Write  id: masters/NAME")
    return name


def _located(asked: _Asked, trust: Trust, problems: list[Problem]) -> Located:
    text = asked.node.text
    if "${" in text or _NO_TEXT.search(text):
        _add(problems, asked, "a source cannot hold control characters or a literal ${", _FORMS)
        return "file", "", ""
    scheme = _SCHEME.match(text)
    if asked.spec.path is None and scheme is not None and scheme[1].lower() in _STORES:
        return _stored(asked, text, problems)
    if asked.spec.path is None and scheme is not None:
        return _remote(asked, scheme[1].lower(), problems)
    for name in ("id", "ignore_query"):
        if vars(asked.spec).get(name) is not None:
            _add(problems, asked, f'"{name}" says nothing for a source that is no URL', "Leave it out.")
    if text.startswith(_CHAIN):
        hint = f"Write  source: {{encode: {text.removeprefix(_CHAIN).strip()}}}"
        _add(problems, asked, "an output of another encode is named in a mapping", hint)
    if asked.spec.path is None and text.startswith(_LAVFI):
        return _generated(asked, text.removeprefix(_LAVFI), problems)
    return _local(asked, text, trust, problems)


def _remote(asked: _Asked, scheme: str, problems: list[Problem]) -> Located:
    text = asked.node.text
    if scheme not in SCHEMES:
        _add(problems, asked, f"{scheme}:// sources cannot be read", _instead(scheme))
        return "http", "", ""
    error = url_error(text)
    if error is not None:
        _add(problems, asked, *error)
        return "http", "", ""
    if asked.spec.id is not None:
        return "http", _identifier(asked, problems), text
    return "http", identity(text, asked.spec.ignore_query or ()), text


def _stored(asked: _Asked, text: str, problems: list[Problem]) -> Located:
    """An object in a store, which its own name identifies."""
    scheme, _, rest = text.partition("://")
    if asked.spec.ignore_query is not None:
        _add(problems, asked, '"ignore_query" says nothing for an object in a store', "Leave it out.")
    if _OBJECT.fullmatch(rest) is None:
        _add(problems, asked, "this names no object in a store", f"Write  {scheme.lower()}://BUCKET/PATH")
    location = f"{scheme.lower()}://{rest}"
    name = _identifier(asked, problems) if asked.spec.id is not None else location
    return "store", name, location


def scheme_of(source: Source) -> str:
    """The scheme of an object in a store: `s3`, `gs`, `az`, `storj`; empty for another kind of source."""
    return source.location.partition("://")[0] if source.kind == "store" else ""


def _instead(scheme: str) -> str:
    if scheme in _OTHER_STORES:
        return 'Sign an https URL for it, and keep that in the environment:  {id: NAME, url: "${env.NAME_URL}"}'
    return "Write the path alone, relative to the project folder." if scheme == "file" else _FORMS


def _generated(asked: _Asked, graph: str, problems: list[Problem]) -> Located:
    try:
        if asked.trim is not None:
            lavfi.check(graph, asked.trim)
    except ValueError as error:
        hint = "For example  lavfi:testsrc2=size=1280x720:rate=25:duration=10"
        _add(problems, asked, str(error), hint)
    return "lavfi", f"{_LAVFI}{graph}", graph


def _local(asked: _Asked, text: str, trust: Trust, problems: list[Problem]) -> Located:
    inside = "Sources lie in the project folder, or in a folder given with --media-root DIR."
    if text.startswith("~"):
        _add(problems, asked, f'"{text}" begins with "~", which is not expanded', inside)
        return "file", "", ""
    steps = _steps(text)
    if text.startswith("/"):
        path = "/" + "/".join(step for step in steps if step != "..")
        if ".." in steps or not any(path.startswith(f"{root.rstrip('/')}/") for root in trust.media_roots):
            folder = path.rpartition("/")[0] or "/"
            hint = f"To allow it, where you run reconciler:  --media-root {folder}"
            _add(problems, asked, f'"{text}" lies outside the project folder', inside, hint)
        return "file", path, path
    if not steps or steps[0] == "..":
        _add(problems, asked, f'"{text}" leads out of the project folder', inside)
    return "file", "/".join(steps), "/".join(steps)


def _steps(path: str) -> list[str]:
    """The parts of a path that lead somewhere; `..` only where it leads out."""
    steps: list[str] = []
    for step in path.split("/"):
        if step == ".." and steps and steps[-1] != "..":
            steps.pop()
        elif step not in {"", "."}:
            steps.append(step)
    return steps


def _add(problems: list[Problem], asked: _Asked, message: str, *hints: str) -> None:
    problems.append(Problem(message, asked.node.place, asked.path, (*hints, *variable_hint(asked.node))))


def _origins(node: Node, location: ScalarNode) -> dict[str, Origin]:
    if node is location:
        return {"source": _origin(location)}
    named = find(node, ("id",))
    found = {"source": _origin(named.node if named is not None and isinstance(named.node, ScalarNode) else location)}
    for name in ("start", "end", "duration"):
        entry: Entry | None = find(node, ("trim", name))
        if entry is not None and isinstance(entry.node, ScalarNode):
            found[f"source.trim.{'start' if name == 'start' else 'end'}"] = _origin(entry.node)
    return found


def _origin(node: ScalarNode) -> Origin:
    return Origin(node.written or node.place, node.preset, node.variable)
