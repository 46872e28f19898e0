"""Limits that people set on plans: in specs, on the command line, and by default where money is spent.

Of several values of one key the strictest counts; a default counts only where nobody gave a value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from reconciler.core.cost import Money

# What holds for plans that cost money, where nobody says otherwise.
DEFAULT_JOBS = 100
DEFAULT_RERUN_PERCENT = 30
DEFAULT_EXISTING = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a plan may do; None and empty are no limit.

    `max_cost` holds one amount a currency, `max_minutes` counts minutes of output, `max_rerun_percent` the finished
    outputs that are encoded again, of all that are declared and finished, once there are `min_existing` of them.
    `max_failures` is about the apply: after so many failures it starts nothing more.
    """

    max_cost: tuple[Money, ...] = ()
    max_jobs: int | None = None
    max_minutes: float | None = None
    max_rerun_percent: float | None = None
    min_existing: int | None = None
    max_failures: int | None = None


# What holds where no spec and no flag says anything.
NO_LIMITS = Limits()

# What `--allow` lifts.
LIFTED = ("max_cost", "max_jobs", "max_minutes", "max_rerun_percent")


def strictest(given: Iterable[Limits]) -> Limits:
    """For each key the least of all values that were given; a small `min_existing` guards sooner."""
    said = list(given)
    lowest = {
        field.name: min((value for each in said if (value := getattr(each, field.name)) is not None), default=None)
        for field in fields(Limits)
        if field.name != "max_cost"
    }
    return Limits(max_cost=_least_money(money for each in said for money in each.max_cost), **lowest)


def _least_money(amounts: Iterable[Money]) -> tuple[Money, ...]:
    least: dict[str, Money] = {}
    for money in amounts:
        known = least.get(money.currency)
        if known is None or money.amount < known.amount:
            least[money.currency] = money
    return tuple(money for _, money in sorted(least.items()))
