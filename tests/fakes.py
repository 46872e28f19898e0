"""Working stand-ins for the executor's hands: a state, a disk and a provider that live in memory.

Everything that outlives a killed process (journal, snapshot, files, the provider's own jobs) is held by
`Universe`; a `Process` is one run of the program, which may be killed before or after any of its effects.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from builders import HOST
from reconciler.apply.executor import Options, apply
from reconciler.apply.hands import Hands
from reconciler.apply.settle import settle
from reconciler.core.checks import CheckResult
from reconciler.core.copies import DeliveredCopy, Presence
from reconciler.core.errors import NotReadyError, ReconcilerError, RejectedError, UnavailableError
from reconciler.core.plan import make_plan
from reconciler.core.ports import Done, Draft, Held, Lost, NotMade, Running, SourceSeen, Traits, Verified
from reconciler.core.selection import Selection
from reconciler.core.state import Event, empty, fold
from reconciler.core.world import World


class Killed(BaseException):
    """kill -9: nothing in the process runs after it."""


@dataclass
class Universe:
    """What a crash cannot take away.

    There is one provider, `local`; where `away` is true a second one of that name costs money and keeps what it
    makes. `varies`: no two encodes make the same bits. `read` holds what each job read of another output.
    `fails` lists addresses whose encode fails, `unnameable` paths that no file can get. `paid` is whether jobs
    cost money and outlive the process, `holds` whether the provider keeps what they make. `troubles` are what
    calls of the provider answer instead: ("start", "before") is a start that never arrives, ("start", "after")
    one whose reply is lost; each happens once, in order. `poor` are outputs that fail every check.
    """

    paid: bool = False
    holds: bool = False
    away: bool = False
    varies: bool = False
    read: dict[str, str] = field(default_factory=dict)
    endless: bool = False
    troubles: list[tuple[str, str]] = field(default_factory=list)
    now: str = "2026-01-01T00:00:00Z"
    signed: int = 0
    fails: set[str] = field(default_factory=set)
    unnameable: set[str] = field(default_factory=set)
    journal: list[Event] = field(default_factory=list)
    snapshot: object = field(default_factory=lambda: empty("test"))
    files: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)
    requests: dict[str, object] = field(default_factory=dict)
    held: dict[str, list] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    poor: set = field(default_factory=set)
    starts: Counter = field(default_factory=Counter)
    made: Counter = field(default_factory=Counter)

    def state(self):
        """The state as any reader sees it."""
        return fold(self.snapshot, self.journal)

    def world(self):
        """The disk as a plan sees it."""
        known = [record.delivered for record in self.state().records.values() if record.delivered is not None]
        seen = {copy.where: self.copies.get(copy.where) for copy in known}
        copies = {where: None if content is None else Presence(len(content)) for where, content in seen.items()}
        return World(
            host=HOST, now=self.now, copies=copies, files={path: len(content) for path, content in self.files.items()}
        )


@dataclass
class Process:
    """One run. `kill_at` is the number of the effect at which it dies: even before it, odd after it."""

    universe: Universe
    kill_at: int | None = None
    interrupt_at: int | None = None
    effects: int = 0
    told: list = field(default_factory=list)
    local_jobs: dict = field(default_factory=dict)
    clock: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def effect(self, act):
        """Do something that the world sees, unless this is where the process dies."""
        if self.kill_at == self.effects * 2:
            raise Killed
        result = act()
        if self.kill_at == self.effects * 2 + 1:
            raise Killed
        self.effects += 1
        return result

    def run(self, wanted, *, options=None, **selection):
        """Settle, plan, apply; the outcome."""
        own = self.universe
        providers = {"local": MemoryProvider(self, paid=own.paid, holds=own.holds)}
        if own.away:
            providers["away"] = MemoryProvider(self, paid=True, holds=True)
        hands = Hands(
            state=MemoryState(self),
            files=MemoryFiles(self),
            providers=providers,
            send=at_once,
            deliver=self.deliver,
            measure=self.measure,
            remove_copy=self.remove_copy,
            tell=self.told.append,
            now=lambda: self.clock,
            sleep=self.sleep,
            interrupts=lambda: int(self.interrupt_at is not None and self.effects >= self.interrupt_at),
            host=HOST,
        )
        settle(hands)
        plan = self.plan(wanted, **selection)
        outcome = apply(plan, hands, options or Options())
        self.universe.snapshot = self.universe.state()
        self.universe.journal.clear()
        return outcome

    def deliver(self, target, record, link, cancelled):
        """A copy that is made at once, unless a trouble awaits it."""

        def copy():
            content = link.renew() if link is not None else self.universe.files[record.output.path]
            if ("deliver", "before") in self.universe.troubles[:1]:
                self.universe.troubles.pop(0)
                raise UnavailableError("the store does not answer")
            self.effect(lambda: self.universe.copies.__setitem__(target.where, content))
            return DeliveredCopy(target.where, len(content), digest(content))

        return Answered(copy)

    def measure(self, output, record, link, cancelled):
        """What is asked of an output of `poor` it does not meet, all others do."""

        def results():
            content = link.renew() if link is not None else self.universe.files[record.output.path]
            passed = output.address not in self.universe.poor
            self.effect(lambda: content)
            return (CheckResult("min_vmaf", "at least 90", "95.00" if passed else "50.00", passed),)

        return Answered(results)

    def remove_copy(self, copy):
        self.effect(lambda: self.universe.copies.pop(copy.where, None))

    def plan(self, wanted, **selection):
        """What a plan says now."""
        return make_plan(wanted, self.universe.state().records, self.universe.world(), Selection(**selection))

    def sleep(self, seconds):
        """Time passes, and jobs with it."""
        self.clock += timedelta(seconds=seconds)


class Answered:
    """A call that was made at once."""

    def __init__(self, call):
        self.error, self.value = None, None
        try:
            self.value = call()
        except ReconcilerError as error:
            self.error = error

    def done(self):
        return True

    def result(self):
        if self.error is not None:
            raise self.error
        return self.value


def at_once(provider, call):
    """Every call is made in the executor's own thread."""
    return Answered(call)


