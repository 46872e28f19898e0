"""`reconciler state rebuild` and `state adopt`: records made anew from what providers still know."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import click
import msgspec

from reconciler.commands import gathering, wiring
from reconciler.commands.gathering import Planned
from reconciler.commands.options import Command, Globals, complete, trusting, with_globals
from reconciler.commands.speaking import Screen
from reconciler.commands.states import state_of
from reconciler.commands.watching import Watching
from reconciler.commands.wiring import ApplyOptions, Approval
from reconciler.core.encode import Desired, Output
from reconciler.core.errors import ReconcilerError, UsageError
from reconciler.core.happenings import Outcome
from reconciler.core.plan import IN_FLIGHT
from reconciler.core.ports import Draft, FindsJobs, FoundJob, Lost
from reconciler.core.rebuild import Rebuilt, attached, rebuild
from reconciler.core.selection import Selection
from reconciler.core.state import Status
from reconciler.store.states import Writer
from reconciler.views import edit_types
from reconciler.views.recovery_text import adopted_text, rebuilt_text


@click.command("rebuild", cls=Command, short_help="Make a lost state anew from the providers' jobs.")
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and record nothing.")
@trusting
@with_globals
def rebuild_command(settings: Globals, *, dry_run: bool) -> int:
    """Make a lost state anew from what the providers still know of this project's jobs.

    Starts nothing and pays nothing: finished jobs are recorded with their links, running ones as running. What is
    recorded already is left as it is.
    """
    desired = gathering.load_specs(settings).desired
    known = state_of(settings).read(desired.project).snapshot.records
    jobs = _jobs(settings, desired)
    found = rebuild(desired.project, desired.outputs, jobs, known, gathering.stamp())
    if not dry_run and found.records:
        with _writer(settings, desired) as writer:
            records = {
                address: record for address, record in found.records.items() if address not in writer.snapshot.records
            }
            writer.record("rebuilt", records=records)
        _bring_in(settings, found.finished)
    return _told(settings, desired, found, dry_run=dry_run)


@click.command("adopt", cls=Command, short_help="Take a provider's job for an output's.")
@click.argument("address", metavar="ADDR", shell_complete=complete)
@click.argument("job_id", metavar="JOB_ID")
@trusting
@with_globals
def adopt_command(settings: Globals, address: str, job_id: str) -> int:
    """Take a job that somebody started by hand, or that a lost state knew, for the job of an output.

    The output must be declared. Nothing is started; once the job has ended, what it made is looked at like
    everything else.
    """
    desired = gathering.load_specs(settings).desired
    output = _declared(desired, address)
    _refuse_useless(settings, desired, output, job_id)
    with _writer(settings, desired) as writer:
        known = writer.snapshot.records.get(address)
        if known is not None and known.status in IN_FLIGHT:
            raise UsageError(f"{address} has a job in flight; go on with that first:  reconciler apply")
        record = attached(output, job_id, known, rev=writer.next_rev(address), now=gathering.stamp())
        writer.record("adopted", records={address: record})
    outcome = _bring_in(settings, [address], timeout=_LOOKING)
    screen, status = Screen(settings), _status(settings, desired, address)
    if settings.json:
        screen.json(msgspec.to_builtins(edit_types.Adopted(adopted={address: job_id}, status=status)))
    else:
        screen.result(adopted_text(address, job_id, status, outcome, columns=screen.columns))
    return 0


# How long a job that was adopted is looked at, in seconds: long enough to see whether it has ended.
_LOOKING = 20.0


def _writer(settings: Globals, desired: Desired) -> Writer:
    return state_of(settings).write(desired.project, sleep=time.sleep)


def _declared(desired: Desired, address: str) -> Output:
    found = next((output for output in desired.outputs if output.address == address), None)
    if found is None:
        raise UsageError(f"{address} is not declared; adopt takes one address of the specs")
    return found


def _refuse_useless(settings: Globals, desired: Desired, output: Output, job_id: str) -> None:
    with wiring.provider_of(settings, desired, output.provider) as provider:
        if not provider.traits.outlives:
            raise UsageError(
                f"{output.address} runs on {output.provider}, whose jobs end with the apply that runs them"
            )
        seen = provider.observe([job_id])[job_id]
        if isinstance(seen, Lost):
            raise ReconcilerError(f"{output.provider} knows no job {job_id}\n  Its id is in the provider's own list.")
        if isinstance(seen, Draft):
            raise ReconcilerError(
                f"job {job_id} was never started, so it makes nothing\n"
                f"  Start it at {output.provider} first, or let apply make a job of its own:  reconciler apply"
            )


def _jobs(settings: Globals, desired: Desired) -> Mapping[str, Sequence[FoundJob]]:
    """The jobs of this project at every declared provider that can be searched."""
    jobs: dict[str, Sequence[FoundJob]] = {}
    for name in desired.providers:
        with wiring.provider_of(settings, desired, name) as provider:
            if isinstance(provider, FindsJobs):
                jobs[name] = tuple(provider.jobs_of(desired.project))
    if not jobs:
        raise ReconcilerError(
            "no declared provider keeps jobs that could be found again\n"
            "  What ffmpeg made here is encoded again at no cost, or put back from state/backups/."
        )
    return jobs


def _bring_in(settings: Globals, addresses: Sequence[str], timeout: float | None = None) -> Outcome | None:
    """Look at jobs that have ended, and record what they made; nothing is started."""
    if not addresses:
        return None
    screen = Screen(settings)
    with Watching(screen, settings) as watching:
        watching.outputs = len(addresses)
        options = ApplyOptions(wait_timeout=timeout)
        selection = Selection(targets=tuple(addresses))
        return wiring.run_apply(
            settings,
            selection,
            options,
            approve=_resuming,
            tell=watching.tell,
            warn=lambda text: screen.warnings([text]),
        )


def _resuming(planned: Planned, _: Mapping[str, tuple[str, ...]]) -> Approval:
    """Only jobs that were started are gone on with, which no plan id is about."""
    return Approval(planned.plan_id, planned.lines)


def _status(settings: Globals, desired: Desired, address: str) -> Status:
    return state_of(settings).read(desired.project).snapshot.records[address].status


def _told(settings: Globals, desired: Desired, found: Rebuilt, *, dry_run: bool) -> int:
    screen = Screen(settings)
    records = state_of(settings).read(desired.project).snapshot.records
    made = {address: records.get(address, record) for address, record in found.records.items()}
    if settings.json:
        told = edit_types.Rebuilt(
            rebuilt={address: record.status for address, record in made.items()},
            unwanted=tuple(each.job.job_id for each in found.unwanted),
            drafts=tuple(each.job.job_id for each in found.drafts),
            dry_run=dry_run,
        )
        screen.json(msgspec.to_builtins(told))
    else:
        screen.result(rebuilt_text(made, found, dry_run=dry_run, columns=screen.columns))
    return 0
