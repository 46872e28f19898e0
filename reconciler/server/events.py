"""The stream of events: a line of JSON for each job that comes into another state."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

from starlette.concurrency import run_in_threadpool

from reconciler.server import states
from reconciler.server.clock import moment
from reconciler.server.database import marks
from reconciler.server.house import House

_LOOKING = 1.0
# So long a job that has ended is looked at, in seconds: some looks more than one.
_ENDED_SINCE = 30.0


async def events(house: House, before: Mapping[str, str]) -> AsyncIterator[str]:
    """Lines, as things happen after `before`, until the client goes away or the server stops."""
    while True:
        await asyncio.sleep(_LOOKING)
        now = await run_in_threadpool(lately, house)
        for job_id, state in now.items():
            if before.get(job_id) != state:
                yield _line(job_id, state)
        before = now


def lately(house: House) -> dict[str, str]:
    """The states of jobs that may have changed lately."""
    since = moment(house.clock() - timedelta(seconds=_ENDED_SINCE))
    query = f"SELECT id, state FROM jobs WHERE state IN ({marks(states.ACTIVE)}) OR ended_at >= ?"  # noqa: S608 - of ours
    return {str(job_id): str(state) for job_id, state in house.database.rows(query, (*states.ACTIVE, since))}


def _line(job_id: str, state: str) -> str:
    value = {"jobId": job_id, "state": states.wire(state)}
    data = {"@type": "type.googleapis.com/google.protobuf.Struct", "value": value}
    return json.dumps({"result": {"event": "job_state", "data": data}, "error": None}) + "\n"
