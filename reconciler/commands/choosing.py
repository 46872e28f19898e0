"""What commands that plan share: which outputs a plan is about, what limits it, and what is done with it."""

from __future__ import annotations

from functools import wraps
from typing import Any

import click

from reconciler.commands.options import Function, add_option, refuse_nothing, selecting
from reconciler.commands.plan_options import limiting
from reconciler.core.limits import Limits
from reconciler.core.selection import Selection


def choosing(function: Function) -> Function:
    """Add the options of a selection and its limits to a command, and hand it what was given as `selection`."""

    @selecting
    @limiting
    @wraps(function)
    def command(
        *args: Any,  # noqa: ANN401 - handed on
        targets: tuple[str, ...],
        excludes: tuple[str, ...],
        reruns: tuple[str, ...],
        allow: tuple[str, ...],
        limits: Limits,
        **options: Any,  # noqa: ANN401 - handed on
    ) -> int:
        chosen = Selection(targets=targets, excludes=excludes, reruns=reruns, allow=allow, limits=limits)
        code: int = function(*args, selection=chosen, **options)
        return code

    return command  # type: ignore[return-value]  # the same command, with more options


def telling(function: Function) -> Function:
    """Add where a plan is saved, and whether what forbids its apply fails it: `out` and `fail_on_limits`."""
    options = (
        click.Option(
            ["--out"], metavar="FILE", callback=refuse_nothing, help="Save the plan for reconciler apply FILE."
        ),
        click.Option(
            ["--fail-on-limits"],
            is_flag=True,
            help="Exit with 4 if apply would refuse the plan: limits, protection.",
        ),
    )
    for option in reversed(options):
        add_option(function, option)
    return function
