"""What a plan needs, gathered: specs, state, and a look around this machine. Nothing is contacted or written.

Apart from `wiring`, which builds what an apply needs, so that a plan does not wait for programs it does not use.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from reconciler.commands.kinds import knowledge
from reconciler.commands.options import Globals
from reconciler.commands.states import state_of
from reconciler.core.aftercare import folders_wanted
from reconciler.core.approval import Refusal, plan_id, plan_lines, refusals
from reconciler.core.copies import Presence
from reconciler.core.encode import Desired
from reconciler.core.estimates import Quotes
from reconciler.core.evidence import Content
from reconciler.core.guards import Guard, guards, limit_refusals
from reconciler.core.plan import Plan, make_plan
from reconciler.core.selection import Selection
from reconciler.core.spending import free_of_charge
from reconciler.core.state import Record, Snapshot
from reconciler.core.steps import Create, EncodeStep, Rerun, Retry, Supersede
from reconciler.core.world import World, known_sources, paths_to_look_at, vanished_sizes
from reconciler.edges import sightings, spec_files
from reconciler.edges.copies import copies_here
from reconciler.edges.digests import Digests
from reconciler.edges.outputs import presence


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with everything that it was made from, for views to show.

    `base` names the commit whose specs stand in the place of a state.
    """

    plan: Plan
    desired: Desired
    records: Mapping[str, Record]
    world: World
    lines: tuple[str, ...]
    plan_id: str
    refusals: tuple[Refusal, ...]
    warnings: tuple[str, ...]
    state_exists: bool
    guards: tuple[Guard, ...] = ()
    base: str | None = None
    quotes: Quotes = field(default_factory=dict)


def host() -> str:
    """The name of this machine, as records have it."""
    return socket.gethostname()


def stamp() -> str:
    """The time of now as the state writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def project_folder() -> Path:
    """The project is the current directory."""
    return Path.cwd()


def load_specs(settings: Globals, *, require_sources: bool = False) -> spec_files.Loaded:
    """Read the specs. Raises SpecError with every problem of theirs.

    That a local source is not there is one only where `require_sources` says so.
    """
    return spec_files.load(
        project_folder(),
        settings.specs,
        knowledge=knowledge(),
        variables=settings.variables,
        media_roots=tuple(Path(root) for root in settings.media_roots),
        spec_env=os.environ.get("RECONCILER_SPEC_ENV", "").replace(",", " ").split(),
        require_sources=require_sources,
    )


@dataclass(frozen=True, slots=True)
class Outside:
    """What was learnt where a plan does not look by itself: copies in stores, contents of watched sources.

    `unseen` says of which sources nothing was learnt, and why.
    """

    copies: Mapping[str, Presence | None] = field(default_factory=dict)
    contents: Mapping[str, Content] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)


NOTHING_SEEN = Outside()


def make_offline_plan(
    settings: Globals,
    selection: Selection,
    look: Callable[[Desired, Mapping[str, Record]], Outside] = lambda _desired, _records: NOTHING_SEEN,
) -> Planned:
    """The plan of now, without the lock: reads specs, state, local files; contacts and writes nothing.

    What has to be looked at elsewhere, `look` looks at.
    """
    specs = load_specs(settings)
    loaded = state_of(settings).read(specs.desired.project)
    seen = look(specs.desired, loaded.snapshot.records)
    world = look_around(specs.desired, loaded.snapshot, settings.media_roots, seen)
    return plan_of(specs, loaded.snapshot, world, selection, loaded.warnings)


def look_around(
    desired: Desired,
    snapshot: Snapshot,
    roots: Sequence[str] = (),
    seen_outside: Outside = NOTHING_SEEN,
) -> World:
    """What this machine holds of sources and published files, also in `roots`; opens no connection."""
    records, project = snapshot.records, project_folder()
    wanted = (output.source for output in desired.outputs)
    known, digest = known_sources(desired, records), Digests(cache_folder()).digest
    seen = sightings.sightings(project, wanted, known, digest, vanished=vanished_sizes(desired, records))
    files = presence(project, paths_to_look_at(records, host(), desired), roots)
    here = copies_here(project, records, host(), digest, folders_wanted(desired.outputs))
    copies = {**here, **seen_outside.copies}
    contents, unseen = seen_outside.contents, seen_outside.unseen
    return World(host(), stamp(), seen, files, copies, contents=contents, unseen=unseen)


def look_at_files(snapshot: Snapshot, roots: Sequence[str] = ()) -> World:
    """As `look_around`, for whoever asks about finished files and their copies only."""
    files = presence(project_folder(), paths_to_look_at(snapshot.records, host()), roots)
    copies = copies_here(project_folder(), snapshot.records, host(), Digests(cache_folder()).digest)
    return World(host=host(), now=stamp(), files=files, copies=copies)


def plan_of(
    specs: spec_files.Loaded, snapshot: Snapshot, world: World, selection: Selection, warnings: tuple[str, ...]
) -> Planned:
    """The plan over a state and a world, with what forbids it and the id it has."""
    plan = make_plan(specs.desired, snapshot.records, world, selection)
    if selection.no_spend:
        plan = free_of_charge(plan)
    _need_sources(plan, specs)
    lines = plan_lines(plan)
    judged = guards(plan, specs.desired, snapshot.records)
    return Planned(
        plan=plan,
        desired=specs.desired,
        records=snapshot.records,
        world=world,
        lines=lines,
        plan_id=plan_id(lines),
        refusals=(*limit_refusals(judged), *refusals(plan)),
        warnings=(*specs.warnings, *warnings),
        state_exists=bool(snapshot.records),
        guards=judged,
    )


def with_quotes(planned: Planned, quotes: Quotes) -> Planned:
    """The same plan, judged by what providers say that its jobs will cost."""
    judged = guards(planned.plan, planned.desired, planned.records, quotes)
    refused = (*limit_refusals(judged), *refusals(planned.plan))
    return replace(planned, guards=judged, refusals=refused, quotes=quotes)


def _need_sources(plan: Plan, specs: spec_files.Loaded) -> None:
    """A local source that is not there is an error only for what has to be encoded from it."""
    encoding = (step for step in plan.steps if isinstance(step, EncodeStep))
    specs.require_sources({step.output.encode for step in encoding})
    fetching = (step.output for step in plan.steps if isinstance(step, Create | Rerun | Retry | Supersede))
    specs.require_links(fetching, stamp())


def cache_folder() -> Path:
    """Where fetched sources and digests are kept between runs."""
    named = os.environ.get("RECONCILER_CACHE")
    return Path(named or platformdirs.user_cache_dir("reconciler", appauthor=False))
