"""Who talks to whom: the one place that builds stores to write to, fetchers and providers."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import FrameType

from reconciler.apply.executor import Options, apply
from reconciler.apply.hands import Hands
from reconciler.apply.settle import settle
from reconciler.commands.delivering import Courier
from reconciler.commands.gathering import (
    NOTHING_SEEN,
    Planned,
    cache_folder,
    host,
    load_specs,
    look_around,
    plan_of,
    project_folder,
)
from reconciler.commands.inspecting import Inspector, Measuring
from reconciler.commands.kinds import Types
from reconciler.commands.logs import show_logs
from reconciler.commands.options import Globals
from reconciler.commands.outside import contents, look_at_contents, look_outside
from reconciler.commands.sending import Sender
from reconciler.commands.states import state_of
from reconciler.core.encode import Desired, ProviderSettings, Source
from reconciler.core.errors import ProviderError, RefusedError
from reconciler.core.evidence import Content
from reconciler.core.guards import default_canary, lifted, limits_of
from reconciler.core.happenings import Outcome, Tell
from reconciler.core.plan import IN_FLIGHT
from reconciler.core.ports import Checks, Kills, Provider, Reports
from reconciler.core.provider_types import Build, Workshop
from reconciler.core.selection import Selection
from reconciler.core.state import Record, Snapshot
from reconciler.core.steps import Resume
from reconciler.edges import sources
from reconciler.edges.evidence import silent_servers
from reconciler.edges.object_sources import signed
from reconciler.edges.outputs import PublishedFiles
from reconciler.edges.source_cache import SourceCache
from reconciler.edges.sources import SourceFetcher, Trust
from reconciler.ffmpeg import binary, work_files
from reconciler.ffmpeg.examine import examine
from reconciler.ffmpeg.examine_package import examine_package
from reconciler.io.http import session
from reconciler.store.states import Writer
from reconciler.views.plan_json import encode_steps
from reconciler.views.words import count

# What fetched sources may take together in the cache folder, in bytes.
CACHE_BYTES = 50_000_000_000


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
    wait: bool = True
    wait_timeout: float | None = None
    canary: int | None = None
    refresh: bool = False


def unchanged(planned: Planned) -> Planned:
    """A plan that nothing more was asked about."""
    return planned


def run_apply(
    settings: Globals,
    selection: Selection,
    options: ApplyOptions,
    *,
    approve: Callable[[Planned, Mapping[str, tuple[str, ...]]], Approval | None],
    tell: Tell,
    warn: Callable[[str], None],
    judge: Callable[[Planned], Planned] = unchanged,
) -> Outcome | None:
    """Take the lock, finish what a crash left, plan, `judge`, ask `approve`, carry out.

    `approve` is shown the plan, and what was approved by id before; it gives the approval, or None to do nothing
    (then the outcome is None). Raises RefusedError for protected outputs, LockedError, StateError, SpecError,
    CredentialsError, and whatever `approve` raises.
    """
    specs = load_specs(settings)
    with (
        state_of(settings).write(specs.desired.project, timeout=options.lock_timeout, sleep=time.sleep) as writer,
        _hands(settings, options, specs.desired, writer, tell) as (hands, providers),
    ):
        settle(hands)
        work_files.sweep(project_folder(), _temporaries(writer.snapshot))
        records = writer.snapshot.records
        seen = look_outside(settings, specs.desired, records) if options.refresh else NOTHING_SEEN
        world = look_around(specs.desired, writer.snapshot, settings.media_roots, seen)
        planned = judge(plan_of(specs, writer.snapshot, world, selection, writer.warnings))
        known = {identifier: approval.lines for identifier, approval in writer.snapshot.approved.items()}
        approval = approve(planned, known)
        if approval is None:
            return None
        refuse(planned)
        _check(planned, hands)
        with _interruptible(hands, providers) as counted:
            looked = look_at_contents(settings, _sources_to_be_read(planned))
            for server, names in silent_servers(looked).items():
                warn(f"{server} gave no answer; a provider may still reach {count(len(names), 'source')} there")
            return apply(planned.plan, counted, _options(options, approval, planned, contents(looked)))


def _sources_to_be_read(planned: Planned) -> list[Source]:
    """The sources of what is about to be started that nobody of us reads, and those that are watched; each once.

    What we fetch ourselves is looked at by the fetch; jobs that run already have read theirs.
    """
    steps = [step for step in encode_steps(planned.plan) if not isinstance(step, Resume)]
    away = {name for name, settings in planned.desired.providers.items() if settings.holds}
    read = (step.output for step in steps if step.output.provider in away or step.output.source.watch)
    return list({output.source.identity: output.source for output in read}.values())


def _options(options: ApplyOptions, approval: Approval, planned: Planned, contents: Mapping[str, Content]) -> Options:
    canary = default_canary(planned.plan, planned.desired) if options.canary is None else options.canary
    return Options(
        parallelism=options.parallelism,
        fail_fast=options.fail_fast,
        wait=options.wait,
        wait_timeout=options.wait_timeout,
        approved_as=approval.plan_id,
        approved_lines=approval.lines,
        max_failures=limits_of(planned.plan, planned.desired).max_failures,
        canary=canary,
        sightings=planned.world.sightings,
        contents=contents,
        lifted=lifted(planned.plan, planned.guards, planned.desired),
    )


def refuse(planned: Planned) -> None:
    """Raise RefusedError if anything forbids the plan, with what lifts it."""
    if planned.refusals:
        lines = [f"{refusal.sentence}:\n  {refusal.lift}" for refusal in planned.refusals]
        raise RefusedError("\n".join([*lines, "Nothing was started."]))


def _check(planned: Planned, hands: Hands) -> None:
    """Raise ProviderError for a provider that cannot work at all, before any output uses up an attempt."""
    used = {step.output.provider for step in encode_steps(planned.plan)}
    for name, provider in hands.providers.items():
        if name in used and isinstance(provider, Checks):
            provider.check()


def look_at_sources(settings: Globals, wanted: Iterable[Source]) -> list[str]:
    """What the servers of remote sources say of them now, a line each; for `plan --refresh`."""
    fetcher = _fetcher(settings)
    lines: list[str] = []
    try:
        for source in {source.identity: source for source in wanted if source.kind in {"http", "store"}}.values():
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


def _temporaries(snapshot: Snapshot) -> list[str]:
    """Work files that records still speak of."""
    outputs = (record.output for record in snapshot.records.values())
    return [output.temp for output in outputs if output is not None and output.temp is not None]


@contextmanager
def _hands(
    settings: Globals, options: ApplyOptions, desired: Desired, writer: Writer, tell: Tell
) -> Iterator[tuple[Hands, list[Provider]]]:
    """The executor's hands; everything that was opened for them is closed after."""
    fetcher = _fetcher(settings)
    used = {output.provider for output in desired.outputs}
    used |= {record.provider for record in writer.snapshot.records.values() if _is_used(record)}
    workshop = _workshop(settings, fetcher)
    providers = {
        name: built(each, workshop, parallelism=options.parallelism)
        for name, each in desired.providers.items()
        if name in used
    }
    courier = Courier(settings)
    measuring = Measuring(_inspector(settings, fetcher), project_folder())
    hands = Hands(
        state=writer,
        files=PublishedFiles(project_folder(), settings.media_roots),
        providers=providers,
        send=Sender(),
        deliver=courier,
        measure=measuring,
        remove_copy=courier.remove,
        tell=tell,
        now=lambda: datetime.now(UTC),
        sleep=time.sleep,
        interrupts=lambda: 0,
        host=host(),
    )
    try:
        yield hands, list(providers.values())
    finally:
        measuring.close()
        for provider in providers.values():
            provider.close()
        fetcher.close()


