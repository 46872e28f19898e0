"""What earlier jobs cost and how long they took, for a minute of what they made: no fact about a job to come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from reconciler.core.cost import Money, read_money
from reconciler.core.manifest import Canonical, Manifest
from reconciler.core.state import Attempt, JobRecord, OutputRecord, Record

Rendition = frozenset[tuple[str, Canonical]]


@dataclass(frozen=True, slots=True)
class Rate:
    """What a minute came to, of so many earlier jobs: an amount of money, or seconds of work."""

    per_minute: Decimal
    jobs: int
    currency: str = ""


@dataclass(slots=True)
class _PastJob:
    """One job that ended. `lengths` are the seconds of each output, by address; None where one is not known."""

    provider: str
    cost: str | None = None
    seconds: float | None = None
    lengths: dict[str, float | None] = field(default_factory=dict)
    renditions: dict[str, Rendition] = field(default_factory=dict)

    def minutes(self) -> Decimal | None:
        """Minutes of all outputs together; None unless every length is known."""
        known = [Decimal(str(each)) for each in self.lengths.values() if each]
        return sum(known, Decimal(0)) / 60 if known and len(known) == len(self.lengths) else None


class PastJobs:
    """The jobs that records know of, by their ids."""

    def __init__(self, records: Mapping[str, Record]) -> None:
        self._costs: dict[str, Rate] | None = None
        self._works: dict[tuple[str, frozenset[Rendition]], Rate] | None = None
        self._jobs: dict[tuple[str, str], _PastJob] = {}
        for address, record in records.items():
            for entry in record.history:
                self._add(address, entry.provider, JobRecord(entry.job, cost=entry.cost, seconds=entry.seconds))
                if entry.status != "lost":
                    self._length(entry.provider, entry.job, address, entry.duration)
            for made in _finished(record):
                if made.job is not None and made.output is not None:
                    self._add(address, made.provider, made.job, rendition(made.manifest))
                    self._length(made.provider, made.job.id, address, made.output.duration)

    def cost(self, provider: str) -> Rate | None:
        """What a minute of output came to on a provider, in the currency of most of its jobs; None if none is known."""
        if self._costs is None:
            self._costs = dict(self._by_provider())
        return self._costs.get(provider)

    def work(self, provider: str, renditions: frozenset[Rendition]) -> Rate | None:
        """Seconds of work for a minute of source, of jobs that made just these renditions on a provider."""
        if self._works is None:
            spent: dict[tuple[str, frozenset[Rendition]], list[tuple[Decimal, Decimal]]] = {}
            for job in self._jobs.values():
                longest = max((each or 0 for each in job.lengths.values()), default=0)
                if job.seconds is not None and longest:
                    kind = job.provider, frozenset(job.renditions.values())
                    spent.setdefault(kind, []).append((Decimal(str(job.seconds)), Decimal(str(longest)) / 60))
            self._works = {kind: _rate(each) for kind, each in spent.items()}
        return self._works.get((provider, renditions))

    def _by_provider(self) -> Iterator[tuple[str, Rate]]:
        found: dict[str, dict[str, list[tuple[Decimal, Decimal]]]] = {}
        for job in self._jobs.values():
            money, minutes = _money(job.cost), job.minutes()
            if money is not None and minutes:
                of_provider = found.setdefault(job.provider, {})
                of_provider.setdefault(money.currency, []).append((money.amount, minutes))
        for provider, by_currency in found.items():
            currency, spent = max(by_currency.items(), key=lambda each: (len(each[1]), each[0]))
            yield provider, _rate(spent, currency)

    def _add(self, address: str, provider: str, job: JobRecord, made: Rendition | None = None) -> None:
        known = self._jobs.setdefault((provider, job.id), _PastJob(provider))
        known.cost = job.cost or known.cost
        known.seconds = job.seconds if job.seconds is not None else known.seconds
        if made is not None:
            known.renditions[address] = made

    def _length(self, provider: str, job: str, address: str, seconds: float | None) -> None:
        lengths = self._jobs[provider, job].lengths
        lengths[address] = seconds if seconds is not None else lengths.get(address)


def rendition(manifest: Manifest) -> Rendition:
    """What is asked of an output, whatever its source."""
    return frozenset(item for item in manifest.items() if not item[0].startswith("source"))


def _finished(record: Record) -> Iterator[Record | Attempt]:
    """The attempts whose files are known; a moved or reused file names no other job than the one that made it."""
    own: list[Record | Attempt] = [record] if record.status == "complete" and _is_whole(record.output) else []
    yield from (*own, *record.previous)


def _is_whole(output: OutputRecord | None) -> bool:
    return output is not None and output.temp is None


def _money(text: str | None) -> Money | None:
    try:
        return None if text is None else read_money(text)
    except ValueError:
        return None


def _rate(spent: list[tuple[Decimal, Decimal]], currency: str = "") -> Rate:
    amount, minutes = (sum(column, Decimal(0)) for column in zip(*spent, strict=True))
    return Rate(amount / minutes, len(spent), currency)
