"""Money: prices as people write them, and what work will cost by a rate card. Amounts are decimal, never binary."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

_MONEY = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([A-Z]{3})")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency (ISO 4217, or a provider's own, such as BYC)."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        """As the state writes it: a decimal number and its currency."""
        return f"{self.amount.normalize():f} {self.currency}"


def read_money(value: object) -> Money:
    """`0.05 USD` as money. Raises ValueError with what would be right."""
    match = _MONEY.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'"{value}" is not an amount of money; write for example 0.05 USD')
    return Money(Decimal(match[1]), match[2])


def total(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """The sum of amounts, one a currency, by currency; nothing is ever converted."""
    sums: dict[str, Decimal] = {}
    for money in amounts:
        sums[money.currency] = sums.get(money.currency, Decimal(0)) + money.amount
    return tuple(Money(amount, currency) for currency, amount in sorted(sums.items()))
