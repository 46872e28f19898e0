"""`reconciler ci`: a plan where reviewers are, and what they approved where it is applied."""

from __future__ import annotations

import os
import re
import time
from contextlib import closing
from pathlib import Path

import click

from reconciler.commands.choosing import choosing, telling
from reconciler.commands.options import Command, Globals, Group, refuse_nothing, trusting, with_globals
from reconciler.commands.plan import exit_code, planned_against, save
from reconciler.commands.plan_options import environment_option
from reconciler.commands.planning import document_of, repeated
from reconciler.commands.reviewing import Reviewers, unguessable
from reconciler.commands.speaking import Screen
from reconciler.commands.states import state_of
from reconciler.core.approval import plan_id
from reconciler.core.errors import ReconcilerError, UsageError
from reconciler.core.selection import Selection
from reconciler.edges.actions import append_output, run_of
from reconciler.edges.github import BOT, PullRequests
from reconciler.views.document import write_document
from reconciler.views.github_text import Annotation, masked, output_lines, plan_annotations
from reconciler.views.markdown import marker

_ID = re.compile(r"<!-- reconciler:plan-id:([0-9a-f]{16}) -->")

_AUTHOR = click.option(
    "--author",
    default=BOT,
    show_default=True,
    envvar="RECONCILER_COMMENT_AUTHOR",
    show_envvar=True,
    metavar="LOGIN",
    help="Whose comments these are: the owner of GITHUB_TOKEN.",
)


@click.group("ci", cls=Group)
def command() -> None:
    """Plans where reviewers are, and what they approved where it is applied."""


@command.group("github", cls=Group, short_help="In GitHub Actions.")
def in_github() -> None:
    """In GitHub Actions: comments, summaries, annotations and outputs.

    The token is read from GITHUB_TOKEN, everything else from what the runner sets. Without a token, as on a pull
    request from a fork, the plan stands in the summary of the step alone.
    """


@in_github.command("plan", cls=Command, short_help="Plan, and tell the pull request.")
@choosing
@environment_option("the repository")
@_AUTHOR
@telling
@click.option("--no-comment", is_flag=True, help="Write no comment.")
@click.option(
    "--base",
    metavar="REF",
    callback=refuse_nothing,
    help="Compare with the specs of this commit, not the state; there is nothing to approve, and no comment.",
)
@trusting
@with_globals
def plan(
    settings: Globals,
    *,
    selection: Selection,
    environment: str | None,
    author: str,
    out: str | None,
    fail_on_limits: bool,
    no_comment: bool,
    base: str | None,
) -> int:
    """Plan as reconciler plan does, offline, and tell it: in the log, in the summary of the step, as annotations, as
    outputs for later steps, and in one comment of the pull request, which is updated in place.

    What GitHub does not take is a warning; it never fails the plan.
    """
    run = run_of(os.environ, Path.cwd())
    if base is not None and out is not None:
        raise UsageError("--base compares specs with specs: leave out --out")
    reviewers = Reviewers(run, Screen(settings), author, comments=not no_comment and base is None)
    try:
        planned = planned_against(settings, selection, base)
    except ReconcilerError as error:
        reviewers.told_failure(error, environment or run.name)
        return error.exit_code
    document = document_of(planned, settings)
    if out is not None:
        save(Path(out), write_document(document) + "\n", "the plan")
    notes = [Annotation("warning", sentence) for sentence in planned.warnings]
    notes += plan_annotations(document, refusals_are_errors=fail_on_limits)
    reviewers.told(document, notes, environment or run.name, repeated(settings, selection))
    return exit_code(document, fail_on_limits=fail_on_limits, detailed=False)


@in_github.command("approved", cls=Command, short_help="The id of the plan that a merge approved.")
@environment_option("the repository")
@_AUTHOR
@with_globals
def approved(settings: Globals, *, environment: str | None, author: str) -> int:
    """Print the id of the plan in the comment of the pull request that this commit merged, for apply --expect.

    Later steps find it in the output plan_id. Without a pull request, or a comment on it, nothing was approved: then
    it is the id of the plan that does nothing, and any paid work is refused.
    """
    run, screen = run_of(os.environ, Path.cwd()), Screen(settings)
    mark = marker(environment or run.name)
    if run.number is not None and not run.merged:
        raise ReconcilerError(f"pull request #{run.number} is not merged, so nothing of it is approved yet")
    with closing(PullRequests(run, sleep=time.sleep)) as pulls:
        number = run.number if run.number is not None else pulls.merged_as(run.commit)
        comment = None if number is None else pulls.comment(number, mark, author)
    found = None if comment is None else _ID.match(comment.body.partition("\n")[2].lstrip())
    if comment is not None and found is None:
        raise ReconcilerError(
            f"pull request #{number}: its comment shows no plan, so none was approved ({comment.url})"
        )
    if found is None:
        where = "this commit came with no pull request" if number is None else f"pull request #{number} shows no plan"
        screen.warnings([f"{where}, so only a plan that changes nothing counts as approved"])
    identifier = plan_id(()) if found is None else found[1]
    append_output(run, output_lines({"plan_id": identifier}, unguessable))
    screen.result(f"{identifier}\n")
    return 0


@in_github.command("mask", cls=Command, short_help="Keep live links out of the log.")
@with_globals
def mask(settings: Globals) -> int:
    """Tell the runner to hide every live link that is recorded: whoever holds one can read the file behind it."""
    if not run_of(os.environ, Path.cwd()).is_actions:
        raise ReconcilerError(
            "this prints what is to be hidden, for a runner that hides it; GITHUB_ACTIONS is not true"
        )
    for link in state_of(settings).live_links().values():
        Screen(settings).result("".join(f"{line}\n" for line in masked(link)))
    return 0
