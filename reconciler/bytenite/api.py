"""The calls that encoding needs, by what they do; which paths a host has is nobody else's business."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import TypeVar

from reconciler.bytenite.client import TRIES, Call, Client, Repeat
from reconciler.bytenite.failures import AnsweredError, TroubledError
from reconciler.bytenite.generations import NO_SUCH_PATH, Generations, Verb, route, step
from reconciler.bytenite.wire import (
    Balance,
    Generation,
    Job,
    Page,
    Result,
    WireError,
    create_body,
    read_balance,
    read_estimation,
    read_job,
    read_page,
    read_results,
)

Read = TypeVar("Read")

NOT_THERE = 404
_PAGE = 100
_UNREADABLE = 502


class Api:
    """One server. All calls raise as Client.call does; a job that is not there is AnsweredError 404 but for `get`."""

    def __init__(self, client: Client, generations: Generations) -> None:
        self.client = client
        self.generations = generations
        self._below = f"/{client.access.segment}"
        self._estimates = True

    def create(self, name: str, template_id: str, job_id: str, description: str) -> Job:
        """A new draft, or the one of this id as it is now. Not repeated: whoever calls looks what became of it."""
        body = create_body(name, template_id, job_id, description)
        return self._job(Call("POST", f"{self._below}/jobs", body, repeat="refused"))

    def get(self, job_id: str, *, tries: int = TRIES) -> Job | None:
        """A job as it stands; None if it is not there, or deleted."""
        try:
            job = self._job(Call("GET", f"{self._below}/jobs/{step(job_id)}", tries=tries))
        except AnsweredError as error:
            if error.status == NOT_THERE:
                return None
            raise
        return None if job.deleted else job

    def set_source(self, job_id: str, body: Mapping[str, object]) -> Job:
        """Set where a draft reads and writes; the draft as the server understood it."""
        return self._set("datasource", job_id, lambda _: body)

    def set_params(self, job_id: str, body: Callable[[Generation], Mapping[str, object]]) -> Job:
        """Set what a draft makes; `body` as a generation wants it."""
        return self._set("params", job_id, body)

    def upload_completed(self, job_id: str) -> None:
        """Say that a file is uploaded."""
        self.generations.first_that_works(lambda generation: self._verb("uploadcompleted", job_id, generation, {}))

    def run(self, job_id: str) -> None:
        """Start a draft: costs money, and is never repeated here."""
        self.generations.first_that_works(
            lambda generation: self._started(self._routed("run", job_id, generation, {}, repeat="never"))
        )

    def abort(self, job_id: str) -> None:
        """End a job; a draft is deleted."""
        try:
            self._call("POST", f"/jobs/{step(job_id)}/abort", {})
        except AnsweredError as error:
            # Whether that is the job or the path, only the other path tells.
            if error.status not in NO_SUCH_PATH or self.generations.known == "current":
                raise
            self._call("POST", f"/jobs/abort/{step(job_id)}", {})

    def delete(self, job_id: str) -> None:
        """Delete a job with its files."""
        self._call("DELETE", f"/jobs/{step(job_id)}")

    def estimate(self, job_id: str) -> Decimal | None:
        """What a draft will cost, in ByteChips; None where the server does not say."""
        if not self._estimates:
            return None
        try:
            return read_estimation(self._call("GET", f"/jobs/estimation/{step(job_id)}"))
        except AnsweredError as error:
            if error.status not in NO_SUCH_PATH:
                raise
            self._estimates = False
            return None

    def results(self, job_id: str) -> list[Result]:
        """The files of a finished job; every call signs the links anew."""
        return read_results(self._call("GET", f"/jobs/{step(job_id)}/results"))

    def pages(self, *, tries: int = TRIES) -> Iterator[Page]:
        """All jobs, in the server's order. Ends where a page is empty, the last, or one that was there already."""
        offset, seen = 0, set[str]()
        while True:
            query = {"pagination.limit": str(_PAGE), "pagination.offset": str(offset)}
            page = self._read(Call("GET", f"{self._below}/jobs", query=query, tries=tries), read_page)
            ids = {job.id for job in page.jobs}
            if not ids - seen:
                return
            yield page
            if not page.has_next:
                return
            seen |= ids
            offset += len(page.jobs)

    def has_info(self) -> bool | None:
        """Whether the host has the path that only the current generation documents; None if it does not say."""
        try:
            self._call("GET", "/info")
        except AnsweredError as error:
            return False if error.status in NO_SUCH_PATH else None
        return True

    def balance(self) -> Balance | None:
        """What is in the wallet; None where the server does not say."""
        paths: Mapping[Generation, str] = {"current": "/wallet/balance", "legacy": f"{self._below}/wallet/balance"}
        known = self.generations.known
        for path in [paths[known]] if known is not None else paths.values():
            try:
                return read_balance(self.client.call(Call("GET", path)))
            except AnsweredError as error:
                if error.status not in NO_SUCH_PATH:
                    raise
        return None

    def _set(self, verb: Verb, job_id: str, body: Callable[[Generation], Mapping[str, object]]) -> Job:
        return self.generations.first_that_works(
            lambda generation: self._job(self._routed(verb, job_id, generation, body(generation)))
        )

    def _verb(self, verb: Verb, job_id: str, generation: Generation, body: object) -> None:
        self.client.call(self._routed(verb, job_id, generation, body))

    def _routed(
        self, verb: Verb, job_id: str, generation: Generation, body: object, *, repeat: Repeat = "always"
    ) -> Call:
        way = route(verb, job_id, generation)
        return Call(way.method, self._below + way.path, body, repeat=repeat)

    def _started(self, call: Call) -> None:
        if self.client.call(call) is None:
            # Nobody can tell an empty answer from one that was cut off.
            raise TroubledError(f"{self.client.access.name}: {call} was answered nothing", status=_UNREADABLE)

    def _call(self, method: str, path: str, body: object = None) -> object:
        return self.client.call(Call(method, self._below + path, body))

    def _job(self, call: Call) -> Job:
        return self._read(call, read_job)

    def _read(self, call: Call, read: Callable[[object], Read]) -> Read:
        try:
            return read(self.client.call(call))
        except WireError as error:
            words = f"{self.client.access.name}: {call} was answered what cannot be read: {error}"
            raise TroubledError(words, status=_UNREADABLE) from error
