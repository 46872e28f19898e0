"""The objects of a shared state: a snapshot and a journal, each replaced only by whoever knows its last version.

`encodes.json` is what a local state file is. `encodes.journal.jsonl` holds what an apply has done since, as one
event; it is never removed, only begun anew, under a generation that is one higher. So every writer's first line is
a compare-and-swap with the line of whoever wrote before: of two writers that both believe to be alone, one fails
before it has done anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec

from reconciler.core.errors import CredentialsError, ProviderError, StateError
from reconciler.core.sharing import says_nothing, together
from reconciler.core.state import Event, Snapshot, empty, fold
from reconciler.io.stores import NoConditionsError, Version
from reconciler.store import journal, snapshot
from reconciler.store.journal import Header
from reconciler.store.snapshot import KEPT_BACKUPS

SNAPSHOT = "encodes.json"
JOURNAL = "encodes.journal.jsonl"
LOCK = "encodes.lock"
BACKUPS = "backups"

_READS = 20


class Objects(Protocol):
    """What a shared state asks of a bucket. Every method raises ProviderError; see `io.stores.Store`."""

    def fetch(self, key: str) -> tuple[bytes, Version] | None:
        """The content of an object and its version; None if there is none."""

    def create(self, key: str, content: bytes) -> Version | None:
        """Make an object; None where there is one."""

    def swap(self, key: str, content: bytes, version: Version) -> Version | None:
        """Replace a version of an object; None where it is another one by now."""

    def copy(self, key: str, to: str) -> None:
        """Copy an object."""

    def remove(self, key: str) -> None:
        """Remove an object."""

    def list(self, prefix: str) -> Mapping[str, object]:
        """The objects below a prefix, by their names behind it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A shared state as it was read: both objects, and which versions of them.

    `pending` is what the journal holds, None if that is nothing.
    """

    snapshot: Snapshot
    version: Version | None
    pending: Event | None
    journal: Version | None
    generation: int

    @property
    def state(self) -> Snapshot:
        """The state that the two make."""
        return self.snapshot if self.pending is None else fold(self.snapshot, [self.pending])


class SharedObjects:
    """The objects below one place in a bucket. Raises StateError, and CredentialsError where it says so."""

    def __init__(self, objects: Objects, prefix: str, url: str) -> None:
        self.objects, self.url = objects, url
        self._prefix = f"{prefix}/" if prefix else ""
        # What was sent without an answer, by object: it may have arrived.
        self._unsure: dict[str, bytes] = {}

    def key(self, name: str) -> str:
        """The key of one of the objects."""
        return f"{self._prefix}{name}"

    def read(self, project: str) -> Seen:
        """Both objects, as they were at one moment. Raises CredentialsError too.

        The journal is read first. If it held something it is read again after the snapshot: of one generation the
        two belong together; a journal that only grew meanwhile is as true as before.
        """
        with self.asking():
            found = self._journal(project)
            for _ in range(_READS):
                read = self.objects.fetch(self.key(SNAPSHOT))
                if read is None and found[0].generation:
                    raise _gone(self.url)
                snap = self._decoded(read[0], project) if read is not None else empty(project or found[0].project)
                seen = Seen(snap, read[1] if read else None, _one(found[0]), found[1], found[0].generation)
                if seen.pending is None:
                    return seen
                found = self._journal(project)
                if found[0].generation == seen.generation:
                    return replace(seen, pending=_one(found[0]), journal=found[1])
        raise StateError(f"{self.url}: the state changes faster than it can be read; try again")

    def write_journal(self, seen: Seen, header: Header, pending: Event | None) -> Seen:
        """Replace the journal that was seen by this one. Raises StateError, also where somebody else wrote it."""
        content = journal.encode(header, [pending] if pending is not None else [])
        with self.working():
            version = self._put(JOURNAL, content, seen.journal)
        if version is None:
            raise taken(self.url)
        return replace(seen, pending=pending, journal=version)

    def write_snapshot(self, seen: Seen, wanted: Snapshot) -> Seen:
        """Replace the snapshot that was seen by this one, after which the journal begins a new generation. As above."""
        with self.working():
            version = self._put(SNAPSHOT, snapshot.encode(wanted), seen.version)
        if version is None:
            raise taken(self.url)
        return replace(seen, snapshot=wanted, version=version, pending=None, generation=seen.generation + 1)

    def back_up(self) -> None:
        """Keep a copy of the snapshot as it is, and the newest ten of such copies; no harm if that cannot be done."""
        folder = self.key(BACKUPS)
        with suppress(ProviderError):
            numbers = sorted(_numbers(self.objects.list(folder)))
            number = numbers[-1] + 1 if numbers else 1
            self.objects.copy(self.key(SNAPSHOT), f"{folder}/{_backup(number)}")
            for old in numbers[: max(0, len(numbers) + 1 - KEPT_BACKUPS)]:
                self.objects.remove(f"{folder}/{_backup(old)}")

    def _put(self, name: str, content: bytes, version: Version | None) -> Version | None:
        """Create an object or replace this version of it; None where another one is there.

        A reply may get lost, and the request be sent again, by the library or by us: then it is content of our own
        that stands in the way.
        """
        key, unsure = self.key(name), self._unsure.get(name)
        self._unsure[name] = content
        made = self._put_once(key, content, version)
        found = None if made is not None else self.objects.fetch(key)
        if found is not None and found[0] == content:
            made = found[1]
        elif found is not None and found[0] == unsure:
            made = self._put_once(key, content, found[1])
        del self._unsure[name]
        return made

    def _put_once(self, key: str, content: bytes, version: Version | None) -> Version | None:
        return self.objects.create(key, content) if version is None else self.objects.swap(key, content, version)

    def _journal(self, project: str) -> tuple[journal.Read, Version | None]:
        found = self.objects.fetch(self.key(JOURNAL))
        if found is None:
            return journal.Read(), None
        read = journal.decode(found[0], f"{self.url}/{JOURNAL}", project)
        if read.torn:
            raise _torn(self.url)
        return read, found[1]

    def _decoded(self, content: bytes, project: str) -> Snapshot:
        return snapshot.decode(content, f"{self.url}/{SNAPSHOT}", project)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Tell what failed before anything was begun."""
        try:
            yield
        except NoConditionsError:
            raise unsafe(self.url, "writes under a condition (If-None-Match, If-Match)") from None
        except CredentialsError as error:
            advice = "The state needs credentials that may read, write, list and delete objects there."
            raise CredentialsError(f"{error}\n  {advice}") from error
        except ProviderError as error:
            raise StateError(f"{error}\n  The state is at {self.url}. {_CHECK} Nothing was changed.") from error

    @contextmanager
    def working(self) -> Iterator[None]:
        """Tell what failed while there is something to be lost; never as an error of a provider of jobs."""
        try:
            yield
        except ProviderError as error:
            raise StateError(f"{error}\n  The state is at {self.url}. {_CHECK}") from error


