"""What commands that mend the state, and `init`, print with `--json`: what they did."""

from __future__ import annotations

import msgspec

from reconciler.core.state import Status


class Edit(msgspec.Struct, frozen=True):
    """What was done."""


class Written(Edit, frozen=True):
    """`init`: which files were written."""

    written: tuple[str, ...]
    left_alone: tuple[str, ...]


class Moved(Edit, frozen=True):
    """`state mv`: a record has another address."""

    moved: dict[str, str]
    path: str | None
    dry_run: bool


class Removed(Edit, frozen=True):
    """`state rm` and `state prune`: records are forgotten."""

    removed: tuple[str, ...]
    deleted_files: tuple[str, ...]
    dry_run: bool


class Adopted(Edit, frozen=True):
    """`state adopt`: an address took a job that was there."""

    adopted: dict[str, str]
    status: Status


class Rebuilt(Edit, frozen=True):
    """`state rebuild`: what was found at the providers."""

    rebuilt: dict[str, Status]
    unwanted: tuple[str, ...]
    drafts: tuple[str, ...]
    dry_run: bool


class Pulled(Edit, frozen=True):
    """`state pull -o FILE`: the state was saved; without a file the state itself is printed."""

    saved: str
    records: int


class Pushed(Edit, frozen=True):
    """`state push`: a file took the place of the state."""

    pushed: str
    records: int
    changed: int


class Unlocked(Edit, frozen=True):
    """`state unlock`: whose lock was broken."""

    unlocked: str | None


EDITS = (Written, Moved, Removed, Adopted, Rebuilt, Pulled, Pushed, Unlocked)
