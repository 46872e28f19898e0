"""Uploads and results: opened by their links alone, never by a token."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Mapping
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response
from starlette.concurrency import run_in_threadpool

from reconciler.server.errors import ApiError
from reconciler.server.files import write_all
from reconciler.server.links import LinkError
from reconciler.server.requests import Server

router = APIRouter(include_in_schema=False)

# A player in a web page may open what its user was given a link to.
_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "private, max-age=0",
    "X-Content-Type-Options": "nosniff",
}
# Of every file that an output may be, or a package hold.
_TYPES: Mapping[str, str] = {
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".flac": "audio/flac",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".vtt": "text/vtt",
    ".srt": "application/x-subrip",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".m4s": "video/iso.segment",
    ".ts": "video/mp2t",
}


@router.api_route("/results/{job_id}/{name:path}", methods=["GET", "HEAD"])
def result(job_id: str, name: str, request: Request, house: Server) -> Response:
    """A finished file."""
    _refuse_credentials(request)
    house.links.check("GET", f"/results/{job_id}/{name}", request.query_params)
    return _file(house.files.result(job_id, name))


@router.api_route("/results-folder/{token}/{job_id}/{name:path}", methods=["GET", "HEAD"])
def result_in_folder(token: str, job_id: str, name: str, request: Request, house: Server) -> Response:
    """A file of a package, whose playlists name the others relative to themselves."""
    _refuse_credentials(request)
    house.links.check_folder(token, job_id)
    return _file(house.files.result(job_id, name))


@router.put("/uploads/{job_id}")
async def upload(job_id: str, request: Request, house: Server) -> Response:
    """Take the file of a draft, as it comes."""
    _refuse_credentials(request)
    house.links.check("PUT", f"/uploads/{job_id}", request.query_params)
    await run_in_threadpool(house.desk.check_upload, job_id)
    part = house.files.upload_part(job_id, house.desk.new_id())
    _check_room(part.parent, request.headers.get("Content-Length", ""))
    try:
        await _receive(request, part)
        await run_in_threadpool(house.desk.keep_upload, job_id, part)
    except OSError as error:
        raise _no_room(error) from error
    finally:
        part.unlink(missing_ok=True)
    return Response(status_code=200)


async def _receive(request: Request, part: Path) -> None:
    """Write a body to a file. One that breaks off raises starlette's ClientDisconnect."""
    with part.open("xb", buffering=0) as file:
        async for chunk in request.stream():
            await run_in_threadpool(write_all, file, chunk)


def _check_room(folder: Path, length: str) -> None:
    free = shutil.disk_usage(folder).free
    if length.isdecimal() and int(length) > free:
        raise ApiError(507, f"the file has {int(length):,} bytes, the server has {free:,} free")


def _no_room(error: OSError) -> Exception:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    return ApiError(507, "the server has no room for the file") if full else error


def _file(path: Path | None) -> Response:
    if path is None:
        raise LinkError(404, "NoSuchKey", "The file is not there: it was deleted, or never was.")
    return FileResponse(path, headers=_HEADERS, media_type=_TYPES.get(path.suffix, "application/octet-stream"))


def _refuse_credentials(request: Request) -> None:
    if "Authorization" in request.headers:
        raise LinkError(
            400,
            "InvalidArgument",
            "Only one way to authorize is allowed: the link is one, send no Authorization header.",
        )
