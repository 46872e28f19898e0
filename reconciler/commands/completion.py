"""`reconciler completion`: the script that teaches a shell our commands, options and addresses."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from reconciler.commands.options import Command, Globals, with_globals
from reconciler.commands.speaking import Screen


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@with_globals
def command(settings: Globals, shell: str) -> int:
    """Print the completion script of a shell.

    For bash put  eval "$(reconciler completion bash)"  into ~/.bashrc; for zsh likewise into ~/.zshrc; for fish
    write it to ~/.config/fish/completions/reconciler.fish. Addresses are completed from the state.
    """
    made = get_completion_class(shell)
    assert made is not None, "click knows these three shells"
    root = click.get_current_context().find_root().command
    Screen(settings).result(made(root, {}, "reconciler", "_RECONCILER_COMPLETE").source() + "\n")
    return 0