@dataclass
class MemoryState:
    process: Process

    @property
    def snapshot(self):
        return self.process.universe.state()

    def record(self, event, *, records=None, removed=None, approved=None):
        line = Event(
            event=event,
            at="now",
            records=dict(records or {}),
            removed=dict(removed or {}),
            approved=dict(approved or {}),
        )
        self.process.effect(lambda: self.process.universe.journal.append(line))

    def keep_link(self, address, link):
        self.process.universe.links[address] = link

    def next_rev(self, address):
        revs = [record.rev for at, record in self.process.universe.state().records.items() if at == address]
        revs += [event.removed[address] for event in self.process.universe.journal if address in event.removed]
        return max(revs, default=0) + 1


@dataclass
class MemoryFiles:
    process: Process

    @property
    def files(self):
        return self.process.universe.files

    def publish(self, temp, path):
        if path in self.process.universe.unnameable:
            raise ReconcilerError(f"{path}: Is a directory")
        self.process.effect(lambda: self.files.__setitem__(path, self.files.pop(temp)))

    def duplicate(self, path, temp):
        self.process.effect(lambda: self.files.__setitem__(temp, self.files[path]))

    def remove(self, path):
        self.process.effect(lambda: self.files.pop(path, None))

    def holds(self, path, size, sha256):
        content = self.files.get(path)
        return content is not None and (len(content), digest(content)) == (size, sha256)

    def is_there(self, path, size):
        return len(self.files.get(path, "")) == size

    def unchanged(self, source, seen):
        return True


def digest(content):
    """Something that differs when the content does."""
    return content.encode().hex()[-64:]


