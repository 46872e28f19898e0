"""Dead links of living files, signed anew by whoever holds the files."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.apply.hands import Hands, StateWriter
from reconciler.core import transitions
from reconciler.core.errors import CredentialsError, ProviderError
from reconciler.core.expiry import renewed
from reconciler.core.ports import RenewsLinks
from reconciler.core.state import Record
from reconciler.core.steps import Relink


def relink(hands: Hands, steps: Sequence[Relink]) -> int:
    """Renew links; how many there are that open now. One that cannot be renewed stops nothing: it stays dead.

    Raises CredentialsError.
    """
    return sum(_relink_one(hands, step) for step in steps if not hands.interrupts())


def _relink_one(hands: Hands, step: Relink) -> bool:
    provider = hands.providers.get(step.record.provider)
    if not isinstance(provider, RenewsLinks):
        return False
    try:
        return renew_link(hands.state, provider, step.address, step.record, hands.stamp())
    except CredentialsError:
        raise
    except ProviderError:
        return False


def renew_link(state: StateWriter, provider: RenewsLinks, address: str, record: Record, now: str) -> bool:
    """Have one link signed anew, and record it; whether its provider gives one. Raises ProviderError."""
    if record.job is None or record.output is None:
        return False
    held = renewed(record.output, provider.fresh_links(record.job.id))
    if held is None:
        return False
    again = transitions.relinked(record, held, state.next_rev(address), now)
    state.record("relinked", records={address: again})
    state.keep_link(address, held.link)
    return True
