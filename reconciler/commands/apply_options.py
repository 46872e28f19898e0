"""The options of `apply` that say how jobs are run and waited for."""

from __future__ import annotations

from functools import wraps
from typing import Any

import click

from reconciler.commands.finite import FiniteRange
from reconciler.commands.options import Function, add_option, duration
from reconciler.commands.wiring import ApplyOptions


def applying(function: Function) -> Function:
    """Add how to apply to a command, and hand it what was given as `how`."""

    @wraps(function)
    def command(
        *args: Any,  # noqa: ANN401 - handed on
        parallelism: int | None,
        fail_fast: bool,
        lock_timeout: float,
        no_wait: bool,
        wait_timeout: float | None,
        canary: int | None,
        refresh: bool,
        **options: Any,  # noqa: ANN401 - handed on
    ) -> int:
        how = ApplyOptions(
            parallelism=parallelism,
            fail_fast=fail_fast,
            lock_timeout=lock_timeout,
            wait=not no_wait,
            wait_timeout=wait_timeout,
            canary=canary,
            refresh=refresh,
        )
        code: int = function(*args, how=how, **options)
        return code

    for option in reversed(_options()):
        add_option(command, option)
    return command  # type: ignore[return-value]  # the same command, with more options


def _options() -> tuple[click.Option, ...]:
    return (
        click.Option(
            ["--parallelism"],
            type=click.IntRange(min=1),
            envvar="RECONCILER_PARALLELISM",
            show_envvar=True,
            metavar="N",
            help="How many jobs run at once.  [default: what the provider can take]",
        ),
        click.Option(["--fail-fast"], is_flag=True, help="After one failure start nothing more."),
        click.Option(
            ["--canary"],
            type=click.IntRange(min=0),
            metavar="N",
            help="Finish N jobs before the others start; 0: none."
            "  [default: 1 where one cause reruns ten paid outputs]",
        ),
        click.Option(
            ["--refresh"], is_flag=True, help="Look at watched sources and at copies in stores before planning."
        ),
        click.Option(
            ["--no-wait"], is_flag=True, help="Start jobs that run elsewhere and leave; a later apply brings them in."
        ),
        click.Option(
            ["--wait-timeout"],
            metavar="DURATION",
            callback=duration,
            help="How long to wait for jobs (90s, 2h); what still runs then runs on, and the exit code is 7.",
        ),
        click.Option(
            ["--lock-timeout"],
            type=FiniteRange(min=0),
            default=0.0,
            envvar="RECONCILER_LOCK_TIMEOUT",
            show_envvar=True,
            metavar="SECONDS",
            help="How long to wait for another apply.  [default: not at all]",
        ),
    )
