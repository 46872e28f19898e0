"""What a plan will cost, as far as the length of its outputs is known offline.

By what the provider quoted, where it was asked; else by the user's own rate card; else about what earlier jobs came
to, which is told as such and is no fact that a limit may rest on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, TypeGuard

from reconciler.core.cost import Money
from reconciler.core.encode import Output, ProviderSettings
from reconciler.core.manifest import Canonical, Manifest
from reconciler.core.past_jobs import Likeness, PastJobs, Rate, rendition
from reconciler.core.state import Attempt, Record
from reconciler.core.steps import Create, EncodeStep, Rerun, Resume, Retry, Step, Supersede

Unknown = Literal["price", "duration"]


@dataclass(frozen=True, slots=True)
class Quote:
    """What a provider says that one job will cost, which makes the outputs of these addresses."""

    money: Money
    addresses: tuple[str, ...]


# Of every address whose job was quoted, what was said.
Quotes = Mapping[str, Quote]
NO_QUOTES: Quotes = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one step will cost. `seconds` is how long its output will be; `unknown` says what is missing.

    Without `money`, `quote` and `unknown` it costs nothing. `jobs` is how many earlier jobs the amount was learnt
    from, and `likeness` how near they were; 0 for one that a rate card gives. A `quote` is of all outputs of a job
    together, so `money` is none then.
    """

    money: Money | None = None
    seconds: float | None = None
    unknown: Unknown | None = None
    jobs: int = 0
    likeness: Likeness = "same"
    quote: Quote | None = None


FREE = Estimate()


def may_start(step: Step) -> TypeGuard[EncodeStep]:
    """Whether a step starts a job, or may have to: one that an earlier apply began is not started before it says so."""
    if isinstance(step, Resume):
        return step.record.job is None or step.record.job.phase != "started"
    return isinstance(step, Create | Rerun | Retry | Supersede)


def runs_on(step: EncodeStep) -> str:
    """The provider of a step's job; one that is gone on with stays where it is."""
    return step.record.provider if isinstance(step, Resume) else step.output.provider


class Estimator:
    """Estimates steps by rate cards and earlier jobs, and by what the state knows of the length of sources."""

    def __init__(
        self,
        providers: Mapping[str, ProviderSettings],
        records: Mapping[str, Record],
        *,
        by_past: bool = True,
        quotes: Quotes = NO_QUOTES,
        together: Iterable[Sequence[Output]] = (),
    ) -> None:
        """`by_past`: where no rate card says what a minute costs, go by what earlier jobs came to.

        `together` are the outputs that share a job: what they cost is learnt from jobs that made the same together.
        """
        self._providers = providers
        self._records = records
        self._by_past = by_past
        self._quotes = quotes
        self._together = {output.address: outputs for outputs in together for output in outputs}
        self._past: PastJobs | None = None
        self._durations: dict[tuple[Canonical | None, ...], float] | None = None

    def estimate(self, step: Step) -> Estimate:
        """What a step will cost. Going on with a job that was started costs nothing more."""
        return self._of(step.output, runs_on(step)) if may_start(step) else FREE

    def again(self, output: Output) -> Estimate:
        """What it would cost to make an output once more."""
        return self._of(output, output.provider)

    def _of(self, output: Output, provider: str) -> Estimate:
        settings = self._providers.get(provider)
        if settings is None or not settings.paid:
            return FREE
        seconds = self.duration(output)
        quote = self._quotes.get(output.address)
        if quote is not None:
            return Estimate(seconds=seconds, quote=quote)
        rate = self._rate(settings, output)
        if rate is None:
            return Estimate(seconds=seconds, unknown="price")
        if seconds is None:
            return Estimate(unknown="duration")
        amount = rate.per_minute * Decimal(str(seconds)) / 60
        money = Money(amount.quantize(Decimal("0.0001")), rate.currency)
        return Estimate(money, seconds, jobs=rate.jobs, likeness=rate.likeness)

    def _rate(self, settings: ProviderSettings, output: Output) -> Rate | None:
        if settings.price is not None:
            return Rate(settings.price.amount, 0, settings.price.currency)
        if not self._by_past:
            return None
        outputs = self._together.get(output.address, (output,))
        return self._past_jobs().cost(settings.name, (rendition(each.manifest) for each in outputs))

    def work(self, provider: str, outputs: Sequence[Output]) -> tuple[float, Rate] | None:
        """About how many seconds a job takes that makes these outputs, and the rate of earlier jobs that says so."""
        lengths = [self.duration(output) for output in outputs]
        longest = max((each for each in lengths if each is not None), default=None)
        if longest is None:
            return None
        rate = self._past_jobs().work(provider, (rendition(output.manifest) for output in outputs))
        if rate is None:
            return None
        return float(rate.per_minute) * longest / 60, rate

    def _past_jobs(self) -> PastJobs:
        if self._past is None:
            self._past = PastJobs(self._records)
        return self._past

    def duration(self, output: Output) -> float | None:
        """How long an output will be, in seconds: by its trim, else as long as its source was last time.

        One that is made from another output is as long as that one, if nobody made it yet.
        """
        trim, upstream = output.source.trim, output.source.upstream
        if trim.end is not None:
            return float(trim.end - trim.start)
        if self._durations is None:
            self._durations = dict(_durations(self._records))
        known = self._durations.get(_part(output.manifest))
        if known is not None or upstream is None:
            return known
        whole = self.duration(upstream)
        return None if whole is None else max(0.0, whole - trim.start)


def amounts(estimates: Iterable[Estimate]) -> Iterator[Money]:
    """All amounts of some steps; what a job was quoted counts once, however many of its outputs are among them."""
    quotes: dict[tuple[str, ...], Quote] = {}
    for estimate in estimates:
        if estimate.money is not None:
            yield estimate.money
        if estimate.quote is not None:
            quotes[estimate.quote.addresses] = estimate.quote
    yield from (quote.money for quote in quotes.values())


def _part(manifest: Manifest) -> tuple[Canonical | None, ...]:
    """The part of a source that a manifest is about."""
    return manifest.get("source"), manifest.get("source.trim.start"), manifest.get("source.trim.end")


def _durations(records: Mapping[str, Record]) -> Iterator[tuple[tuple[Canonical | None, ...], float]]:
    for record in records.values():
        made: list[Record | Attempt] = [*record.previous, record]
        for each in made:
            if each.output is not None and each.output.duration is not None:
                yield _part(each.manifest), each.output.duration
