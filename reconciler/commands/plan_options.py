"""The options of commands that plan, beyond which outputs they are about: limits, and whom a comment is for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

import click

from reconciler.commands.finite import FiniteRange
from reconciler.commands.options import Function, add_option
from reconciler.core.cost import Money, read_money
from reconciler.core.limits import Limits


def limiting(function: Function) -> Function:
    """Add the limits to a command, and hand it what was given of them as `limits`."""

    @wraps(function)
    def command(*args: Any, max_cost: tuple[Money, ...], **options: Any) -> int:  # noqa: ANN401 - handed on
        numbers = {name: options.pop(name) for name in _NUMBERS}
        code: int = function(*args, limits=Limits(max_cost=max_cost, **numbers), **options)
        return code

    for option in reversed(_limit_options()):
        add_option(command, option)
    return command  # type: ignore[return-value]  # the same command, with more options


# The limits that are plain numbers: their type, their metavar and what they are about.
_NUMBERS: Mapping[str, tuple[click.ParamType[Any], str, str]] = {
    "max_jobs": (click.IntRange(min=0), "N", "Refuse a plan that starts more jobs than this."),
    "max_minutes": (FiniteRange(min=0), "N", "Refuse a plan that encodes more minutes of output than this."),
    "max_rerun_percent": (
        FiniteRange(min=0, max=100),
        "N",
        "Refuse a plan that encodes more of the finished outputs again than this.",
    ),
    "min_existing": (click.IntRange(min=0), "N", "From how many finished outputs on the percentage counts."),
    "max_failures": (click.IntRange(min=1), "N", "After so many failures apply starts nothing more."),
}


def _limit_options() -> list[click.Option]:
    cost = click.Option(
        ["--max-cost"],
        multiple=True,
        metavar="AMOUNT",
        callback=_amounts,
        help="Refuse a plan that costs more than this, such as '50 USD'; one for each currency.",
    )
    numbers = (
        click.Option([f"--{name.replace('_', '-')}"], type=kind, metavar=metavar, help=text)
        for name, (kind, metavar, text) in _NUMBERS.items()
    )
    return [cost, *numbers]


def _amounts(ctx: click.Context, param: click.Parameter, value: Sequence[str]) -> tuple[Money, ...]:
    try:
        return tuple(map(read_money, value))
    except ValueError as error:
        raise click.BadParameter(f"{error}.", ctx, param) from error


def _environment_name(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """A name that can stand in a hidden marker of a comment. Raises click.BadParameter."""
    if value is not None and re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9_.]|-(?!-)){0,49}", value) is None:
        raise click.BadParameter("it is a word of letters, digits and _ . - such as prod.", ctx, param)
    return value


def quoting(function: Function) -> Function:
    """Add the option that has providers asked what jobs will cost, as `quote`."""
    text = (
        "Also ask providers what the jobs will cost. Needs the network and credentials: it makes drafts there, which "
        "are free, and deletes them."
    )
    add_option(function, click.Option(["--quote"], is_flag=True, help=text))
    return function


def environment_option(default: str) -> Callable[[Function], Function]:
    """Add the name by which comments of several environments are told apart; `default` says what it is else."""

    def decorated(function: Function) -> Function:
        option = click.Option(
            ["--environment"],
            metavar="NAME",
            envvar="RECONCILER_ENVIRONMENT",
            show_envvar=True,
            callback=_environment_name,
            help=f"What the comment is about, such as prod.  [default: {default}]",
        )
        add_option(function, option)
        return function

    return decorated
