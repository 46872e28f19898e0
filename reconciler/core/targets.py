"""Where the copy of a finished output goes, and which copies would be in each other's way. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from reconciler.core.delivery import FIELD, STORE, STORES, Deliver
from reconciler.core.encode import Output
from reconciler.core.errors import Place, Problem

# Folders of a project that hold no media: its specs, its state, and all that is hidden (.git, .github).
_OWN = re.compile(r"(?:specs|state|\.[^/]*)(?:/|$)")


@dataclass(frozen=True, slots=True)
class Target:
    """Where one copy goes.

    `kind` is `folder` or a store; `root` is the folder (relative to the project, or absolute) or the bucket, `key`
    the path in it. `package` copies are folders. `public_url` is where the copy is seen, or what opens it.
    """

    kind: Literal["folder", "s3", "gs", "az"]
    root: str
    key: str
    package: bool = False
    public_url: str | None = None

    @property
    def where(self) -> str:
        """The place in one line: `s3://bucket/trailers/bbb/720p.mp4`, `dist/bbb/720p.mp4`."""
        if self.kind != "folder":
            return f"{self.kind}://{self.root}/{self.key}"
        return self.key if self.root == "." else f"{self.root.rstrip('/')}/{self.key}"

    @property
    def remote(self) -> bool:
        """Whether it lies in a store, rather than on a disk."""
        return self.kind != "folder"


@dataclass(frozen=True, slots=True)
class Fields:
    """What a template may name. `ext` is empty for a package; `height` None where no height was asked for."""

    encode: str
    output: str
    ext: str
    fingerprint: str
    container: str
    height: int | None


def fields_of(output: Output) -> Fields:
    """The fields of an output."""
    parameters, name = output.parameters, output.path.rpartition("/")[2]
    return Fields(
        encode=output.encode,
        output=output.name,
        ext=name.removeprefix(output.name).removeprefix("."),
        fingerprint=output.fingerprint,
        container=parameters.container or "",
        height=parameters.video.height if parameters.video is not None else None,
    )


def target_of(deliver: Deliver, fields: Fields, entry: str = "") -> Target:
    """Where the copy of an output goes; `entry` is the file that opens a package, and then `ext` is empty.

    Raises ValueError, with a sentence, for a template that names what the output has not.
    """
    path = _rendered(deliver.path, fields)
    public = None
    if deliver.public_url is not None:
        seen = f"{path}/{entry}" if entry else path
        public = f"{deliver.public_url.rstrip('/')}/{quote(seen)}"
    store = STORE.match(deliver.to)
    if store is None:
        root = deliver.to.removeprefix("./").rstrip("/") or ("/" if deliver.to.startswith("/") else ".")
        return Target("folder", root, path, bool(entry), public)
    bucket, _, prefix = store[2].partition("/")
    key = "/".join(filter(None, [prefix.strip("/"), path]))
    return Target(kind_of(store[1]), bucket, key, bool(entry), public)


def kind_of(scheme: str) -> Literal["s3", "gs", "az"]:
    """The store that a scheme is of."""
    match STORES[scheme.lower()]:
        case "gs":
            return "gs"
        case "az":
            return "az"
        case _:
            return "s3"


def _rendered(template: str, fields: Fields) -> str:
    if "{height}" in template and fields.height is None:
        raise ValueError('"{height}" is of no use here: this output asks for no height')
    values: Mapping[str, str] = {
        "encode": fields.encode,
        "output": fields.output,
        "ext": fields.ext,
        "fingerprint8": fields.fingerprint[:8],
        "container": fields.container,
        "height": str(fields.height),
    }
    path = FIELD.sub(lambda match: values[match[1]], template)
    return path if fields.ext else path.rstrip(".")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A copy that somebody wants: the address, where that was written, and where the copy goes."""

    address: str
    place: Place | None
    target: Target


def collisions(wanted: Iterable[Wanted]) -> Iterator[Problem]:
    """A problem for each copy that would overwrite an earlier one, be its folder, or lie among published files."""
    by_where: dict[str, Wanted] = {}
    folders: dict[str, Wanted] = {}
    known = list(wanted)
    for each in known:
        where = each.target.where.casefold()
        first = by_where.setdefault(where, each)
        for folder in _above(where):
            folders.setdefault(folder, each)
        if first is not each:
            yield _clash(f"{each.address} and {first.address} would both be {each.target.where}", each, first)
        if each.target.kind == "folder" and where.startswith("outputs/"):
            hint = "There lie the files that are made here; without deliver: they are there already."
            yield Problem(f"{each.address} would be delivered into outputs/", each.place, _path(each), (hint,))
    for where, each in by_where.items():
        inside = folders.get(where)
        if inside is not None:
            yield _clash(f"{each.target.where} would be a file and the folder of {inside.address}", each, inside)


def trespasses(wanted: Iterable[Wanted], sources: Mapping[str, str]) -> Iterator[Problem]:
    """A problem for each copy that would replace a source, or a file that the project itself lives by.

    `sources` are the places of local sources and of those in stores, with the address of an output made from each.
    """
    read: dict[str, str] = {}
    for place, address in sources.items():
        where = place.removeprefix("./").casefold()
        for taken in (where, *_above(where)):
            read.setdefault(taken, address)
    for each in wanted:
        target = each.target
        where = target.where.casefold()
        if where in read:
            hint = f"{read[where]} is made from it. What is made from an output says so: source: {{encode: ADDRESS}}"
            yield Problem(f"{each.address} would be delivered over a source, {target.where}", *_at(each, hint))
        elif target.kind == "folder" and _OWN.match(where):
            hint = "There lies what the project lives by. Copies have a folder of their own, such as dist/."
            yield Problem(f"{each.address} would be delivered to {target.where}", *_at(each, hint))


def _at(each: Wanted, hint: str) -> tuple[Place | None, str, tuple[str, ...]]:
    return each.place, _path(each), (hint,)


def _above(where: str) -> Iterator[str]:
    folder = where.rpartition("/")[0]
    while folder and not folder.endswith(":/"):
        yield folder
        folder = folder.rpartition("/")[0]


def _clash(message: str, each: Wanted, other: Wanted) -> Problem:
    hint = f"The other is at {other.place}. A path with {{encode}} and {{output}} in it tells them apart."
    return Problem(message, each.place, _path(each), (hint,))


def _path(each: Wanted) -> str:
    return f"encodes.{each.address.replace('/', '.')}.deliver"
