"""The provider of type bytenite: jobs that a ByteNite server runs, paid, and going on without us."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import requests
from pydantic import SecretStr

from reconciler.bytenite.access import Access, read_root
from reconciler.bytenite.api import NOT_THERE, Api
from reconciler.bytenite.client import Client, Clocks, api_session
from reconciler.bytenite.collect import Collector
from reconciler.bytenite.drafts import Drafts
from reconciler.bytenite.failures import AnsweredError
from reconciler.bytenite.finding import jobs_of
from reconciler.bytenite.generations import Generations
from reconciler.bytenite.kind import ByteniteOptions
from reconciler.bytenite.known import KnownJob, KnownJobs
from reconciler.bytenite.limits import Limiter
from reconciler.bytenite.listing import Listing
from reconciler.bytenite.lookout import Lookout
from reconciler.bytenite.origins import Origins
from reconciler.bytenite.standing import CURRENCY, standing
from reconciler.bytenite.starting import Starter, there
from reconciler.bytenite.wire import Job, has_ended, is_draft
from reconciler.bytenite.workers import Workers
from reconciler.core.cost import Money
from reconciler.core.errors import CredentialsError, ProviderError, RejectedError, UnavailableError
from reconciler.core.ports import Done, FoundJob, Held, JobRequest, NotMade, Observation, SourceSeen, Traits
from reconciler.core.provider_types import Workshop, from_environment
from reconciler.io.http import session

PARALLELISM = 100
SUBMISSIONS = 4
# After so many seconds without a word from the server, observing gives up.
LOST_SIGHT = 600.0

_COLLECTORS = 4
_AFTER_TROUBLE = 5.0


def built(name: str, options: ByteniteOptions, workshop: Workshop) -> ByteniteProvider:
    """A provider from its options. Raises RejectedError, and CredentialsError for a variable that is not set."""
    return provider(name, options, workshop, Clocks())


def provider(
    name: str, options: ByteniteOptions, workshop: Workshop, clocks: Clocks, lost_sight: float = LOST_SIGHT
) -> ByteniteProvider:
    """As `built`, with clocks of one's own."""
    key = SecretStr(from_environment(options.api_key, workshop.environment, f"providers.{name}.api_key"))
    root = read_root(name, from_environment(options.api_url, workshop.environment, f"providers.{name}.api_url"))
    access = Access(name, root, key, options.segment, options.auth)
    limiter = Limiter(options.requests_per_second, clocks.monotonic, clocks.sleep)
    client = Client(access, limiter, clocks, api_session(access))
    api = Api(client, Generations(None if options.generation == "auto" else options.generation))
    private = workshop.allow_private or access.loopback

    def links() -> requests.Session:
        return session(allow_private=private)

    listing = Listing(api, clocks.monotonic)
    drafts = Drafts(api, listing, options, workshop.fetch, workshop.environment, clocks, links, workshop.sign)
    collector = Collector(
        api=api,
        options=options,
        examine=workshop.examine,
        examine_package=workshop.examine_package,
        inspect=workshop.inspect,
        origins=Origins(workshop.fetch, workshop.environment, links, workshop.sign),
        private=private,
        links=links,
        sleep=clocks.sleep,
        now=clocks.now,
        dice=clocks.dice,
    )
    return ByteniteProvider(
        api, options=options, drafts=drafts, collector=collector, clocks=clocks, lost_sight=lost_sight
    )


