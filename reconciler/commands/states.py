"""The state that `--state` names: a file, or a place in an object store."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from reconciler.commands.options import Globals
from reconciler.store.states import FileState, State


def state_of(settings: Globals) -> State:
    """Where the state is; nothing is opened yet. Raises UsageError for a URL that names no place in a store."""
    if not is_shared(settings.state):
        return FileState(Path(settings.state))
    # Whoever has a file does not wait for what a store takes.
    shared: State = import_module("reconciler.commands.shared").shared_state(settings.state, os.environ)
    return shared


def is_shared(state: str) -> bool:
    """Whether a state is named by a URL."""
    return "://" in state
