"""Which outputs share a job, and what the job is called.

All outputs of one encode that a plan encodes on one provider go into one job, so that the source is read and
decoded once. A job that is resumed keeps its id.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reconciler.core.encode import Output
from reconciler.core.pins import kept
from reconciler.core.ports import JobRequest
from reconciler.core.steps import Create, EncodeStep, Resume

# The namespace of job ids; changing it would make every job in flight unfindable.
_NAMESPACE = uuid.UUID("6f2d1c1e-1f0b-5f0e-9d55-6b1f6a7c0f3a")

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """The steps that one job will carry out, and the attempt number of each address."""

    request: JobRequest
    provider: str
    steps: tuple[EncodeStep, ...]


def attempt_of(step: EncodeStep) -> int:
    """The number of the try that this step makes; a resumed job is still the same try."""
    match step:
        case Create():
            return 1
        case Resume():
            return step.record.attempt
        case _:
            return step.record.attempt + 1


def plan_jobs(project: str, steps: Iterable[EncodeStep], attempts: dict[str, int] | None = None) -> list[PlannedJob]:
    """The jobs of a plan, in the order of their first addresses.

    `attempts` gives the number of the last try of addresses whose step does not carry a record (a retired
    output that is created again), so that a job's id is never one that was used before.
    """
    groups: dict[tuple[str, ...], list[EncodeStep]] = {}
    for step in sorted(steps, key=lambda step: step.address):
        groups.setdefault(_group(step), []).append(step)
    return [_job(project, members, attempts or {}) for members in groups.values()]


def job_id(project: str, parts: Sequence[tuple[str, str, int]]) -> str:
    """The deterministic id of a job that makes `(address, fingerprint, attempt)` parts."""
    text = "\n".join(
        [project, *(f"{address} {fingerprint} {attempt}" for address, fingerprint, attempt in sorted(parts))]
    )
    return str(uuid.uuid5(_NAMESPACE, text))


def job_name(project: str, identifier: str) -> str:
    """What people see in a provider's list: at most 25 plain characters, since nobody knows what else it takes."""
    key = identifier[:8]
    return f"rc-{_NOT_PLAIN.sub('-', project[: 25 - len(key) - 4])}-{key}"


def request_for(project: str, outputs: Sequence[Output], identifier: str, name: str = "") -> JobRequest:
    """The request that makes `outputs`, which share one encode, under a given id, and name if it has one."""
    first = outputs[0]
    return JobRequest(
        job_id=identifier,
        name=name or job_name(project, identifier),
        project=project,
        encode=first.encode,
        source=first.source,
        outputs=tuple(outputs),
    )


def _group(step: EncodeStep) -> tuple[str, ...]:
    output = step.output
    if isinstance(step, Resume) and step.record.job is not None:
        return (output.encode, step.record.provider, step.record.job.id)
    return (output.encode, output.provider, "")


def _pinned(step: EncodeStep) -> Output:
    """The output of a step, with what was found when it was made before."""
    found = {} if isinstance(step, Create) else kept(step.record, step.output.manifest)
    return replace(step.output, pins=found) if found else step.output


def _job(project: str, steps: list[EncodeStep], attempts: dict[str, int]) -> PlannedJob:
    first = steps[0]
    outputs = [_pinned(step) for step in steps]
    if isinstance(first, Resume) and first.record.job is not None:
        job = first.record.job
        request = request_for(project, outputs, job.id, job.name)
        return PlannedJob(request, first.record.provider, tuple(steps))
    parts = [
        (step.address, step.output.fingerprint, max(attempt_of(step), attempts.get(step.address, 0) + 1))
        for step in steps
    ]
    return PlannedJob(request_for(project, outputs, job_id(project, parts)), first.output.provider, tuple(steps))
