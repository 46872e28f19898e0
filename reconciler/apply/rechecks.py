"""Finished files that nobody measured for what is asked of them now: taken over from others, or asked more later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from reconciler.apply.hands import Hands, Pending
from reconciler.core import transitions
from reconciler.core.checks import CheckResult, failures
from reconciler.core.copies import FromLink
from reconciler.core.encode import Output, Source
from reconciler.core.errors import ProviderError, UnavailableError
from reconciler.core.expiry import renewed
from reconciler.core.happenings import OutputFailed
from reconciler.core.ports import RenewsLinks
from reconciler.core.state import Record
from reconciler.core.upstream_files import readable


@dataclass(slots=True)
class Rechecks:
    """Begins measurements, and records what came of them.

    What is compared with the file of another output waits until that is there.
    """

    hands: Hands
    failed: list[OutputFailed] = field(default_factory=list)
    _late: list[Output] = field(default_factory=list)
    _going: list[tuple[Output, Pending[tuple[CheckResult, ...]]]] = field(default_factory=list)

    @property
    def busy(self) -> bool:
        """Whether a file is still being measured."""
        return bool(self._going)

    def begin(self, output: Output) -> None:
        """Begin to measure the file of a complete output, once what it is compared with can be read."""
        try:
            compared = self._readable(output)
        except ProviderError as error:
            self._tell(output, "unchecked", f"it could not be checked: {error}")
            return
        if compared is None:
            self._late.append(output)
            return
        record = self._record(output)
        interrupted: Callable[[], bool] = lambda: bool(self.hands.interrupts())  # noqa: E731 - a fact in one line
        self._going.append((output, self.hands.measure(compared, record, link_to(self.hands, record), interrupted)))

    def look(self) -> list[Output]:
        """Record what was measured by now; the outputs that meet what is asked of them."""
        late, self._late = self._late, []
        for output in late:
            self.begin(output)
        passed: list[Output] = []
        for going in [each for each in self._going if each[1].done()]:
            self._going.remove(going)
            output, pending = going
            try:
                results = pending.result()
            except UnavailableError as error:
                self._tell(output, "unchecked", f"it could not be checked: {error}")
            except ProviderError as error:
                self._not_met(output, f"it could not be checked: {error}", ())
            else:
                failed = failures(results)
                if failed is None:
                    self._met(output, results)
                    passed.append(output)
                else:
                    self._not_met(output, failed, results)
        return passed

    def give_up(self) -> None:
        """Tell of what could not be measured, since nothing that it is compared with came."""
        late, self._late = self._late, []
        for output in late:
            what = f"the file of {output.source.location}, which it is made from, is not there"
            self._tell(output, "unchecked", f"it could not be checked: {what}")

    def _met(self, output: Output, results: tuple[CheckResult, ...]) -> None:
        record, rev, now = self._record(output), self.hands.state.next_rev(output.address), self.hands.stamp()
        self.hands.record("checked", transitions.checked(record, results, output, rev, now), output.address)

    def _not_met(self, output: Output, error: str, results: tuple[CheckResult, ...]) -> None:
        record, rev, now = self._record(output), self.hands.state.next_rev(output.address), self.hands.stamp()
        self.hands.record(
            "suspect", transitions.not_met(record, error, results, output, rev=rev, now=now), output.address
        )
        self._tell(output, "suspect", self._record(output).error or error)

    def _tell(self, output: Output, status: str, error: str) -> None:
        record = self._record(output)
        happening = OutputFailed(output.address, status, error, record.failures, output.attempts)
        self.failed.append(happening)
        self.hands.tell(happening)

    def _record(self, output: Output) -> Record:
        return self.hands.state.snapshot.records[output.address]

    def _readable(self, output: Output) -> Output | None:
        """The output with a source that can be opened: of a chain, the file of what it is made from.

        None while that is not there. Raises ProviderError if its provider gives no link to it.
        """
        hands, above = self.hands, output.source.upstream
        if above is None or not output.checks.needs_source:
            return output
        record = hands.state.snapshot.records.get(above.address)
        if record is None or record.status != "complete" or record.fingerprint != above.fingerprint:
            return None
        found = readable(output.source, record, host=hands.host, now=hands.stamp(), present=hands.files.is_there)
        if found is not None and found.kind == "http":
            found = self._signed(found, record)
        return None if found is None else replace(output, source=found)

    def _signed(self, source: Source, record: Record) -> Source | None:
        """The source behind a link that opens it now. Raises ProviderError."""
        link = link_to(self.hands, record)
        return None if link is None else replace(source, location=link.renew(), private=link.private)


def link_to(hands: Hands, record: Record) -> FromLink | None:
    """How to get at a file that its provider holds; None for a file on this machine."""
    if record.output is None or record.output.path is not None:
        return None
    file, job, provider = record.output, record.job, hands.providers.get(record.provider)

    def renew() -> str:
        if job is None or not isinstance(provider, RenewsLinks):
            raise UnavailableError(f"{record.provider} gives no links to what it holds")
        held = renewed(file, provider.fresh_links(job.id))
        if held is None:
            raise UnavailableError(f"{record.provider} gives no link to {file.where} any more")
        return held.link

    return FromLink("", renew, isinstance(provider, RenewsLinks) and provider.private_links)
