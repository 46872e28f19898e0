"""The ffmpeg program: which file it is, and what its build can do."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

from reconciler.core.errors import ProviderError

VARIABLE = "RECONCILER_FFMPEG"
_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Build:
    """What one ffmpeg program says of itself."""

    version: str
    encoders: frozenset[str]


def find(environment: Mapping[str, str]) -> str:
    """The path of the program: RECONCILER_FFMPEG (a path, or a name to be found in PATH), else the wheel's own.

    Raises ProviderError if there is none, or if it may not be run.
    """
    named = environment.get(VARIABLE)
    if named:
        return _named(named, environment.get("PATH"))
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        raise ProviderError(
            f"there is no ffmpeg: the imageio-ffmpeg package brings none for this machine; set {VARIABLE} to one"
        ) from None


def build(program: str, environment: Mapping[str, str]) -> Build:
    """The version and the encoders of a program; ProviderError if it does not run or is no ffmpeg."""
    version = _ask(program, environment, "-version").partition("\n")[0]
    if not version.startswith("ffmpeg version "):
        raise ProviderError(f"{program} is not ffmpeg: it says {version[:60]!r}")
    encoders = _ask(program, environment, "-encoders").splitlines()
    names = (line.split() for line in encoders)
    return Build(
        version=" ".join(version.split()[:3:2]),
        encoders=frozenset(words[1] for words in names if len(words) > 2 and words[0][0] in "VA"),
    )


def _named(named: str, search: str | None) -> str:
    found = shutil.which(named, path=search)
    if found is not None:
        return str(Path(found).absolute())
    path = Path(named)
    if path.is_dir():
        raise ProviderError(f"{VARIABLE} names {named}, which is a folder, not the ffmpeg program in it")
    if path.exists():
        raise ProviderError(f"{VARIABLE} names {named}, which may not be executed; chmod +x it")
    raise ProviderError(f"{VARIABLE} names {named}, which is not there")


def _ask(program: str, environment: Mapping[str, str], question: str) -> str:
    try:
        answer = subprocess.run(
            [program, "-hide_banner", question] if question != "-version" else [program, question],
            capture_output=True,
            check=True,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ProviderError(f"{program} does not run: {_reason(error)}") from None
    return answer.stdout


def _reason(error: OSError | subprocess.SubprocessError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, subprocess.CalledProcessError):
        return f"it ends with {error.returncode}"
    return f"it does not answer within {_SECONDS} s"
