"""What providers say that the jobs of a plan will cost, before anybody approves it.

A provider quotes only a draft that is complete. So drafts are made for this alone, which cost nothing and are deleted
once they were quoted. Their ids and names are not those of the jobs themselves, so none of them is ever started, or
taken for a job that is.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from reconciler.commands.gathering import Planned, with_quotes
from reconciler.commands.options import Globals
from reconciler.commands.wiring import provider_of
from reconciler.core.cost import Money, read_money
from reconciler.core.encode import Desired, ProviderSettings
from reconciler.core.errors import CredentialsError, ProviderError, RejectedError
from reconciler.core.estimates import Quote, may_start
from reconciler.core.jobs import PlannedJob, plan_jobs
from reconciler.core.ports import DeletesJobs, JobRequest, Provider, Quotes

# The namespace of the ids of drafts that are only quoted.
_NAMESPACE = uuid.UUID("3c0b7c52-7a43-5d6a-8f0e-0f3c5f2f8a11")


def quoted(settings: Globals, planned: Planned, warn: Callable[[Sequence[str]], None]) -> Planned:
    """The plan with what providers say of it; `warn` is told what they do not say. Raises CredentialsError."""
    quotes, troubles = quotes_of(settings, planned)
    warn(troubles)
    return with_quotes(planned, quotes)


def quotes_of(settings: Globals, planned: Planned) -> tuple[dict[str, Quote], list[str]]:
    """What each job of a plan will cost, by the addresses of its outputs; and why some are not quoted, in sentences.

    Raises CredentialsError.
    """
    by_provider: dict[str, list[PlannedJob]] = {}
    for job in plan_jobs(planned.plan.project, filter(may_start, planned.plan.steps)):
        known = planned.desired.providers.get(job.provider)
        if known is not None and known.paid:
            by_provider.setdefault(job.provider, []).append(job)
    quotes: dict[str, Quote] = {}
    troubles: list[str] = []
    for name, jobs in sorted(by_provider.items()):
        try:
            with provider_of(settings, _unpriced(planned.desired, name), name) as provider:
                troubles += _quote_all(provider, name, jobs, quotes)
        except CredentialsError:
            raise
        except ProviderError as error:
            troubles.append(f"{name} could not be asked what jobs cost: {error}")
    return quotes, troubles


def _unpriced(desired: Desired, name: str) -> Desired:
    """The same without the rate card of a provider, which would be asked for nothing else."""
    own = desired.providers[name]
    options = own.options.model_copy(update={"price": None})
    providers: Mapping[str, ProviderSettings] = {**desired.providers, name: replace(own, options=options)}
    return replace(desired, providers=providers)


def _quote_all(provider: Provider, name: str, jobs: Sequence[PlannedJob], quotes: dict[str, Quote]) -> Iterator[str]:
    """Ask about each job, as many at a time as the provider takes; what is not known is told."""
    silent = 0
    with ThreadPoolExecutor(provider.traits.submissions, "quote") as pool:
        for job, said in zip(jobs, pool.map(lambda job: _quote_or_error(provider, job), jobs), strict=True):
            if isinstance(said, Quote):
                quotes.update(dict.fromkeys(said.addresses, said))
            elif isinstance(said, ProviderError):
                yield f"{job.request.encode}: {name} gives no quote: {said}"
            else:
                silent += 1
    if silent:
        yield f"{name} does not say what {silent} of its jobs will cost"


def _quote_or_error(provider: Provider, job: PlannedJob) -> Quote | ProviderError | None:
    """Raises CredentialsError."""
    if not isinstance(provider, Quotes):
        return None
    if job.request.source.kind not in {"http", "store"}:
        return RejectedError("its source would have to be uploaded for that")
    try:
        said = _quoted(provider, provider, _draft_of(job))
    except CredentialsError:
        raise
    except ProviderError as error:
        return error
    money = None if said is None else _money(said)
    return None if money is None else Quote(money, tuple(step.address for step in job.steps))


def _money(said: str) -> Money | None:
    """What a provider said, if it is an amount."""
    try:
        return read_money(said)
    except ValueError:
        return None


def _quoted(provider: Provider, quotes: Quotes, request: JobRequest) -> str | None:
    draft = provider.prepare(request)
    try:
        return quotes.quote(draft)
    finally:
        if isinstance(provider, DeletesJobs):
            provider.delete(draft)
        else:
            provider.cancel(draft)


def _draft_of(job: PlannedJob) -> JobRequest:
    """A request for just the same work, under an id and a name of its own, that belongs to no project."""
    key = str(uuid.uuid5(_NAMESPACE, job.request.job_id))
    return replace(job.request, job_id=key, name=f"quote-{key[:8]}", project=f"{job.request.project} (quote)")
