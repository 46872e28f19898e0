"""`reconciler state merge`: two states with a common ancestor as one; git calls it as a merge driver."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.commands.options import Command, Globals, with_globals
from reconciler.core.errors import StateError
from reconciler.core.merge import Conflict, merge
from reconciler.core.state import Snapshot
from reconciler.io import atomic
from reconciler.store import snapshot

_SHOWN = 20


@click.command("merge", cls=Command, short_help="Merge two states; a git merge driver.")
@click.argument("ancestor", metavar="ANCESTOR", type=click.Path())
@click.argument("ours", metavar="OURS", type=click.Path())
@click.argument("theirs", metavar="THEIRS", type=click.Path())
@click.argument("path", metavar="[PATH]", required=False)
@with_globals
def merge_command(settings: Globals, ancestor: str, ours: str, theirs: str, path: str | None) -> int:  # noqa: ARG001 - nothing global matters
    """Merge the state THEIRS into the state OURS, which both came from ANCESTOR. PATH names it in messages.

    git does it by itself in a clone that was told once, by
    git config merge.reconciler-state.driver "reconciler state merge %O %A %B %P"
    and with the line that init writes into .gitattributes.

    No record is lost. Where both sides recorded one address differently, OURS keeps its own, the exit code is 1, and
    git asks you to decide.
    """
    shown = Path(path or ours)
    sides = [_read(Path(side), shown) for side in (ours, theirs)]
    merged = merge(_ancestor(Path(ancestor), shown), *sides)
    _write(Path(ours), merged.snapshot, shown)
    if merged.conflicts:
        raise StateError(_conflict_text(merged.conflicts, shown))
    return 0


def _ancestor(path: Path, shown: Path) -> Snapshot | None:
    """The common ancestor; None where there is none, for which git hands over an empty file."""
    content = _bytes(path, shown)
    return snapshot.decode(content, shown, "") if content.strip() else None


def _read(path: Path, shown: Path) -> Snapshot:
    return snapshot.decode(_bytes(path, shown), shown, "")


def _bytes(path: Path, shown: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StateError(f"{shown}: {path} cannot be read: {error.strerror}.\nNothing was changed.") from error


def _write(path: Path, merged: Snapshot, shown: Path) -> None:
    try:
        atomic.write_bytes(path, snapshot.encode(merged))
    except OSError as error:
        raise StateError(f"{shown}: {path} cannot be written: {error.strerror}.\nNothing was changed.") from error


def _conflict_text(conflicts: tuple[Conflict, ...], shown: Path) -> str:
    many = "1 output was" if len(conflicts) == 1 else f"{len(conflicts):,} outputs were"
    lines = [f"{shown}: {many} recorded differently on both sides:"]
    for each in conflicts[:_SHOWN]:
        sides = [f"{side.status}, rev {side.rev}, {side.fingerprint[:8]}" for side in (each.ours, each.theirs)]
        lines.append(f"  {each.address}: ours {sides[0]}; theirs {sides[1]}")
    if len(conflicts) > _SHOWN:
        lines.append(f"  and {len(conflicts) - _SHOWN:,} more")
    lines += [
        "All others are merged, and no file was touched. For these the file holds ours.",
        f"To keep ours:    git add {shown}",
        f"To take theirs:  copy their records from  git show MERGE_HEAD:{shown}  first",
        "Then look at reconciler plan before you apply.",
    ]
    return "\n".join(lines)
