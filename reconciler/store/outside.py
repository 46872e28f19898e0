"""A state that a link leads out of the project: refused, unless `--state` names it outright."""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.core.errors import StateError

DEFAULT = Path("state/encodes.json")
_BESIDE = ("encodes.journal.jsonl", "links.json", ".lock", "backups")


def refuse_links_out(state: Path) -> None:
    """Raise StateError if the state that nobody named, or a file beside it, is a link out of the project folder.

    Whoever names a state with `--state` trusts the place; a repository alone is not trusted to choose one.
    """
    if state != DEFAULT:
        return
    project = os.path.realpath(Path.cwd())
    for path in (state.parent, state, *map(state.with_name, _BESIDE)):
        target = Path(os.path.realpath(path))
        if path.is_symlink() and not target.is_relative_to(project):
            meant = {state.parent: target / state.name, state: target}.get(path, target.parent / state.name)
            raise StateError(
                f"{path} leads out of the project folder, to {target}.\n"
                f"Nothing was read or written there. If the state is meant to be there, name it:  --state {meant}"
            )
