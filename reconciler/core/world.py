"""What was seen on this machine when a plan is made, and what follows from it: does the source still have the
content that was encoded, is the file still there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.core.copies import DeliveredCopy, Presence
from reconciler.core.encode import Desired, Source
from reconciler.core.evidence import Changed, Content, Unknown, compare
from reconciler.core.mezzanines import Mezzanine, change
from reconciler.core.ports import Sighting
from reconciler.core.state import Attempt, Evidence, OutputRecord, Record, SourceRecord


@dataclass(frozen=True, slots=True)
class World:
    """A look around: local sources by identity, sizes of published files by path (None: not there), this host.

    `copies` are delivered copies that were looked at, by where they are (None: not there). `contents` are what
    servers said of remote sources that somebody looked at, by identity; `unseen` are those that could not be looked
    at, and why. `mezzanines` are the outputs that others are made from, by address, as a plan leaves them.
    `now` is when it was taken (RFC 3339, UTC, whole seconds, as the state writes times).
    """

    host: str
    now: str = ""
    sightings: Mapping[str, Sighting] = field(default_factory=dict)
    files: Mapping[str, int | None] = field(default_factory=dict)
    copies: Mapping[str, Presence | None] = field(default_factory=dict)
    contents: Mapping[str, Content] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)
    mezzanines: Mapping[str, Mezzanine] = field(default_factory=dict)

    def source_change(self, recorded: SourceRecord, source: Source) -> str | None:
        """What changed about a source's content since it was recorded, as a sentence; None if nothing is known to.

        A pin that was not met when it was tried is no change as long as it is the same pin.
        """
        if source.kind == "encode":
            mezzanine = self.mezzanines.get(source.location)
            return None if mezzanine is None else change(recorded, mezzanine)
        unmet = source.sha256 is not None and recorded.sha256 is not None and source.sha256 != recorded.sha256
        if unmet and source.sha256 != recorded.pin:
            return f"source pinned to sha256 {source.sha256 or '':.12}, encoded from {recorded.sha256 or '':.12}"
        if source.kind in {"http", "store"}:
            return self._remote_change(recorded, source)
        seen = self.sightings.get(source.identity)
        if source.kind != "file" or seen is None or not seen.exists:
            return None
        before = recorded.evidence
        if before.size is not None and seen.size != before.size:
            return f"source content changed: {before.size:,} -> {seen.size:,} bytes"
        if before.mtime_ns == seen.mtime_ns or seen.sha256 is None or recorded.sha256 is None:
            return None
        if seen.sha256 != recorded.sha256:
            return f"source content changed: sha256 {recorded.sha256[:12]} -> {seen.sha256[:12]}"
        return None

    def _remote_change(self, recorded: SourceRecord, source: Source) -> str | None:
        """What changed about a remote source that is watched, as far as somebody looked; weak evidence says nothing."""
        seen = self.contents.get(source.identity)
        if not source.watch or seen is None or recorded.content is None:
            return None
        verdict = compare(recorded.content, seen)
        return f"source content changed: {verdict.why}" if isinstance(verdict, Changed) else None

    def source_doubt(self, recorded: SourceRecord, source: Source) -> str | None:
        """Why nobody can tell whether a watched source that was looked at has changed; None if somebody can."""
        if not source.watch:
            return None
        if source.identity in self.unseen:
            return f"its source could not be looked at: {self.unseen[source.identity]}"
        seen = self.contents.get(source.identity)
        verdict = compare(recorded.content or Content(), seen) if seen is not None else None
        return f"its source may have changed: {verdict.why}" if isinstance(verdict, Unknown) else None

    def same_digest(self, recorded: SourceRecord, source: Source) -> bool:
        """Whether both sides hold a content digest and they are equal: a moved master is not a new one."""
        seen = self.sightings.get(source.identity)
        digest = source.sha256 or (seen.sha256 if seen is not None else None)
        if source.kind == "encode" and source.location in self.mezzanines:
            digest = self.mezzanines[source.location].sha256 or None
        return digest is not None and digest == recorded.sha256

    def is_here(self, path: str, size: int) -> bool:
        """Whether a published file, or a copy in a folder, of this size was seen on this machine."""
        copy = self.copies.get(path)
        return self.files.get(path) == size or (copy is not None and copy.size == size)


def same_content(recorded: SourceRecord, source: Source, world: World) -> bool:
    """Whether nothing speaks against the source still having the content it was recorded with."""
    return world.source_change(recorded, source) is None


def output_state(record: Record, world: World) -> tuple[str, str] | None:
    """What is wrong with a finished output's file, as code and sentence; None if it is there, or made elsewhere."""
    output = record.output
    if output is None:
        return "output_missing", "no file is recorded"
    if output.path is None or not output.is_on(world.host):
        return None
    size = world.files.get(output.path)
    if size is None:
        return "output_missing", f"{output.path} is gone"
    if size != output.size:
        return "output_altered", f"{output.path} is not the file that was made: {output.size:,} -> {size:,} bytes"
    return None


