"""What is paid, in words: estimates before, amounts after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from reconciler.core.cost import Money
from reconciler.core.estimates import Estimate
from reconciler.views.document import Cost, PlanDocument, Total
from reconciler.views.words import count

# How near earlier jobs are that an estimate goes by, the nearest first.
FARNESS = ("same", "alike", "other")

# Currencies that people write with a sign before the amount.
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}
_LIKENESS = {
    "same": "that made the same",
    "alike": "of the same codecs and sizes",
    "other": "of other kinds",
}


def amount(number: str, currency: str | None) -> str:
    """`$9.60`, `$2,000.00`, `28 BYC`."""
    sign, grouped = _SIGNS.get(currency or ""), f"{Decimal(number):,f}"
    return f"{sign}{grouped}" if sign is not None else f"{grouped} {currency}"


def about(estimate: Estimate) -> str:
    """`about $2.10`, `at a price that is not known`; empty for what costs nothing."""
    if estimate.money is None:
        return "at a price that is not known" if estimate.unknown is not None else ""
    money = estimate.money
    said = f"about {amount(f'{money.amount:.2f}', money.currency)}"
    return f"{said} {going_by(estimate.jobs, estimate.likeness)}" if estimate.jobs else said


def going_by(jobs: int, likeness: str) -> str:
    """What an estimate was learnt from: `going by 3 earlier jobs that made the same`."""
    return f"going by {count(jobs, 'earlier job')} {_LIKENESS[likeness]}"


def time_basis(document: PlanDocument) -> str:
    """What the time of a plan rests on: `as last time`, `going by 2 earlier jobs of other kinds`."""
    learnt = [job for job in document.jobs if job.like]
    if not learnt:
        return "as last time"
    return going_by(max(job.like for job in learnt), max((job.likeness for job in learnt), key=FARNESS.index))


def paid(amounts: Iterable[Money]) -> str:
    """What was paid: `$6.10 and 28 BYC`, or `nothing`."""
    said = [
        amount(f"{money.amount:.2f}" if money.currency in _SIGNS else f"{money.amount:f}", money.currency)
        for money in amounts
    ]
    return " and ".join(said) or "nothing"


def paid_in_all(amounts: Iterable[Money], untold: Sequence[str]) -> str:
    """What was paid, as far as providers told it; `untold` are those that did not."""
    known, who = tuple(amounts), " and ".join(untold)
    if not untold:
        return paid(known)
    return f"{paid(known)}, and what {who} did not tell" if known else f"unknown, {who} told no amount"


def expected(total: Total) -> str:
    """What a plan costs, as far as it is known: `about $9.60`; empty if nothing of it is."""
    said = [f"about {amount(cost.expected or '0', cost.currency)}" for cost in total.expected]
    quoted = [f"{amount(cost.expected or '0', cost.currency)} as quoted" for cost in total.quoted]
    return " and ".join([*quoted, *said, *map(_learnt, total.learnt)])


def _learnt(cost: Cost) -> str:
    return f"about {amount(cost.expected or '0', cost.currency)} {going_by(cost.jobs, cost.likeness)}"


def cost_sentences(document: PlanDocument) -> Iterator[str]:
    """What there is to pay, and what would have to be known to tell the rest."""
    total = document.cost
    for cost in total.quoted:
        yield f"Cost: {amount(cost.expected or '0', cost.currency)}, quoted for {count(total.quoted_jobs, 'job')}."
    known = expected(Total(expected=total.expected))
    if known:
        yield f"Cost: {known} ({total.minutes:g} min of output, your rate card)."
    for cost in total.learnt:
        yield f"Cost: {_learnt(cost)} ({total.learnt_minutes:g} min of output, no rate card)."
    if not (known or total.quoted or total.learnt or total.unknown_price or total.unknown_duration):
        yield "Cost: nothing to pay."
    if total.unknown_price:
        providers = sorted(
            {change.provider_name for change in document.resource_changes if change.cost.unknown == "price"}
        )
        yield (
            f"Cost of {count(total.unknown_price, 'output')}: not known; "
            f"providers.{providers[0]}.price is not declared."
        )
    if total.unknown_duration:
        yield f"Cost of {count(total.unknown_duration, 'output')}: known once the length of the source is."
