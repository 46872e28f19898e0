"""Where a command's words go: the result to stdout, talk to stderr, and neither fails because nobody listens."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from typing import IO, Any

from reconciler.commands.options import Globals
from reconciler.commands.pipes import is_gone, mute
from reconciler.core.errors import ReconcilerError
from reconciler.views.cells import fold, visible
from reconciler.views.colour import coloured

_NARROWEST, _WIDEST = 40, 120


class Screen:
    """Stdout and stderr as one command sees them."""

    def __init__(self, settings: Globals, out: IO[str] | None = None, err: IO[str] | None = None) -> None:
        self._out = out if out is not None else sys.stdout
        self._err = err if err is not None else sys.stderr
        self._color = settings.color and os.environ.get("TERM") != "dumb"

    @property
    def columns(self) -> int:
        """How wide text may be: the terminal's width within reason, 80 where there is none."""
        return min(max(shutil.get_terminal_size((80, 24)).columns, _NARROWEST), _WIDEST)

    def result(self, text: str) -> None:
        """What was asked for."""
        self._write(self._out, text)

    def talk(self, text: str) -> None:
        """What is said beside it."""
        self._write(self._err, text)

    def event(self, line: Mapping[str, Any]) -> None:
        """One JSON object on a line of stdout, at once."""
        self._write(self._out, json.dumps(line, ensure_ascii=False) + "\n")

    def json(self, value: object) -> None:
        """One JSON value as the result, for reading by programs and people."""
        self._write(self._out, json.dumps(value, ensure_ascii=False, indent=2) + "\n")

    def warnings(self, sentences: Iterable[str]) -> None:
        """What is odd, beside the result."""
        for sentence in sentences:
            self.talk("\n".join(fold(f"Warning: {visible(sentence)}", self.columns, rest="  ")) + "\n")

    @property
    def asks(self) -> bool:
        """Whether somebody can be asked."""
        return sys.stdin is not None and sys.stdin.isatty() and self._err.isatty()

    @property
    def draws(self) -> bool:
        """Whether stderr is a terminal on which lines can be redrawn."""
        return self._err.isatty() and os.environ.get("TERM") != "dumb"

    def ask(self, question: str) -> str:
        """The answer to a question, without spaces around it; empty where there is none."""
        self._err.write(question)
        self._err.flush()
        return sys.stdin.readline().strip()

    def _write(self, stream: IO[str], text: str) -> None:
        """Write and flush; a reader that went away changes nothing about what is done."""
        painted = coloured(text) if self._color and stream.isatty() else text
        try:
            stream.write(painted)
            stream.flush()
        except OSError as error:
            if not is_gone(error):
                raise ReconcilerError(f"the output cannot be written: {error.strerror}") from error
            mute(stream)
