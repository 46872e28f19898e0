"""Dead links of living files, signed anew by whoever holds the files."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.apply.hands import Hands
from reconciler.core import transitions
from reconciler.core.errors import CredentialsError, ProviderError
from reconciler.core.expiry import renewed
from reconciler.core.ports import RenewsLinks
from reconciler.core.steps import Relink


def relink(hands: Hands, steps: Sequence[Relink]) -> int:
    """Renew links; how many there are that open now. One that cannot be renewed stops nothing: it stays dead.

    Raises CredentialsError.
    """
    return sum(_relink_one(hands, step) for step in steps if not hands.interrupts())


def _relink_one(hands: Hands, step: Relink) -> bool:
    record, provider = step.record, hands.providers.get(step.record.provider)
    if record.job is None or record.output is None or not isinstance(provider, RenewsLinks):
        return False
    try:
        held = renewed(record.output, provider.fresh_links(record.job.id))
    except CredentialsError:
        raise
    except ProviderError:
        return False
    if held is None:
        return False
    rev = hands.state.next_rev(step.address)
    hands.record("relinked", transitions.relinked(record, held, rev, hands.stamp()), step.address)
    hands.state.keep_link(step.address, held.link)
    return True