def _is_used(record: Record) -> bool:
    """Whether the provider of a record may be needed, though no spec declares an output on it."""
    return record.status in IN_FLIGHT or record.on_remove == "delete"


@contextmanager
def _interruptible(hands: Hands, providers: list[Provider]) -> Iterator[Hands]:
    """Count Ctrl-C, SIGTERM and a closed terminal instead of dying of them; the second one kills what encodes."""
    count = 0

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count > 1:
            for provider in providers:
                if isinstance(provider, Kills):
                    provider.kill()

    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield replace(hands, interrupts=lambda: count)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def built(each: ProviderSettings, workshop: Workshop, *, parallelism: int | None = None) -> Provider:
    """A declared provider, ready to work. Raises ProviderError; CredentialsError where a secret is not set."""
    options = each.options
    if parallelism is not None:
        options = options.model_copy(update={"parallelism": parallelism})
    module, _, function = Types()[each.type].builder.partition(":")
    build: Build = getattr(import_module(module), function)
    return build(each.name, options, workshop)


@contextmanager
def provider_of(settings: Globals, desired: Desired, name: str) -> Iterator[Provider]:
    """One declared provider, to be asked; closed after. Raises ProviderError."""
    fetcher = _fetcher(settings)
    try:
        provider = built(desired.providers[name], _workshop(settings, fetcher))
        try:
            yield provider
        finally:
            provider.close()
    finally:
        fetcher.close()


def report(settings: Globals, desired: Desired, name: str) -> tuple[str, ...]:
    """What a provider says when it is asked whether it is there. Raises ProviderError."""
    with provider_of(settings, desired, name) as provider:
        if isinstance(provider, Checks):
            provider.check()
        return provider.report() if isinstance(provider, Reports) else ("ready",)


def _workshop(settings: Globals, fetcher: SourceFetcher) -> Workshop:
    return Workshop(
        project=str(project_folder()),
        fetch=fetcher.fetch,
        examine=examine,
        examine_package=examine_package,
        inspect=_inspector(settings, fetcher),
        sign=lambda source: signed(source, os.environ),
        environment=os.environ,
        cpus=os.cpu_count() or 1,
        allow_private=settings.allow_private_sources,
    )


def _inspector(settings: Globals, fetcher: SourceFetcher) -> Inspector:
    trusted = settings.allow_private_sources
    opened = lambda private: session(allow_private=private or trusted)  # noqa: E731 - a factory in one line
    return Inspector(fetcher.fetch, os.environ, opened, os.cpu_count() or 1)


def _fetcher(settings: Globals) -> SourceFetcher:
    if settings.verbose:
        show_logs(os.environ.values())
    trust = Trust(
        allow_private=settings.allow_private_sources, media_roots=tuple(Path(root) for root in settings.media_roots)
    )
    return SourceFetcher(project_folder(), _cache(), os.environ, trust)


def _cache() -> SourceCache:
    return SourceCache(cache_folder(), CACHE_BYTES)
