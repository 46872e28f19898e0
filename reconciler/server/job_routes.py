"""`/v1/customer`: jobs, in the paths of 2023 and of 2025. `/v1/computing` is another name for it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from reconciler.server.answers import generic
from reconciler.server.auth_routes import version
from reconciler.server.bodies import Plain, field, mapping, text
from reconciler.server.errors import invalid, missing, unmet
from reconciler.server.events import events, lately
from reconciler.server.examples import CREATE, ENCODING, SOURCE
from reconciler.server.job_json import TEMPLATE_INFO, dialect_of, running_tasks
from reconciler.server.jobs import Job
from reconciler.server.listing import Page, filter_query, page, pagination, query_of
from reconciler.server.requests import AnyBody, Body, Claims, Server, Tell, documented
from reconciler.server.states import COMPLETE
from reconciler.server.wallet_routes import balance_of

router = APIRouter(tags=["jobs"])


@router.get("/info")
def info() -> dict[str, object]:
    """The version of this server."""
    return {"version": version(), "messages": {}}


@router.post("/jobs", openapi_extra=documented(CREATE))
def create(body: Body, _: Claims, house: Server, tell: Tell) -> dict[str, object]:
    """Make a draft; with the id of one that is there, change it."""
    return tell.answer(house.desk.create(body))


@router.get("/jobs")
def jobs(request: Request, _: Claims, house: Server, tell: Tell) -> dict[str, object]:
    """A page of jobs, the newest first."""
    query = request.query_params
    limit = query.get("pagination.limit", query.get("limit"))
    offset = query.get("pagination.offset", query.get("offset"))
    return _told_page(page(house.database, query_of(limit, offset, query.get("orderBy", ""))), tell)


@router.post("/jobs/filter")
def filtered(body: Body, _: Claims, house: Server, tell: Tell) -> dict[str, object]:
    """A page of the jobs that meet all filters."""
    return _told_page(page(house.database, filter_query(body)), tell)


@router.post("/jobs/runningTasks")
def tasks(body: Body, _: Claims, house: Server) -> dict[str, object]:
    """How many outputs of each job are being encoded."""
    wanted = field(body, "jobs_ids")
    if not isinstance(wanted, list) or not all(isinstance(each, str) for each in wanted):
        raise invalid("jobsIds must be a list of ids")
    found = ((job_id, house.database.find(job_id)) for job_id in wanted[:1000])
    return {"jobsRunningTasks": {job_id: running_tasks(job) for job_id, job in found if job is not None}}


@router.get("/jobs/templates")
def templates(_: Claims) -> dict[str, object]:
    """What jobs can be made of: there is one template."""
    return {"pagination": pagination(1, 0, 1), "data": [TEMPLATE_INFO]}


@router.get("/jobs/templates/{template_id}/presets")
def presets(template_id: str, _: Claims) -> dict[str, object]:
    """The presets of a template."""
    if not template_id.startswith("video-transcoding"):
        raise missing(f"there is no template {template_id[:60]!r} here")
    told = {
        "id": "unpackaged",
        "name": "Unpackaged",
        "category": "",
        "description": "Every output is a file of its own.",
        "jobTemplateId": TEMPLATE_INFO["id"],
        "params": {},
    }
    return {"presets": [told]}


@router.post("/jobs/datasource/info")
@router.post("/datasource/test", openapi_extra=documented(SOURCE))
def look_at_source(body: Body, _: Claims, house: Server) -> dict[str, object]:
    """Ask the server of a source for one byte of it."""
    name, size = house.desk.source_size(body)
    return {"filename": name, "path": "", "size": str(size or 0), "properties": {}, "tempUrl": "", "files": None}


@router.post("/jobs/datasource/{job_id}", openapi_extra=documented(SOURCE))
def set_source_2023(job_id: str, body: Body, _: Claims, house: Server, tell: Tell) -> dict[str, object]:
    """Set source and destination of a draft."""
    return tell.answer(house.desk.set_source(job_id, body, "legacy"))


@router.patch("/jobs/{job_id}/datasource", openapi_extra=documented(SOURCE))
def set_source(job_id: str, body: Body, _: Claims, house: Server, tell: Tell) -> dict[str, object]:
    """Set source and destination of a draft."""
    return tell.answer(house.desk.set_source(job_id, body, "current"))


@router.post("/jobs/params/{job_id}", openapi_extra=documented(ENCODING))
def set_params_2023(job_id: str, body: Body, _: Claims, house: Server, tell: Tell) -> dict[str, object]:
    """Set the encoding document of a draft."""
    return tell.answer(house.desk.set_params(job_id, body, "legacy"))


@router.patch("/jobs/{job_id}/params", openapi_extra=documented(ENCODING, {"app": ENCODING}))
def set_params(job_id: str, body: Body, _: Claims, house: Server, tell: Tell) -> dict[str, object]:
    """Set the encoding document of a draft, bare or under `app`."""
    return tell.answer(house.desk.set_params(job_id, body, "current"))


@router.post("/jobs/uploadcompleted/{job_id}")
def upload_completed_2023(job_id: str, _: Claims, house: Server) -> object:
    """Say that the file of a draft was sent."""
    return generic(lambda: house.desk.upload_completed(job_id, "legacy"))


@router.patch("/jobs/{job_id}/uploadcompleted")
def upload_completed(job_id: str, _: Claims, house: Server) -> object:
    """Say that the file of a draft was sent."""
    return generic(lambda: house.desk.upload_completed(job_id, "current"))


@router.patch("/jobs/{job_id}/configs")
def set_config(job_id: str, body: Body, _: Claims, house: Server, tell: Tell) -> dict[str, object]:
    """Set the timeouts of a draft, in seconds."""
    return tell.answer(house.desk.set_config(job_id, body))


@router.patch("/jobs/{job_id}/jobname", openapi_extra=documented("A new name"))
def set_name(job_id: str, body: AnyBody, _: Claims, house: Server, tell: Tell) -> dict[str, object]:
    """Rename a draft; the body is a JSON text."""
    return tell.answer(house.desk.set_name(job_id, body))


@router.get("/jobs/estimation/{job_id}")
def estimation(job_id: str, _: Claims, house: Server) -> dict[str, object]:
    """What a draft will cost, in ByteChips."""
    return {"estimation": {"totalEstimation": house.desk.estimate(job_id)}}


@router.post("/jobs/run/{job_id}")
@router.post("/jobs/{job_id}/run")
def run(job_id: str, body: AnyBody, _: Claims, house: Server) -> object:
    """Start a draft."""
    return generic(lambda: house.desk.run(job_id, mapping(body)))


@router.post("/jobs/{job_id}/abort")
def abort(job_id: str, _: Claims, house: Server) -> object:
    """End a running job; a draft is deleted."""
    return generic(lambda: house.desk.abort(job_id))


@router.get("/jobs/{job_id}")
def job(job_id: str, _: Claims, house: Server, tell: Tell) -> dict[str, object]:
    """A job."""
    return tell.answer(house.database.job(job_id))


@router.delete("/jobs/{job_id}")
def delete(job_id: str, _: Claims, house: Server) -> object:
    """Delete a job and its files."""
    return generic(lambda: house.desk.delete(job_id))


@router.get("/jobs/{job_id}/results")
def results(job_id: str, _: Claims, house: Server, tell: Tell) -> dict[str, object]:
    """Links to the files that a job made; none once they are deleted."""
    found = house.database.job(job_id)
    if found.state == COMPLETE:
        return {"results": tell.results(found)}
    if dialect_of(found, house.settings.dialect) == "current":
        raise unmet("job has not yet been completed")
    return {"results": None}


@router.post("/logs")
def logs(body: Body, _: Claims, house: Server) -> dict[str, object]:
    """What was said about a job."""
    wanted: Job = house.database.job(text(body, "job_id"))
    rows = house.database.rows(
        "SELECT service, level, at, text FROM logs WHERE job_id = ? ORDER BY number", (wanted.id,)
    )
    chosen = [
        row for row in rows if _chosen(row[0], field(body, "services")) and _chosen(row[1], field(body, "levels"))
    ]
    told: dict[str, list[dict[str, object]]] = {"PARTITIONER": [], "ASSEMBLER": [], "TASKRUNNER": []}
    for service, level, at, said in chosen:
        told[str(service)].append({"log": said, "timestamp": at, "level": level, "container": "ffmpeg"})
    runners = {wanted.id: {"logs": told["TASKRUNNER"]}} if told["TASKRUNNER"] else {}
    return {"partitioner": told["PARTITIONER"], "assembler": told["ASSEMBLER"], "taskrunner": runners}


@router.get("/events")
async def event_stream(_: Claims, house: Server) -> StreamingResponse:
    """What becomes of jobs, a JSON object a line, as it happens."""
    before = await run_in_threadpool(lately, house)
    return StreamingResponse(events(house, before), media_type="application/json")


@router.get("/wallet/balance")
def balance_2023(_: Claims, house: Server) -> dict[str, object]:
    """What the account holds, in the words of 2023."""
    return balance_of(house, legacy=house.settings.dialect != "current")


def _chosen(value: object, wanted: object) -> bool:
    """Whether a filter lets something through; an empty one lets all."""
    return not isinstance(wanted, list) or not wanted or value in wanted


def _told_page(found: Page, tell: Tell) -> Plain:
    return {"pagination": found.pagination(), "data": [tell.job(each) for each in found.jobs]}
