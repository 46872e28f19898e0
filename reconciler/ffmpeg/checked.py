"""The checks that a spec asks for, on an output of ours that is whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from reconciler.core.checks import failures
from reconciler.core.encode import Source
from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.core.ports import OutputResult, Verified
from reconciler.ffmpeg.comparison import Subject
from reconciler.ffmpeg.inserts import AS_WRITTEN, Inserts
from reconciler.ffmpeg.package_quality import check_output
from reconciler.ffmpeg.quality import Checker
from reconciler.ffmpeg.verdict import Part, put_aside


@dataclass(frozen=True, slots=True)
class Checking:
    """What outputs of one job are checked with; `source_path` is empty for a generated source.

    `inserts` are what became part of their pictures.
    """

    checker: Checker
    source: Source
    source_path: str
    report: Callable[[float], None]
    cancelled: Callable[[], bool]
    inserts: Inserts = AS_WRITTEN

    def checked(self, part: Part, result: OutputResult) -> OutputResult:
        """The same result with what was measured; suspect if a check failed, or could not be made at all."""
        output = part.output
        if not isinstance(result, Verified) or not output.checks.asked:
            return result
        subject = Subject(str(part.file), output.parameters, self.source, self.source_path or None, self.inserts)
        try:
            found = check_output(self.checker, subject, output.checks, self.report, self.cancelled)
        except (RejectedError, UnavailableError) as error:
            return put_aside(part, f"it could not be checked: {error}", result.notes)
        failed = failures(found)
        if failed is not None:
            return replace(put_aside(part, failed, result.notes), checks=found)
        return replace(result, checks=found)
