"""The results of a finished job: matched by name, looked at through their links, and left where they are."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import IO, cast

import requests

from reconciler.bytenite import describing
from reconciler.bytenite.api import Api
from reconciler.bytenite.failures import AnsweredError
from reconciler.bytenite.kind import TEMPORARY, ByteniteOptions
from reconciler.bytenite.limits import back_off
from reconciler.bytenite.naming import match_results
from reconciler.bytenite.origins import Origins
from reconciler.bytenite.standing import cost, link_expiry, seconds, stamp
from reconciler.bytenite.wire import Job, Result
from reconciler.core.checks import CheckResult, failures
from reconciler.core.copies import FromLink
from reconciler.core.encode import Output
from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.core.ports import (
    Done,
    Examine,
    ExaminePackage,
    Held,
    Inspect,
    JobRequest,
    NotMade,
    OutputResult,
    SourceSeen,
    Suspect,
)
from reconciler.io.linked_packages import LinkedPackage, is_package_link
from reconciler.io.ranged import LinkError, RangedFile
from reconciler.io.redact import redact, shown

TRIES = 5
_FRESH_LINKS = 3
# What a link is answered that may only be too old, and what says that there is no file.
_MAYBE_EXPIRED = frozenset({400, 401, 403, 404, 410})
_GONE = frozenset({404, 410})
# What files of ours are called: the output, and the beginning of its fingerprint.
_OURS = re.compile(r".+-[0-9a-f]{8}")
# Answers to a request for results that a moment may mend.
_NOT_YET = frozenset({400, 404, 409, 412, 425})
# Packages that no playlist of HLS leads through: nothing of them can be looked at.
_CLOSED = (".mpd", ".zip", "/")


@dataclass(frozen=True, slots=True)
class _Look:
    """What an output is looked at with: a session for links, and its source, open, if it can be had."""

    session: requests.Session
    output: Output
    source: IO[bytes] | None


@dataclass(frozen=True, slots=True)
class Collector:
    """Brings in what finished jobs made. Safe in threads."""

    api: Api
    options: ByteniteOptions
    examine: Examine
    examine_package: ExaminePackage
    inspect: Inspect
    origins: Origins
    private: bool
    links: Callable[[], requests.Session]
    sleep: Callable[[float], None]
    now: Callable[[], datetime]
    dice: random.Random

    def collect(self, job: Job, request: JobRequest, seen: SourceSeen | None) -> Done:
        """The end of a complete job. Raises UnavailableError and CredentialsError; then it can be called again."""
        outputs = self._outputs(job, request)
        return Done(
            outputs=outputs,
            source=seen or SourceSeen(request.source.identity),
            seconds=seconds(job),
            cost=cost(job.payment),
            finished_at=stamp(job.ended_at),
        )

    def all_links(self, job: Job) -> tuple[Held, ...]:
        """Everything that can be had of a job now, not looked at; signed anew, for nothing."""
        return tuple(self._held(job, result) for result in self.api.results(job.id))

    def fresh_links(self, job: Job, request: JobRequest) -> dict[str, Held]:
        """What can be had of a job now, by output name, not looked at; signed anew, for nothing."""
        found = matched(self.api.results(job.id), request.outputs, job.name or request.name)
        return {name: self._held(job, result) for name, result in found.items()}

    def _outputs(self, job: Job, request: JobRequest) -> Mapping[str, OutputResult]:
        results = self._results(job)
        if not results:
            return {output.name: NotMade(self._no_results(job)) for output in request.outputs}
        found = matched(results, request.outputs, job.name or request.name)
        named = ", ".join(redact(result.name) for result in results[:5])
        with self.origins.opened(request.source) as source:
            return {
                output.name: self._look(job, request, output, found[output.name], source)
                if output.name in found
                else NotMade(f"complete, but the provider gives no file of its name; it gives {named}")
                for output in request.outputs
            }

    def _results(self, job: Job) -> list[Result]:
        """The results, asked for again while there are none yet."""
        for attempt in range(TRIES):
            if attempt:
                self.sleep(back_off(attempt, self.dice))
            try:
                results = self.api.results(job.id)
            except AnsweredError as error:
                if not error.not_ready and error.status not in _NOT_YET:
                    raise
                continue
            if results:
                return results
        return []

    def _no_results(self, job: Job) -> str:
        deleted = self._deleted_at(job)
        if deleted is not None and deleted < self.now():
            return f"complete, but its files were deleted on {stamp(deleted)}, the end of their retention"
        return "complete, but the provider gives no results"

    def _look(
        self, job: Job, request: JobRequest, output: Output, result: Result, source: IO[bytes] | None
    ) -> OutputResult:
        """One output, looked at through its link; a link that is too old is replaced."""
        held = self._held(job, result)
        if not shown(result.link).startswith(("http://", "https://")) or shown(result.link).endswith(_CLOSED):
            return _with_note(held, "it was not looked at: its link opens no file, and no playlist of HLS")
        with self.links() as session:
            look = _Look(session, output, source)
            return self._examined_at_last(held, job, request, look)

    def _examined_at_last(self, held: Held, job: Job, request: JobRequest, look: _Look) -> OutputResult:
        for attempt in range(_FRESH_LINKS + 1):
            try:
                return self._checked(self._examined(held, look), job, request, look.output)
            except LinkError as error:
                if error.status not in _MAYBE_EXPIRED or attempt == _FRESH_LINKS:
                    return _unseen(held, error)
                again = self.fresh_links(job, request).get(look.output.name)
                if again is None or again.link == held.link:
                    return _unseen(held, error)
                held = again
            except OSError as error:
                return _with_note(held, f"it could not be looked at: {redact(str(error))}")
        raise AssertionError("the last try returns")

    def _examined(self, held: Held, look: _Look) -> Held | Suspect:
        if is_package_link(held.link):
            files = LinkedPackage(look.session, held.link, sleep=self.sleep)
            found = self.examine_package(files, look.output, look.source)
            size = found.size
        else:
            with RangedFile(look.session, held.link, sleep=self.sleep) as file:
                size = file.size
                found = self.examine(cast("IO[bytes]", file), size, look.output, look.source)
        if found.wrong:
            return Suspect(shown(held.link), "; ".join(found.wrong), size=size, notes=found.notes)
        return replace(held, size=size, summary=found.summary, duration=found.duration, notes=found.notes)

    def _checked(self, found: Held | Suspect, job: Job, request: JobRequest, output: Output) -> Held | Suspect:
        """The same with the checks that the spec asks for; suspect if one failed, or could never be made."""
        if isinstance(found, Suspect) or not output.checks.asked:
            return found

        def renew() -> str:
            again = self.fresh_links(job, request).get(output.name)
            if again is None:
                raise UnavailableError(f"the provider gives no link to {output.name} now")
            return again.link

        try:
            results = self.inspect(FromLink(found.link, renew, self.private), output)
        except RejectedError as error:
            return _suspect(found, f"it could not be checked: {error}", ())
        failed = failures(results)
        if failed is not None:
            return _suspect(found, failed, results)
        return replace(found, checks=results)

    def _held(self, job: Job, result: Result) -> Held:
        return Held(
            name=result.name or shown(result.link).rpartition("/")[2],
            link=result.link,
            link_expires_at=stamp(link_expiry(result.link)),
            expires_at=stamp(self._deleted_at(job)),
        )

    def _deleted_at(self, job: Job) -> datetime | None:
        """When the temporary bucket deletes a job's files; None for a bucket of one's own."""
        if self.options.destination != TEMPORARY or job.ended_at is None:
            return None
        return job.ended_at + timedelta(seconds=float(self.options.retention))


def matched(results: Sequence[Result], outputs: Sequence[Output], job_name: str) -> dict[str, Result]:
    """Whose each result is, by its file's name."""
    found = match_results(results, describing.file_names(outputs, job_name))
    missing = [output for output in outputs if output.name not in found]
    taken = {id(result) for result in found.values()}
    left = [result for result in results if id(result) not in taken]
    # The one file that a job has is its one output, whatever its server calls it. Of several, one that is left over
    # may be that of an output that nobody asks about any more.
    if len(missing) == len(left) == len(results) == 1 and _made_alone(left[0], missing[0]):
        found[missing[0].name] = left[0]
    return found


def _made_alone(result: Result, output: Output) -> bool:
    """Whether a file of another name can be an output's: not if it bears the name of another output of ours."""
    mark = f"-{output.fingerprint[:8]}"
    stem = (result.name or shown(result.link)).rstrip("/").rpartition("/")[2].partition(".")[0]
    return _OURS.fullmatch(stem) is None or stem.endswith(mark)


def _suspect(held: Held, error: str, results: tuple[CheckResult, ...]) -> Suspect:
    """A whole file that does not meet what the spec asks for."""
    return Suspect(shown(held.link), error, size=held.size, notes=held.notes, checks=results, held=held)


def _unseen(held: Held, error: LinkError) -> Held | NotMade:
    """An output that could not be looked at: not there at all, or only out of our reach."""
    if error.status in _GONE:
        return NotMade(f"complete, but its file is not there: {error}")
    return _with_note(held, f"it could not be looked at: {error}")


def _with_note(held: Held, note: str) -> Held:
    return Held(held.name, held.link, link_expires_at=held.link_expires_at, expires_at=held.expires_at, notes=(note,))
