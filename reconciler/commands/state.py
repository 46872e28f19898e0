"""`reconciler state`: look at the records, rename, drop and prune them. Media is left alone unless a flag says else."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import click
import msgspec
from msgspec.structs import replace

from reconciler.commands import gathering
from reconciler.commands.addresses import chosen
from reconciler.commands.merging import merge_command
from reconciler.commands.options import Command, Globals, Group, complete, with_globals
from reconciler.commands.recovering import adopt_command, rebuild_command
from reconciler.commands.speaking import Screen
from reconciler.core.errors import UsageError
from reconciler.core.names import name_error, publish_path
from reconciler.core.plan import IN_FLIGHT
from reconciler.core.state import OutputRecord, Record
from reconciler.edges.outputs import PublishedFiles
from reconciler.ffmpeg.work_files import suspects
from reconciler.store import store
from reconciler.views.show import record_list, record_text
from reconciler.views.state_text import moved_text, removed_text

_DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
_LOCK_TIMEOUT = click.option(
    "--lock-timeout",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="How long to wait for another writer.  [default: not at all]",
)


@click.group("state", cls=Group)
def command() -> None:
    """Look at the state, and mend it.

    What mends takes the lock, writes every change to the journal first, and keeps a backup of the state.
    """


command.add_command(rebuild_command)
command.add_command(adopt_command)
command.add_command(merge_command)


@command.command("list", cls=Command, short_help="List the recorded addresses.")
@click.argument("addresses", nargs=-1, metavar="[ADDR]...", shell_complete=complete)
@with_globals
def list_records(settings: Globals, addresses: tuple[str, ...]) -> int:
    """List the recorded addresses, their status and what was asked of them."""
    return _print_records(settings, addresses, lambda records, columns: record_list(records, columns=columns))


@command.command("show", cls=Command, short_help="Show everything that is recorded of addresses.")
@click.argument("addresses", nargs=-1, required=True, metavar="ADDR...", shell_complete=complete)
@with_globals
def show_records(settings: Globals, addresses: tuple[str, ...]) -> int:
    """Show everything that is recorded of addresses."""
    return _print_records(
        settings,
        addresses,
        lambda records, columns: "\n".join(
            record_text(address, record, columns=columns) for address, record in records.items()
        ),
    )


@command.command("mv", cls=Command, short_help="Give a record another address.")
@click.argument("old", metavar="ADDR", shell_complete=complete)
@click.argument("new", metavar="NEW_ADDR")
@_DRY_RUN
@_LOCK_TIMEOUT
@with_globals
def move(settings: Globals, old: str, new: str, *, dry_run: bool, lock_timeout: float) -> int:
    """Give a record another address, and its finished file the name that goes with it.

    Rarely needed: a plan sees by itself that an encode was only renamed.
    """
    with _writer(settings, lock_timeout) as writer:
        record = _one(writer.snapshot.records, old)
        _refuse_in_flight({old: record})
        _refuse_new_address(writer.snapshot.records, new)
        file = renamed_file(record, new, gathering.host())
        if file is not None and Path(file.where).exists():
            raise UsageError(f"{file.path}: there is a file of this name already; move it away first")
        if not dry_run:
            _move(writer, record, old, new, file, roots=settings.media_roots)
    screen = Screen(settings)
    if settings.json:
        screen.json({"moved": {old: new}, "path": file.path if file is not None else None, "dry_run": dry_run})
    else:
        screen.result(moved_text(old, new, file.path if file is not None else None, dry_run=dry_run))
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
    writer: store.Writer, record: Record, old: str, new: str, file: OutputRecord | None, *, roots: Sequence[str]
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


@command.command("rm", cls=Command, short_help="Forget records; their finished files stay.")
@click.argument("addresses", nargs=-1, required=True, metavar="ADDR...", shell_complete=complete)
@_DRY_RUN
@_LOCK_TIMEOUT
@with_globals
def remove(settings: Globals, addresses: tuple[str, ...], *, dry_run: bool, lock_timeout: float) -> int:
    """Forget records; their finished files stay, suspects go. What is still declared is planned as new."""
    with _writer(settings, lock_timeout) as writer:
        records = chosen(writer.snapshot.records, addresses)
        _refuse_in_flight(records)
        files = suspects(Path.cwd(), records)
        if not dry_run:
            _delete(files, settings)
        _drop(writer, "removed", records, dry_run=dry_run)
    return _removed(settings, records, files, dry_run=dry_run)


@command.command("prune", cls=Command, short_help="Drop the records of retired outputs.")
@click.argument("addresses", nargs=-1, metavar="[ADDR]...", shell_complete=complete)
@click.option("--delete-files", is_flag=True, help="Also delete the files of the dropped records from this machine.")
@_DRY_RUN
@_LOCK_TIMEOUT
@with_globals
def prune(
    settings: Globals, addresses: tuple[str, ...], *, delete_files: bool, dry_run: bool, lock_timeout: float
) -> int:
    """Drop the records of retired outputs. Declaring one of them again is not free any more."""
    with _writer(settings, lock_timeout) as writer:
        retired = {address: record for address, record in writer.snapshot.records.items() if record.status == "retired"}
        records = chosen(retired, addresses)
        files = _files_to_delete(writer.snapshot.records, records) if delete_files else []
        files = sorted({*files, *suspects(Path.cwd(), records)})
        if not dry_run:
            _delete(files, settings)
        _drop(writer, "pruned", records, dry_run=dry_run)
    return _removed(settings, records, files, dry_run=dry_run)


def _print_records(
    settings: Globals, addresses: Sequence[str], text: Callable[[Mapping[str, Record], int], str]
) -> int:
    screen = Screen(settings)
    loaded = store.read(Path(settings.state), "")
    screen.warnings(loaded.warnings)
    records = chosen(loaded.snapshot.records, addresses)
    if settings.json:
        screen.json(msgspec.to_builtins(records))
    else:
        screen.result(text(records, screen.columns))
    return 0


def _writer(settings: Globals, lock_timeout: float) -> store.Writer:
    path = Path(settings.state)
    if not path.exists() and not store.journal_path(path).exists():
        raise UsageError(f"{path}: there is no state yet; reconciler apply makes it")
    return store.Writer(path, "", timeout=lock_timeout, sleep=time.sleep)


def _one(records: Mapping[str, Record], address: str) -> Record:
    found = chosen(records, [address])
    if address not in found:
        raise UsageError(f'"{address}" is not one address; these match it: {", ".join(found)}')
    return found[address]


def _refuse_in_flight(records: Mapping[str, Record]) -> None:
    """A job in flight is found again by its address, so its record must not go or be renamed."""
    flying = sorted(address for address, record in records.items() if record.status in IN_FLIGHT)
    if flying:
        raise UsageError(f"in flight, so first let it finish with reconciler apply: {', '.join(flying)}")


def _refuse_new_address(records: Mapping[str, Record], address: str) -> None:
    if address in records:
        raise UsageError(f'"{address}" is recorded already; to drop that record: reconciler state rm {address}')
    names = address.split("/")
    wrong = next((error for error in map(name_error, names) if error is not None), None)
    if len(names) < 2 or wrong is not None:
        raise UsageError(f'"{address}" is not an address such as encode/output{f": {wrong}" if wrong else ""}')


def _drop(writer: store.Writer, event: str, records: Mapping[str, Record], *, dry_run: bool) -> None:
    if records and not dry_run:
        writer.record(event, removed={address: writer.next_rev(address) for address in records})


def _delete(paths: Sequence[str], settings: Globals) -> None:
    files = PublishedFiles(Path.cwd(), settings.media_roots)
    for path in paths:
        files.remove(path)


def _files_to_delete(records: Mapping[str, Record], dropped: Mapping[str, Record]) -> list[str]:
    """The files that only dropped records know, on this machine, by their paths in the project."""
    host = gathering.host()
    used = {path for address, record in records.items() if address not in dropped for path in _paths(record)}
    found = {
        file.path
        for record in dropped.values()
        for file in (record.output, *(attempt.output for attempt in record.previous))
        if file is not None and file.path is not None and file.is_on(host) and file.path not in used
    }
    return sorted(found)


def _paths(record: Record) -> list[str]:
    files = [record.output, *(attempt.output for attempt in record.previous)]
    return [file.path for file in files if file is not None and file.path is not None]


def _removed(settings: Globals, records: Mapping[str, Record], files: Sequence[str], *, dry_run: bool) -> int:
    screen = Screen(settings)
    if settings.json:
        screen.json({"removed": sorted(records), "deleted_files": list(files), "dry_run": dry_run})
    else:
        screen.result(removed_text(records, files, dry_run=dry_run, columns=screen.columns))
    return 0
