"""Who talks to whom: the one place that builds stores, fetchers and providers, and gathers what a plan needs."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import platformdirs

from reconciler.apply.executor import Options, apply
from reconciler.apply.hands import Hands
from reconciler.apply.settle import settle
from reconciler.commands.options import Globals
from reconciler.core.approval import Refusal, plan_id, plan_lines, refusals
from reconciler.core.encode import Desired, Source
from reconciler.core.errors import ProviderError, RefusedError
from reconciler.core.happenings import Outcome, Tell
from reconciler.core.plan import Plan, Selection, make_plan
from reconciler.core.state import Record, Snapshot
from reconciler.core.steps import Create, Rerun, Resume, Retry, Supersede
from reconciler.core.world import World, known_sources, paths_to_look_at
from reconciler.edges import sources, spec_files
from reconciler.edges.outputs import PublishedFiles, presence
from reconciler.edges.source_cache import SourceCache
from reconciler.edges.sources import SourceFetcher, Trust
from reconciler.ffmpeg import binary, work_files
from reconciler.ffmpeg.provider import FfmpegProvider
from reconciler.store import store

# What fetched sources may take together in the cache folder, in bytes.
CACHE_BYTES = 50_000_000_000


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with everything that it was made from, for views to show."""

    plan: Plan
    desired: Desired
    records: Mapping[str, Record]
    world: World
    lines: tuple[str, ...]
    plan_id: str
    refusals: tuple[Refusal, ...]
    warnings: tuple[str, ...]
    state_exists: bool


