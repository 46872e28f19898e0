"""The two generations of paths, and which one a host has."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar
from urllib.parse import quote

from reconciler.bytenite.failures import AnsweredError
from reconciler.bytenite.wire import Generation

Verb = Literal["datasource", "params", "uploadcompleted", "run"]
Answer = TypeVar("Answer")

# What a host answers where it does not have a path.
NO_SUCH_PATH = frozenset({404, 405, 501})
_ORDER: tuple[Generation, ...] = ("current", "legacy")


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path below `jobs`."""

    method: str
    path: str


def route(verb: Verb, job_id: str, generation: Generation) -> Route:
    """The way to a verb of a job."""
    if generation == "legacy":
        return Route("POST", f"/jobs/{verb}/{step(job_id)}")
    return Route("POST" if verb == "run" else "PATCH", f"/jobs/{step(job_id)}/{verb}")


def step(job_id: str) -> str:
    """An id as one step of a path, whatever a server or a user calls an id."""
    return quote(job_id, safe="") if job_id.strip(".") else "-"


class Generations:
    """Knows or finds a host's generation: the first call that works decides. Safe in threads."""

    def __init__(self, known: Generation | None) -> None:
        self.known = known
        self._finding = threading.Lock()

    def first_that_works(self, ask: Callable[[Generation], Answer]) -> Answer:
        """Ask in the host's generation; in both, if it is not known. Raises what the host's last word was."""
        known = self.known
        if known is None:
            # One thread finds it out, the others wait for that.
            with self._finding:
                known = self.known
                if known is None:
                    return self._found(ask)
        return ask(known)

    def _found(self, ask: Callable[[Generation], Answer]) -> Answer:
        current, legacy = _ORDER
        try:
            answer = ask(current)
        except AnsweredError as error:
            if error.status not in NO_SUCH_PATH:
                # Refused, and so understood.
                self.known = current
                raise
            answer = ask(legacy)
            self.known = legacy
        else:
            self.known = current
        return answer
