"""The group of commands. Only the module of the command that was asked for is imported.

Every ending has its own exit code: what a command returns, that of an expected error's class, 64 for bad usage,
130 for an interrupt, 1 for everything that nobody expected.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from reconciler import __version__
from reconciler.commands.options import Given, global_options
from reconciler.commands.pipes import flush, mute

USAGE = 64
INTERRUPTED = 130

# After so many seconds an interrupt that was ignored comes again: Python has left the place that ignored it.
_MOMENT = 0.02

# Name, module and what it is for. Modules are named after their command.
COMMANDS = {
    "init": "Write a working spec and what belongs beside it.",
    "validate": "Check the specs, offline: every problem with its line.",
    "plan": "Show what would be encoded and why. Starts nothing.",
    "apply": "Encode what is missing or changed, and record it.",
    "status": "Show where everything stands, what needs you first.",
    "output": "List the finished files.",
    "explain": "Tell why an output would run, and what set each field.",
    "show": "Show a saved plan, or what is recorded of an address.",
    "state": "Look at the state, and mend it.",
    "ci": "Tell pull requests what a plan does; GitHub Actions.",
    "serve": "Serve the ByteNite API on this machine.",
    "schema": "Print JSON Schemas: of spec files, plans, events, states.",
    "completion": "Print the completion script of a shell.",
}


class Commands(click.Group):
    """The commands by name; each is imported when it is run, never to list it."""

    def __init__(self, *args: Any, **attributes: Any) -> None:  # noqa: ANN401 - handed on to click
        super().__init__(*args, **attributes)
        self.commands = {name: click.Command(name) for name in COMMANDS}  # only names, to suggest the nearest

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command itself, imported now."""
        if cmd_name not in COMMANDS:
            return None
        # Classes and functions live as long as the process: nothing of them is garbage, now or at the end.
        gc.disable()
        module = importlib.import_module(f"reconciler.commands.{cmd_name}")
        gc.freeze()
        gc.enable()
        command: click.Command = module.command
        return command

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order in which people meet them."""
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """What each is for, from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Names are completed from the table above; options as click does."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only needed when a shell asks

        names = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return names if incomplete[:1] != "-" else click.Command.shell_complete(self, ctx, incomplete)


_HELP = """Declarative video encoding: plan in a pull request, apply on merge, encode only what changed.

\b
reconciler init       writes a first spec
reconciler plan       shows what would be encoded; starts nothing
reconciler apply      encodes it

Options of this page work before and after the name of a command; a flag beats the environment.
"""


@click.group(
    cls=Commands, help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="reconciler", message="%(prog)s %(version)s")
def cli() -> None:
    """Every command starts here."""


cli.params[:0] = global_options(environment=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    _open_streams()
    given, out, err = Given(), sys.stdout, sys.stderr
    try:
        with _interrupted_by_sigterm(), _interrupted_for_sure():
            code = cli.main(arguments, prog_name="reconciler", standalone_mode=False, obj=given)
        code = int(code or 0)
    except Exception as error:  # noqa: BLE001 - the last floor: whatever happened ends with words and a code
        code = _failed(error, given)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as ending:
        # click ends so after completing for a shell; and, with other streams, when nobody reads its help.
        code = int(ending.code or 0) if sys.stdout is out else 0
        sys.stdout, sys.stderr = out, err
    return _flushed(code)


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """SIGTERM ends a command as Ctrl-C does, unless the command, or whoever called, has its own way with it."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def _interrupted_for_sure() -> Iterator[None]:
    """An interrupt that comes where errors are ignored (a destructor, a library's callback) comes again at once."""
    again: list[threading.Timer] = []

    def ignored(what: sys.UnraisableHookArgs) -> None:
        if what.exc_type is not KeyboardInterrupt:
            before(what)
            return
        again.append(threading.Timer(_MOMENT, signal.raise_signal, [signal.SIGINT]))
        again[-1].start()

    before, sys.unraisablehook = sys.unraisablehook, ignored
    try:
        yield
    finally:
        sys.unraisablehook = before
        for each in again:
            each.cancel()


def _open_streams() -> None:
    """Letters that a stream cannot take are escaped; a closed stream (`>&-`) takes everything and keeps nothing."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - stays open as long as we run
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - stays open as long as we run
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _failed(error: Exception, given: Given) -> int:
    """Say what happened; its exit code."""
    if isinstance(error, click.UsageError):
        error.show()
        return USAGE
    if isinstance(error, click.Abort):
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        error.show()
        return 1
    if isinstance(error, BrokenPipeError):
        mute(sys.stdout)
        return 0
    module = importlib.import_module("reconciler.commands.failing")
    code: int = module.failed(error, given)
    return code


def _flushed(code: int) -> int:
    """Write out what is buffered. A reader that is gone (`| head -1`) changes nothing about how the command ended."""
    try:
        flush(sys.stdout)
        flush(sys.stderr)
    except OSError:
        mute(sys.stdout)
        return code or 1
    return code
