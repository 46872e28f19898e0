"""`reconciler state rm` and `state prune`: records that are dropped. Media is left alone unless a flag says else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import msgspec

from reconciler.commands import gathering
from reconciler.commands.addresses import chosen
from reconciler.commands.mending import DRY_RUN, LOCK_TIMEOUT, refuse_in_flight, writer_of
from reconciler.commands.options import Command, Globals, complete, with_globals
from reconciler.commands.speaking import Screen
from reconciler.core.state import Record
from reconciler.edges.outputs import PublishedFiles
from reconciler.ffmpeg.work_files import suspects
from reconciler.store.states import Writer
from reconciler.views.edit_types import Removed
from reconciler.views.state_text import removed_text


@click.command("rm", cls=Command, short_help="Forget records; their finished files stay.")
@click.argument("addresses", nargs=-1, required=True, metavar="ADDR...", shell_complete=complete)
@DRY_RUN
@LOCK_TIMEOUT
@with_globals
def remove_command(settings: Globals, addresses: tuple[str, ...], *, dry_run: bool, lock_timeout: float) -> int:
    """Forget records; their finished files stay, suspects go. What is still declared is planned as new."""
    with writer_of(settings, lock_timeout) as writer:
        records = chosen(writer.snapshot.records, addresses)
        refuse_in_flight(records)
        files = suspects(Path.cwd(), records)
        if not dry_run:
            _delete(files, settings)
        _drop(writer, "removed", records, dry_run=dry_run)
    return _removed(settings, records, files, dry_run=dry_run)


@click.command("prune", cls=Command, short_help="Drop the records of retired outputs.")
@click.argument("addresses", nargs=-1, metavar="[ADDR]...", shell_complete=complete)
@click.option("--delete-files", is_flag=True, help="Also delete the files of the dropped records from this machine.")
@DRY_RUN
@LOCK_TIMEOUT
@with_globals
def prune_command(
    settings: Globals, addresses: tuple[str, ...], *, delete_files: bool, dry_run: bool, lock_timeout: float
) -> int:
    """Drop the records of retired outputs. Declaring one of them again is not free any more."""
    with writer_of(settings, lock_timeout) as writer:
        retired = {address: record for address, record in writer.snapshot.records.items() if record.status == "retired"}
        records = chosen(retired, addresses)
        files = _files_to_delete(writer.snapshot.records, records) if delete_files else []
        files = sorted({*files, *suspects(Path.cwd(), records)})
        if not dry_run:
            _delete(files, settings)
        _drop(writer, "pruned", records, dry_run=dry_run)
    return _removed(settings, records, files, dry_run=dry_run)


def _drop(writer: Writer, event: str, records: Mapping[str, Record], *, dry_run: bool) -> None:
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
        removed = Removed(removed=tuple(sorted(records)), deleted_files=tuple(files), dry_run=dry_run)
        screen.json(msgspec.to_builtins(removed))
    else:
        screen.result(removed_text(records, files, dry_run=dry_run, columns=screen.columns))
    return 0
