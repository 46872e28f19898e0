"""What `plan` looks at when it is asked to: the world for `--refresh`, the commands for `--show-commands`."""

from __future__ import annotations

import os
import shlex
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import psutil

from reconciler.commands import gathering, wiring
from reconciler.commands.gathering import Planned
from reconciler.commands.options import Globals
from reconciler.core.encode import Source
from reconciler.core.errors import ProviderError
from reconciler.core.jobs import PlannedJob, plan_jobs
from reconciler.core.state import JobRecord
from reconciler.core.steps import Resume
from reconciler.ffmpeg.arguments import Target, arguments, first_pass, hearing, shell, sounds_to_hear
from reconciler.ffmpeg.facts import MediaFacts
from reconciler.ffmpeg.generated import generated_facts
from reconciler.ffmpeg.kind import FfmpegOptions
from reconciler.ffmpeg.packages import folders
from reconciler.ffmpeg.probe import probe
from reconciler.views.plan_json import encode_steps


def look_at_world(settings: Globals, planned: Planned) -> list[str]:
    """What is seen of jobs in flight and of the remote sources of what will run, a line each."""
    resumed = [step for step in planned.plan.steps if isinstance(step, Resume)]
    lines = [f"{step.address}: {_job_in_words(step.record.job)}" for step in resumed]
    lines += wiring.look_at_sources(settings, (step.output.source for step in encode_steps(planned.plan)))
    return lines or ["Looked: no job is in flight and no remote source will be read."]


def commands_behind(planned: Planned) -> list[tuple[str, str]]:
    """The commands of each job below the job's name: the folders, then ffmpeg, as exact as what is known of its source.

    A remote source stands under the name of its file, outputs under their final names.
    """
    program = wiring.ffmpeg_program()
    jobs = plan_jobs(planned.plan.project, encode_steps(planned.plan))
    told = []
    for job in jobs:
        facts = _facts(job.request.source, program)
        commands = [shell([program, *words]) for words in _arguments(planned, job, facts)]
        told.append((_name(job), "\n".join([_folders(job, facts), *commands])))
    return told


def _name(job: PlannedJob) -> str:
    return f"{job.request.encode}: {' '.join(output.name for output in job.request.outputs)}"


def _folders(job: PlannedJob, facts: MediaFacts | None) -> str:
    """The command that makes the folders of a job's outputs; ffmpeg makes none."""
    made: set[str] = set()
    for output in job.request.outputs:
        inside = [f"{output.path}/{name}" for name in folders(output.parameters, facts)]
        made.update(inside or [str(PurePosixPath(output.path).parent)])
    return shlex.join(["mkdir", "-p", *sorted(made)])


def _arguments(planned: Planned, job: PlannedJob, facts: MediaFacts | None) -> list[list[str]]:
    """Those that measure loudness, of the first pass if there are two, and of the encode."""
    source = job.request.source
    path = _path(source)
    targets = [Target(output.parameters, output.path, f"{output.path}.pass") for output in job.request.outputs]
    options = planned.desired.providers[job.provider].options
    threads = options.threads if isinstance(options, FfmpegOptions) else None
    heard = [sound for output in job.request.outputs for sound in sounds_to_hear(output.parameters, source.trim, facts)]
    measuring = [hearing(source, path, sound, facts, "/dev/null") for sound in dict.fromkeys(heard)]
    first = first_pass(source, path, targets, "/dev/null", facts=facts, threads=threads)
    last = arguments(source, path, targets, facts=facts, threads=threads)
    return [*measuring, *([first] if first is not None else []), last]


def _path(source: Source) -> str:
    """What stands for a source on a command line: the name of a remote one, the published file of an output."""
    if source.upstream is not None:
        return source.upstream.path
    return PurePosixPath(urlsplit(source.identity).path).name if source.kind in {"http", "store"} else source.location


def _facts(source: Source, program: str) -> MediaFacts | None:
    """What is known of a source without fetching it; None if nothing is, so that the command stays general."""
    try:
        if source.kind == "lavfi":
            return generated_facts(source, program, os.environ)
        here = source.kind == "file" or source.upstream is not None
        return probe(str(gathering.project_folder() / _path(source))) if here else None
    except ProviderError:
        return None


def _job_in_words(job: JobRecord | None) -> str:
    """Whether the process of a local job is the one that was started."""
    if job is None or job.pid is None or job.pid_started is None:
        return "its job has no process; apply goes on with it"
    try:
        alive = abs(psutil.Process(job.pid).create_time() - job.pid_started) < 1
    except psutil.Error:
        alive = False
    return f"its job encodes now (pid {job.pid})" if alive else "its job was left behind; apply runs it again"
