"""The states of a job, in the only order in which it passes through them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from reconciler.core.ports import Running

Stage = Literal["waiting", "fetching", "encoding", "verifying"]

NEW, STARTED, UPLOADING, PARTITIONING, PARTITIONED = "NEW", "STARTED", "UPLOADING", "PARTITIONING", "PARTITIONED"
TASKS_COMPLETED, MERGING, MERGED, DOWNLOADING = "TASKS_COMPLETED", "MERGING", "MERGED", "DOWNLOADING"
COMPLETE, FAILED = "COMPLETE", "FAILED"

ORDER = (
    NEW, STARTED, UPLOADING, PARTITIONING, PARTITIONED, TASKS_COMPLETED, MERGING, MERGED, DOWNLOADING, COMPLETE,
)  # fmt: skip
ACTIVE = ORDER[1:-1]
ENDED = (COMPLETE, FAILED)

_OF_STAGE: Mapping[str, str] = {"fetching": UPLOADING, "encoding": PARTITIONED, "verifying": MERGING}


def wire(state: str) -> str:
    """How a state is told."""
    return f"JOB_STATE_{state}"


def of(running: Running, state: str) -> str:
    """The state that a running job is in by what its provider says, if it was in `state`.

    Between its source and its place at an encoder a job waits: its source is being taken apart then.
    """
    if running.stage == "waiting":
        return STARTED if state == STARTED else PARTITIONING
    return _OF_STAGE[running.stage]


def passed(state: str, goal: str) -> tuple[str, ...]:
    """The states after `state` up to `goal`; none if `goal` lies behind, since no job goes back."""
    return ORDER[ORDER.index(state) + 1 : ORDER.index(goal) + 1]
