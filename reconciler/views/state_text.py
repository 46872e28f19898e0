"""What was mended in the state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.views.cells import fold, visible
from reconciler.views.words import count

_SHOWN = 10


def moved_text(old: str, new: str, path: str | None, *, dry_run: bool) -> str:
    """`Moved a/b to c/d.`, and where its file is now."""
    file = (
        "Its file stays where it is" if path is None else f"Its file is {'then' if dry_run else 'now'} {visible(path)}"
    )
    return f"{'Would move' if dry_run else 'Moved'} {visible(old)} to {visible(new)}. {file}.\n"


def removed_text(addresses: Iterable[str], files: Sequence[str], *, dry_run: bool, columns: int = 80) -> str:
    """Which records went, which files with them, and that all other files are still there."""
    dropped = sorted(addresses)
    if not dropped:
        return "Nothing to drop.\n"
    verb = "Would drop" if dry_run else "Dropped"
    lines = [f"{verb} {count(len(dropped), 'record')}:", *(f"  {visible(address)}" for address in dropped)]
    if files:
        deleted = "Would delete" if dry_run else "Deleted"
        lines += [f"{deleted} {count(len(files), 'file')}:", *(f"  {visible(path)}" for path in files)]
    else:
        lines += fold("No file was touched." if not dry_run else "No file would be touched.", columns)
    return "\n".join(lines) + "\n"


def pulled_text(file: str, state: str, records: int) -> str:
    """Where a state was saved."""
    return f"Saved {visible(state)} to {visible(file)}: {count(records, 'record')}.\n"


def pushed_text(file: str, state: str, records: int, changed: int) -> str:
    """What a push changed."""
    if not changed:
        return f"{visible(state)} holds what {visible(file)} holds already: {count(records, 'record')}.\n"
    return f"Pushed {visible(file)} to {visible(state)}: {count(records, 'record')}, {changed:,} changed.\n"


def behind_text(file: str, state: str, addresses: Sequence[str]) -> str:
    """Why a push is refused: what would be lost by it."""
    shown = [f"  {visible(address)}" for address in addresses[:_SHOWN]]
    more = [f"  and {len(addresses) - _SHOWN:,} more"] if len(addresses) > _SHOWN else []
    return "\n".join(
        [
            f"{visible(state)} holds newer records than {visible(file)}; pushing it would lose what they tell:",
            *shown,
            *more,
            "Nothing was changed. To have both, merge the file into a copy of the state:",
            f"  reconciler --state {visible(state)} state pull -o now.json",
            f"  reconciler state merge /dev/null now.json {visible(file)}  and push now.json",
            "To lose them all the same: --force",
        ]
    )


def unlocked_text(state: str, holder: str | None) -> str:
    """Whose lock was broken; None: there was none."""
    if holder is None:
        return f"{visible(state)} is not locked.\n"
    return (
        f"Unlocked {visible(state)}, which was locked by {visible(holder)}. Look at reconciler plan before you apply.\n"
    )
