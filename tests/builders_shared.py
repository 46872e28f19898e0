"""A shared state without a network: buckets in memory, machines that share one, and stores that fail or lie."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field
from pathlib import Path

from obstore.store import MemoryStore

from builders_state import PROJECT, known, noon
from reconciler.core.errors import UnavailableError
from reconciler.io.stores import Store
from reconciler.store.objects import SharedObjects
from reconciler.store.shared import SharedWriter, read
from reconciler.store.unsent import WorkFolder

URL = "s3://site/talks"


def bucket():
    """An empty bucket in memory, which keeps conditions."""
    return Store.over("s3://site", MemoryStore())


class Careless:
    """A bucket that ignores conditions, as some servers do: of creation, of versions, or of both."""

    def __init__(self, inner, *, creates=True, swaps=True):
        self.inner, self.creates, self.swaps = inner, creates, swaps

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def create(self, key, content):
        made = self.inner.create(key, content)
        return made if made is not None or not self.creates else self._replaced(key, content)

    def swap(self, key, content, version):
        made = self.inner.swap(key, content, version)
        return made if made is not None or not self.swaps else self._replaced(key, content)

    def _replaced(self, key, content):
        found = self.inner.fetch(key)
        return self.inner.swap(key, content, found[1])


class Failing:
    """A bucket whose line breaks at the request of number `at`, before it took effect or after, for `long` requests."""

    def __init__(self, inner, at=None, *, after=False, long=1, call=None):
        self.inner, self.at, self.after, self.long = inner, at, after, long
        self.call = call
        self.asked = []

    def __getattr__(self, name):
        inner = getattr(self.inner, name)
        if name not in {"fetch", "create", "swap", "copy", "remove", "list"}:
            return inner

        def asked(*arguments):
            number = len(self.asked)
            self.asked.append((name, arguments[0]))
            broken = self.at is not None and self.at <= number < self.at + self.long
            if broken and not self.after:
                raise self.failure()
            answer = inner(*arguments)
            if broken:
                raise self.failure()
            return answer

        return asked

    def failure(self):
        if self.call is not None:
            self.call()
        return UnavailableError("s3://site cannot be reached, or broke off. Try again later.")


@dataclass
class Machine:
    """One machine (or runner): its disk, and its line to a bucket."""

    folder: Path
    objects: object
    ids: object = field(default_factory=itertools.count)

    @property
    def work(self):
        return WorkFolder(self.folder / "work")

    def shared(self):
        return SharedObjects(self.objects, "talks", URL)

    def writer(self, project=PROJECT, **options):
        """The locked state."""
        identifier = f"{self.folder.name}-{next(self.ids)}-{id(self)}"
        return SharedWriter(self.shared(), self.work, project, identifier=identifier, **{"now": noon, **options})

    def read(self, project=PROJECT):
        """What a reader sees here."""
        return read(self.shared(), self.work, project)

    def records(self):
        """The records that a reader sees here."""
        return self.read().snapshot.records


def machine(tmp_path, name, objects):
    """A machine with an empty disk inside the project folder of a test."""
    (tmp_path / name).mkdir(exist_ok=True)
    return Machine(tmp_path / name, objects)


def dies(writer):
    """A writer whose process is killed: its local lock goes, everything else stays as it is."""
    handle, writer._here._handle = writer._here._handle, None
    if handle is not None:
        os.close(handle)


def job(writer, address, phase="starting", status="submitted", **changes):
    """Record that a job has come to a phase."""
    from reconciler.core.state import JobRecord

    record = known(writer.next_rev(address), status, job=JobRecord(id=f"job of {address}", phase=phase), **changes)
    writer.record(phase, records={address: record})
    return record
