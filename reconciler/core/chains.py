"""Outputs that are made from other outputs: what their plan needs of each other.

Each is decided about after what it is made from. An output that has to be encoded needs the file of its upstream:
that is there, or comes by this same plan, or is made once more (`needed_by`); else the output is blocked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from reconciler.core.decisions import Decisions
from reconciler.core.encode import Desired, Output
from reconciler.core.estimates import may_start
from reconciler.core.finished import Notice
from reconciler.core.mezzanines import Mezzanine, content_of, remade
from reconciler.core.names import matches
from reconciler.core.selection import Selection
from reconciler.core.state import Record
from reconciler.core.steps import (
    Create,
    EncodeStep,
    Move,
    Reason,
    Rerun,
    Resume,
    Reuse,
    ReuseTwin,
    Step,
    Update,
)
from reconciler.core.upstream_files import gone, readable
from reconciler.core.upstreams import upstreams_of
from reconciler.core.world import World


def in_order(outputs: Iterable[Output]) -> list[Output]:
    """Outputs of chains, each after what it is made from."""
    depths = [(sum(1 for _ in upstreams_of(output)), output.address, output) for output in outputs]
    return [output for _, _, output in sorted(depths, key=lambda each: each[:2])]


class Chains:
    """The outputs of a plan that are made from others. `found` are its steps so far, by address.

    `outputs` are those outputs, in the order in which they are decided about; `brought` the addresses that nobody
    selected and that what was selected is made from. `taken_up` counts outputs that were counted as unchanged, and
    are made once more.
    """

    def __init__(
        self,
        desired: Desired,
        records: Mapping[str, Record],
        world: World,
        selection: Selection,
        found: dict[str, Step],
    ) -> None:
        self.outputs = in_order(output for output in desired.outputs if output.source.upstream is not None)
        self.mezzanines: dict[str, Mezzanine] = {}
        self.brought = frozenset(self._brought(selection)) if selection.targets else frozenset[str]()
        self.taken_up = 0
        self._providers = desired.providers
        self._records = records
        self._world = world
        self._selection = selection
        self._found = found
        self._needed: set[str] = set()
        self._blocked: dict[str, str] = {}
        self._remade: set[str] = set()

    def _brought(self, selection: Selection) -> Iterator[str]:
        for output in self.outputs:
            if selection.selects(output.address):
                above = (each.address for each in upstreams_of(output))
                yield from (each for each in above if not self._chosen(each, selection))

    @staticmethod
    def _chosen(address: str, selection: Selection) -> bool:
        """Whether an address is selected, or left out by name."""
        return selection.selects(address) or any(matches(glob, address) for glob in selection.excludes)

    def look(self, output: Output) -> None:
        """Learn what will be the content of the output that this one is made from."""
        upstream = output.source.upstream
        if upstream is None:
            return
        mezzanine = self._mezzanine(upstream)
        if mezzanine is not None:
            self.mezzanines[upstream.address] = mezzanine

    def _mezzanine(self, upstream: Output) -> Mezzanine | None:
        """What this plan leaves of an output that others are made from; None if that is not what is wanted of it."""
        step = self._found.get(upstream.address)
        if isinstance(step, EncodeStep):
            return Mezzanine(upstream.address, remade(step), coming=True)
        if isinstance(step, ReuseTwin):
            return Mezzanine(upstream.address, coming=True)
        made = _left_by(step, self._records.get(upstream.address))
        if made is None or made.output is None or made.fingerprint != upstream.fingerprint:
            return None
        return Mezzanine(upstream.address, content_of(made), made.output.sha256)

    def feed(self, output: Output, rows: Decisions) -> None:
        """See that what an output is made from is there when it is encoded; else take its step away and say why."""
        step = self._found.get(output.address)
        if not isinstance(step, EncodeStep) or self._has_read(step):
            return
        why = self._supply(output, rows)
        if why is not None:
            del self._found[output.address]
            self.taken_up -= output.address not in self.brought
            self._blocked[output.address] = why
            rows.notices.append(Notice("blocked", output.address, f"blocked: {why}"))

    def _has_read(self, step: Step) -> bool:
        """Whether a job runs elsewhere that has all it needs."""
        return isinstance(step, Resume) and not may_start(step) and self._holds(step.record.provider)

    def _supply(self, output: Output, rows: Decisions) -> str | None:
        """Why the file that an output is made from will not be there; None if it will."""
        upstream = output.source.upstream
        assert upstream is not None, "an output of a chain"
        step, record = self._found.get(upstream.address), self._records.get(upstream.address)
        self._needed.add(upstream.address)
        if isinstance(step, EncodeStep | ReuseTwin):
            return None
        made = _left_by(step, record)
        if made is None or made.fingerprint != upstream.fingerprint:
            return self._missing(upstream, record)
        if self._is_readable(output, made):
            return None
        return self._again(upstream, output, made, rows)

    def _is_readable(self, output: Output, made: Record) -> bool:
        """Whether whoever makes an output can get at the file that it is made from."""
        away, host, now = self._holds(output.provider), self._world.host, self._world.now
        found = readable(output.source, made, host=host, now=now, present=self._world.is_here, away=away)
        # A file that another provider than the recorded one holds is nobody's to sign a link to.
        lost = found is not None and found.kind == "http" and made.output is not None and made.output.link is not None
        return found is not None and not (lost and not self._holds(made.provider))

    def _holds(self, provider: str) -> bool:
        settings = self._providers.get(provider)
        return settings is not None and settings.holds

    def _missing(self, upstream: Output, record: Record | None) -> str:
        """Why an output that something is made from is not made."""
        name = upstream.address
        if name in self._blocked:
            return f"{name} is blocked: {self._blocked[name]}"
        if not upstream.enabled:
            return f"{name}, which it is made from, is paused (enabled: false)"
        if record is not None and record.status in {"failed", "suspect", "lost"}:
            return f"{name}, which it is made from, is {record.status}; to try that again: --rerun {name}"
        return f"{name}, which it is made from, is left out of this plan"

    def _again(self, upstream: Output, output: Output, made: Record, rows: Decisions) -> str | None:
        """Plan to make a file once more that is needed and gone; why that cannot be, if it cannot."""
        name, where = upstream.address, gone(made, self._world.host, self._world.now)
        if not upstream.enabled:
            return f"it is made from the file of {name}, {where}, and {name} is paused (enabled: false)"
        if not (self._selection.selects(name) or name in self.brought):
            return f"it is made from the file of {name}, {where}, and {name} is left out of this plan"
        if upstream.source.upstream is not None:
            why = self._supply(upstream, rows)
            if why is not None:
                return f"it is made from the file of {name}, {where}; {why}"
        if name not in self._found and name not in self.brought:
            self.taken_up += 1
        before = self._found.get(name)
        if isinstance(before, Move):
            rows.moved.discard(before.of)
        reason = Reason("needed_by", f"{output.address} is made from its file, {where}")
        record = self._records.get(name)
        kept = record is not None and record.status == "complete"
        self._found[name] = Rerun(upstream, reason, record, ()) if kept and record else Create(upstream, reason)
        self._remade.add(name)
        return None

    def drop_what_was_not_needed(self, rows: Decisions) -> None:
        """Of what nobody selected, keep only the files that something selected is made from; tell nothing of it."""
        files = EncodeStep | Move | Reuse | ReuseTwin
        for address in self.brought:
            if address in self._found and not (address in self._needed and isinstance(self._found[address], files)):
                step = self._found.pop(address)
                if isinstance(step, Move):
                    rows.moved.discard(step.of)
        untold = self.brought | self._remade
        if untold:
            rows.notices[:] = [notice for notice in rows.notices if notice.address not in untold]
            rows.relinks[:] = [relink for relink in rows.relinks if relink.address not in untold]


def _left_by(step: Step | None, record: Record | None) -> Record | None:
    """The record that a step which encodes nothing leaves of a finished output; None if none is."""
    match step:
        case Move():
            return replace(step.record, fingerprint=step.output.fingerprint)
        case Update():
            return replace(step.record, fingerprint=step.output.fingerprint, provider=step.output.provider)
        case Reuse():
            attempt = step.attempt
            return Record(
                rev=0,
                status="complete",
                fingerprint=attempt.fingerprint,
                manifest=attempt.manifest,
                source=attempt.source,
                provider=attempt.provider,
                job=attempt.job,
                output=attempt.output,
            )
        case _:
            return record if record is not None and record.status == "complete" else None
