"""What earlier jobs cost and how long they took, for a minute of what they made: no fact about a job to come.

Best are jobs of the same provider that made just the same renditions of other sources; then jobs whose renditions
have the same containers, codecs and sizes; then all jobs of the provider.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from reconciler.core.cost import Money, read_money
from reconciler.core.manifest import Canonical, Manifest
from reconciler.core.state import Attempt, JobRecord, OutputRecord, Record

Rendition = frozenset[tuple[str, Canonical]]
Likeness = Literal["same", "alike", "other"]

# The fields that cost and time follow most, whatever variant they are of.
_NATURE = frozenset({"container", "codec", "encoder", "width", "height"})


@dataclass(frozen=True, slots=True)
class Rate:
    """What a minute came to, of so many earlier jobs: an amount of money, or seconds of work.

    `likeness` is how near they were: they made the `same`, something `alike`, or `other` things.
    """

    per_minute: Decimal
    jobs: int
    currency: str = ""
    likeness: Likeness = "same"


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

    def examples(self) -> Iterator[tuple[Likeness, Hashable]]:
        """What it is an example of; of a job whose outputs are not all known nothing but its provider is."""
        if self.renditions and self.renditions.keys() == self.lengths.keys():
            yield from keys_of(self.renditions.values())
        else:
            yield "other", None


# For each key what was spent: an amount, and the minutes that it was spent for.
_Spent = dict[tuple[str, Likeness, Hashable, str], list[tuple[Decimal, Decimal]]]


class PastJobs:
    """The jobs that records know of, by their ids."""

    def __init__(self, records: Mapping[str, Record]) -> None:
        self._costs: Mapping[tuple[str, Likeness, Hashable], Rate] | None = None
        self._works: Mapping[tuple[str, Likeness, Hashable], Rate] | None = None
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

    def cost(self, provider: str, renditions: Iterable[Rendition]) -> Rate | None:
        """What a minute of output came to on a provider, of the jobs that are nearest to one of these renditions.

        In the currency of most of them; None if none is known.
        """
        if self._costs is None:
            self._costs = _rates(self._spent_money())
        return _nearest(self._costs, provider, renditions)

    def work(self, provider: str, renditions: Iterable[Rendition]) -> Rate | None:
        """Seconds of work for a minute of source, of the jobs that are nearest to one of these renditions."""
        if self._works is None:
            self._works = _rates(self._spent_time())
        return _nearest(self._works, provider, renditions)

    def _spent_money(self) -> _Spent:
        spent: _Spent = {}
        for job in self._jobs.values():
            money, minutes = _money(job.cost), job.minutes()
            if money is not None and minutes:
                for likeness, key in job.examples():
                    of_key = spent.setdefault((job.provider, likeness, key, money.currency), [])
                    of_key.append((money.amount, minutes))
        return spent

    def _spent_time(self) -> _Spent:
        spent: _Spent = {}
        for job in self._jobs.values():
            longest = max((each or 0 for each in job.lengths.values()), default=0)
            if job.seconds is not None and longest:
                for likeness, key in job.examples():
                    of_key = spent.setdefault((job.provider, likeness, key, ""), [])
                    of_key.append((Decimal(str(job.seconds)), Decimal(str(longest)) / 60))
        return spent

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
    """What is asked of an output, whatever its source: what its preset came to."""
    return frozenset(item for item in manifest.items() if not item[0].startswith("source"))


def keys_of(renditions: Iterable[Rendition]) -> Iterator[tuple[Likeness, Hashable]]:
    """What a job that makes these renditions is compared by, the nearest first."""
    made = frozenset(renditions)
    yield "same", made
    yield "alike", frozenset(map(_nature, made))
    yield "other", None


def _nature(made: Rendition) -> Rendition:
    return frozenset(item for item in made if item[0].rpartition(".")[2] in _NATURE)


def _nearest(
    rates: Mapping[tuple[str, Likeness, Hashable], Rate], provider: str, renditions: Iterable[Rendition]
) -> Rate | None:
    if not rates:
        return None
    found = (rates.get((provider, likeness, key)) for likeness, key in keys_of(renditions))
    return next((rate for rate in found if rate is not None), None)


def _rates(spent: _Spent) -> Mapping[tuple[str, Likeness, Hashable], Rate]:
    """The rate of each key, in the currency of most of its jobs."""
    best: dict[tuple[str, Likeness, Hashable], Rate] = {}
    for (provider, likeness, key, currency), amounts in sorted(spent.items(), key=lambda each: each[0][3]):
        amount, minutes = (sum(column, Decimal(0)) for column in zip(*amounts, strict=True))
        rate = Rate(amount / minutes, len(amounts), currency, likeness)
        known = best.get((provider, likeness, key))
        if known is None or rate.jobs >= known.jobs:
            best[provider, likeness, key] = rate
    return best


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
