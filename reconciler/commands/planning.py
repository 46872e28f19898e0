"""What `plan` and `apply` share: the selection as options, and the document of a plan that was made."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict

from reconciler import __version__
from reconciler.commands.gathering import Planned, stamp
from reconciler.commands.options import Globals, flags
from reconciler.commands.runner import remarks
from reconciler.core.limits import Limits
from reconciler.core.selection import Selection
from reconciler.views.document import Basis, PlanDocument
from reconciler.views.plan_json import plan_document


def document_of(planned: Planned, settings: Globals, findings: Sequence[str] = ()) -> PlanDocument:
    """The plan as a document; `findings` are what `--refresh` saw."""
    folder = settings.specs.rstrip("/")
    return plan_document(
        planned.plan,
        providers=planned.desired.providers,
        records=planned.records,
        basis=Basis(
            specs=f"{folder}/",
            files=len(planned.desired.files),
            state=settings.state,
            state_exists=planned.state_exists,
            base=planned.base,
        ),
        timestamp=stamp(),
        tool_version=__version__,
        refused=planned.refusals,
        guards=planned.guards,
        findings=findings,
        remarks=remarks(os.environ, planned),
        quotes=planned.quotes,
    )


def repeated(settings: Globals, selection: Selection) -> str:
    """The flags that a command named on a screen has to repeat to mean the same plan."""
    chosen = flags(target=selection.targets, exclude=selection.excludes, rerun=selection.reruns, allow=selection.allow)
    return f"{settings.spoken}{chosen}{_limits(selection.limits)}"


def _limits(limits: Limits) -> str:
    """The `--max-*` flags as they are typed."""
    given = asdict(limits) | {"max_cost": None}
    texts = {name: [str(value).removesuffix(".0")] for name, value in given.items() if value is not None}
    money = [str(each) for each in limits.max_cost]
    return flags(**{name.replace("_", "-"): value for name, value in {"max_cost": money, **texts}.items()})
