"""The commands behind a plan, to read and to run by hand."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.views.cells import visible


def commands_text(commands: Sequence[tuple[str, str]]) -> str:
    """Each job's name above its command. Line breaks of a command are its own; all else is made visible."""
    if not commands:
        return "\nNothing is encoded, so there are no commands.\n"
    blocks = []
    for name, command in commands:
        lines = [visible(line) for line in command.split("\n")]
        blocks.append("\n".join([f"# {visible(name)}", *lines]))
    return "\n" + "\n\n".join(blocks) + "\n"
