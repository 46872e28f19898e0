"""Copies of finished outputs on their way to where `deliver:` says. They cost nothing and may be made again."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.apply.hands import Hands, Pending
from reconciler.apply.rechecks import Rechecks, link_to
from reconciler.core import transitions
from reconciler.core.aftercare import target
from reconciler.core.checks import unmet
from reconciler.core.copies import DeliveredCopy
from reconciler.core.encode import Output
from reconciler.core.errors import ProviderError
from reconciler.core.expiry import is_copied
from reconciler.core.happenings import OutputDelivered, OutputFailed
from reconciler.core.targets import Target


@dataclass(slots=True)
class _Going:
    """A copy that is being made."""

    output: Output
    target: Target
    pending: Pending[DeliveredCopy]


@dataclass(slots=True)
class Deliveries:
    """Begins copies, and records them once they are there."""

    hands: Hands
    delivered: list[OutputDelivered] = field(default_factory=list)
    failed: list[OutputFailed] = field(default_factory=list)
    _going: list[_Going] = field(default_factory=list)
    _rechecks: Rechecks = field(init=False)

    def __post_init__(self) -> None:
        self._rechecks = Rechecks(self.hands, self.failed)

    @property
    def busy(self) -> bool:
        """Whether a copy is still being made, or something is measured first."""
        return bool(self._going) or self._rechecks.busy

    def begin(self, output: Output) -> None:
        """Begin the copy of a finished output, if one is wanted; what nobody checked yet is measured first."""
        record = self.hands.state.snapshot.records[output.address]
        wanted = target(output)
        if record.status != "complete" or record.output is None:
            return
        if unmet(output.checks, record.checked):
            self._rechecks.begin(output)
            return
        if wanted is None:
            return
        pending = self.hands.deliver(wanted, record, link_to(self.hands, record), lambda: bool(self.hands.interrupts()))
        self._going.append(_Going(output, wanted, pending))

    def begin_missing(self, output: Output) -> None:
        """As `begin`, of an output that may have its copy: its file came from another one, or is only measured."""
        record, wanted = self.hands.state.snapshot.records[output.address], target(output)
        there = wanted is not None and record.delivered is not None and record.delivered.where == wanted.where
        if unmet(output.checks, record.checked) or not (there and is_copied(record)):
            self.begin(output)

    def look(self) -> None:
        """Record the copies that are there now, and tell of those that could not be made."""
        for output in self._rechecks.look():
            self.begin_missing(output)
        for going in [each for each in self._going if each.pending.done()]:
            self._going.remove(going)
            try:
                copy = going.pending.result()
            except ProviderError as error:
                self._failed(going, error)
            else:
                self._there(going, copy)

    def give_up(self) -> None:
        """Tell of what had to be measured first, and could not be."""
        self._rechecks.give_up()

    def _there(self, going: _Going, copy: DeliveredCopy) -> None:
        address, wanted = going.output.address, going.target
        record = self.hands.state.snapshot.records[address]
        rev, now = self.hands.state.next_rev(address), self.hands.stamp()
        host = "" if wanted.remote else self.hands.host
        done = transitions.delivered(record, copy, wanted, host=host, rev=rev, now=now)
        self.hands.record("delivered", done, address)
        happening = OutputDelivered(address, copy.where, copy.size, wanted.public_url)
        self.delivered.append(happening)
        self.hands.tell(happening)

    def _failed(self, going: _Going, error: ProviderError) -> None:
        """A copy that could not be made leaves the output complete; the next plan delivers it again."""
        happening = OutputFailed(going.output.address, "undelivered", str(error), 0, going.output.attempts)
        self.failed.append(happening)
        self.hands.tell(happening)
