"""Whether a plan keeps to its limits. What cannot be computed does not: the fact that is missing is named.

A limit that somebody gave counts all that the plan does; one that holds by default counts what costs money.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Literal

from reconciler.core.approval import Refusal, lifted_protection
from reconciler.core.cost import Money, total
from reconciler.core.encode import Desired, Output
from reconciler.core.estimates import NO_QUOTES, Estimate, Estimator, Quotes, amounts, may_start, runs_on
from reconciler.core.jobs import plan_jobs
from reconciler.core.limits import DEFAULT_EXISTING, DEFAULT_JOBS, DEFAULT_RERUN_PERCENT, Limits, strictest
from reconciler.core.manifest import Canonical
from reconciler.core.plan import Plan
from reconciler.core.state import Record
from reconciler.core.steps import Delete, EncodeStep, Rerun, Retire, Step, Supersede

# From so many paid reruns for one reason on, one of them goes first.
MANY_RERUNS = 10

Key = Literal["max_cost", "max_jobs", "max_minutes", "max_rerun_percent"]


@dataclass(frozen=True, slots=True)
class Guard:
    """One limit, and what the plan comes to. `unit` is `jobs`, `minutes`, `percent` or a currency.

    `used` is None where it cannot be computed; `missing` then says which fact is not known. `detail` is what the
    number is made of. `lifted`: `--allow` names this limit.
    """

    key: Key
    limit: Decimal
    unit: str
    used: Decimal | None
    missing: str = ""
    detail: str = ""
    lifted: bool = False

    @property
    def breached(self) -> bool:
        """Whether the plan goes beyond the limit, or may: lifted or not."""
        return self.used is None or self.used > self.limit


def limits_of(plan: Plan, desired: Desired) -> Limits:
    """The limits that hold for a plan: the strictest of specs and command line."""
    return strictest([desired.limits, plan.selection.limits])


def guards(
    plan: Plan, desired: Desired, records: Mapping[str, Record], quotes: Quotes = NO_QUOTES
) -> tuple[Guard, ...]:
    """Every limit that this plan has, each with what the plan comes to; none for a plan that encodes nothing.

    `quotes` are what providers said that jobs of this plan will cost, where they were asked.
    """
    work = [step for step in plan.steps if may_start(step)]
    if not work:
        return ()
    judge = _Judge(plan, desired, records, work, quotes)
    found = [*judge.cost(), *judge.jobs(), *judge.minutes(), *judge.reruns()]
    return tuple(found)


def limit_refusals(found: Sequence[Guard]) -> tuple[Refusal, ...]:
    """What forbids the plan: the limits that it goes beyond, unless `--allow` names them."""
    return tuple(
        Refusal(code=guard.key, address="", sentence=_sentence(guard), lift=_lift(guard))
        for guard in found
        if guard.breached and not guard.lifted
    )


def lifted(plan: Plan, found: Sequence[Guard], desired: Desired) -> dict[str, tuple[str, ...]]:
    """The refusals that `--allow` lifted, by the address of what is done all the same; none for what needed no lift."""
    limits = tuple(sorted({guard.key for guard in found if guard.breached and guard.lifted}))
    named = lifted_protection(plan)
    names = {
        step.address: (
            *(["empty"] if _is_emptied(step, plan, desired) else []),
            *(limits if may_start(step) else ()),
            *named.get(step.address, ()),
        )
        for step in plan.steps
    }
    return {address: each for address, each in sorted(names.items()) if each}


def _is_emptied(step: Step, plan: Plan, desired: Desired) -> bool:
    """Whether an output goes because `--allow empty` let the specs, or the fan-out it was of, declare nothing."""
    if not isinstance(step, Retire | Delete) or "empty" not in plan.selection.allow:
        return False
    return not desired.outputs or any(step.address.startswith(f"{encode}/") for encode in desired.empty)


class _Judge:
    """One plan, its limits, and what has to be counted more than once."""

    def __init__(
        self,
        plan: Plan,
        desired: Desired,
        records: Mapping[str, Record],
        work: Sequence[EncodeStep],
        quotes: Quotes,
    ) -> None:
        self.plan = plan
        self.desired = desired
        self.records = records
        self.work = work
        self.limits = limits_of(plan, desired)
        self.estimator = Estimator(desired.providers, records, by_past=False, quotes=quotes)
        self.paid = [step for step in work if self._is_paid(runs_on(step))]

    def cost(self) -> Iterator[Guard]:
        """One guard a currency that is limited; money of another currency cannot be compared."""
        if not self.limits.max_cost:
            return
        estimates = {step.address: self.estimator.estimate(step) for step in self.paid}
        sums = {money.currency: money.amount for money in total(amounts(estimates.values()))}
        known = {money.currency for money in self.limits.max_cost}
        missing = self._missing_cost(estimates) or _foreign(sorted(sums.keys() - known))
        for money in self.limits.max_cost:
            used = None if missing else sums.get(money.currency, Decimal(0))
            yield self._guard("max_cost", money.amount, money.currency, used, missing=missing)

    def jobs(self) -> Iterator[Guard]:
        """How many jobs the plan starts; jobs that run already are not started."""
        counted = self.work if self.limits.max_jobs is not None else self.paid
        if counted:
            most = DEFAULT_JOBS if self.limits.max_jobs is None else self.limits.max_jobs
            yield self._guard("max_jobs", Decimal(most), "jobs", Decimal(len(plan_jobs(self.plan.project, counted))))

    def minutes(self) -> Iterator[Guard]:
        """How many minutes of output the plan makes."""
        if self.limits.max_minutes is None:
            return
        lengths = {step.address: self.estimator.duration(step.output) for step in self.work}
        unknown = [address for address, seconds in lengths.items() if seconds is None]
        seconds = sum((Decimal(str(each)) for each in lengths.values() if each is not None), Decimal(0))
        missing = _unknown_length(unknown) if unknown else ""
        used = None if missing else seconds / 60
        yield self._guard("max_minutes", Decimal(str(self.limits.max_minutes)), "minutes", used, missing=missing)

    def reruns(self) -> Iterator[Guard]:
        """How much of what is finished is encoded again."""
        percent = self.limits.max_rerun_percent
        counted = self.paid if percent is None else self.work
        existing = sum(
            1
            for output in self.desired.outputs
            if (record := self.records.get(output.address)) is not None and record.status == "complete"
        )
        least = DEFAULT_EXISTING if self.limits.min_existing is None else self.limits.min_existing
        if not counted or existing < max(least, 1):
            return
        again = sum(1 for step in counted if isinstance(step, Rerun) and step.record.status == "complete")
        limit = Decimal(str(DEFAULT_RERUN_PERCENT if percent is None else percent))
        detail = f"{again:,} of {existing:,} finished outputs"
        yield self._guard("max_rerun_percent", limit, "percent", Decimal(again * 100) / existing, detail=detail)

    def _guard(
        self, key: Key, limit: Decimal, unit: str, used: Decimal | None, *, missing: str = "", detail: str = ""
    ) -> Guard:
        return Guard(key, limit, unit, used, missing, detail, lifted=key in self.plan.selection.allow)

    def _is_paid(self, provider: str) -> bool:
        settings = self.desired.providers.get(provider)
        return settings is not None and settings.paid

    def _missing_cost(self, estimates: Mapping[str, Estimate]) -> str:
        """Which fact the cost waits for; empty if none."""
        unpriced = {runs_on(step) for step in self.paid if estimates[step.address].unknown == "price"}
        if unpriced:
            return f"providers.{min(unpriced)}.price is not declared, and no quote is known (--quote asks for one)"
        return _unknown_length([address for address, each in estimates.items() if each.unknown == "duration"])


def _unknown_length(addresses: Collection[str]) -> str:
    """Which lengths are not known; empty for none."""
    if not addresses:
        return ""
    named = ", ".join(islice(sorted(addresses), 3))
    more = f" and {len(addresses) - 3:,} more" if len(addresses) > 3 else ""
    return f"the length of the source of {named}{more} is not known before it was encoded once, or trimmed"


def _foreign(currencies: Sequence[str]) -> str:
    return f"the plan costs {' and '.join(currencies)}, for which no max_cost is set" if currencies else ""


_WORDS: Mapping[str, str] = {
    "max_cost": "costs",
    "max_jobs": "starts",
    "max_minutes": "makes",
    "max_rerun_percent": "encodes again",
}


def _sentence(guard: Guard) -> str:
    limit = f"{guard.key} is {_amount(guard.limit, guard.unit)}"
    if guard.used is None:
        return f"{limit}, and what the plan comes to cannot be computed: {guard.missing}"
    used = guard.detail or _amount(guard.used, guard.unit)
    percent = f" ({_amount(guard.used, guard.unit)})" if guard.detail else ""
    return f"the plan {_WORDS[guard.key]} {used}{percent}, and {limit}"


def _amount(number: Decimal, unit: str) -> str:
    """`101 jobs`, `12.5 minutes`, `30.1 %`, `9.60 USD`; never rounded to look like the limit."""
    match unit:
        case "jobs":
            return f"{number:,} {'job' if number == 1 else 'jobs'}"
        case "minutes":
            return f"{_short(number)} {'minute' if number == 1 else 'minutes'}"
        case "percent":
            return f"{_short(number)} %"
        case _:
            return str(Money(number, unit))


def _short(number: Decimal) -> str:
    """At most four decimals, none that say nothing."""
    return f"{number:.4f}".rstrip("0").rstrip(".")


def _lift(guard: Guard) -> str:
    return f"do less at once (--target, --exclude), or let this plan through with --allow {guard.key}"


def default_canary(plan: Plan, desired: Desired) -> int:
    """How many jobs go first where nobody says: one where one cause reruns many paid outputs, else none."""
    causes = Counter(
        (step.reason.code, _changes(step))
        for step in plan.steps
        if isinstance(step, Rerun | Supersede) and _is_paid(step.output, desired)
    )
    return 1 if max(causes.values(), default=0) >= MANY_RERUNS else 0


def _changes(step: Rerun | Supersede) -> tuple[tuple[Canonical | None, ...], ...]:
    """What changed, and to what; what their upstreams caused is one cause for all outputs of chains."""
    if step.reason.code == "upstream":
        return ()
    return tuple((change.field, change.before, change.after) for change in step.changes)


def _is_paid(output: Output, desired: Desired) -> bool:
    settings = desired.providers.get(output.provider)
    return settings is not None and settings.paid
