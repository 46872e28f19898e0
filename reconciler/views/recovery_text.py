"""What was found again at providers, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from reconciler.core.happenings import Outcome
from reconciler.core.rebuild import Rebuilt
from reconciler.core.state import Record
from reconciler.views.cells import fold, visible, whole
from reconciler.views.words import count

SHOWN_AT_MOST = 20


def rebuilt_text(records: Mapping[str, Record], found: Rebuilt, *, dry_run: bool, columns: int = 80) -> str:
    """How many outputs are known again, in which states, and which jobs belong to none of them."""
    verb = "Would record" if dry_run else "Recorded"
    states = Counter(record.status for record in records.values())
    said = f" ({', '.join(f'{number:,} {status}' for status, number in sorted(states.items()))})" if states else ""
    lines = fold(f"{verb} {count(len(records), 'output')}{said}. Nothing was started, nothing was paid.", columns)
    for address in sorted(records)[:SHOWN_AT_MOST]:
        lines.append(f"  {visible(address)}  {records[address].status}")
    if len(records) > SHOWN_AT_MOST:
        lines.append(f"  and {len(records) - SHOWN_AT_MOST:,} more: reconciler status")
    if found.unwanted:
        words = f"{count(len(found.unwanted), 'job')} for outputs that are not declared like that now, left alone:"
        lines += ["", *fold(words, columns)]
        lines += [
            f"  {visible(each.provider)} {visible(each.job.job_id)}  {visible(each.job.name)}  {each.job.status}"
            for each in found.unwanted[:SHOWN_AT_MOST]
        ]
        lines += fold(f"To take one for an output: {whole('reconciler state adopt ADDR JOB_ID')}", columns, first="  ")
    if found.drafts:
        lines += ["", *fold(f"{count(len(found.drafts), 'draft')} never started; the next apply takes them.", columns)]
    return "\n".join(lines) + "\n"


def adopted_text(address: str, job: str, status: str, outcome: Outcome | None, *, columns: int = 80) -> str:
    """Whose a job is now, and how it stands."""
    lines = fold(f"{visible(address)} has job {visible(job)} now: {status}.", columns)
    for failed in outcome.failed if outcome is not None else ():
        lines += fold(visible(failed.error), columns, first="  ")
    if status == "running":
        lines += fold(f"To bring in what it makes: {whole('reconciler apply')}", columns, first="  ")
    return "\n".join(lines) + "\n"
