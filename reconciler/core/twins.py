"""Outputs that are the same encode: one of them is encoded, and the others take its file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from reconciler.core.steps import Create, Reason, Rerun, Resume, Retry, ReuseTwin, Step, Supersede

# Which of several twins makes the file that all take: a job that runs already, one that was tried, else the first.
_LEADERS = (Resume, Retry, Supersede, Rerun, Create)


def once_for_twins(steps: list[Step]) -> list[Step]:
    """Of outputs that are the same encode one is encoded, and the others take its file."""
    twins: dict[tuple[str, str], list[Step]] = defaultdict(list)
    for step in steps:
        if isinstance(step, _LEADERS):
            twins[step.output.fingerprint, step.output.provider].append(step)
    leaders = {key: min(members, key=_rank) for key, members in twins.items()}
    return [_follow(step, leaders) for step in steps]


def _rank(step: Step) -> tuple[int, str]:
    return next(rank for rank, kind in enumerate(_LEADERS) if isinstance(step, kind)), step.address


def _follow(step: Step, leaders: Mapping[tuple[str, str], Step]) -> Step:
    """The step itself, or a ReuseTwin of its leader. A job in flight has its own outputs, whoever leads."""
    if not isinstance(step, Create | Rerun | Retry):
        return step
    leader = leaders[step.output.fingerprint, step.output.provider]
    if leader.address == step.address:
        return step
    record = None if isinstance(step, Create) else step.record
    return ReuseTwin(
        step.output, Reason("twin", f"the same encode as {leader.address}, made once"), leader.address, record
    )
