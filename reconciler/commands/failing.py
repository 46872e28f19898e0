"""How errors end a command: expected ones with their words and code, all others as a bug to report."""

from __future__ import annotations

import os
import platform
import sys
import traceback
from datetime import UTC, datetime

from reconciler import __version__
from reconciler.commands.options import Given, Globals
from reconciler.commands.speaking import Screen
from reconciler.core.errors import ReconcilerError
from reconciler.io.redact import redact
from reconciler.views.cells import visible
from reconciler.views.events import error_events
from reconciler.views.problems import error_text


def failed(error: Exception, given: Given) -> int:
    """Say what went wrong; the exit code."""
    settings = Globals(
        json=bool(given.values.get("json")),
        color=not (given.values.get("no_color") or os.environ.get("NO_COLOR")),
        verbose=bool(given.values.get("verbose")),
    )
    screen = Screen(settings)
    if isinstance(error, OSError) and not settings.verbose:
        screen.talk(error_text(ReconcilerError(_of_the_system(error))))
        return 1
    if not isinstance(error, ReconcilerError):
        screen.talk(_bug(error, verbose=settings.verbose))
        return 1
    if not (settings.json and _told_as_events(screen, error)):
        screen.talk(error_text(error, columns=screen.columns))
    return error.exit_code


def _told_as_events(screen: Screen, error: ReconcilerError) -> bool:
    """Say it on stdout; whether stdout took it, which it does not if that is what went wrong."""
    try:
        for event in error_events(error, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")):
            screen.event(event)
    except ReconcilerError:
        return False
    return True


def _of_the_system(error: OSError) -> str:
    """What the operating system refused, and about which file."""
    what = error.strerror or str(error)
    return f"{error.filename}: {what}" if error.filename is not None else what


def _bug(error: Exception, *, verbose: bool) -> str:
    """What a user can do about a bug, with the traceback only for those who asked."""
    what = visible(redact(f"{type(error).__name__}: {error}"))
    lines = [f"Error: this is a bug in reconciler, not in your specs: {what}"]
    if verbose:
        lines += ["", redact("".join(traceback.format_exception(error)))]
    else:
        lines.append("To see where: run the same command with -v.")
    version = f"reconciler {__version__}, Python {platform.python_version()}, {sys.platform}"
    lines.append(f"The state holds every step that was recorded; running again goes on. Please report it ({version}).")
    return "\n".join(line.rstrip("\n") for line in lines) + "\n"
