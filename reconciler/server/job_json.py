"""A job as it is told, in ByteNite's two dialects: with every field, empty ones too.

Where the dialects have different names for a thing, `auto` tells both; where they have one name for different
things (money as a text or a number), the dialect that the job's client speaks decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any

from reconciler.server.jobs import TEMPLATE, Config, Job
from reconciler.server.settings import Dialect
from reconciler.server.states import PARTITIONED, wire

TEMPLATE_INFO = {
    "id": TEMPLATE,
    "owner": "reconciler",
    "description": "Encodes a video into one or more files.",
    "app": "video-transcoding@1.0",
    "partitioner": "",
    "assembler": "",
}


def dialect_of(job: Job, setting: str) -> Dialect:
    """The dialect that a job is told in, where only one can be."""
    said = setting if setting != "auto" else job.dialect
    return "current" if said == "current" else "legacy"


def job_json(job: Job, setting: str, temp_url: str) -> dict[str, object]:
    """A job. `setting` is legacy, current or auto, `temp_url` where its file is to be uploaded to, if anywhere."""
    dialect = dialect_of(job, setting)
    told: dict[str, object] = {
        "id": job.id,
        "templateId": job.template_id,
        "name": job.name,
        "config": _config(job.config, setting),
        "priority": "EXECUTION_PRIORITY_UNDEFINED",
        "startAt": None,
        "submittedAt": job.started_at if setting != "legacy" else None,
        "startedAt": job.started_at,
        "regions": None,
        "state": wire(job.state),
        "dataSource": _with_temp_url(job.data_source, temp_url),
        "params": _params(job.params, dialect),
        "dataDestination": job.data_destination,
        "duration": job.seconds,
        "deletedAt": None,
        "createdAt": job.created_at,
        "paymentAmount": money(job.payment, dialect),
        "numUnitsEstimation": str(job.units),
        "numChunks": job.tasks if dialect == "current" else str(job.tasks),
    }
    if setting != "current":
        told |= {"deadline": None, "completedAt": job.ended_at}
    if setting != "legacy":
        told |= {
            "endedAt": job.ended_at,
            "errorMessage": job.error,
            "description": job.description,
            "stateTimestamps": job.state_times,
            "appId": "",
            "templateInfo": TEMPLATE_INFO,
            "progress": job.progress,
        }
    return told


def envelope(told: Mapping[str, object], setting: str) -> dict[str, object]:
    """A job as the answer to a request."""
    return {"job": told} if setting == "legacy" else {"job": told, "templateInfo": TEMPLATE_INFO}


def money(amount: str | Decimal, dialect: Dialect) -> object:
    """ByteChips: whole ones as a text in 2023, a number since."""
    if dialect == "current":
        return float(amount)
    return str(int(Decimal(amount).to_integral_value(ROUND_CEILING)))


def running_tasks(job: Job) -> int:
    """How many outputs of a job are being encoded."""
    return job.tasks if job.state == PARTITIONED else 0


def _config(config: Config, setting: str) -> dict[str, object]:
    legacy: dict[str, object] = {
        "minChunkSize": "0",
        "maxChunkSize": "0",
        "replicationFactor": 0,
        "partitioningSettings": {},
    }
    current: dict[str, object] = {
        "taskTimeout": config.task_timeout,
        "jobTimeout": config.job_timeout,
        "isTestJob": config.is_test_job,
        "maxTaskRetries": config.max_task_retries,
    }
    return legacy if setting == "legacy" else current if setting == "current" else legacy | current


def _params(params: Mapping[str, Any] | None, dialect: Dialect) -> object:
    """The document as it was sent; the servers of 2023 added what was left out."""
    if params is None or dialect == "current" or "data" not in params:
        return params
    return {"schema": "", "preset": "", "selectedOutputs": [], **params}


def _with_temp_url(source: Mapping[str, Any] | None, temp_url: str) -> object:
    if source is None or not temp_url:
        return source
    return {**source, "params": {**source["params"], "tempUrl": temp_url}}
