"""The files of a server: uploads, what encoders write, and results, all in its folder.

`uploads/JOB` is a whole upload, `outputs/RUN/...` what an encoder works on, `results/JOB/NAME` a finished file.
Whatever a name says, nothing outside of these folders is touched.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import IO

from reconciler.core.packages import MASTER
from reconciler.io import atomic
from reconciler.server.jobs import Result

LONGEST_NAME = 200
_UPLOADS, _OUTPUTS, _RESULTS = "uploads", "outputs", "results"
_MASTERS = (MASTER, "index.m3u8")


class Files:
    """The files in a folder, by job. Ids of jobs are safe as names: `jobs.new_job` takes no others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in (_UPLOADS, _OUTPUTS, _RESULTS):
            (folder / name).mkdir(exist_ok=True, mode=0o700)

    def upload(self, job_id: str) -> Path:
        """Where a job's upload is once it is whole."""
        return self.folder / _UPLOADS / job_id

    def upload_part(self, job_id: str, unique: str) -> Path:
        """Where an upload is written."""
        return self.folder / _UPLOADS / f".{job_id}.{unique}.part"

    def keep_upload(self, part: Path, job_id: str) -> None:
        """Give a whole upload its name. Raises OSError."""
        atomic.fsync_file(part)
        atomic.publish(part, self.upload(job_id))

    def result(self, job_id: str, name: str) -> Path | None:
        """A finished file; None for what is none, or lies elsewhere."""
        folder = self.folder / _RESULTS / job_id
        try:
            path = (folder / name).resolve()
            return path if path.is_relative_to(folder.resolve()) and path.is_file() else None
        except (OSError, ValueError):
            return None

    def publish(self, part: str, job_id: str, name: str) -> Result:
        """Give what an encoder made (a file, or a folder of files) its place among the results. Raises OSError."""
        made, target = self.folder / part, self.folder / _RESULTS / job_id / name
        if target.is_dir():
            shutil.rmtree(target)
        atomic.publish(made, target)
        if not target.is_dir():
            return Result(name, target.stat().st_size)
        inside = [path for path in target.rglob("*") if path.is_file()]
        return Result(name, sum(path.stat().st_size for path in inside), _master(target))

    def remove_run(self, run: str) -> None:
        """Remove what an encoder worked on."""
        shutil.rmtree(self.folder / _OUTPUTS / run, ignore_errors=True)

    def remove_results(self, job_id: str) -> None:
        """Remove the finished files of a job."""
        shutil.rmtree(self.folder / _RESULTS / job_id, ignore_errors=True)

    def remove_upload(self, job_id: str) -> None:
        """Remove a job's upload."""
        with suppress(OSError):
            self.upload(job_id).unlink(missing_ok=True)

    def remove(self, job_id: str) -> None:
        """Remove all that a job has."""
        self.remove_results(job_id)
        self.remove_upload(job_id)

    def sweep(self, uploads: set[str], results: set[str]) -> None:
        """Remove what a killed server left; only what belongs to the given jobs stays."""
        for path in (self.folder / _OUTPUTS).iterdir():
            self.remove_run(path.name)
        for path in (self.folder / _UPLOADS).iterdir():
            if path.name not in uploads:
                path.unlink(missing_ok=True)
        for path in (self.folder / _RESULTS).iterdir():
            if path.name not in results:
                self.remove_results(path.name)


def write_all(file: IO[bytes], data: bytes) -> None:
    """Write a piece of an upload to an unbuffered file, all of it. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _master(folder: Path) -> str:
    """The playlist that opens a package."""
    for name in _MASTERS:
        if (folder / name).is_file():
            return name
    return next((path.name for path in sorted(folder.glob("*.m3u8"))), "")
