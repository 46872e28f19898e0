"""Until when files live that only their provider holds, in words."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.views.cells import visible
from reconciler.views.document import PlanDocument
from reconciler.views.words import count, span


def kept_sentences(document: PlanDocument) -> Iterator[str]:
    """What is not kept for ever, a sentence a provider; nothing of what is copied to a place of one's own."""
    lives = {job.provider: job.kept_seconds for job in document.jobs if job.kept_seconds is not None}
    for provider, seconds in sorted(lives.items()):
        left = sum(len(job.addresses) - job.copied for job in document.jobs if job.provider == provider)
        if left:
            yield (
                f"{visible(provider)} deletes files {span(seconds)} after their job; {count(left, 'output')} without "
                "deliver: will be gone then."
            )
