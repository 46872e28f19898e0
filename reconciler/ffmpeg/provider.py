"""The provider of type ffmpeg: runs jobs on this machine, for nothing, as long as this process lives."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from reconciler.core.errors import RejectedError
from reconciler.core.ports import Fetch, JobRequest, Lost, Observation, Traits
from reconciler.core.provider_types import Workshop
from reconciler.ffmpeg import binary, work_files
from reconciler.ffmpeg.binary import Build, build
from reconciler.ffmpeg.encode import Machine
from reconciler.ffmpeg.generated import check_source
from reconciler.ffmpeg.job import Job
from reconciler.ffmpeg.kind import FfmpegOptions
from reconciler.ffmpeg.material import Shop
from reconciler.ffmpeg.process import environment_for
from reconciler.ffmpeg.slots import Slots

# A job is given up after so long without any sign of life.
STALL_SECONDS = 120.0

# How long a job that was told to end may take, a download included.
_ENDING = 5.0


def built(_name: str, options: FfmpegOptions, workshop: Workshop) -> FfmpegProvider:
    """The provider that a spec declares. Raises ProviderError if no ffmpeg is found."""
    return FfmpegProvider(
        options,
        program=binary.find(workshop.environment),
        project=Path(workshop.project),
        fetch=workshop.fetch,
        environment=workshop.environment,
        cpus=workshop.cpus,
    )


class FfmpegProvider:
    """Implements core.ports.Provider. Each job has a thread; at most `parallelism` of them encode at once."""

    traits = Traits(paid=False, outlives=False)

    def __init__(
        self,
        settings: FfmpegOptions,
        *,
        program: str,
        project: Path,
        fetch: Fetch,
        environment: Mapping[str, str],
        cpus: int,
        clock: Callable[[], float] = time.monotonic,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        """`program` is the path of ffmpeg, `project` the folder that output paths are relative to."""
        self.parallelism = settings.parallelism or max(1, cpus // 8)
        self._project = project.resolve()
        self._machine = Machine(program, environment, clock, stall_seconds)
        self._fetch = fetch
        self._threads, self._cpus = settings.threads, cpus
        self._slots = Slots(self.parallelism)
        self._build: Build | None = None
        self._jobs: dict[str, Job] = {}
        self._running: dict[str, threading.Thread] = {}

    def prepare(self, job: JobRequest) -> str:
        """See core.ports.Provider. ProviderError if ffmpeg does not run, RejectedError for a forbidden source."""
        if job.job_id in self._jobs:
            return job.job_id
        if job.source.kind == "lavfi":
            check_source(job.source)
        prepared = Job(job, self._shop())
        try:
            prepared.clear()
        except OSError as error:
            folder = Path(error.filename or job.outputs[0].path).parent
            where = folder.relative_to(self._project) if folder.is_relative_to(self._project) else folder
            raise RejectedError(
                f"{where} cannot be written to: {error.strerror or error}; "
                "move away what is in the place of that folder, or make it writable"
            ) from error
        self._jobs[job.job_id] = prepared
        return job.job_id

    def check(self) -> None:
        """Raise ProviderError if the program does not run or is no ffmpeg: before any job is prepared."""
        self._known_build()

    def start(self, job_id: str) -> None:
        """See core.ports.Provider; RejectedError for a job that was never prepared here."""
        job = self._jobs.get(job_id)
        if job is None:
            raise RejectedError(f"job {job_id} was not prepared by this process")
        if job_id not in self._running:
            thread = threading.Thread(target=job.run, name=f"encode {job.request.encode}", daemon=True)
            self._running[job_id] = thread
            job.line_up()
            thread.start()

    def attach(self, job: JobRequest) -> None:
        """See core.ports.Provider. No job outlives its process, so one of another process is not known here."""

    def observe(self, job_ids: Sequence[str]) -> Mapping[str, Observation]:
        """See core.ports.Provider."""
        return {job_id: self._observe(job_id) for job_id in job_ids}

    def cancel(self, job_id: str) -> None:
        """See core.ports.Provider. Returns when nothing of the job is left, after five seconds at most."""
        job = self._jobs.get(job_id)
        if job is None or job.status.ended:
            return
        job.cancel()
        thread = self._running.pop(job_id, None)
        if thread is not None:
            thread.join(_ENDING)
        # A server ends jobs in several threads.
        self._jobs.pop(job_id, None)

    def forget(self, job_id: str) -> None:
        """See core.ports.Forgets: a server runs for months."""
        job = self._jobs.get(job_id)
        if job is not None and job.status.ended:
            self._jobs.pop(job_id, None)
            self._running.pop(job_id, None)

    def close(self) -> None:
        """End every job that has not ended, all at once."""
        going = [job_id for job_id, job in self._jobs.items() if not job.status.ended]
        for job_id in going:
            self._jobs[job_id].cancel()
        for job_id in going:
            self.cancel(job_id)

    def kill(self) -> None:
        """Kill every ffmpeg at once, without waiting for it: for the second interrupt. `close` clears up after it."""
        for job in list(self._jobs.values()):
            job.kill()

    def _observe(self, job_id: str) -> Observation:
        job = self._jobs.get(job_id)
        return job.status.observe() if job is not None else Lost()

    def _shop(self) -> Shop:
        """What all jobs share. The first time, what an earlier process left running here is ended."""
        build = self._known_build()
        return Shop(self._project, self._machine, build, self._fetch, self._threads, self._slots, self._cpus)

    def _known_build(self) -> Build:
        if self._build is None:
            self._build = build(self._machine.program, environment_for(self._machine.environment))
            work_files.end_strays(self._project)
        return self._build
