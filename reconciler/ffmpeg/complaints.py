"""What ffmpeg says on its error stream: how bad it is, and the one line that explains a failure.

With `-loglevel level+warning` a line is any number of `[name @ 0xaddress]`, then `[level]`, then the text.
x264, x265 and SVT-AV1 also write past ffmpeg: `x265 [error]: text`, `Svt[error]: text`.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

_KEPT = 200
_LONGEST = 400

_PREFIX = re.compile(r"\[(?P<name>[^\[\]]*?) @ 0x[0-9a-fA-F]+\]\s*")
_LEVEL = re.compile(r"\[(?P<level>fatal|error|warning|panic|info)\]\s*")
_LIBRARY = re.compile(r"(?P<name>x264|x265|Svt)\s*\[(?P<level>error|warn|warning)\]:?\s*(?P<text>.*)")
_REPEATED = re.compile(r"\s*Last message repeated (?P<times>\d+) times")

# Who speaks when something is wrong with the output; everybody else speaks of the source.
_OUTPUT_SIDE = re.compile(r"(vost|aost|enc:|out#|vf#|af#|lib(x264|x265|vpx|svtav1|aom|opus)|x264|x265|Svt)")

# Lines that only repeat that something failed, after the line that says what.
_ECHOES = (
    "Conversion failed",
    "Could not open encoder before EOF",
    "Error initializing output stream",
    "Error opening output file",
    "Error opening input file",
    "Error sending frames to consumers",
    "Error applying encoder options",
    "Error setting encoder parameters",
    "Error setting option",
    "Error while opening encoder",
    "Error while filtering",
    "Error writing trailer",
    "Exiting",
    "Nothing was written into output file",
    "Task finished with error code",
    "Terminating thread with return code",
    "Error muxing a packet",
    "Error closing file",
)

# Demuxers say so when a file stops in the middle of something.
_CUT_OFF = ("File ended prematurely", "partial file")

NO_SPACE = "No space left on device"


@dataclass(slots=True)
class Complaints:
    """The error stream of one process: counts of everything, the text of the last lines only."""

    source_errors: int = 0
    cut_off: bool = False
    no_space: bool = False
    first_source_error: str | None = None
    _kept: deque[tuple[bool, str]] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _last_echo: str | None = None
    _last_counted: bool = False

    def add(self, line: str) -> None:
        """Take one line, without its line end."""
        repeated = _REPEATED.fullmatch(line)
        if repeated is not None:
            self.source_errors += int(repeated["times"]) if self._last_counted else 0
            return
        names, level, text = _read(line.strip())
        bad = level in {"fatal", "error", "panic"}
        from_output = _OUTPUT_SIDE.match(names[0]) is not None if names else False
        self._last_counted = bad and bool(names) and not from_output
        if self._last_counted:
            self.source_errors += 1
            self.first_source_error = self.first_source_error or text
        self.cut_off |= any(phrase in text for phrase in _CUT_OFF)
        self.no_space |= NO_SPACE in text
        if bad and text.startswith(_ECHOES):
            self._last_echo = text
        elif bad and text:
            self._kept.append((from_output, text))

    def reason(self) -> str | None:
        """The last line that explains a failure: what the output side said, else anybody, else an echo."""
        if self.no_space:
            return NO_SPACE
        from_output = [text for output_side, text in self._kept if output_side]
        anybody = [text for _, text in self._kept]
        return next(iter([*reversed(from_output), *reversed(anybody)]), self._last_echo)


def _read(line: str) -> tuple[list[str], str | None, str]:
    """The names before the text, the level, and the text."""
    line = line[:_LONGEST]
    library = _LIBRARY.match(line)
    if library is not None:
        return [library["name"]], library["level"], library["text"]
    names: list[str] = []
    while (prefix := _PREFIX.match(line)) is not None:
        names.append(prefix["name"])
        line = line[prefix.end() :]
    level = _LEVEL.match(line)
    return names, level["level"] if level else None, line[level.end() :] if level else line
