"""What becomes of output that nobody reads."""

from __future__ import annotations

import os
from typing import IO, Any


def mute(stream: IO[Any]) -> None:
    """Send the rest of a stream nowhere, so that the interpreter has nothing to complain about at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
