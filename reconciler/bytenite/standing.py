"""Where a job stands, in the words of core.ports, from what the server says of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from reconciler.bytenite.known import KnownJob
from reconciler.bytenite.wire import Job
from reconciler.core.cost import Money
from reconciler.core.ports import Draft, Failed, Lost, Observation, Running

Stage = Literal["waiting", "fetching", "encoding", "verifying"]

# How far a job is in each state: a guess from the times of real jobs, of which encoding is the longest.
_STAGES: Mapping[str, tuple[Stage, float]] = {
    "STARTED": ("waiting", 0.02),
    "UPLOADING": ("fetching", 0.05),
    "PARTITIONING": ("fetching", 0.1),
    "PARTITIONED": ("encoding", 0.2),
    "TASKS_COMPLETED": ("encoding", 0.85),
    "MERGING": ("encoding", 0.9),
    "MERGED": ("encoding", 0.94),
    "DOWNLOADING": ("encoding", 0.97),
}
CURRENCY = "BYC"


def standing(known: KnownJob) -> Observation:
    """What an observation of a job says, without asking anybody."""
    if known.outcome is not None:
        return known.outcome
    if known.lost:
        return Lost()
    job = known.job
    if job is None:
        return Running("waiting")
    if known.draft:
        return Draft()
    if job.state == "FAILED":
        return Failed(job.error or "the provider says that the job failed, and not why")
    if job.state == "COMPLETE":
        return Running("verifying", 0.99)
    stage = _STAGES.get(job.state)
    return Running("encoding") if stage is None else Running(*stage)


def cost(payment: Decimal | None) -> str | None:
    """What was paid, with its currency; None where that is nothing, or not told."""
    return str(Money(payment, CURRENCY)) if payment is not None and payment > 0 else None


def seconds(job: Job) -> float | None:
    """How long a job ran."""
    if job.started_at is None or job.ended_at is None:
        return None
    return max(0.0, (job.ended_at - job.started_at).total_seconds())


def stamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, whole seconds."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def link_expiry(link: str) -> datetime | None:
    """When a signed link dies, by what its signature says (Google's or Amazon's, version 4); None if it does not."""
    try:
        said = {name.lower(): values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    except ValueError:
        return None
    for signer in ("x-goog", "x-amz"):
        try:
            since = datetime.strptime(said[f"{signer}-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            return since + timedelta(seconds=int(said[f"{signer}-expires"]))
        except (KeyError, ValueError, OverflowError):
            continue
    return None
