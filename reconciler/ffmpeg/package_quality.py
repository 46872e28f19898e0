"""The checks of a package: each of its streams is one file, as a player reads it, and is checked as such."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec

from reconciler.core.checks import CheckResult, Checks, Measured, judge
from reconciler.core.packages import is_package
from reconciler.core.subtitle_fields import KINDS as SUBTITLES
from reconciler.ffmpeg.arguments import has_video
from reconciler.ffmpeg.comparison import Subject
from reconciler.ffmpeg.packages import Stream, layout
from reconciler.ffmpeg.quality import Checker
from reconciler.ffmpeg.segments import files_of
from reconciler.io import trees


def check_output(
    checker: Checker,
    subject: Subject,
    checks: Checks,
    report: Callable[[float], None],
    cancelled: Callable[[], bool],
    *,
    folder: Path | None = None,
) -> tuple[CheckResult, ...]:
    """Check an output, be it one file or the folder of a package; raises as `Checker.check`.

    The results of a package bear the names of its streams: `720p/min_vmaf`. `folder` is where a stream is put
    together; None: where the system keeps temporary files.
    """
    if subject.parameters.stills is not None or subject.parameters.container in SUBTITLES:
        return tuple(_whole(subject, checks))  # all of them was looked at, and there is nothing else to measure
    if not is_package(subject.parameters):
        return checker.check(subject, checks, report, cancelled)
    if not Path(subject.path).is_dir():
        return (CheckResult("whole", "a whole package", "it is not there", passed=False),)
    results = _whole(subject, checks)
    streams = layout(subject.parameters, checker.source_facts(subject)).streams
    for number, stream in enumerate(streams):
        if not (Path(subject.path) / stream.name).is_dir():
            results.append(CheckResult(f"{stream.name}/whole", "a whole stream", "it is not there", passed=False))
            continue
        with as_one_file(Path(subject.path), stream, folder) as path:
            one = replace(subject, path=str(path), parameters=stream.parameters)
            follow = _share(report, number, len(streams))
            found = checker.check(one, _of_stream(checks, stream), follow, cancelled)
        results += [msgspec.structs.replace(result, name=f"{stream.name}/{result.name}") for result in found]
    return tuple(results)


def _share(report: Callable[[float], None], number: int, count: int) -> Callable[[float], None]:
    return lambda done: report((number + done) / count)


def _whole(subject: Subject, checks: Checks) -> list[CheckResult]:
    """What holds for all files together."""
    path = Path(subject.path)
    size = (trees.size(path) or 0) if path.is_dir() else path.stat().st_size
    source = Path(subject.source_path).stat().st_size if subject.source_path is not None else None
    return list(judge(Checks(max_size=checks.max_size), Measured(size, source_size=source)))


def _of_stream(checks: Checks, stream: Stream) -> Checks:
    """What is asked of one stream: sizes are of all together, and a stream of sound has no picture."""
    own = replace(checks, max_size=None)
    return own if has_video(stream.parameters) else replace(own, min_vmaf=None, min_vmaf_p1=None, min_ssim=None)


@contextmanager
def as_one_file(package: Path, stream: Stream, folder: Path | None) -> Iterator[Path]:
    """All files of a stream in a row, as one that lies in `folder` meanwhile. Raises OSError."""
    files = files_of(package / stream.name)
    ending = ".ts" if files and files[-1].suffix == ".ts" else ".mp4"
    with tempfile.TemporaryDirectory(prefix="reconciler-", dir=folder) as scratch:
        path = Path(scratch, f"stream{ending}")
        with path.open("wb") as whole:
            for each in files:
                with each.open("rb") as part:
                    shutil.copyfileobj(part, whole)
        yield path