@dataclass
class MemoryProvider:
    """Keeps the port's promises. A job runs for two observations; unpaid jobs die with their process."""

    process: Process
    paid: bool = False
    holds: bool = False
    parallelism: int = 1

    @property
    def traits(self):
        return Traits(paid=self.paid, outlives=self.paid)

    @property
    def jobs(self):
        return self.process.universe.jobs if self.paid else self.process.local_jobs

    def opened(self, source):
        """The content of a source; what was made here has to be there, and what is held behind a link of now."""
        universe = self.process.universe
        if source.kind == "http" and "?" in source.location:
            assert source.location.endswith(f"-{universe.signed}"), "a link that was signed just now"
            return source.location.partition("?")[0]
        if source.location.startswith("outputs/"):
            content = universe.files.get(source.location)
            if content is None or source.sha256 != digest(content):
                raise RejectedError(f"{source.location} is not what was made")
            return content
        assert source.kind != "encode", "nobody can open the name of an output"
        return ""

    def call(self, name, act):
        """Make a call that the world sees, with the trouble that awaits it."""
        troubles = self.process.universe.troubles
        if (name, "refused") in troubles[:1]:
            troubles.pop(0)
            raise RejectedError("it is not valid")
        if (name, "unready") in troubles[:1]:
            troubles.pop(0)
            raise NotReadyError("no folder to write to")
        if (name, "before") in troubles[:1]:
            troubles.pop(0)
            raise UnavailableError("nobody answers")
        result = self.process.effect(act)
        if (name, "after") in troubles[:1]:
            troubles.pop(0)
            raise UnavailableError("nobody answers")
        return result

    def prepare(self, job):
        content = self.opened(job.source)

        def draft():
            if job.job_id not in self.jobs:
                self.process.universe.read[job.job_id] = content
            self.jobs.setdefault(job.job_id, "draft")
            self.process.universe.requests[job.job_id] = job
            return job.job_id

        return self.call("prepare", draft)

    def start(self, job_id):
        def begin():
            if self.jobs[job_id] == "draft":
                self.jobs[job_id] = "running"
                self.process.universe.starts[job_id] += 1

        self.call("start", begin)

    def attach(self, job):
        self.process.universe.requests[job.job_id] = job

    def observe(self, job_ids):
        if ("observe", "before") in self.process.universe.troubles[:1]:
            self.process.universe.troubles.pop(0)
            raise UnavailableError("nobody answers")
        return {job_id: self.look(job_id) for job_id in job_ids}

    def look(self, job_id):
        state = self.jobs.get(job_id)
        if state is None:
            return Lost()
        if state == "draft":
            return Draft()
        if state == "running" and self.process.universe.endless:
            return Running("encoding")
        if state == "running":
            self.jobs[job_id] = "ending"
            return Running("encoding", fraction=0.5)
        return self.process.effect(lambda: self.result(job_id))

    def result(self, job_id):
        self.jobs[job_id] = "done"
        request = self.process.universe.requests[job_id]
        outputs = {output.name: self.make(output, job_id) for output in request.outputs}
        read = self.process.universe.read.get(job_id)
        return Done(
            outputs, SourceSeen("x", sha256=digest(read) if read else None), cost="28 BYC" if self.holds else None
        )

    def make(self, output, job_id):
        if output.address in self.process.universe.fails:
            return NotMade("it broke")
        self.process.universe.made[output.address, output.fingerprint] += 1
        if self.holds:
            self.process.universe.signed += 1
            link = f"https://cdn.test/{output.fingerprint[:8]}/{output.name}.mp4?X-Goog-Signature=secret"
            self.process.universe.held.setdefault(job_id, []).append(link)
            return self.held(output.name, link)
        temp = f"{output.path}.{job_id[:8]}.part"
        content = f"{output.address} {output.fingerprint}"
        if self.process.universe.read.get(job_id):
            content += f" from ({self.process.universe.read[job_id]})"
        if self.process.universe.varies:
            content += f" {len(self.process.universe.made)}.{sum(self.process.universe.made.values())}"
        self.process.universe.files[temp] = content
        return Verified(temp, len(content), digest(content), "whole")

    def held(self, name, link):
        today = self.process.clock.replace(hour=0, minute=0, second=0, microsecond=0)
        expires_at, dies = (f"{today + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}" for hours in (48, 4))
        return Held(name, link, size=5, link_expires_at=dies, expires_at=expires_at, duration=60.0)

    private_links = False

    def fresh_links(self, job_id):
        def sign():
            self.process.universe.signed += 1
            links = self.process.universe.held.get(job_id, [])
            return [self.held("any", f"{link}-{self.process.universe.signed}") for link in links]

        return self.call("links", sign)

    def delete(self, job_id):
        self.process.effect(lambda: (self.jobs.pop(job_id, None), self.process.universe.held.pop(job_id, None)))

    def cancel(self, job_id):
        self.process.effect(lambda: self.jobs.pop(job_id, None))

    def close(self):
        self.process.local_jobs.clear()
