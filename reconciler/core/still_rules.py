"""What stills cannot mean."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.errors import Problem
from reconciler.core.parameters import Parameters
from reconciler.core.still_fields import KINDS, Stills
from reconciler.core.watermark_rules import watermark_problems
from reconciler.core.written import Written

_EXAMPLES = "Write  stills: {at: 10%}  or  stills: {every: 10s, width: 160, grid: 10x10}"


def still_problems(parameters: Parameters, written: Written) -> Iterator[Problem]:
    """What is wrong with stills, or with saying things of them about something else."""
    container, stills = parameters.container, parameters.stills
    if container is None:
        return
    if container not in KINDS:
        if stills is not None:
            hints = (*written.source_of("container"), f"It is for {', '.join(KINDS)}: leave it out.")
            yield written.problem(f'"stills" says nothing for {container}', "stills", *hints)
    elif stills is None:
        yield written.problem(f"nothing is said about the stills of a {container}", "stills", _EXAMPLES)
    else:
        yield from _which(stills, written)
        yield from _odd(stills, written)
        yield from watermark_problems(stills.watermark, "stills.watermark", written)


def _which(stills: Stills, written: Written) -> Iterator[Problem]:
    if stills.at is None and stills.every is None:
        yield written.problem("stills has neither a time nor an interval", "stills", _EXAMPLES)
    elif stills.at is not None and stills.every is not None:
        field, other = written.later("stills.every", "stills.at")
        yield written.problem('"at" and "every" cannot both be set', field, *written.source_of(other))
    elif stills.grid is not None and stills.every is None:
        yield written.problem(
            '"grid" says nothing for one picture', "stills.grid", "Leave it out, or write  every: 10s"
        )
    elif stills.grid is not None and stills.width is None and stills.height is None:
        yield written.problem("a sheet of pictures of full size", "stills.grid", "Write  width: 160  beside it.")


def _odd(stills: Stills, written: Written) -> Iterator[Problem]:
    for name in ("width", "height"):
        size = getattr(stills, name)
        if size is not None and size % 2:
            hint = f"Write  {name}: {size - 1}  or  {name}: {size + 1}"
            yield written.problem(f"{name}: {size} is odd, which stills cannot be", f"stills.{name}", hint, value=True)
