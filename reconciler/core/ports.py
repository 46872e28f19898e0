"""What the executor asks of the outside world, in words. `tests/contract` holds every provider to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Literal, Protocol, runtime_checkable

from reconciler.core.checks import CheckResult
from reconciler.core.copies import FromLink
from reconciler.core.encode import Output, Source
from reconciler.core.manifest import Canonical


@dataclass(frozen=True, slots=True)
class JobRequest:
    """One job: the outputs of one encode that are to be made on one provider.

    `job_id` is the deterministic key: uuid5 of project, addresses, fingerprints and attempt; of a job that is
    gone on with it is the provider's own id, where that differs.
    """

    job_id: str
    name: str
    project: str
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
    """An output that is whole. `path` is a temporary file, fsynced, not yet under its final name.

    `duration` is in seconds. `pins` are values that were searched for, and hold when it is made again.
    """

    path: str
    size: int
    sha256: str
    summary: str
    notes: tuple[str, ...] = ()
    duration: float | None = None
    checks: tuple[CheckResult, ...] = ()
    pins: Mapping[str, Canonical] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """An output that is whole and stays with the provider.

    `name` is what the provider calls it. `link` opens it, signed or not, until `link_expires_at`; at
    `expires_at` the file itself is deleted (both RFC 3339; None: not known, or never). `duration` in seconds.
    """

    name: str
    link: str
    size: int | None = None
    summary: str = ""
    link_expires_at: str | None = None
    expires_at: str | None = None
    duration: float | None = None
    notes: tuple[str, ...] = ()
    checks: tuple[CheckResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspect:
    """An output that was made but does not prove whole; it is kept where `path` says, for a look.

    `path` is a file, or the link of what a provider holds, without its signature. `held` is a file there that is whole,
    and only does not meet a check that the spec asks for.
    """

    path: str
    error: str
    size: int | None = None
    sha256: str | None = None
    notes: tuple[str, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    held: Held | None = None


@dataclass(frozen=True, slots=True)
class NotMade:
    """An output that could not be made; `error` is the last meaningful line of whoever tried."""

    error: str


OutputResult = Verified | Held | Suspect | NotMade


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

    `encoder` names the encoder build, `seconds` is how long the encode itself took, `cost` what was paid as a
    decimal number with its currency ("28 BYC"), `finished_at` when the provider says that it ended (RFC 3339).
    `found`: it had been started already when this process first heard of it, so it is not this one that pays.
    """

    outputs: Mapping[str, OutputResult]
    source: SourceSeen
    encoder: str = ""
    seconds: float | None = None
    cost: str | None = None
    finished_at: str | None = None
    messages: tuple[str, ...] = ()
    found: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The job ended and made nothing. Not `tried`: this machine was not ready for it, which uses up no attempt."""

    error: str
    tried: bool = True


@dataclass(frozen=True, slots=True)
class Lost:
    """The provider does not know the job (any more)."""


Observation = Draft | Running | Done | Failed | Lost


@dataclass(frozen=True, slots=True)
class Traits:
    """What the executor must know of a provider's kind.

    `paid`: a start costs money. `outlives`: jobs go on when this process ends, so an interrupted apply
    leaves them alone and the next one attaches to them. `submissions` is how many jobs may be prepared and
    started at the same time, each in a thread of its own; 1: none, all of it is quick.
    """

    paid: bool
    outlives: bool
    submissions: int = 1


@dataclass(frozen=True, slots=True)
class MadeOutput:
    """One output of a job that was found at a provider: what the provider calls it, and whose it is if it says so."""

    name: str
    address: str | None = None
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class FoundJob:
    """A job of this project that a provider knows, though the state may not. Times are RFC 3339."""

    job_id: str
    name: str
    status: Literal["draft", "running", "complete", "failed"]
    makes: tuple[MadeOutput, ...]
    created_at: str | None = None
    finished_at: str | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """What a look at a finished output through its link gave; `wrong` says why it cannot be called whole.

    `size` is that of all files of a package, in bytes.
    """

    summary: str
    duration: float | None = None
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    size: int | None = None


class PackageFiles(Protocol):
    """The files of a package of HLS that a provider holds, by their paths below the playlist that opens it."""

    def read(self, name: str) -> bytes:
        """A playlist or a segment. Raises FileNotFoundError for one that is not there, OSError where reading fails."""

    def sizes(self, names: Sequence[str]) -> Mapping[str, int | None]:
        """How long files are, in bytes, by name; None for one that is not there. Raises OSError."""


class Examine(Protocol):
    """Looks at an output that somebody else made, through as little of its file as will do."""

    def __call__(self, file: IO[bytes], size: int, output: Output, source: IO[bytes] | None) -> Examined:
        """`file` can be read and sought in, `size` is its length in bytes. Raises OSError where reading fails.

        `source` is what it was made from, of which only the header is read: what is there to be heard and how long
        it is. None where it cannot be had; what fails in reading it is told as a note.
        """


class ExaminePackage(Protocol):
    """As Examine, of a package."""

    def __call__(self, files: PackageFiles, output: Output, source: IO[bytes] | None) -> Examined:
        """Raises OSError where reading fails, other than for what is not there."""


class Inspect(Protocol):
    """Makes the checks that a spec asks for, on an output that a provider holds."""

    def __call__(self, held: FromLink, output: Output) -> tuple[CheckResult, ...]:
        """What was measured of the file. After RejectedError and UnavailableError nothing is known."""


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
        """Start a draft: the one call that costs money. Starting a started job is no error.

        UnavailableError means that nobody knows whether it was started: whoever calls observes, and does not
        call again blindly. RejectedError and CredentialsError mean that it was not.
        """

    def attach(self, job: JobRequest) -> None:
        """Take up a job that an earlier process may have started, by the provider's own id; nothing is made."""

    def observe(self, job_ids: Sequence[str]) -> Mapping[str, Observation]:
        """Say where each job stands; every id asked for is in the answer."""

    def cancel(self, job_id: str) -> None:
        """End a job and clear away what it left; ending an ended or unknown job is no error."""

    def close(self) -> None:
        """Let go of everything that this process holds; for a provider whose jobs do not outlive it, end them."""


