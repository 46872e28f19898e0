"""What routes have in common: who asks, what the body says, how a job and its links are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader
from starlette.concurrency import run_in_threadpool

from reconciler.server import data_sources, states
from reconciler.server.bodies import LARGEST, Plain, mapping, read_json
from reconciler.server.errors import ApiError
from reconciler.server.house import House
from reconciler.server.job_json import envelope, job_json
from reconciler.server.jobs import Job

_TOKEN = APIKeyHeader(
    name="Authorization",
    scheme_name="ApiKeyAuth",
    description="An access token, bare or after `Bearer`.",
    auto_error=False,
)


def house_of(request: Request) -> House:
    """The server behind a request."""
    house: House = request.app.state.house
    return house


async def claims(request: Request, header: Annotated[str | None, Depends(_TOKEN)]) -> Mapping[str, Any]:
    """What the token of a request says. Raises ApiError (401)."""
    return await run_in_threadpool(house_of(request).tokens.claims, header or "")


async def any_body(request: Request) -> object:
    """The JSON of a request, whatever its content type says. Raises ApiError."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LARGEST:
            raise ApiError(413, f"the body is larger than {LARGEST:,} bytes")
    return read_json(bytes(raw))


async def json_body(request: Request) -> Plain:
    """The JSON object of a request. Raises ApiError."""
    return mapping(await any_body(request))


Server = Annotated[House, Depends(house_of)]
Claims = Annotated[Mapping[str, Any], Depends(claims)]
Body = Annotated[Plain, Depends(json_body)]
AnyBody = Annotated[object, Depends(any_body)]


class Base:
    """The URL that clients reach this server by."""

    def __init__(self, request: Request, house: Server) -> None:
        self.url = (house.settings.public_url or str(request.base_url)).rstrip("/")


Reached = Annotated[Base, Depends()]


class Telling:
    """How jobs are told: with links that lead to where the client reached us."""

    def __init__(self, house: Server, base: Reached) -> None:
        self._house = house
        self._base = base.url
        self._setting = house.settings.dialect

    def job(self, job: Job) -> dict[str, object]:
        """A job."""
        return job_json(job, self._setting, self._upload_url(job))

    def answer(self, job: Job) -> dict[str, object]:
        """A job as the answer to a request."""
        return envelope(self.job(job), self._setting)

    def results(self, job: Job) -> list[dict[str, str]]:
        """The files of a job, in an order that says nothing about that of its outputs."""
        many = len(job.results) > 1
        return [
            {
                "name": f"out_{index}/{result.name}" if many else result.name,
                "link": self._link(job.id, result.name, result.master),
            }
            for index, result in enumerate(job.results)
        ]

    def _link(self, job_id: str, name: str, master: str) -> str:
        if not master:
            return self._base + self._house.links.signed("GET", f"/results/{job_id}/{name}")
        token = self._house.links.folder_token(job_id)
        return self._base + self._house.links.signed("GET", f"/results-folder/{token}/{job_id}/{name}/{master}")

    def _upload_url(self, job: Job) -> str:
        if job.state != states.NEW or not data_sources.is_upload(job.data_source):
            return ""
        return self._base + self._house.links.signed("PUT", f"/uploads/{job.id}")


Tell = Annotated[Telling, Depends()]


def documented(*examples: object) -> dict[str, Any]:
    """What /docs shows of a body that is read by hand."""
    shown = {str(number): {"value": value} for number, value in enumerate(examples, 1)}
    return {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}, "examples": shown}}}}
