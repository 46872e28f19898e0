"""Which outputs of a plan would be kept nowhere but on the machine that encodes them."""

from __future__ import annotations

from reconciler.core.encode import Desired, Output
from reconciler.core.plan import Plan
from reconciler.core.steps import EncodeStep


def kept_here(plan: Plan, desired: Desired) -> tuple[str, ...]:
    """The addresses that are encoded on this machine and delivered nowhere else."""
    encoded = (step for step in plan.steps if isinstance(step, EncodeStep))
    return tuple(step.address for step in encoded if _stays(step.output, desired))


def _stays(output: Output, desired: Desired) -> bool:
    """Whether neither its provider nor a store keeps the file; a folder is as lasting as its machine."""
    provider = desired.providers.get(output.provider)
    is_copied = output.deliver is not None and "://" in output.deliver.to
    return not is_copied and not (provider is not None and provider.holds)
