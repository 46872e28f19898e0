"""Answers that say `ok`: of run, abort, delete and the like."""

from __future__ import annotations

from collections.abc import Callable

from fastapi.responses import JSONResponse

from reconciler.server.errors import ApiError, accepted


def generic(act: Callable[[], object]) -> JSONResponse:
    """Do something, and say whether it was done."""
    try:
        act()
    except ApiError as error:
        return JSONResponse(error.generic(), error.status, error.headers)
    return JSONResponse(accepted())
