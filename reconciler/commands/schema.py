"""`reconciler schema`: the JSON Schemas of spec files and of everything that commands print with `--json`."""

from __future__ import annotations

import click

from reconciler import __version__
from reconciler.commands.kinds import Types
from reconciler.commands.options import Command, Globals, with_globals
from reconciler.commands.speaking import Screen
from reconciler.core.schema import spec_schema
from reconciler.views.document_schema import PRINTED, document_schema

SPEC = "spec"


def _listed() -> str:
    wide = max(map(len, PRINTED))
    lines = [
        f"  {SPEC:{wide}}  spec files, for editors",
        *(f"  {name:{wide}}  {each.by}" for name, each in PRINTED.items()),
    ]
    return "\n".join(lines)


@click.command(
    "schema",
    cls=Command,
    short_help="Print a JSON Schema: of spec files, of plans, of events ...",
    epilog=f"\b\nOf what:\n{_listed()}",
)
@click.argument("what", required=False, default=SPEC, metavar="[OF]", type=click.Choice([SPEC, *PRINTED]))
@with_globals
def command(settings: Globals, what: str) -> int:
    """Print the JSON Schema of spec files, or of what commands print with --json.

    An editor with the YAML language server reads that of spec files where a spec begins with
    # yaml-language-server: $schema=FILE
    """
    schema = spec_schema(Types()) if what == SPEC else document_schema(what, __version__)
    Screen(settings).json(schema)
    return 0
