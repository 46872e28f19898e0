"""Amounts as people write them."""

from __future__ import annotations

import pytest

from reconciler.views.money import amount


@pytest.mark.parametrize(
    ("expected", "number", "currency"),
    [
        ("$9.60", "9.60", "USD"),
        ("€2,000.00", "2000.00", "EUR"),
        ("1,234,567 BYC", "1234567", "BYC"),
        ("0.004 CHF", "0.004", "CHF"),
    ],
)
def test_amounts(expected, number, currency):
    """A sign where people have one, thousands apart, all digits that there are."""
    assert expected == amount(number, currency)
