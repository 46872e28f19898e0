"""Chains: a job begins once the output that it is made from is there, and reads that one's file.

Where the file is, is only known then: on this machine, behind a link that its provider signs for it, or in a store.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from reconciler.apply.hands import Hands
from reconciler.core.encode import Source
from reconciler.core.errors import NotReadyError, ProviderError
from reconciler.core.expiry import renewed
from reconciler.core.jobs import PlannedJob
from reconciler.core.mezzanines import content_of
from reconciler.core.ports import JobRequest, Provider, RenewsLinks
from reconciler.core.state import Record
from reconciler.core.steps import Resume
from reconciler.core.upstream_files import readable
from reconciler.core.upstreams import upstreams_of

Gate = Literal["open", "waits", "shut"]


@dataclass(frozen=True, slots=True)
class Feeds:
    """What jobs are made from. `leaders` are the addresses from which upstreams take their files, if they are twins."""

    hands: Hands
    leaders: Mapping[str, str]

    def gate(self, planned: PlannedJob, provider: Provider, to_come: Container[str]) -> Gate:
        """Whether a job may begin; `to_come` are the addresses that this apply has yet to make.

        Shut: what it is made from is not there, and nothing that this apply does will change that.
        """
        address = self.upstream(planned)
        if address is None or is_begun(planned, provider):
            return "open"
        if address in to_come:
            return "waits"
        return "open" if self._record(planned) is not None else "shut"

    def upstream(self, planned: PlannedJob) -> str | None:
        """The address whose file a job is made from; None if its source is no output."""
        above = planned.request.source.upstream
        return None if above is None else self.leaders.get(above.address, above.address)

    def made_by(self, planned: PlannedJob) -> str | None:
        """The content that a job is made from, as far as it is an output's."""
        record = self._record(planned)
        return None if record is None else content_of(record)

    def read(self, planned: PlannedJob, provider: Provider) -> Source:
        """The source of a job as what can be opened; a link is not signed yet. Raises NotReadyError."""
        source = planned.request.source
        record = self._record(planned)
        if source.upstream is None:
            return source
        found = None
        if record is not None:
            hands, away = self.hands, provider.traits.outlives
            present = hands.files.is_there
            found = readable(source, record, host=hands.host, now=hands.stamp(), present=present, away=away)
        if found is None:
            raise NotReadyError(f"the file of {source.location}, which it is made from, is not there (any more)")
        return found

    def request(self, planned: PlannedJob, source: Source) -> JobRequest:
        """The request of a job that reads `source`. It may ask a provider for a link. Raises ProviderError."""
        if planned.request.source.upstream is None:
            return planned.request
        if source.kind == "http":
            source = self._signed(planned, source)
        outputs = tuple(replace(output, source=source) for output in planned.request.outputs)
        return replace(planned.request, source=source, outputs=outputs)

    def attached(self, planned: PlannedJob, provider: Provider) -> JobRequest:
        """The request of a job that runs already; only a check needs its source again, and that may be gone."""
        if not any(output.checks.needs_source for output in planned.request.outputs):
            return planned.request
        try:
            return self.request(planned, self.read(planned, provider))
        except ProviderError:
            return planned.request

    def _record(self, planned: PlannedJob) -> Record | None:
        """The record of what a job is made from, if that is finished and what is wanted."""
        above, address = planned.request.source.upstream, self.upstream(planned)
        record = self.hands.state.snapshot.records.get(address or "")
        if above is None or record is None or record.status != "complete":
            return None
        return record if record.fingerprint == above.fingerprint else None

    def _signed(self, planned: PlannedJob, source: Source) -> Source:
        """The source behind a link that opens it now."""
        record = self._record(planned)
        provider = self.hands.providers.get(record.provider) if record is not None else None
        if record is None or record.output is None or record.job is None or not isinstance(provider, RenewsLinks):
            raise NotReadyError(f"nobody signs a link to {planned.request.source.location}, which it is made from")
        held = renewed(record.output, provider.fresh_links(record.job.id))
        if held is None:
            raise NotReadyError(f"{record.provider} gives no link to {planned.request.source.location} any more")
        return replace(source, location=held.link, private=provider.private_links)


def is_begun(planned: PlannedJob, provider: Provider) -> bool:
    """Whether a job was started elsewhere, or may have been, so that it is only watched."""
    if not provider.traits.outlives:
        return False
    jobs = [step.record.job for step in planned.steps if isinstance(step, Resume)]
    return len(jobs) == len(planned.steps) and any(
        job is not None and job.phase in {"starting", "started"} for job in jobs
    )


def depth(planned: PlannedJob) -> int:
    """How many outputs in a row a job is made from."""
    return sum(1 for _ in upstreams_of(planned.request.outputs[0]))
