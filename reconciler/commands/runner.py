"""What is different about a run of CI: its machine is gone afterwards."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.commands.gathering import Planned
from reconciler.core.staying import kept_here
from reconciler.views.words import count

_PLACE = "deliver: {to: s3://BUCKET/PATH}"


def remarks(environment: Mapping[str, str], planned: Planned) -> tuple[str, ...]:
    """What has to be known before the plan: which outputs would be lost with the machine. Empty on one that stays."""
    lost = kept_here(planned.plan, planned.desired) if _ends(environment) else ()
    if not lost:
        return ()
    named = lost[0] if len(lost) == 1 else f"{lost[0]} and {len(lost) - 1:,} more"
    head = f"{count(len(lost), 'output')} would stay on the machine of this CI run, and be lost with it: {named}"
    return (f"{head}. To keep them, give them a place with  {_PLACE}  or a provider that keeps them.",)


def _ends(environment: Mapping[str, str]) -> bool:
    """Whether this is a machine that is made for one run; a runner of one's own is not."""
    is_ci = environment.get("CI", "").lower() in {"true", "1"} or environment.get("GITHUB_ACTIONS") == "true"
    return is_ci and environment.get("RUNNER_ENVIRONMENT") != "self-hosted"
