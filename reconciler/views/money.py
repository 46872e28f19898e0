"""What is paid, in words: estimates before, amounts after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.core.cost import Money
from reconciler.core.estimates import Estimate
from reconciler.views.document import Cost, PlanDocument, Total
from reconciler.views.words import count

# Currencies that people write with a sign before the amount.
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


def amount(number: str, currency: str | None) -> str:
    """`$9.60`, `28 BYC`."""
    sign = _SIGNS.get(currency or "")
    return f"{sign}{number}" if sign is not None else f"{number} {currency}"


def about(estimate: Estimate) -> str:
    """`about $2.10`, `at a price that is not known`; empty for what costs nothing."""
    if estimate.money is None:
        return "at a price that is not known" if estimate.unknown is not None else ""
    money = estimate.money
    said = f"about {amount(f'{money.amount:.2f}', money.currency)}"
    return f"{said} going by {count(estimate.jobs, 'earlier job')}" if estimate.jobs else said


def paid(amounts: Iterable[Money]) -> str:
    """What was paid: `$6.10 and 28 BYC`, or `nothing`."""
    said = [
        amount(f"{money.amount:.2f}" if money.currency in _SIGNS else f"{money.amount:f}", money.currency)
        for money in amounts
    ]
    return " and ".join(said) or "nothing"


def expected(total: Total) -> str:
    """What a plan costs, as far as it is known: `about $9.60`; empty if nothing of it is."""
    said = [f"about {amount(cost.expected or '0', cost.currency)}" for cost in total.expected]
    return " and ".join([*said, *map(_learnt, total.learnt)])


def _learnt(cost: Cost) -> str:
    return f"about {amount(cost.expected or '0', cost.currency)} going by {count(cost.jobs, 'earlier job')}"


def cost_sentences(document: PlanDocument) -> Iterator[str]:
    """What there is to pay, and what would have to be known to tell the rest."""
    total = document.cost
    known = expected(Total(expected=total.expected))
    if known:
        yield f"Cost: {known} ({total.minutes:g} min of output, your rate card)."
    for cost in total.learnt:
        yield f"Cost: {_learnt(cost)} ({total.learnt_minutes:g} min of output, no rate card)."
    if not (known or total.learnt or total.unknown_price or total.unknown_duration):
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
