"""The content of an output that others are made from: is it still the one that they were made from?

A content is known by the job that made it, and by its digest where there is one. A file that was made once more,
with the same parameters from the same source and only because it was gone, counts as the same content: what was made
from the one before holds it already, and is not paid for again.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.state import Attempt, Record, SourceRecord
from reconciler.core.steps import Create, EncodeStep, Rerun, Resume, Retry

# Reasons to encode an output for the sake of its file alone.
FILE_GONE = frozenset({"needed_by", "expired", "output_missing", "output_altered"})


@dataclass(frozen=True, slots=True)
class Mezzanine:
    """What is known of the content of an output that others are made from, as it will be once the plan is done.

    `coming`: the plan encodes it. A `made_by` of None is no job that anything was made from; an empty `sha256` is
    not known.
    """

    address: str
    made_by: str | None = None
    sha256: str = ""
    coming: bool = False


def content_of(record: Record | Attempt) -> str | None:
    """The job whose content a finished output has; None if that is not known."""
    return None if record.job is None else record.job.remakes or record.job.id


def remade(step: EncodeStep) -> str | None:
    """The job whose content a step only makes once more; None if it makes a new one."""
    if isinstance(step, Create):
        return None
    if isinstance(step, Rerun) and step.reason.code in FILE_GONE:
        return content_of(step.record)
    retried = isinstance(step, Retry | Resume) and step.record.fingerprint == step.output.fingerprint
    return step.record.job.remakes if retried and step.record.job is not None else None


def change(recorded: SourceRecord, now: Mezzanine) -> str | None:
    """What is new about a mezzanine since something was made from it, as a sentence; None if nothing is known to be."""
    if now.made_by is not None and now.made_by == recorded.made_by:
        return None
    if now.coming and now.made_by is None:
        return f"{now.address} is encoded anew"
    if recorded.sha256 is not None and now.sha256:
        same = recorded.sha256 == now.sha256
        return None if same else f"{now.address} was encoded anew: sha256 {recorded.sha256:.12} -> {now.sha256:.12}"
    known = recorded.made_by is not None and now.made_by is not None
    return f"{now.address} was encoded anew since" if known else None