_CHECK = "Check the network, the endpoint and the credentials of the environment."


def _one(found: journal.Read) -> Event | None:
    """A journal's events as one; None if they say nothing."""
    whole: Event | None = None
    for event in found.events:
        whole = together(whole, event)
    return None if whole is None or says_nothing(whole) else msgspec.structs.replace(whole, event="so far")


def taken(url: str, how: str = "somebody else has written the state since it was read, so this lock") -> StateError:
    """Somebody else writes a state that this writer believed to hold, or may by now."""
    return StateError(
        f"{url}: {how} was broken.\n"
        "  Nothing of others was overwritten, and nothing that is not recorded there was started."
    )


def _gone(url: str) -> StateError:
    """The journal follows a snapshot that somebody has removed; without it everything would be made again."""
    return StateError(
        f"{url}/{SNAPSHOT} is gone, and {JOURNAL} beside it follows on one.\n"
        f"Bring back the newest object of {BACKUPS}/ beside it, or an older version of it.\n"
        f"To begin a new state, remove {JOURNAL} too. Nothing was changed."
    )


def _torn(url: str) -> StateError:
    """No crash does that to an object, which is written whole or not at all."""
    return StateError(
        f"{url}/{JOURNAL}: the journal is cut off, and with it what an apply recorded last.\n"
        "Bring back an older version of it. If there is none, remove it; the next apply looks at their providers\n"
        "for the jobs that it told of. Nothing was changed."
    )


def unsafe(url: str, missing: str) -> StateError:
    """The store of a shared state lacks what keeps two writers apart."""
    return StateError(
        f"{url} cannot hold a state: its store ignores {missing}.\n"
        "  Two applies could overwrite each other there. Keep the state in a store that has conditional writes (S3,\n"
        "  Google Cloud Storage, Azure, MinIO, R2 have), or in a file. Nothing was changed."
    )


def _backup(number: int) -> str:
    return f"encodes.{number:04}.json"


def _numbers(names: Mapping[str, object]) -> Iterator[int]:
    for name in names:
        number = name.removeprefix("encodes.").removesuffix(".json")
        if number.isdecimal() and name == _backup(int(number)):
            yield int(number)
