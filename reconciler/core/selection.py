"""Which outputs a plan is about, and the mistakes that look like a wish to do nothing or to retire everything."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from reconciler.core.encode import Desired
from reconciler.core.errors import ReconcilerError, UsageError
from reconciler.core.limits import LIFTED, Limits
from reconciler.core.names import matches, nearest
from reconciler.core.state import Record

# What `--allow` begins with where it lifts the protection of addresses.
RERUN = "rerun:"


@dataclass(frozen=True, slots=True)
class Selection:
    """What `--target`, `--exclude`, `--rerun` and `--allow` say (globs over whole addresses), and `--max-*`.

    With `no_spend` only what is free and needs nobody's approval is done.
    """

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    reruns: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    no_spend: bool = False

    def selects(self, address: str) -> bool:
        """Whether the plan is about this address at all."""
        if any(matches(glob, address) for glob in self.excludes):
            return False
        return not self.targets or any(matches(glob, address) for glob in self.targets)

    def reruns_it(self, address: str) -> bool:
        """Whether `--rerun` names this address."""
        return any(matches(glob, address) for glob in self.reruns)


def refuse_unmatched(desired: Desired, records: Mapping[str, Record], selection: Selection) -> None:
    """A pattern that matches nothing is a typing error, not a wish to do nothing. Raises UsageError."""
    known = {*records, *(output.address for output in desired.outputs)}
    for name in selection.allow:
        if name not in {"empty", *LIFTED} and not name.startswith(RERUN):
            raise UsageError(f'--allow "{name}" is not known; it takes empty, rerun:ADDR, {", ".join(LIFTED)}')
    for option, prefix, globs in (
        ("--target", "", selection.targets),
        ("--exclude", "", selection.excludes),
        ("--rerun", "", selection.reruns),
        ("--allow", RERUN, [name.removeprefix(RERUN) for name in selection.allow if name.startswith(RERUN)]),
    ):
        for glob in globs:
            if not any(matches(glob, address) for address in known):
                near = nearest(glob, known)
                hint = f'\nDid you mean "{prefix}{near}"?' if near is not None else ""
                raise UsageError(f'{option} "{prefix}{glob}" matches no address.{hint}')


def refuse_empty(desired: Desired, records: Mapping[str, Record], allow: Collection[str]) -> None:
    """Stop a mistake (an empty folder, a glob that lost its files) from retiring what was paid for."""
    alive = [address for address, record in records.items() if record.status != "retired"]
    if not alive or "empty" in allow:
        return
    if not desired.outputs:
        message = f"the specs declare no encodes, but the state holds {len(alive)} outputs"
        raise ReconcilerError(f"{message}.\nTo retire them all, say so: --allow empty")
    for encode in desired.empty:
        lost = [address for address in alive if address.startswith(f"{encode}/")]
        if lost:
            message = f'the fan-out of "{encode}" matches nothing, but the state holds {len(lost)} of its outputs'
            raise ReconcilerError(f"{message}.\nTo retire them, say so: --allow empty")
