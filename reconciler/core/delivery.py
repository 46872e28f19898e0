"""Where finished outputs are copied to, and what is known of the copies. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import quote, urlsplit

import msgspec
from pydantic import AfterValidator, BaseModel, Discriminator, StringConstraints, Tag

from reconciler.core.errors import Place, Problem, RejectedError
from reconciler.core.names import suggestion
from reconciler.core.strict import Strict

if TYPE_CHECKING:
    # An output holds what is said here.
    from reconciler.core.encode import Output

DEFAULT_PATH = "{encode}/{output}.{ext}"
STORES = {"s3": "s3", "gs": "gs", "gcs": "gs", "az": "az", "azure": "az"}

_FIELD = re.compile(r"\{([^{}]*)\}")
_NAMES = ("encode", "output", "ext", "fingerprint8", "container", "height")
_STORE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_BUCKET = re.compile(r"[A-Za-z0-9$][A-Za-z0-9._-]{1,220}")
_UNFIT = re.compile("[\x00-\x1f\x7f\\\\\ud800-\udfff]")


def to_error(to: str) -> str | None:
    """Why nothing can be delivered there, as a sentence with what would be right; None if it can."""
    store = _STORE.match(to)
    if not to:
        return "it is empty; write a folder, or s3:// gs:// az:// BUCKET/PATH"
    if store is None:
        return _folder_error(to)
    scheme, (bucket, _, prefix) = store[1].lower(), store[2].partition("/")
    if scheme not in STORES:
        return f'"{scheme}://" cannot be delivered to; write a folder, or s3:// gs:// az:// BUCKET/PATH'
    if _BUCKET.fullmatch(bucket) is None:
        return f"this names no bucket; write {scheme}://BUCKET/PATH"
    return _steps_error(prefix.strip("/"))


def path_error(template: str) -> str | None:
    """Why a template is no path of a copy, as a sentence with what would be right; None if it is one."""
    for name in _FIELD.findall(template):
        if name not in _NAMES:
            known = ", ".join(f"{{{each}}}" for each in _NAMES)
            return f"{{{name}}} is not known; {suggestion(name, _NAMES)}There are {known}"
    bare = _FIELD.sub("x", template)
    if "{" in bare or "}" in bare:
        return f'a brace that belongs to no field; write for example "{DEFAULT_PATH}"'
    if template.startswith("/") or template.endswith("/"):
        return f'a path below "to" that names a file; write for example "{DEFAULT_PATH}"'
    return _steps_error(bare) or (None if bare else "a path cannot be empty")


def url_error(url: str) -> str | None:
    """Why a URL cannot be where copies are seen, as a sentence; None if it can."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    except ValueError:
        fits = False
    if not fits or parts.query or parts.fragment or re.search(r"[\s\x00-\x1f]", url):
        return "this is no public URL; write https://HOST/PATH, without a user, a query or a fragment"
    return None


def _folder_error(to: str) -> str | None:
    if to.startswith("~"):
        return 'it begins with "~", which is not expanded; write a folder of the project, or an absolute path'
    return _steps_error("" if to.rstrip("/") in {"", "."} else to.strip("/").removeprefix("./"))


def _steps_error(path: str) -> str | None:
    if _UNFIT.search(path):
        return "it holds control characters or backslashes"
    steps = path.split("/") if path else []
    if any(step in {"", ".", ".."} for step in steps):
        return 'it holds an empty step, "." or ".."'
    return None


def _checked(error: Callable[[str], str | None]) -> AfterValidator:
    def check(value: str) -> str:
        wrong = error(value)
        if wrong is not None:
            raise ValueError(wrong)
        return value

    return AfterValidator(check)


_Text = Annotated[str, StringConstraints(strict=True)]
DeliverTo = Annotated[_Text, _checked(to_error)]


class DeliverSpec(Strict):
    """What stands under `deliver:`, where it is more than a place."""

    to: DeliverTo
    path: Annotated[_Text, _checked(path_error)] | None = None
    public_url: Annotated[_Text, _checked(url_error)] | None = None


def _place_or_more(value: object) -> str:
    return "more" if isinstance(value, dict | BaseModel) else "place"


# What may stand under `deliver:`: a place, or a place with more to say.
DeliverValue = Annotated[
    Annotated[DeliverTo, Tag("place")] | Annotated[DeliverSpec, Tag("more")], Discriminator(_place_or_more)
]
OnExpiry = Literal["keep", "rerun"]
OnRemove = Literal["keep", "delete"]
Watch = Literal["content"]


@dataclass(frozen=True, slots=True)
class Deliver:
    """A resolved wish: the place, the template of the paths below it, and where the place is seen in public."""

    to: str
    path: str = DEFAULT_PATH
    public_url: str | None = None


def deliver_of(said: str | DeliverSpec) -> Deliver:
    """What a spec says, in full, as far as it is known. A level below replaces all of it."""
    if isinstance(said, str):
        return Deliver(said)
    values = vars(said)
    return Deliver(said.to, values.get("path") or DEFAULT_PATH, values.get("public_url"))


@dataclass(frozen=True, slots=True)
class Target:
    """Where one copy goes.

    `kind` is `folder` or a store; `root` is the folder (relative to the project, or absolute) or the bucket, `key`
    the path in it. `package` copies are folders, opened by `entry`. `public_url` is where the copy is seen.
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
    store = _STORE.match(deliver.to)
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
    path = _FIELD.sub(lambda match: values[match[1]], template)
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


class DeliveredCopy(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A copy that was made: where it is, how large it is, its digest, and what its store calls its version.

    Of a package, `size` is that of all its files and `sha256` the digest over them.
    """

    where: str
    size: int
    sha256: str
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Presence:
    """What stands where a copy is expected: its size in bytes, and its version where a store tells one.

    `altered`: it has been written since the copy was made, and holds something else.
    """

    size: int
    etag: str | None = None
    altered: bool = False

    def is_copy(self, copy: DeliveredCopy) -> bool:
        """Whether nothing speaks against it being the copy that was made."""
        if self.altered:
            return False
        return self.size == copy.size and (self.etag is None or copy.etag is None or self.etag == copy.etag)


@dataclass(frozen=True, slots=True)
class FromFile:
    """A finished output on this machine: a file, or the folder of a package."""

    path: str


@dataclass(frozen=True, slots=True)
class FromLink:
    """A finished output that its provider holds. `renew` gives a fresh link, where the one before has died.

    `private` is whether links to it may lead to private addresses, since its provider has one by the user's word.
    """

    url: str
    renew: Callable[[], str]
    private: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One copy that is to be made; `sha256` and `size` (bytes) are what is known of its content."""

    target: Target
    origin: FromFile | FromLink
    sha256: str | None = None
    size: int | None = None

    def refuse_other(self, size: int, digest: str) -> None:
        """Raise RejectedError if what came is not what was made."""
        where = self.target.where
        if self.size not in {None, size}:
            raise RejectedError(f"{where} was not made: {size:,} bytes came instead of {self.size:,}")
        if self.sha256 not in {None, digest}:
            raise RejectedError(f"{where} was not made: sha256 {digest[:12]} came instead of {self.sha256:.12}")
