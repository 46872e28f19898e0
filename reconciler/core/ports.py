"""What the executor asks of the outside world, in words. `tests/contract` holds every provider to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from reconciler.core.encode import Output, Source


@dataclass(frozen=True, slots=True)
class JobRequest:
    """One job: the outputs of one encode that are to be made on one provider.

    `job_id` is the deterministic key: uuid5 of project, addresses, fingerprints and attempt.
    """

    job_id: str
    name: str
    encode: str
    source: Source
    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True)
class SourceSeen:
    """What was learnt of a source's content while a job read it; `sha256` where it was computed."""

    identity: str
    size: int | None = None
    mtime_ns: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a look at a local source found; `sha256` only where size and mtime could not settle the question."""

    identity: str
    exists: bool
    size: int | None = None
    mtime_ns: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A source that can be read: a local path, what was seen of it, and what it took."""

    path: str
    seen: SourceSeen
    size: int
    seconds: float
    cached: bool


class Fetch(Protocol):
    """Brings a source to this machine, or fails with RejectedError or UnavailableError."""

    def __call__(
        self, source: Source, report: Callable[[int, int | None], None], cancelled: Callable[[], bool]
    ) -> Fetched:
        """`report` is told bytes so far and in all; the fetch stops soon after `cancelled` says so."""


@dataclass(frozen=True, slots=True)
class Verified:
    """An output that is whole. `path` is a temporary file, fsynced, not yet under its final name."""

    path: str
    size: int
    sha256: str
    summary: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspect:
    """An output that was made but does not prove whole; its file is kept where `path` says, for a look."""

    path: str
    size: int
    sha256: str
    error: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotMade:
    """An output that could not be made; `error` is the last meaningful line of whoever tried."""

    error: str


OutputResult = Verified | Suspect | NotMade


@dataclass(frozen=True, slots=True)
class Draft:
    """The job is complete and not started; starting it is safe."""


@dataclass(frozen=True, slots=True)
class Running:
    """The job was started and has not ended.

    `fraction` is 0 to 1 where known, `speed` in seconds of media a second, `remaining` in seconds.
    `process` is the pid and start time (seconds since the epoch) of a local process, once there is one.
    `message` says something worth a line of its own ("fetched bbb.mp4 158 MB"); it is given once.
    """

    stage: Literal["waiting", "fetching", "encoding", "verifying"]
    fraction: float | None = None
    speed: float | None = None
    remaining: float | None = None
    process: tuple[int, float] | None = None
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The job ended; `outputs` has a result for every output asked for, by output name.

    `encoder` names the encoder build, `seconds` is how long the encode itself took.
    """

    outputs: Mapping[str, OutputResult]
    source: SourceSeen
    encoder: str = ""
    seconds: float | None = None
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The job ended and made nothing."""

    error: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The provider does not know the job (any more)."""


Observation = Draft | Running | Done | Failed | Lost


@dataclass(frozen=True, slots=True)
class Traits:
    """What the executor must know of a provider's kind.

    `paid`: a start costs money. `outlives`: jobs go on when this process ends, so an interrupted apply
    leaves them alone and the next one attaches to them.
    """

    paid: bool
    outlives: bool


class Provider(Protocol):
    """Who runs jobs. None of the calls waits for a job; all but `start` may be repeated freely."""

    # What kind of provider this is.
    traits: Traits

    # How many of its jobs run at once.
    parallelism: int

    def prepare(self, job: JobRequest) -> str:
        """Make a draft: complete, not started, not paid. Gives the provider's id of it.

        A live job of the same id (or name) is adopted, running or finished. Whatever an earlier, killed
        process left behind of this job is cleared away first. Raises RejectedError, UnavailableError,
        CredentialsError.
        """

    def start(self, job_id: str) -> None:
        """Start a draft: the one call that costs money. Starting a started job is no error."""

    def observe(self, job_ids: Sequence[str]) -> Mapping[str, Observation]:
        """Say where each job stands; every id asked for is in the answer."""

    def cancel(self, job_id: str) -> None:
        """End a job and clear away what it left; ending an ended or unknown job is no error."""

    def close(self) -> None:
        """Let go of everything that this process holds; for a provider whose jobs do not outlive it, end them."""
