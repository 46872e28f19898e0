"""Copies of finished outputs on their way to where `deliver:` says. They cost nothing and may be made again."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.apply.hands import Hands, Pending
from reconciler.core import transitions
from reconciler.core.aftercare import target
from reconciler.core.copies import DeliveredCopy, FromLink
from reconciler.core.encode import Output
from reconciler.core.errors import ProviderError, UnavailableError
from reconciler.core.expiry import is_copied, renewed
from reconciler.core.happenings import OutputDelivered, OutputFailed
from reconciler.core.ports import RenewsLinks
from reconciler.core.state import Record
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

    @property
    def busy(self) -> bool:
        """Whether a copy is still being made."""
        return bool(self._going)

    def begin(self, output: Output) -> None:
        """Begin the copy of a finished output, if one is wanted."""
        record = self.hands.state.snapshot.records[output.address]
        wanted = target(output)
        if wanted is None or record.status != "complete" or record.output is None:
            return
        pending = self.hands.deliver(wanted, record, self._link(record), lambda: bool(self.hands.interrupts()))
        self._going.append(_Going(output, wanted, pending))

    def begin_missing(self, output: Output) -> None:
        """As `begin`, of an output whose file came from another one: not if it brought its copy along."""
        record, wanted = self.hands.state.snapshot.records[output.address], target(output)
        there = wanted is not None and record.delivered is not None and record.delivered.where == wanted.where
        if not (there and is_copied(record)):
            self.begin(output)

    def look(self) -> None:
        """Record the copies that are there now, and tell of those that could not be made."""
        for going in [each for each in self._going if each.pending.done()]:
            self._going.remove(going)
            try:
                copy = going.pending.result()
            except ProviderError as error:
                self._failed(going, error)
            else:
                self._there(going, copy)

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

    def _link(self, record: Record) -> FromLink | None:
        """How to get at a file that its provider holds; None for a file on this machine."""
        if record.output is None or record.output.path is not None:
            return None
        file, job, provider = record.output, record.job, self.hands.providers.get(record.provider)

        def renew() -> str:
            if job is None or not isinstance(provider, RenewsLinks):
                raise UnavailableError(f"{record.provider} gives no links to what it holds")
            held = renewed(file, provider.fresh_links(job.id))
            if held is None:
                raise UnavailableError(f"{record.provider} gives no link to {file.where} any more")
            return held.link

        return FromLink("", renew, isinstance(provider, RenewsLinks) and provider.private_links)
