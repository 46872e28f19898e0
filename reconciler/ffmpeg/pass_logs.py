"""The files in which a first pass leaves what it saw, by the names under which ffmpeg looks for them.

ffmpeg puts a number behind the name that it is told: that of the stream among all streams of its process. A second
pass has other streams before it than the first had, such as sound, or outputs in one pass.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from reconciler.io import atomic


def keep(command: Sequence[str]) -> None:
    """Take the numbers from the logs that a first pass has written. Raises OSError."""
    for log, numbered in _numbered(command):
        for file in _files(numbered):
            file.replace(log.with_name(log.name + file.name.removeprefix(numbered.name)))


def lay_out(command: Sequence[str]) -> None:
    """Let the logs that were kept be found by a second pass. Raises OSError."""
    for log, numbered in _numbered(command):
        for file in _files(log):
            atomic.link_or_copy(file, numbered.with_name(numbered.name + file.name.removeprefix(log.name)))


def _numbered(command: Sequence[str]) -> Iterator[tuple[Path, Path]]:
    """Each log without and with its number; the picture is the first stream of its output."""
    streams = 0
    for word, value in itertools.pairwise(command):
        streams += word == "-map"
        if word == "-passlogfile":
            yield Path(f"{value}.log"), Path(f"{value}-{streams - 1}.log")


def _files(log: Path) -> list[Path]:
    """A log and what lies beside it: x264 has a second file."""
    return [path for path in log.parent.iterdir() if path.name == log.name or path.name.startswith(f"{log.name}.")]
