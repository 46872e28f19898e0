"""Numbers that options take."""

from __future__ import annotations

import math

import click


class FiniteRange(click.FloatRange):
    """A number in a range. `nan` is in none: it compares with nothing, so a limit of it would limit nothing."""

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. Raises click.BadParameter for what is none, `inf` included."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number