def living_attempts(record: Record, world: World) -> Iterator[Attempt]:
    """The attempts of a record whose files live, as far as this machine can tell: its own, then earlier ones."""
    if record.output is not None and record.status in {"complete", "retired"} and lives(record.output, world):
        yield Attempt(
            fingerprint=record.fingerprint,
            manifest=record.manifest,
            source=record.source,
            output=record.output,
            provider=record.provider,
            job=record.job,
            checks=record.checks,
            checked=record.checked,
        )
    for attempt in record.previous:
        if lives(attempt.output, world):
            yield attempt


def lives(output: OutputRecord, world: World) -> bool:
    """Whether a file is published and whole; one made on another machine is taken to be there.

    One that its provider holds lives until its retention is over.
    """
    if output.temp is not None:
        return False
    if output.path is None:
        return not expired(output, world.now)
    return output.host != world.host or world.files.get(output.path) == output.size


def copy_state(record: Record, where: str, world: World) -> tuple[str, str] | None:
    """Why the copy of a finished output has to be made (again), as code and sentence; None if nothing speaks for it.

    A copy that nobody looked at, or that is on another machine, is taken to be there.
    """
    copy = record.delivered
    if copy is None:
        return "not_delivered", f"not at {where} yet"
    if copy.where != where:
        return "deliver_changed", f"delivered to {copy.where}, wanted at {where}"
    if (copy.fingerprint, copy.attempt) != (record.fingerprint, record.attempt):
        return "not_delivered", f"what is at {where} is of an earlier attempt"
    if copy.host not in {"", world.host} or where not in world.copies:
        return None
    seen = world.copies[where]
    if seen is None:
        return "copy_missing", f"{where} is gone"
    made = DeliveredCopy(copy.where, copy.size, copy.sha256, copy.etag)
    return None if seen.is_copy(made) else ("copy_altered", f"{where} is not the copy that was made")


def expired(output: OutputRecord, now: str) -> bool:
    """Whether a provider has deleted a file, judged by the clock alone."""
    return output.expires_at is not None and output.expires_at <= now


def paths_to_look_at(records: Mapping[str, Record], host: str, desired: Desired | None = None) -> set[str]:
    """The published files of this machine that a plan wants to see, and whatever stands where new ones will be."""
    found: set[str] = set()
    for record in records.values():
        files = [attempt.output for attempt in record.previous]
        files += [record.output] if record.output is not None else []
        found.update(file.path for file in files if file.path is not None and file.host == host)
    if desired is not None:
        found.update(output.path for output in desired.outputs if output.address not in records)
    return found


def vanished_sizes(desired: Desired, records: Mapping[str, Record]) -> frozenset[int]:
    """How large the sources of records are that nobody declares any more.

    A new source of such a size may be one of them under a new name: only its digest can tell.
    """
    declared = {output.address for output in desired.outputs}
    left = (record.source for address, record in records.items() if address not in declared)
    sizes = (source.evidence.size for source in left if source.sha256 is not None)
    return frozenset(size for size in sizes if size is not None)


def known_sources(desired: Desired, records: Mapping[str, Record]) -> dict[str, SourceRecord]:
    """What is recorded of each wanted local source, so that a look hashes only what size and mtime leave open.

    Where records disagree about a source, or hold its content under another name, the evidence is left empty
    and the look must hash.
    """
    by_identity: dict[str, SourceRecord] = {}
    for record in records.values():
        for source in (record.source, *(attempt.source for attempt in record.previous)):
            known = by_identity.setdefault(source.identity, source)
            if known.evidence != source.evidence:
                by_identity[source.identity] = SourceRecord(identity=source.identity, sha256=source.sha256)
    wanted: dict[str, SourceRecord] = {}
    for output in desired.outputs:
        identity = output.source.identity
        if output.source.kind != "file" or identity in wanted:
            continue
        recorded = records.get(output.address)
        if identity in by_identity:
            wanted[identity] = by_identity[identity]
        elif recorded is not None and recorded.source.sha256 is not None:
            wanted[identity] = SourceRecord(
                identity=identity, evidence=Evidence(size=recorded.source.evidence.size), sha256=recorded.source.sha256
            )
    return wanted
