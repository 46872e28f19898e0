"""What is told of an exception that ended a job."""

from __future__ import annotations

from pathlib import Path

from reconciler.io.redact import redact


def words(error: Exception) -> str:
    """What went wrong, without the numbers of the operating system."""
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def where(error: Exception) -> str:
    """A mistake's kind, text and place; nothing in its text was meant for people, so secrets are cut out of it."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    at = f" at {Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place is not None else ""
    return f"{type(error).__name__}: {redact(str(error))}{at}"
