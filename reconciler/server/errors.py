"""What a request is refused with: an HTTP status, a gRPC code, and words that say what would be right."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

# The gRPC codes that ByteNite's gateway turns into HTTP statuses.
_CODES: Mapping[int, int] = {
    400: 3,
    401: 16,
    403: 7,
    404: 5,
    405: 12,
    409: 6,
    413: 11,
    429: 8,
    501: 12,
    503: 14,
    507: 8,
}
_INTERNAL = 13
_PRECONDITION = 9


class ApiError(Exception):
    """A request that is refused. `retry_after` is in seconds, where trying again may help."""

    def __init__(self, status: int, message: str, *, code: int | None = None, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code if code is not None else _CODES.get(status, _INTERNAL)
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        """The headers that go with it."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}

    def rpc_status(self) -> dict[str, object]:
        """The body of most refusals."""
        return {"code": self.code, "message": self.message, "details": []}

    def generic(self) -> dict[str, object]:
        """The body of a refusal of run, abort, delete and whatever else answers with `ok`."""
        return {
            "ok": False,
            "requestId": "",
            "message": self.message,
            "error": {"code": self.status, "message": phrase(self.status), "description": self.message},
        }


def accepted(message: str = "") -> dict[str, object]:
    """The body that says that it was done."""
    return {"ok": True, "requestId": "", "message": message, "error": None}


def invalid(message: str) -> ApiError:
    """The request itself is wrong."""
    return ApiError(400, message)


def unmet(message: str) -> ApiError:
    """The request is right, but not in the state that things are in."""
    return ApiError(400, message, code=_PRECONDITION)


def missing(message: str) -> ApiError:
    """There is no such thing."""
    return ApiError(404, message)


def taken(message: str) -> ApiError:
    """It was done already, and is not done twice."""
    return ApiError(409, message)


def phrase(status: int) -> str:
    """A status in the standard's words."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
