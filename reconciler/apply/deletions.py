"""What `on_remove: delete` deletes: only what we made, only where nobody else's record needs it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from reconciler.apply.hands import Hands
from reconciler.core import handovers
from reconciler.core.errors import ProviderError, ReconcilerError, StateError
from reconciler.core.happenings import OutputFailed
from reconciler.core.history import with_override
from reconciler.core.ports import DeletesJobs
from reconciler.core.state import Attempt, OutputRecord, Record
from reconciler.core.steps import Delete


def delete(hands: Hands, step: Delete, allowed: tuple[str, ...]) -> OutputFailed | None:
    """Delete the files of an output and forget its record; what could not be deleted keeps the record.

    Where that had to be `allowed` by name, the record stays, retired and without files, to say so. Raises StateError,
    CredentialsError.
    """
    others = {address: record for address, record in hands.state.snapshot.records.items() if address != step.address}
    try:
        _delete_copy(hands, step.record, others)
        for file in _files(step.record):
            _delete_file(hands, file, others)
        for job_id, provider in _jobs(step.record):
            _delete_job(hands, job_id, provider, others)
    except StateError:
        raise
    except (ReconcilerError, OSError) as error:
        return OutputFailed(step.address, "undeleted", str(error), 0, 0)
    rev = hands.state.next_rev(step.address)
    if allowed:
        record = handovers.retired(step.record, rev, hands.stamp())
        bare = replace(record, job=None, output=None, delivered=None, previous=(), checks=())
        told = with_override(bare, "deleted", step.reason.code, hands.stamp(), allowed)
        hands.state.record("deleted", records={step.address: told})
    else:
        hands.state.record("deleted", removed={step.address: rev})
    return None


def _files(record: Record) -> Iterator[OutputRecord]:
    made: list[Record | Attempt] = [record, *record.previous]
    for each in made:
        if each.output is not None:
            yield each.output


def _jobs(record: Record) -> Iterator[tuple[str, str]]:
    """The jobs whose files a provider holds, and at which."""
    made: list[Record | Attempt] = [record, *record.previous]
    for each in made:
        if each.output is not None and each.output.path is None and each.job is not None:
            yield each.job.id, each.provider


def _delete_copy(hands: Hands, record: Record, others: dict[str, Record]) -> None:
    copy = record.delivered
    if copy is None or copy.host not in {"", hands.host}:
        return
    if not any(other.delivered is not None and other.delivered.where == copy.where for other in others.values()):
        hands.remove_copy(copy)


def _delete_file(hands: Hands, file: OutputRecord, others: dict[str, Record]) -> None:
    """A file on this machine, if it still is the one that was made."""
    if file.path is None or not file.is_on(hands.host):
        return
    used = {other.path for record in others.values() for other in _files(record)}
    if file.path not in used and hands.files.holds(file.path, file.size or 0, file.sha256):
        hands.files.remove(file.path)


def _delete_job(hands: Hands, job_id: str, name: str, others: dict[str, Record]) -> None:
    """A job of a provider, with all its files: only if no other record's file is among them."""
    named = {job for record in others.values() for job, _ in _jobs(record)}
    provider = hands.providers.get(name)
    if job_id in named:
        return
    if not isinstance(provider, DeletesJobs):
        raise ProviderError(f"{name} deletes no jobs; its files go when their retention is over")
    provider.delete(job_id)
