"""Limits in words: what a plan comes to, of what it may."""

from __future__ import annotations

from decimal import Decimal

from reconciler.views.document import LimitShown
from reconciler.views.money import amount


def limit_words(limit: LimitShown) -> str:
    """`14 of 100 jobs`, `1.1 % of 30 % rerun`, `$9.60 of $50`, `unknown of $50`."""
    used = None if limit.used is None else Decimal(limit.used)
    match limit.unit:
        case "jobs":
            return f"{_number(used)} of {Decimal(limit.limit):,} jobs"
        case "minutes":
            return f"{_number(used)} of {_number(Decimal(limit.limit))} minutes of output"
        case "percent":
            percent = "unknown" if used is None else f"{_number(used)} %"
            return f"{percent} of {_number(Decimal(limit.limit))} % rerun"
        case currency:
            spent = "unknown" if used is None else amount(f"{used:.2f}", currency)
            return f"{spent} of {amount(limit.limit, currency)}"


def _number(value: Decimal | None) -> str:
    """With one decimal at most, and none that says nothing."""
    return "unknown" if value is None else f"{value:,.1f}".removesuffix(".0")
