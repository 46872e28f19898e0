"""What becomes of output that nobody reads."""

from __future__ import annotations

import errno
import os
from typing import IO, Any

_GONE = frozenset({errno.EPIPE, errno.EIO})  # a pipe's reader, a terminal's window


def is_gone(error: OSError) -> bool:
    """Whether writing failed because nobody is there any more, rather than for want of room."""
    return error.errno in _GONE


def flush(stream: IO[Any]) -> None:
    """Write out what is buffered; a reader that went away is no error."""
    try:
        stream.flush()
    except OSError as error:
        if not is_gone(error):
            raise
        mute(stream)


def mute(stream: IO[Any]) -> None:
    """Send the rest of a stream nowhere, so that the interpreter has nothing to complain about at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
