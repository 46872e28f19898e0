"""A line for each request, without anything that opens anything: no query, no token, no key."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FOLDER_TOKEN = re.compile(r"(/results-folder/)[^/]*")

log = logging.getLogger("reconciler.server.access")


class AccessLog:
    """Wraps an application."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = time.monotonic) -> None:
        self._app, self._clock = app, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, and note how it was answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = self._clock(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            log.info(
                "%s %s %s %.0f ms",
                scope["method"],
                loggable(scope["path"]),
                status or "-",
                (self._clock() - began) * 1000,
            )


def loggable(path: str) -> str:
    """A path without the token that may stand in it, and without what would break a line."""
    return _FOLDER_TOKEN.sub(r"\1...", path).encode("unicode_escape").decode()[:300]