@dataclass(frozen=True, slots=True)
class Approval:
    """Under which id a plan runs, and which lines that id stands for."""

    plan_id: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How to apply."""

    parallelism: int | None = None
    fail_fast: bool = False
    lock_timeout: float = 0.0


def host() -> str:
    """The name of this machine, as records have it."""
    return socket.gethostname()


def project_folder() -> Path:
    """The project is the current directory."""
    return Path.cwd()


def load_specs(settings: Globals) -> spec_files.Loaded:
    """Read the specs. Raises SpecError with every problem of theirs, but for local sources that are not there."""
    return spec_files.load(
        project_folder(),
        settings.specs,
        variables=settings.variables,
        media_roots=tuple(Path(root) for root in settings.media_roots),
        spec_env=os.environ.get("RECONCILER_SPEC_ENV", "").replace(",", " ").split(),
    )


def make_offline_plan(settings: Globals, selection: Selection) -> Planned:
    """The plan of now, without the lock: reads specs, state, local files; contacts and writes nothing."""
    specs = load_specs(settings)
    loaded = store.read(Path(settings.state), specs.desired.project)
    world = look_around(specs.desired, loaded.snapshot)
    return _planned(specs, loaded.snapshot, world, selection, loaded.warnings)


def run_apply(
    settings: Globals,
    selection: Selection,
    options: ApplyOptions,
    *,
    approve: Callable[[Planned, Mapping[str, tuple[str, ...]]], Approval | None],
    tell: Tell,
) -> Outcome | None:
    """Take the lock, finish what a crash left, plan, ask `approve`, carry out.

    `approve` is shown the plan, and what was approved by id before; it gives the approval, or None to do nothing
    (then the outcome is None). Raises RefusedError for protected outputs, LockedError, StateError, SpecError,
    CredentialsError, and whatever `approve` raises.
    """
    specs = load_specs(settings)
    state = Path(settings.state)
    with (
        store.Writer(state, specs.desired.project, timeout=options.lock_timeout, sleep=time.sleep) as writer,
        _hands(settings, specs.desired, writer, tell) as (hands, providers),
    ):
        settle(hands)
        work_files.sweep(project_folder(), _temporaries(writer.snapshot))
        world = look_around(specs.desired, writer.snapshot)
        planned = _planned(specs, writer.snapshot, world, selection, writer.warnings)
        known = {identifier: approval.lines for identifier, approval in writer.snapshot.approved.items()}
        approval = approve(planned, known)
        if approval is None:
            return None
        refuse(planned)
        with _interruptible(hands, providers) as counted:
            return apply(planned.plan, counted, _options(options, approval, world))


def _options(options: ApplyOptions, approval: Approval, world: World) -> Options:
    return Options(
        parallelism=options.parallelism,
        fail_fast=options.fail_fast,
        approved_as=approval.plan_id,
        approved_lines=approval.lines,
        sightings=world.sightings,
    )


def refuse(planned: Planned) -> None:
    """Raise RefusedError if anything forbids the plan, with what lifts it."""
    if planned.refusals:
        lines = [f"{refusal.sentence}:\n  {refusal.lift}" for refusal in planned.refusals]
        raise RefusedError("\n".join([*lines, "Nothing was started."]))


def look_around(desired: Desired, snapshot: Snapshot) -> World:
    """What this machine holds of sources and published files; opens no connection."""
    records, project = snapshot.records, project_folder()
    wanted = (output.source for output in desired.outputs)
    seen = sources.sightings(project, wanted, known_sources(desired, records), _cache().digest)
    return World(host=host(), sightings=seen, files=presence(project, paths_to_look_at(records, host())))


def look_at_files(snapshot: Snapshot) -> World:
    """As `look_around`, for whoever asks about published files only."""
    return World(host=host(), files=presence(project_folder(), paths_to_look_at(snapshot.records, host())))


def look_at_sources(settings: Globals, wanted: Iterable[Source]) -> list[str]:
    """What the servers of remote sources say of them now, a line each; for `plan --refresh`."""
    fetcher = _fetcher(settings)
    lines: list[str] = []
    try:
        for source in {source.identity: source for source in wanted if source.kind == "http"}.values():
            try:
                lines.append(sources.in_words(source, fetcher.probe(source)))
            except ProviderError as error:
                lines.append(str(error))
    finally:
        fetcher.close()
    return lines


def remove_files(paths: Iterable[str]) -> None:
    """Delete published files of this project."""
    files = PublishedFiles(project_folder())
    for path in paths:
        files.remove(path)


def ffmpeg_program() -> str:
    """The ffmpeg that encodes here."""
    return binary.find(os.environ)


def _planned(
    specs: spec_files.Loaded, snapshot: Snapshot, world: World, selection: Selection, warnings: tuple[str, ...]
) -> Planned:
    plan = make_plan(specs.desired, snapshot.records, world, selection)
    _need_sources(plan, specs)
    lines = plan_lines(plan)
    return Planned(
        plan=plan,
        desired=specs.desired,
        records=snapshot.records,
        world=world,
        lines=lines,
        plan_id=plan_id(lines),
        refusals=refusals(plan),
        warnings=warnings,
        state_exists=bool(snapshot.records),
    )


def _need_sources(plan: Plan, specs: spec_files.Loaded) -> None:
    """A local source that is not there is an error only for what has to be encoded from it."""
    encoding = (step for step in plan.steps if isinstance(step, Create | Rerun | Retry | Resume | Supersede))
    specs.require_sources({step.output.encode for step in encoding})


def _temporaries(snapshot: Snapshot) -> list[str]:
    """Work files that records still speak of."""
    outputs = (record.output for record in snapshot.records.values())
    return [output.temp for output in outputs if output is not None and output.temp is not None]


@contextmanager
def _hands(
    settings: Globals, desired: Desired, writer: store.Writer, tell: Tell
) -> Iterator[tuple[Hands, list[FfmpegProvider]]]:
    """The executor's hands; everything that was opened for them is closed after."""
    fetcher = _fetcher(settings)
    program = binary.find(os.environ)
    providers = {
        name: FfmpegProvider(
            each,
            program=program,
            project=project_folder(),
            fetch=fetcher.fetch,
            environment=os.environ,
            cpus=os.cpu_count() or 1,
        )
        for name, each in desired.providers.items()
    }
    hands = Hands(
        state=writer,
        files=PublishedFiles(project_folder()),
        providers=providers,
        tell=tell,
        now=lambda: datetime.now(UTC),
        sleep=time.sleep,
        interrupts=lambda: 0,
        host=host(),
    )
    try:
        yield hands, list(providers.values())
    finally:
        for provider in providers.values():
            provider.close()
        fetcher.close()


@contextmanager
def _interruptible(hands: Hands, providers: list[FfmpegProvider]) -> Iterator[Hands]:
    """Count Ctrl-C, SIGTERM and a closed terminal instead of dying of them; the second one kills what encodes."""
    count = 0

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count > 1:
            for provider in providers:
                provider.kill()

    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield Hands(
            state=hands.state,
            files=hands.files,
            providers=hands.providers,
            tell=hands.tell,
            now=hands.now,
            sleep=hands.sleep,
            interrupts=lambda: count,
            host=hands.host,
        )
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _fetcher(settings: Globals) -> SourceFetcher:
    trust = Trust(
        allow_private=settings.allow_private_sources, media_roots=tuple(Path(root) for root in settings.media_roots)
    )
    return SourceFetcher(project_folder(), _cache(), os.environ, trust)


def _cache() -> SourceCache:
    folder = os.environ.get("RECONCILER_CACHE") or platformdirs.user_cache_dir("reconciler", appauthor=False)
    return SourceCache(Path(folder), CACHE_BYTES)
