"""The rows of the decision table (the docstring of `plan`): what one declared output needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from reconciler.core.checks import asked_of
from reconciler.core.encode import Output
from reconciler.core.finished import Notice, finished
from reconciler.core.manifest import Canonical, Difference, Manifest, difference
from reconciler.core.selection import Selection
from reconciler.core.state import Attempt, Record
from reconciler.core.steps import Create, Move, Reason, Relink, Rerun, Resume, Retry, Reuse, Step, Supersede, Update
from reconciler.core.world import World, living_attempts, same_content

IN_FLIGHT = frozenset({"submitted", "running"})


class Decisions:
    """Decides about outputs one by one, and holds what the decisions must know of each other.

    `moved` are addresses whose records were given away, `notices` and `relinks` what is told beside the steps.
    """

    def __init__(
        self, declared: frozenset[str], records: Mapping[str, Record], world: World, selection: Selection
    ) -> None:
        self.declared = declared
        self.records = records
        self.world = world
        self.selection = selection
        self.notices: list[Notice] = []
        self.relinks: list[Relink] = []
        self.moved: set[str] = set()
        self._alive: dict[str, list[tuple[str, Attempt]]] | None = None
        self._vanished: dict[tuple[str, frozenset[tuple[str, Canonical]]], list[str]] | None = None

    def decide(self, output: Output, record: Record | None) -> Step | None:
        """The row of the table that this output is in."""
        if record is None or record.status == "retired":
            return self.unrecorded(output, record)
        if record.status in IN_FLIGHT:
            return self.in_flight(output, record)
        changes = () if record.fingerprint == output.fingerprint else difference(record.manifest, output.manifest)
        if changes:
            return self.changed(output, record, changes)
        return self.same(output, record)

    def unrecorded(self, output: Output, record: Record | None) -> Step:
        """No living record: take a living file of this fingerprint, else create."""
        living = () if self.selection.reruns_it(output.address) else self.alive(output)
        for address, attempt in living:
            if address == output.address:
                reason = Reason("declared_again", "declared again; its file is still here")
                return Reuse(output, reason, address, attempt, record)
            owner = self.records[address]
            movable = address not in self.declared and self.selection.selects(address)
            if movable and owner.output == attempt.output:
                self.moved.add(address)
                return Move(output, Reason("moved", f"the same encode under a new name, was {address}"), address, owner)
        renamed = None if living or self.selection.reruns_it(output.address) else self.renamed(output)
        if renamed is not None:
            self.moved.add(renamed)
            sentence = f"the same encode of the same content under new names, was {renamed}"
            return Move(output, Reason("moved", sentence), renamed, self.records[renamed])
        for address, attempt in living:
            if self.takes(attempt):
                return Reuse(output, Reason("reuse", f"{address} is the same encode"), address, attempt, record)
        if record is None or living == ():
            return Create(
                output, Reason("new", "new") if record is None else Reason("requested", "asked for with --rerun")
            )
        return Create(output, Reason("declared_again", "its file is gone"))

    def renamed(self, output: Output) -> str | None:
        """The address, no longer declared, of a living file that differs in nothing but the name of its source."""
        seen = self.world.sightings.get(output.source.identity)
        digest = output.source.sha256 or (seen.sha256 if seen is not None else None)
        if digest is None:
            return None
        if self._vanished is None:
            self._vanished = defaultdict(list)
            for address, record in sorted(self.records.items()):
                lives = any(attempt.output == record.output for attempt in living_attempts(record, self.world))
                if address not in self.declared and record.source.sha256 is not None and lives:
                    self._vanished[record.source.sha256, _without_source(record.manifest)].append(address)
        found = [
            address
            for address in self._vanished.get((digest, _without_source(output.manifest)), ())
            if address not in self.moved
            and self.selection.selects(address)
            and self.records[address].provider == output.provider
        ]
        return min(found, key=lambda address: (address.rpartition("/")[2] != output.name, address), default=None)

    def in_flight(self, output: Output, record: Record) -> Step:
        """A job of an earlier apply: go on with it, or replace it."""
        changes = () if record.fingerprint == output.fingerprint else difference(record.manifest, output.manifest)
        if not changes:
            return Resume(output, Reason("in_flight", _flight(record)), record)
        reused = self.earlier(output, record)
        if reused is not None:
            return reused
        reason = Reason("superseded", f"{_flight(record)}, but something else is wanted now")
        return Supersede(output, reason, record, changes)

    def changed(self, output: Output, record: Record, changes: tuple[Difference, ...]) -> Step:
        """Another fingerprint is wanted than the one recorded."""
        reused = None if self.selection.reruns_it(output.address) else self.earlier(output, record)
        if reused is not None:
            return reused
        only_source = record.status == "complete" and [change.field for change in changes] == ["source"]
        if only_source and self.world.same_digest(record.source, output.source):
            reason = Reason("source_moved", "the source has a new name and the same content")
            return Update(output, reason, record, changes)
        return Rerun(output, self._why(output, changes), record, changes)

    def _why(self, output: Output, changes: tuple[Difference, ...]) -> Reason:
        """What changed; of a chain, that the output it is made from is another one."""
        upstream = output.source.upstream
        if upstream is None or [change.field for change in changes] != ["source"]:
            return Reason("changed", _cause(changes))
        mezzanine = self.world.mezzanines.get(upstream.address)
        anew = mezzanine is not None and mezzanine.coming
        what = f"{upstream.address} is encoded anew" if anew else f"{upstream.address} is another file than before"
        return Reason("upstream", what)

    def earlier(self, output: Output, record: Record) -> Reuse | None:
        """An earlier attempt of the wanted fingerprint whose file lives: undoing a change is free."""
        for address, attempt in self.alive(output):
            own = address == output.address
            if (own and attempt.output != record.output) or (not own and self.takes(attempt)):
                where = "an earlier attempt" if own else address
                return Reuse(output, Reason("reuse", f"{where} is the same encode"), address, attempt, record)
        return None

    def takes(self, attempt: Attempt) -> bool:
        """Whether another address may take a file: it is on this machine, or the provider holds it."""
        return attempt.output.path is None or attempt.output.host == self.world.host

    def same(self, output: Output, record: Record) -> Step | None:
        """The recorded fingerprint is the wanted one; look at source, file, attempts and labels."""
        if self.selection.reruns_it(output.address):
            return Rerun(output, Reason("requested", "asked for with --rerun"), record, ())
        changed = self.world.source_change(record.source, output.source)
        if changed is not None:
            code = "source_changed" if output.source.upstream is None else "upstream"
            return Rerun(output, Reason(code, changed), record, ())
        doubt = self.world.source_doubt(record.source, output.source)
        if doubt is not None:
            self.notices.append(Notice("source_doubtful", output.address, f"{doubt}; --rerun makes it again"))
        if record.status != "complete":
            again = self.other_pin(output, record) or self.measured_again(output, record)
            return again or self.unfinished(output, record)
        verdict = finished(output, record, self.world)
        if verdict.notice is not None:
            self.notices.append(verdict.notice)
        if verdict.relink is not None:
            self.relinks.append(verdict.relink)
        return verdict.step

    def other_pin(self, output: Output, record: Record) -> Step | None:
        """Failed while its source was pinned otherwise: taken back or encoded, as if the spec had changed."""
        if record.source.pin == output.source.sha256:
            return None
        reused = self.earlier(output, record)
        return reused or Rerun(output, Reason("source_changed", "the source is pinned otherwise"), record, ())

    def measured_again(self, output: Output, record: Record) -> Step | None:
        """Suspect for checks that came after its file: where others are asked for now, that is looked at again."""
        if record.status != "suspect" or asked_of(output.checks) == record.checked:
            return None
        reason = Reason("reuse", "its checks changed, so its file is looked at again")
        own = (attempt for address, attempt in self.alive(output) if address == output.address)
        return next((Reuse(output, reason, output.address, attempt, record) for attempt in own), None)

    def unfinished(self, output: Output, record: Record) -> Step | None:
        """Failed, suspect or lost: try again while attempts are left, else leave it to a person."""
        if record.status == "failed" and record.failures < output.attempts:
            sentence = f"attempt {record.failures + 1} of {output.attempts}; it failed: {record.error}"
            return Retry(output, Reason("retry", sentence), record)
        spent = (
            f"{record.failures} of {output.attempts} attempts used" if record.status == "failed" else "not tried again"
        )
        sentence = f"{record.status}: {record.error}; {spent}, until its spec or source changes or --rerun names it"
        self.notices.append(Notice(record.status, output.address, sentence))
        return None

    def alive(self, output: Output) -> list[tuple[str, Attempt]]:
        """Living files of the wanted fingerprint, on its provider, from the content its source has now.

        The output's own name comes first, then addresses in order; what was moved away is not there any more.
        """
        if self._alive is None:
            self._alive = defaultdict(list)
            for address, record in sorted(self.records.items()):
                for attempt in living_attempts(record, self.world):
                    self._alive[attempt.fingerprint].append((address, attempt))
        found = [
            (address, attempt)
            for address, attempt in self._alive.get(output.fingerprint, ())
            if address not in self.moved
            and attempt.provider == output.provider
            and same_content(attempt.source, output.source, self.world)
        ]
        return sorted(found, key=lambda pair: (pair[0] != output.address, pair[0].rpartition("/")[2] != output.name))


def _without_source(manifest: Manifest) -> frozenset[tuple[str, Canonical]]:
    return frozenset(item for item in manifest.items() if item[0] != "source")


def _cause(changes: tuple[Difference, ...]) -> str:
    names = [change.field for change in changes]
    whole = ": the whole package is encoded again" if any(name.startswith("variants.") for name in names) else ""
    return f"{', '.join(names[:3])}{' and more' if len(names) > 3 else ''} changed{whole}"


def _flight(record: Record) -> str:
    job = record.job
    return "an earlier apply began it" if job is None else f"an earlier apply began it (job {job.id[:8]}, {job.phase})"
