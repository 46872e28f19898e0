"""`reconciler state mv`: a record under another address, and its file under the name that goes with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import click
from msgspec import to_builtins
from msgspec.structs import replace

from reconciler.commands import gathering
from reconciler.commands.addresses import chosen
from reconciler.commands.mending import DRY_RUN, LOCK_TIMEOUT, refuse_in_flight, writer_of
from reconciler.commands.options import Command, Globals, complete, with_globals
from reconciler.commands.speaking import Screen
from reconciler.core.errors import UsageError
from reconciler.core.names import name_error, publish_path
from reconciler.core.state import OutputRecord, Record
from reconciler.edges.outputs import PublishedFiles
from reconciler.store.states import Writer
from reconciler.views.edit_types import Moved
from reconciler.views.state_text import moved_text


@click.command("mv", cls=Command, short_help="Give a record another address.")
@click.argument("old", metavar="ADDR", shell_complete=complete)
@click.argument("new", metavar="NEW_ADDR")
@DRY_RUN
@LOCK_TIMEOUT
@with_globals
def move_command(settings: Globals, old: str, new: str, *, dry_run: bool, lock_timeout: float) -> int:
    """Give a record another address, and its finished file the name that goes with it.

    Rarely needed: a plan sees by itself that an encode was only renamed.
    """
    with writer_of(settings, lock_timeout) as writer:
        record = _one(writer.snapshot.records, old)
        refuse_in_flight({old: record})
        _refuse_new_address(writer.snapshot.records, new)
        file = renamed_file(record, new, gathering.host())
        if file is not None and Path(file.where).exists():
            raise UsageError(f"{file.path}: there is a file of this name already; move it away first")
        if not dry_run:
            _move(writer, record, old, new, file, roots=settings.media_roots)
    screen, path = Screen(settings), file.path if file is not None else None
    if settings.json:
        screen.json(to_builtins(Moved(moved={old: new}, path=path, dry_run=dry_run)))
    else:
        screen.result(moved_text(old, new, path, dry_run=dry_run))
    return 0


def renamed_file(record: Record, address: str, host: str) -> OutputRecord | None:
    """The finished file under the name that goes with `address`; None where it has to stay as it is."""
    output = record.output
    if record.status != "complete" or output is None or output.path is None or output.temp is not None:
        return None
    if not output.is_on(host):
        return None
    encode, _, name = address.rpartition("/")
    # A package is a folder, whose name has no extension.
    folder = Path(output.path).is_dir()
    path = publish_path(encode, name, "" if folder else PurePosixPath(output.path).suffix.removeprefix("."))
    if path == output.path or not (folder or Path(output.path).is_file()):
        return None
    return replace(output, name=name, path=path, temp=output.path)


def _move(
    writer: Writer, record: Record, old: str, new: str, file: OutputRecord | None, *, roots: Sequence[str]
) -> None:
    """As a plan's Move: recorded before the file gets its name, so that after a crash the next apply finishes it."""
    removed = {old: writer.next_rev(old)}
    moved = replace(record, rev=writer.next_rev(new))
    if file is None:
        writer.record("moved", records={new: moved}, removed=removed)
        return
    writer.record("moved", records={new: replace(moved, status="running", output=file)}, removed=removed)
    assert file.temp is not None, "a renamed file knows its old name"
    PublishedFiles(Path.cwd(), roots).publish(file.temp, file.where)
    published = replace(moved, rev=writer.next_rev(new), output=replace(file, temp=None))
    writer.record("published", records={new: published})


def _one(records: Mapping[str, Record], address: str) -> Record:
    found = chosen(records, [address])
    if address not in found:
        raise UsageError(f'"{address}" is not one address; these match it: {", ".join(found)}')
    return found[address]


def _refuse_new_address(records: Mapping[str, Record], address: str) -> None:
    if address in records:
        raise UsageError(f'"{address}" is recorded already; to drop that record: reconciler state rm {address}')
    names = address.split("/")
    wrong = next((error for error in map(name_error, names) if error is not None), None)
    if len(names) < 2 or wrong is not None:
        raise UsageError(f'"{address}" is not an address such as encode/output{f": {wrong}" if wrong else ""}')
