"""`--no-spend`: what of a plan can be done without paying and without anybody's approval."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.plan import Plan
from reconciler.core.steps import CHECKS, Redeliver, Resume, Step, Update


def free_of_charge(plan: Plan) -> Plan:
    """The plan with what is free and safe in a cron job.

    Jobs that were started are brought in, files are measured, copies are made, links renewed. Nothing is started: a
    job that may still be a draft is left to an apply that may spend.
    """
    free = tuple(step for step in plan.steps if _is_free(step))
    return replace(plan, steps=free, left=len(plan.steps) - len(free))


def _is_free(step: Step) -> bool:
    if isinstance(step, Resume):
        return step.record.job is not None and step.record.job.phase == "started" and step.record.job.pid is None
    if isinstance(step, Update):
        return all(change.field.startswith(CHECKS) for change in step.changes)
    return isinstance(step, Redeliver)
