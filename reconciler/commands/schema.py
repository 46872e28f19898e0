"""`reconciler schema`: the JSON Schema of spec files, for editors and checks."""

from __future__ import annotations

import click

from reconciler.commands.kinds import Types
from reconciler.commands.options import Command, Globals, with_globals
from reconciler.commands.speaking import Screen
from reconciler.core.schema import spec_schema


@click.command("schema", cls=Command)
@with_globals
def command(settings: Globals) -> int:
    """Print the JSON Schema of spec files.

    An editor with the YAML language server reads it where a spec begins with
    # yaml-language-server: $schema=FILE
    """
    Screen(settings).json(spec_schema(Types()))
    return 0
