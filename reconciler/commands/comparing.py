"""What the specs of now change against those of another commit, without any state."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import replace
from pathlib import Path

from reconciler.commands import gathering
from reconciler.commands.gathering import Planned
from reconciler.commands.options import Globals
from reconciler.core.approval import plan_id, plan_lines
from reconciler.core.comparison import as_made, nowhere
from reconciler.core.encode import Desired
from reconciler.core.errors import ReconcilerError, SpecError, UsageError
from reconciler.core.plan import make_plan
from reconciler.core.selection import Selection
from reconciler.edges import revisions


def compared_with(settings: Globals, selection: Selection, reference: str) -> Planned:
    """The plan over what another commit declares, as if all of that had been made.

    Nothing refuses it, since nothing applies it. Raises UsageError for a commit that is not here, SpecError for
    specs of now, and ReconcilerError for specs of then, that cannot be read.
    """
    specs = gathering.load_specs(settings)
    commit = revisions.commit_of(gathering.project_folder(), reference)
    then = _specs_of(settings, commit, reference)
    records = {} if then is None else as_made(then)
    plan = make_plan(specs.desired, records, nowhere(), selection)
    lines = plan_lines(plan)
    return Planned(
        plan=plan,
        desired=specs.desired,
        records=records,
        world=nowhere(),
        lines=lines,
        plan_id=plan_id(lines),
        refusals=(),
        warnings=specs.warnings,
        state_exists=bool(records),
        base=f"{reference} ({commit[:7]})",
    )


def _specs_of(settings: Globals, commit: str, reference: str) -> Desired | None:
    """What a commit declares; None if it has no specs yet."""
    settings = replace(settings, specs=_in_project(settings.specs))
    with tempfile.TemporaryDirectory(prefix="reconciler-base-") as folder:
        revisions.lay_out(gathering.project_folder(), commit, Path(folder))
        if not (Path(folder) / settings.specs).exists():
            return None
        with contextlib.chdir(folder):
            try:
                return gathering.load_specs(settings).desired
            except SpecError as error:
                place = next((f" ({problem.place})" for problem in error.problems if problem.place is not None), "")
                message = f"the specs of {reference} cannot be read: {error.problems[0].message}{place}"
                raise ReconcilerError(
                    f"{message}.\nThose of now are fine. Compare with a commit before, or leave out --base."
                ) from None


def _in_project(specs: str) -> str:
    """The folder of specs as a path in the project, which is what a commit knows. Raises UsageError."""
    project = gathering.project_folder()
    try:
        return (project / specs).relative_to(project).as_posix()
    except ValueError:
        raise UsageError(f"--specs {specs} lies outside this folder, so no commit of it holds them") from None
