"""The files of encodes that are not finished: how they are named, sealed, kept and swept away.

A work file stands beside the final one, so that giving it its name is a rename: `outputs/{encode}/` holds
`.{output}.{key}.part` while it is made, and `.{output}.{key}.suspect` if it does not prove whole. `key` is the
beginning of the job's id. Paths are relative to the project folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

import psutil

from reconciler.core.encode import Output
from reconciler.core.errors import NotReadyError
from reconciler.io import trees
from reconciler.io.atomic import fsync_file
from reconciler.io.hashing import sha256

_PART = re.compile(r"\..+\.[0-9a-f]{8}\.part")
_OUTPUTS = "outputs"
_LOOKS = 50  # at a killed process, a tenth of a second each


def part_of(output: Output, job_id: str) -> str:
    """Where an output is written while it is made."""
    return _beside(output, f"{job_id[:8]}.part")


def logs_of(output: Output, job_id: str) -> str:
    """The folder of a job in which passes leave what they saw; no output has a name that begins with a dot."""
    return (Path(output.path).parent / f"..passes.{job_id[:8]}.part").as_posix()


def inserts_of(output: Output, job_id: str) -> str:
    """The folder of a job in which the images and the subtitles of its pictures lie."""
    return (Path(output.path).parent / f"..inserts.{job_id[:8]}.part").as_posix()


def keep_as_suspect(project: Path, output: Output, job_id: str) -> str:
    """Put a finished part aside for a look; an earlier suspect of the same output makes room. The new path."""
    forget_suspects(project, output)
    suspect = _beside(output, f"{job_id[:8]}.suspect")
    (project / part_of(output, job_id)).replace(project / suspect)
    return suspect


def forget_suspects(project: Path, output: Output) -> None:
    """Remove the suspects of an output that has been made anew."""
    folder = (project / output.path).parent
    name = _suspect(output.name)
    for path in folder.iterdir():
        if name.fullmatch(path.name):
            trees.remove(path)


def make_room(path: Path, folders: Sequence[str]) -> None:
    """Let there be nothing at `path` but, for a package, its empty `folders`.

    Raises NotReadyError where nothing may be written, OSError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotReadyError(f"{path.parent} cannot be made: {error.strerror}") from error
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise NotReadyError(f"{path.parent} cannot be written to")
    trees.remove(path)
    for folder in folders:
        (path / folder).mkdir(parents=True)


def suspects(project: Path, addresses: Iterable[str]) -> list[str]:
    """The suspects that were kept of these addresses, as paths in the project."""
    found: list[str] = []
    for address in addresses:
        encode, _, name = address.rpartition("/")
        folder = PurePosixPath(_OUTPUTS, encode)
        if ".." in folder.parts:  # people may edit a state
            continue
        with suppress(OSError):
            names = os.listdir(project / folder)  # noqa: PTH208 - names are all that is needed
            found.extend((folder / each).as_posix() for each in names if _suspect(name).fullmatch(each))
    return sorted(found)


def _suspect(name: str) -> re.Pattern[str]:
    return re.compile(rf"\.{re.escape(name)}\.[0-9a-f]{{8}}\.suspect")


def seal(path: Path) -> tuple[int, str]:
    """Bring a file or a package to the disk for good; its size and sha256. Raises OSError."""
    if path.is_dir():
        trees.fsync(path)
        return trees.size(path) or 0, trees.digest(path)
    fsync_file(path)
    return path.stat().st_size, sha256(path)


def sweep(project: Path, keep: Collection[str]) -> list[str]:
    """End what an apply that was killed left running, and remove its parts but for those in `keep`.

    For the one process that holds the project's lock, before it starts jobs of its own. Gives the paths of the
    removed files. Processes and files of other projects are not touched.
    """
    end_strays(project)
    trees.mend(project / _OUTPUTS)
    swept: list[str] = []
    for path in _parts(project):
        name = path.relative_to(project).as_posix()
        if name not in keep:
            trees.remove(path)
            swept.append(name)
    return sorted(swept)


def end_strays(project: Path) -> None:
    """Kill every ffmpeg that writes a part of this project and whose parent is not this process."""
    beginning = f"file:{project.resolve() / _OUTPUTS}{os.sep}"
    strays = [process for process in psutil.process_iter(["cmdline", "ppid"]) if _is_stray(process, beginning)]
    for process in strays:
        with suppress(psutil.Error):
            process.kill()
    for _ in range(_LOOKS):
        strays = [process for process in strays if _lives(process)]
        if not strays:
            return
        psutil.wait_procs(strays, timeout=0.1)


def _beside(output: Output, ending: str) -> str:
    return (Path(output.path).parent / f".{output.name}.{ending}").as_posix()


def _parts(project: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(project / _OUTPUTS):
        yield from [Path(folder) / name for name in [*folders, *names] if _PART.fullmatch(name)]
        folders[:] = [name for name in folders if not _PART.fullmatch(name)]


def _lives(process: psutil.Process) -> bool:
    """Whether a killed process may still write; one that only waits to be collected by its parent does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_stray(process: psutil.Process, beginning: str) -> bool:
    words: list[str] = process.info["cmdline"] or []
    if process.info["ppid"] == os.getpid() or "-progress" not in words:
        return False
    return any(word.startswith(beginning) and any(map(_PART.fullmatch, Path(word).parts)) for word in words)
