"""The application: routes, and what errors become."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from reconciler import __version__
from reconciler.server import auth_routes, file_routes, job_routes, wallet_routes
from reconciler.server.access_log import AccessLog
from reconciler.server.errors import ApiError, phrase
from reconciler.server.house import House
from reconciler.server.links import LinkError

_ABOUT = """Speaks the ByteNite API, in its paths of 2023 and of 2025, and encodes with ffmpeg.

Exchange an API key at `/v1/auth/access_token`; all else wants the token in the `Authorization` header.
"""

log = logging.getLogger("reconciler.server")


def create_app(house: House) -> FastAPI:
    """The application over an opened house."""
    # Its pages come from here: a server in a closed network has documentation, too, and nobody else hears of it.
    app = FastAPIOffline(title="reconciler serve", version=__version__, description=_ABOUT, redoc_url=None)
    app.state.house = house
    app.include_router(auth_routes.router)
    app.include_router(wallet_routes.router)
    app.include_router(job_routes.router, prefix="/v1/customer")
    app.include_router(job_routes.router, prefix="/v1/computing", include_in_schema=False)
    app.include_router(file_routes.router)
    app.add_api_route("/healthz", _health, include_in_schema=False)
    app.add_api_route("/", _to_docs, include_in_schema=False)
    app.add_exception_handler(ApiError, _refused)
    app.add_exception_handler(LinkError, _closed)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _broken)
    app.add_middleware(AccessLog)
    return app


def _health(request: Request) -> dict[str, object]:
    """Whether requests are answered and the database can be read."""
    house: House = request.app.state.house
    return {"ok": True, "jobs": house.database.count("")}


def _to_docs() -> Response:
    return RedirectResponse("/docs")


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError), "it is registered for that"
    return JSONResponse(error.rpc_status(), error.status, error.headers)


async def _closed(_: Request, error: Exception) -> Response:
    assert isinstance(error, LinkError), "it is registered for that"
    return Response(error.xml(), error.status, media_type="application/xml")


async def _unknown(_: Request, error: Exception) -> Response:
    """Paths and methods that do not exist."""
    assert isinstance(error, HTTPException), "it is registered for that"
    headers = dict(error.headers or {})
    return JSONResponse(ApiError(error.status_code, phrase(error.status_code)).rpc_status(), error.status_code, headers)


async def _gone(_: Request, __: Exception) -> Response:
    """Nobody hears this: the client went away while it sent."""
    return Response(status_code=400)


async def _broken(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.scope["path"], exc_info=error)
    return JSONResponse(ApiError(500, "internal error of the server; its log says more").rpc_status(), 500)
