"""Drafts: found where an earlier process left them, else made; then told what to read and what to make.

A job is bought once, so before a draft is made the server is searched for one of the same id, or of the same name.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import requests

from reconciler.bytenite import describing
from reconciler.bytenite.access import is_loopback
from reconciler.bytenite.api import Api
from reconciler.bytenite.client import Clocks
from reconciler.bytenite.data_sources import Sign, data_source
from reconciler.bytenite.echo import echo_differences
from reconciler.bytenite.failures import AnsweredError
from reconciler.bytenite.kind import ByteniteOptions
from reconciler.bytenite.limits import back_off
from reconciler.bytenite.listing import Listing
from reconciler.bytenite.upload import AddressExpiredError, upload
from reconciler.bytenite.values import field as json_field
from reconciler.bytenite.wire import (
    BucketKind,
    Generation,
    Job,
    Wrapper,
    is_draft,
    params_body,
)
from reconciler.core.encode import Source
from reconciler.core.errors import ProviderError, RejectedError, UnavailableError
from reconciler.core.ports import Fetch, JobRequest, SourceSeen

_TRIES = 3
# Ids of ours are made from names (RFC 9562, version 5); a server's own are random.
_OURS = 5
# An id that the server does not take from us, or that it has used for something that is gone.
_ID_REFUSED = frozenset({400, 404, 409, 410, 412, 422})
_BAD_REQUEST = 400


@dataclass(slots=True)
class Learnt:
    """What only trying tells of a host: how it wants buckets and documents to be called."""

    amazon: BucketKind = "aws"
    wrapper: Wrapper | None = None


@dataclass(slots=True)
class Drafts:
    """Finds, makes and completes drafts. Safe in threads: jobs have nothing in common but what is learnt."""

    api: Api
    listing: Listing
    options: ByteniteOptions
    fetch: Fetch
    environment: Mapping[str, str]
    clocks: Clocks
    links: Callable[[], requests.Session]
    sign: Sign
    learnt: Learnt = field(default_factory=Learnt)

    def find(self, request: JobRequest, *, fresh: bool = False) -> Job | None:
        """The live job of a request, exactly as it stands; None if there is none. A second draft of it is deleted."""
        if _id_of_server(request.job_id):
            return self.api.get(request.job_id)
        found = self.listing.find(request.job_id, request.name, fresh=fresh)
        found = [one for one in found if not describing.contradicts(one.description, request)]
        living = next((job for one in found if (job := self.api.get(one.id)) is not None), None)
        for other in found:
            if living is not None and other.id != living.id and is_draft(other):
                self._drop(other.id)
        return living

    def create(self, request: JobRequest) -> Job:
        """A draft of a request's id, or of one of the server's own; after a lost answer it is looked for first."""
        send_id, attempt = True, 0
        while True:
            attempt += 1
            try:
                job = self._create(request, request.job_id if send_id else "")
            except UnavailableError:
                if attempt >= _TRIES:
                    raise
                self.clocks.sleep(back_off(attempt, self.clocks.dice))
                job_or_none = self._after_lost_answer(request)
            except AnsweredError as error:
                if not send_id or error.status not in _ID_REFUSED:
                    raise
                send_id, attempt = False, 0
                job_or_none = self.api.get(request.job_id)
            else:
                return job if job.id == request.job_id else self._oldest_of_name(job, request)
            if job_or_none is not None:
                return job_or_none

    def complete(self, draft: Job, request: JobRequest) -> SourceSeen | None:
        """Tell a draft all it must know, and see that it was understood; what was seen of a source that was uploaded.

        Raises RejectedError if the server dropped or changed something.
        """
        told = self._set_source(draft.id, request)
        self._set_params(draft.id, request)
        return self._upload(told, request) if request.source.kind == "file" else None

    def _create(self, request: JobRequest, job_id: str) -> Job:
        job = self.api.create(request.name, self.options.template_id, job_id, describing.description(request))
        if job_id and job.id != job_id:
            self.listing.ids_ignored = True
        return job

    def _oldest_of_name(self, made: Job, request: JobRequest) -> Job:
        """The job that all agree on where a server gives ids of its own: somebody else may have made one just now.

        `find` takes a job that was started, else the oldest draft, and drops the other drafts.
        """
        return self.find(request, fresh=True) or made

    def _after_lost_answer(self, request: JobRequest) -> Job | None:
        """The draft that a call made whose answer was lost."""
        return self.api.get(request.job_id) or self.find(request, fresh=True)

    def _drop(self, job_id: str) -> None:
        """Delete a second draft, if that goes: it costs nothing, and nobody will start it."""
        try:
            self.api.delete(job_id)
        except ProviderError:
            return

    def _set_source(self, job_id: str, request: JobRequest) -> Job:
        body = self._data_source(request.source)
        try:
            told = self.api.set_source(job_id, body)
        except AnsweredError as error:
            if error.status != _BAD_REQUEST or self.learnt.amazon == "s3" or not _uses_amazon(body):
                raise
            # What was called "s3" until September 2025.
            self.learnt.amazon = "s3"
            body = self._data_source(request.source)
            told = self.api.set_source(job_id, body)
        _understood(body, {"dataSource": told.data_source, "dataDestination": told.data_destination}, "source")
        return told

    def _set_params(self, job_id: str, request: JobRequest) -> None:
        document = describing.document(request.outputs)
        names = describing.file_names(request.outputs, request.name)
        twice = sorted({name for name in names.values() if list(names.values()).count(name) > 1})
        if twice:
            raise RejectedError(f"two outputs would be the file {twice[0]}; make output_template tell them apart")
        ways = self._wrappers()
        for wrapper in ways:
            last = wrapper == ways[-1]
            try:
                told = self.api.set_params(job_id, _Wrapped(document, wrapper))
            except AnsweredError as error:
                if last or error.status != _BAD_REQUEST:
                    raise
                continue
            if last or not echo_differences(document, told.params):
                _understood(document, told.params, "parameters")
                self.learnt.wrapper = wrapper
                return

    def _wrappers(self) -> list[Wrapper]:
        """How to send a document: as the user says, as was learnt, or first as the newer documentation has it."""
        if self.options.document != "auto":
            return [self.options.document]
        if self.api.generations.known == "legacy":
            return ["flat"]
        return ["app", "flat"] if self.learnt.wrapper is None else [self.learnt.wrapper]

    def _data_source(self, source: Source) -> dict[str, object]:
        return data_source(source, self.options, self.environment, self.learnt.amazon, self.sign)

    def _upload(self, told: Job, request: JobRequest) -> SourceSeen:
        """Bring the file to where the server wants it; a dead address is replaced once."""
        fetched = self.fetch(request.source, _ignore, _never)
        if not fetched.size:
            raise RejectedError(f"{request.source.identity} is empty")
        path = Path(fetched.path)
        with self.links() as session:
            try:
                upload(session, _upload_address(told), path, self.clocks.sleep, self.clocks.dice)
            except AddressExpiredError:
                again = self._set_source(told.id, request)
                upload(session, _upload_address(again), path, self.clocks.sleep, self.clocks.dice)
        self.api.upload_completed(told.id)
        return fetched.seen


@dataclass(frozen=True, slots=True)
class _Wrapped:
    """A document, sent as a generation wants it."""

    document: Mapping[str, object]
    wrapper: Wrapper

    def __call__(self, generation: Generation) -> Mapping[str, object]:
        return params_body(self.document, generation, self.wrapper)


def _ignore(_done: int, _total: int | None) -> None:
    """Nobody follows this transfer."""


def _never() -> bool:
    """Nobody ends this transfer."""
    return False


def _id_of_server(job_id: str) -> bool:
    try:
        return uuid.UUID(job_id).version != _OURS
    except ValueError:
        return True


def _uses_amazon(body: Mapping[str, object]) -> bool:
    return any(isinstance(one, Mapping) and one.get("dataSourceDescriptor") == "aws" for one in body.values())


def _understood(sent: Mapping[str, object], echoed: object, what: str) -> None:
    """Raise RejectedError, naming the fields, if the server has not taken what it was sent."""
    differences = echo_differences(sent, echoed)
    if differences:
        shown = "; ".join(differences[:5]) + (f"; and {len(differences) - 5} more" if len(differences) > 5 else "")
        raise RejectedError(f"the server took the {what} otherwise than they were sent: {shown}. Nothing was started.")


def _upload_address(job: Job) -> str:
    """Where the server wants the file. Raises RejectedError where it does not say, or says nonsense."""
    params = (job.data_source or {}).get("params")
    url = json_field(params, "tempUrl") if isinstance(params, Mapping) else None
    parts = urlsplit(url) if isinstance(url, str) else None
    if not isinstance(url, str) or parts is None or parts.scheme not in {"http", "https"}:
        raise RejectedError("the server gave no address to upload the source to")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise RejectedError("the server wants the source to be uploaded in clear text")
    return url
