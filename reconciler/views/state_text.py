"""What was mended in the state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.views.cells import fold, visible
from reconciler.views.words import count


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