class ByteniteProvider:
    """Implements core.ports.Provider, Quotes, Reports, FindsJobs and DeletesJobs. Safe in threads."""

    traits = Traits(paid=True, outlives=True, submissions=SUBMISSIONS)

    def __init__(
        self,
        api: Api,
        *,
        options: ByteniteOptions,
        drafts: Drafts,
        collector: Collector,
        clocks: Clocks,
        lost_sight: float,
    ) -> None:
        self.parallelism = options.parallelism or PARALLELISM
        self._api, self._drafts, self._collector, self._clocks = api, drafts, collector, clocks
        self._price = options.price
        self._known = KnownJobs()
        self._starter = Starter(api, clocks)
        self._looking = Workers("bytenite look", 1)
        self._collecting = Workers("bytenite collect", _COLLECTORS)
        self._lookout = Lookout(api, self._known, self._looking, clocks.monotonic, lost_sight)
        self._no_credentials: CredentialsError | None = None

    def prepare(self, job: JobRequest) -> str:
        """See core.ports.Provider."""
        known = self._known.of_request(job)
        if known is not None:
            return known.id
        found, seen = self._drafted(self._drafts.find(job) or self._drafts.create(job), job)
        known = self._known.wanted(found.id, job)
        known.seen, known.found = seen, not is_draft(found)
        known.told(found, self._clocks.monotonic())
        return found.id

    def quote(self, job_id: str) -> str | None:
        """See core.ports.Quotes. A server that cannot say now is one that does not say."""
        if self._price is not None:
            return None  # the user's own rate card is what was approved
        try:
            estimate = self._api.estimate(job_id)
        except CredentialsError:
            raise
        except ProviderError:
            return None
        return None if not estimate else str(Money(estimate, CURRENCY))

    def start(self, job_id: str) -> None:
        """See core.ports.Provider. Nothing is sent for a job that is known to have been started."""
        self._starter.start(self._known.of(job_id))

    def _drafted(self, found: Job, job: JobRequest) -> tuple[Job, SourceSeen | None]:
        """A job with all it must know; one that somebody else started meanwhile knows it already."""
        if not is_draft(found):
            return found, None
        try:
            return found, self._drafts.complete(found, job)
        except CredentialsError:
            raise
        except ProviderError:
            now = self._api.get(found.id)
            if now is None or is_draft(now):
                raise
            return now, None

    def attach(self, job: JobRequest) -> None:
        """See core.ports.Provider."""
        self._known.wanted(job.job_id, job)

    def observe(self, job_ids: Sequence[str]) -> Mapping[str, Observation]:
        """See core.ports.Provider.

        Passing trouble is not told, what was known last is; UnavailableError if nothing is known, or after
        `lost_sight` seconds of it.
        """
        if not job_ids:
            return {}
        if self._no_credentials is not None:
            raise self._no_credentials
        self._lookout.look(job_ids)
        return {job_id: self._standing(self._known.of(job_id)) for job_id in job_ids}

    def cancel(self, job_id: str) -> None:
        """See core.ports.Provider. RejectedError if the server has no way to end it."""
        known = self._known.of(job_id)
        job = self._api.get(job_id)
        if job is None or has_ended(job):
            self._after_end(known, job)
            return
        try:
            self._api.abort(job_id)
        except AnsweredError:
            self._not_aborted(job_id)
        if is_draft(job):
            self._known.forget(job_id)
            return
        known.ending, known.next_look = True, 0.0

    def delete(self, job_id: str) -> None:
        """See core.ports.DeletesJobs."""
        try:
            self._api.delete(job_id)
        except AnsweredError as error:
            if error.status != NOT_THERE:
                raise
        self._known.forget(job_id)

    def close(self) -> None:
        """Let go; jobs go on where they are."""
        self._looking.close()
        self._collecting.close()
        self._api.client.close()

    def report(self) -> tuple[str, ...]:
        """See core.ports.Reports."""
        client = self._api.client
        client.check_credentials()
        next(iter(self._api.pages()), None)
        balance = self._api.balance()
        lines = [
            f"{urlsplit(client.access.root).netloc} is there and takes the API key",
            f"generation: {self._generation()}",
        ]
        if balance is not None and balance.total is not None:
            available = balance.available if balance.available is not None else balance.total
            lines.append(f"balance: {Money(available, CURRENCY)}")
        return tuple(lines)

    def _generation(self) -> str:
        """Which paths the host has, as far as that can be told without a draft."""
        known = self._api.generations.known
        if known is not None:
            return known
        has_info = self._api.has_info()
        if has_info is None:
            return "found with the first job"
        return "current" if has_info else "legacy, as it seems (it has no /info); the first job tells"

    def jobs_of(self, project: str) -> Iterator[FoundJob]:
        """See core.ports.FindsJobs."""
        return jobs_of(self._api, project)

    @property
    def private_links(self) -> bool:
        """See core.ports.RenewsLinks."""
        return self._collector.private

    def fresh_links(self, job_id: str) -> Sequence[Held]:
        """See core.ports.RenewsLinks."""
        job = self._api.get(job_id)
        return () if job is None else self._collector.all_links(job)

    def links(self, job_id: str) -> Mapping[str, Held]:
        """Fresh links to what a job of a request that is attached made, by output name; costs nothing.

        Raises RejectedError for a job that is not there, UnavailableError, CredentialsError.
        """
        known = self._known.of(job_id)
        if known.request is None:
            raise RejectedError(f"job {job_id} was not attached")
        return self._collector.fresh_links(there(self._api, job_id), known.request)

    def _standing(self, known: KnownJob) -> Observation:
        job = known.job
        if job is not None and job.state == "COMPLETE" and known.outcome is None and not known.lost:
            self._collect(known, job)
        return standing(known)

    def _collect(self, known: KnownJob, job: Job) -> None:
        """Bring in the results, elsewhere."""
        if known.request is None:
            known.outcome = Done({}, SourceSeen(""))
        elif not known.collecting and (known.ending or self._clocks.monotonic() >= known.collect_at):
            known.collecting = True
            request = known.request
            self._collecting.submit(lambda: self._brought_in(known, job, request))

    def _brought_in(self, known: KnownJob, job: Job, request: JobRequest) -> None:
        try:
            known.outcome = replace(self._collector.collect(job, request, known.seen), found=known.found)
        except CredentialsError as error:
            self._no_credentials = error
        except UnavailableError as error:
            self._lookout.in_trouble(error)
        except ProviderError as error:
            outputs = {output.name: NotMade(f"complete, but: {error}") for output in request.outputs}
            known.outcome = Done(outputs, SourceSeen(request.source.identity))
        finally:
            known.collect_at = self._clocks.monotonic() + _AFTER_TROUBLE
            known.collecting = False

    def _after_end(self, known: KnownJob, job: Job | None) -> None:
        known.told(job, self._clocks.monotonic())
        if job is None:
            self._known.forget(known.id)

    def _not_aborted(self, job_id: str) -> None:
        """Abort was refused: no matter if there is nothing left to end; a draft can also be deleted."""
        job = self._api.get(job_id)
        if job is None or has_ended(job):
            return
        if not is_draft(job):
            raise RejectedError(f"job {job_id} runs, and the server does not end it")
        self.delete(job_id)