@runtime_checkable
class Checks(Protocol):
    """A provider that can tell at once whether it can work at all."""

    def check(self) -> None:
        """Raise ProviderError if no job could run, before any is prepared."""


@runtime_checkable
class Kills(Protocol):
    """A provider whose jobs are processes of ours."""

    def kill(self) -> None:
        """Kill every one of them at once, without waiting: for the second interrupt."""


@runtime_checkable
class Quotes(Protocol):
    """A provider that may know what a job will cost before it is started."""

    def quote(self, job_id: str) -> str | None:
        """What a prepared job will cost ("124 BYC"); None if the provider does not say."""


@runtime_checkable
class Reports(Protocol):
    """A provider that can be asked whether it is there and whether it lets us in."""

    def report(self) -> tuple[str, ...]:
        """What there is to say of it, a line each. Raises UnavailableError, CredentialsError, RejectedError."""


@runtime_checkable
class RenewsLinks(Protocol):
    """A provider that signs links to the files it holds anew, for nothing."""

    @property
    def private_links(self) -> bool:
        """Whether its links may lead to private addresses, since it has one itself, by the user's word."""

    def fresh_links(self, job_id: str) -> Sequence[Held]:
        """Links to everything that a job made; none if its files are gone. Raises ProviderError."""


@runtime_checkable
class FindsJobs(Protocol):
    """A provider that can be searched for the jobs of a project, to rebuild a lost state."""

    def jobs_of(self, project: str) -> Iterator[FoundJob]:
        """Every job that carries the project's name, oldest first. Raises ProviderError."""


@runtime_checkable
class Forgets(Protocol):
    """A provider that remembers the jobs of its process until it is told that nobody asks about one any more."""

    def forget(self, job_id: str) -> None:
        """Let go of a job that has ended; of any other nothing happens."""


@runtime_checkable
class DeletesJobs(Protocol):
    """A provider whose ended jobs can be deleted, with the files it holds."""

    def delete(self, job_id: str) -> None:
        """Delete a job; one that is not there is no error. Raises ProviderError."""
