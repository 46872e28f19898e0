"""What became of one output: whole, suspect, or not made."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.core.encode import Output, Trim
from reconciler.core.packages import is_package, is_series
from reconciler.core.ports import NotMade, OutputResult, Suspect, Verified
from reconciler.core.subtitle_fields import KINDS as SUBTITLES
from reconciler.ffmpeg import stills, subtitles, work_files
from reconciler.ffmpeg.facts import wanted_span
from reconciler.ffmpeg.notes import clock, output_summary
from reconciler.ffmpeg.packaging import Packaged, package
from reconciler.ffmpeg.process import Ended
from reconciler.ffmpeg.verify import Wish, verify
from reconciler.io import trees


@dataclass(frozen=True, slots=True)
class Part:
    """The file, or a package's folder, in a project folder that a job writes an output to."""

    project: Path
    job_id: str
    output: Output

    @property
    def file(self) -> Path:
        """Where it lies."""
        return self.project / work_files.part_of(self.output, self.job_id)


def judged(part: Part, wish: Wish, ended: Ended, notes: tuple[str, ...], wrong: tuple[str, ...] = ()) -> OutputResult:
    """The result of an output whose process has ended; `notes` is what was odd about it before, `wrong` what was wrong.

    A whole part is brought to the disk for good, a suspect one is put aside, any other is removed. Raises OSError
    if a suspect cannot be kept.
    """
    if not part.file.exists() or (not ended.succeeded and not math.isfinite(wish.source.end)):
        trees.remove(part.file)
        return NotMade(ended.reason())
    found = _looked_at(part, wish, ended)
    found = replace(found, wrong=(*found.wrong, *wrong))
    if found.wrong and not ended.succeeded:
        trees.remove(part.file)
        return NotMade(ended.reason())
    said = (*notes, *found.notes)
    if found.wrong:
        return put_aside(part, "; ".join(found.wrong), said)
    return _verified(part, found, said)


def _looked_at(part: Part, wish: Wish, ended: Ended) -> Packaged:
    """What was made, be it a package or one file."""
    if is_package(wish.parameters):
        return package(part.file, wish, ended.complaints)
    if wish.parameters.container in SUBTITLES:
        if wish.trim != Trim():
            subtitles.cut_file(part.file, wish.trim)
        wrong, cues, end = subtitles.wrong(part.file, wish.parameters)
        counted = f"{cues} cue{'s' if cues != 1 else ''}"
        return Packaged(f"{clock(end)} {wish.parameters.container}, {counted}", round(end, 3), tuple(wrong))
    if wish.parameters.stills is not None:
        return _stills(part.file, wish)
    finding = verify(str(part.file), wish, ended.complaints)
    if finding.facts is None:
        return Packaged("", 0.0, finding.wrong, finding.notes)
    return Packaged(output_summary(finding.facts), finding.facts.end, finding.wrong, finding.notes)


def _stills(part: Path, wish: Wish) -> Packaged:
    """Pictures, each of which is decoded; those in a folder get their list."""
    wanted, source = wish.parameters, wish.source
    assert wanted.stills is not None, "an output of stills"
    expected = stills.series(wanted.stills, source, wish.trim)
    wrong = tuple(stills.wrong(part, wanted, expected))
    end = wanted_span(source, source.video[0], wish.trim)[1]
    if is_series(wanted):
        stills.write_list(part, wanted, expected, end)
    return Packaged(stills.summary(wanted, expected), 0.0, wrong)


def _verified(part: Part, found: Packaged, said: tuple[str, ...]) -> OutputResult:
    try:
        size, digest = work_files.seal(part.file)
    except OSError as error:
        trees.remove(part.file)
        return NotMade(error.strerror or str(error))
    work_files.forget_suspects(part.project, part.output)
    path = work_files.part_of(part.output, part.job_id)
    return Verified(path, size, digest, found.summary, said, round(found.seconds, 3))


def put_aside(part: Part, error: str, said: tuple[str, ...]) -> Suspect:
    """Keep a part for a look, under another name. Raises OSError."""
    size, digest = work_files.seal(part.file)
    path = work_files.keep_as_suspect(part.project, part.output, part.job_id)
    return Suspect(path=path, size=size, sha256=digest, error=error, notes=said)
