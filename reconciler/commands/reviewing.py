"""Whoever reads a run of CI and its pull request, and what they are told of a plan."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass

from reconciler.commands.speaking import Screen
from reconciler.core.errors import ReconcilerError
from reconciler.edges.actions import Run, append_output, append_summary
from reconciler.edges.github import TOO_LONG, Comment, GithubError, PullRequests
from reconciler.views.document import PlanDocument
from reconciler.views.github_text import (
    Annotation,
    annotation_lines,
    failed_annotations,
    output_lines,
    plan_outputs,
    stopped,
)
from reconciler.views.markdown import COMMENT_BYTES, SUMMARY_BYTES, failed_markdown, marker, plan_markdown
from reconciler.views.plan_text import plan_text
from reconciler.views.problems import error_text

_SHORT_BYTES = 8_000  # a comment that no server finds too long


@dataclass(frozen=True, slots=True)
class Reviewers:
    """Whoever reads the run and its pull request."""

    run: Run
    screen: Screen
    author: str
    comments: bool

    def told(self, document: PlanDocument, notes: Iterable[Annotation], name: str, options: str) -> None:
        """The plan, everywhere where it is read."""
        commit = self.run.commit[:7]

        def text(budget: int) -> str:
            return plan_markdown(document, environment=name, commit=commit, options=options, budget=budget)

        self._log(plan_text(document, options=options, apply=None))
        url, troubles = self._comment(marker(name), text, begin=bool(document.resource_changes))
        self._rest(text(SUMMARY_BYTES), [*notes, *troubles], {**plan_outputs(document), "comment_url": url})

    def told_failure(self, error: ReconcilerError, name: str) -> None:
        """That there is no plan, and why."""

        def text(budget: int) -> str:
            return failed_markdown(error, environment=name, commit=self.run.commit[:7], budget=budget)

        self._log(error_text(error, columns=self.screen.columns))
        url, troubles = self._comment(marker(name), text, begin=True)
        notes = [*failed_annotations(error, self.run.folder), *troubles]
        self._rest(text(SUMMARY_BYTES), notes, {"changes": "false", "comment_url": url})

    def _log(self, text: str) -> None:
        """What anybody sees on a terminal; names in it may look like commands to the runner."""
        self.screen.result(stopped(text, unguessable()) if self.run.is_actions else text)

    def _comment(self, mark: str, text: Callable[[int], str], *, begin: bool) -> tuple[str, list[Annotation]]:
        """Write the comment; where it is, and what went wrong. A plan that changes nothing begins none."""
        run = self.run
        if not self.comments or run.number is None:
            return "", []
        if run.fork:
            return "", [Annotation("notice", "a pull request from a fork: its plan is in the summary of this run")]
        try:
            with closing(PullRequests(run, sleep=time.sleep)) as pulls:
                kept = _Comments(pulls, run.number, mark, self.author, begin=begin)
                comment = kept.shorter_if_refused(text)
        except GithubError as error:
            return "", [Annotation("warning", f"the pull request has no new comment: {error}")]
        return comment.url if comment is not None else "", []

    def _rest(self, summary: str, notes: Iterable[Annotation], outputs: dict[str, str]) -> None:
        """Summary, annotations and outputs, as far as there is a runner that takes them."""
        told = list(notes)
        if self.run.summary is not None and not append_summary(self.run, summary):
            told.append(Annotation("warning", "the summary of this step is full; the plan is in its log"))
        if self.run.is_actions:
            self.screen.result("".join(f"{line}\n" for line in annotation_lines(told)))
        append_output(self.run, output_lines(outputs, unguessable))


@dataclass(frozen=True, slots=True)
class _Comments:
    """The one comment that is kept up to date."""

    pulls: PullRequests
    number: int
    mark: str
    author: str
    begin: bool

    def shorter_if_refused(self, text: Callable[[int], str]) -> Comment | None:
        """Write it; once more in its shortest form where GitHub finds it too long. Raises GithubError."""
        try:
            return self._put(text(COMMENT_BYTES))
        except GithubError as error:
            if error.status != TOO_LONG:
                raise
        return self._put(text(_SHORT_BYTES))

    def _put(self, body: str) -> Comment | None:
        return self.pulls.put_comment(self.number, self.mark, self.author, body, begin=self.begin)


def unguessable() -> str:
    """A word that no text from outside holds."""
    return secrets.token_hex(16)
