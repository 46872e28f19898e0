"""Copies in folders of this machine: written under another name, brought to the disk, then named."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests

from reconciler.core.copies import DeliveredCopy, FromLink, Presence, Request
from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.core.packages import OPENERS
from reconciler.core.targets import Target
from reconciler.core.urls import without_query
from reconciler.edges.package_origins import LinkedOrigin
from reconciler.io import atomic, trees
from reconciler.io.download import Watch, check_cancelled, download
from reconciler.io.hashing import sha256
from reconciler.io.link_stream import renewable

_LARGEST = 1 << 50
_PIECE = 1 << 20
# How often a link may die while one file is fetched.
_RENEWALS = 20


class FolderCopies:
    """Copies below a project folder, or below folders that were allowed."""

    def __init__(self, project: Path, roots: tuple[Path, ...]) -> None:
        self._project, self._roots = project, roots

    def deliver(self, request: Request, watch: Watch, session: requests.Session) -> DeliveredCopy:
        """Make a copy; one that breaks off is gone on with by the next call, from this process or another.

        Raises RejectedError, UnavailableError.
        """
        target = request.target
        with _disk(target):
            path = self._path(target)
            _refuse_in_the_way(path, target)
            path.parent.mkdir(parents=True, exist_ok=True)
            temp = path.with_name(f".{path.name}.{_key(request)}.delivering")
            size, digest = _brought(request, temp, watch, session)
            try:
                request.refuse_other(size, digest)
            except RejectedError:
                trees.remove(temp)
                raise
            if target.package:
                trees.publish(temp, path)
            else:
                atomic.publish(temp, path)
            _sweep(path)
        return DeliveredCopy(target.where, size, digest)

    def look(self, target: Target) -> Presence | None:
        """The size of what is there."""
        with _disk(target):
            path = self._path(target)
            if path.is_dir():
                size = trees.size(path)
                return None if size is None else Presence(size)
            return Presence(path.stat().st_size) if path.is_file() else None

    def remove(self, target: Target, copy: DeliveredCopy) -> None:
        """Remove a copy, and the folders that become empty by that. Raises RejectedError for what is another file."""
        with _disk(target):
            path = self._path(target)
            if not path.exists():
                return
            there = self.look(target)
            digest = trees.digest(path) if path.is_dir() else sha256(path)
            if there is None or there.size != copy.size or digest != copy.sha256:
                raise RejectedError(f"{target.where} is not the copy that was made: it is left alone")
            trees.remove(path)
            _tidy(path.parent, self._project / target.root)

    def _path(self, target: Target) -> Path:
        """The path of a copy, symlinks resolved. Raises RejectedError if it leads out of where copies may lie."""
        path = self._project / target.root / target.key
        folder = path.parent.resolve()
        if not any(folder.is_relative_to(root.resolve()) for root in (self._project, *self._roots)):
            raise RejectedError(
                f"{target.where} leads out of the project folder; allow its folder with --media-root DIR"
            )
        return folder / path.name


def _brought(request: Request, temp: Path, watch: Watch, session: requests.Session) -> tuple[int, str]:
    """Bring the content to a temporary name: its size and digest."""
    if isinstance(request.origin, FromLink):
        if request.target.package:
            return _fetched_folder(request.origin, temp, watch, session)
        return _fetched(request.origin, temp, watch, session)
    source = Path(request.origin.path)
    trees.remove(temp)
    try:
        if not request.target.package:
            return _copied(source, temp, watch, (0, source.stat().st_size))
        return _copied_folder(source, temp, watch)
    except BaseException:
        trees.remove(temp)
        raise


def _copied_folder(source: Path, temp: Path, watch: Watch) -> tuple[int, str]:
    names = trees.members(source)
    total, done, lines = sum((source / name).stat().st_size for name in names), 0, []
    for name in names:
        (temp / name).parent.mkdir(parents=True, exist_ok=True)
        size, digest = _copied(source / name, temp / name, watch, (done, total))
        lines.append(f"{digest} {name}\n")
        done += size
    trees.fsync(temp)
    return done, hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _fetched_folder(origin: FromLink, temp: Path, watch: Watch, session: requests.Session) -> tuple[int, str]:
    """Download a package; files that an earlier call brought are gone on with, and those that are whole are kept."""
    package = LinkedOrigin(origin, session, watch)
    lines, done = [], 0
    for name in package.media:
        size, digest = _fetched_once(package.link(name), temp / name, watch, session, done)
        lines.append(f"{digest} {name}\n")
        done += size
    for name in package.playlists:
        content = package.text(name)
        atomic.write_bytes(temp / name, content)
        lines.append(f"{hashlib.sha256(content).hexdigest()} {name}\n")
        done += len(content)
    for stray in set(trees.members(temp)) - {*package.media, *package.playlists}:
        (temp / stray).unlink()
    trees.fsync(temp)
    return done, hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _fetched_once(
    origin: FromLink, target: Path, watch: Watch, session: requests.Session, before: int
) -> tuple[int, str]:
    """Download a file of a package, unless it is there; `before` is how many bytes came before it."""
    if target.is_file():
        return target.stat().st_size, sha256(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    follow = Watch(lambda done, _: watch.report(before + done, None), watch.cancelled, watch.sleep)
    return _fetched(origin, target, follow, session)


def _copied(source: Path, target: Path, watch: Watch, progress: tuple[int, int]) -> tuple[int, str]:
    """Copy a file, fsynced; `progress` is bytes before it and in all."""
    before, total = progress
    digest, size = hashlib.sha256(), 0
    with source.open("rb", buffering=0) as read, target.open("wb", buffering=0) as written:
        while piece := read.read(_PIECE):
            check_cancelled(watch, str(source))
            view = memoryview(piece)
            while view:
                view = view[written.write(view) :]
            digest.update(piece)
            size += len(piece)
            watch.report(before + size, total)
    shutil.copymode(source, target)
    atomic.fsync_file(target)
    return size, digest.hexdigest()


def _fetched(origin: FromLink, temp: Path, watch: Watch, session: requests.Session) -> tuple[int, str]:
    """Download a file; a link that died is renewed, once more for every time that something came."""
    url, last = origin.url, -1
    for _ in range(_RENEWALS):
        try:
            got = download(session, url, temp, watch, limit=_LARGEST)
        except RejectedError as error:
            here = _size_of_part(temp)
            if not renewable(error) or here == last:
                raise
            last, url = here, origin.renew()
        else:
            return got.size, got.sha256
    raise UnavailableError(f"{temp.parent} cannot be delivered to: the link died {_RENEWALS} times")


def _size_of_part(temp: Path) -> int:
    try:
        return temp.with_name(f"{temp.name}.part").stat().st_size
    except FileNotFoundError:
        return 0


def _sweep(path: Path) -> None:
    """Remove what deliveries of other contents to the same name left unfinished."""
    for left in path.parent.iterdir():
        if left.name.startswith(f".{path.name}.") and ".delivering" in left.name:
            trees.remove(left)


def _key(request: Request) -> str:
    """What tells the temporary file of one content from that of another."""
    if request.sha256 is not None:
        return request.sha256[:8]
    # Of what a provider holds, the place says which content it is: a job has a folder of its own there.
    held = without_query(request.origin.url) if isinstance(request.origin, FromLink) else ""
    return hashlib.sha256(f"{request.target.where}\n{held}".encode()).hexdigest()[:8]


def _refuse_in_the_way(path: Path, target: Target) -> None:
    """Raise RejectedError for a folder, or a file in the place of a package, that no copy of ours can be."""
    package = path.is_dir() and any((path / name).is_file() for name in OPENERS)
    if (path.is_dir() and not (package and target.package)) or (path.is_file() and target.package):
        what = "folder of other files" if path.is_dir() else "file"
        raise RejectedError(f"{target.where} cannot be written: there is a {what} in its place. Move that away.")


def _tidy(folder: Path, root: Path) -> None:
    root = root.resolve()
    while folder != root and root in folder.parents:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


@contextmanager
def _disk(target: Target) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        name = ""
        with suppress(TypeError):
            name = Path(error.filename).name
        raise UnavailableError(
            f"{target.where} cannot be made: {error.strerror or error}{f' ({name})' if name else ''}"
        ) from error
