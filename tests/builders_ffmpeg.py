"""Jobs for the real ffmpeg provider, each in one readable call."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

from reconciler.core.encode import Output, Source, Trim
from reconciler.core.errors import Place
from reconciler.core.parameters import Parameters
from reconciler.core.ports import Done, Fetched, JobRequest, Running, SourceSeen
from reconciler.ffmpeg import binary
from reconciler.ffmpeg.kind import FfmpegOptions
from reconciler.ffmpeg.provider import FfmpegProvider

PROGRAM = binary.find({})

H264 = {"codec": "h264", "crf": 30, "preset": "ultrafast"}
AAC = {"codec": "aac", "bitrate": "64k", "channels": 2}
WEB = {"container": "mp4", "video": H264, "audio": AAC}

# Two minutes of noise with a slow preset: an encode that does not end while a test looks at it.
ENDLESS = "testsrc2=size=640x360:rate=25:duration=120,noise=alls=20:allf=t"
SLOW = {"container": "mp4", "video": {"codec": "h264", "crf": 18, "preset": "veryslow"}}


def local(path, *, start=0, end=None, sha256=None):
    """A local source."""
    return Source("file", Path(path).name, str(path), Trim(start, end), sha256)


def generated(graph, *, end=None):
    """A generated source."""
    return Source("lavfi", f"lavfi:{graph}", graph, Trim(0, end))


def asked(**parameters):
    """Parameters as a spec would write them; WEB but for what is said."""
    return Parameters.model_validate({**WEB, **parameters})


def output(source, name="web", **parameters):
    """One wanted output."""
    wanted = asked(**parameters)
    return Output(
        address=f"clip/{name}",
        encode="clip",
        name=name,
        source=source,
        parameters=wanted,
        manifest={},
        fingerprint="f" * 64,
        provider="local",
        path=f"outputs/clip/{name}.{wanted.container}",
        place=Place("specs/test.yaml", 1, 1),
    )


def job(source, *outputs, job_id=None):
    """A job of some outputs; one plain one if none are given."""
    return JobRequest(job_id or str(uuid.uuid4()), "rc-test", "test", "clip", source, outputs or (output(source),))


def fetch(source, report, cancelled):
    """Finds a source where it says it is."""
    path = Path(source.location)
    report(path.stat().st_size, path.stat().st_size)
    return Fetched(
        str(path), SourceSeen(source.identity, size=path.stat().st_size), path.stat().st_size, 0.2, cached=False
    )


def provider(project, *, program=PROGRAM, fetch=fetch, settings=None, **options):
    """The ffmpeg provider of a project folder."""
    values = {"environment": {}, "cpus": 2, **options}
    return FfmpegProvider(settings or FfmpegOptions(), program=program, project=project, fetch=fetch, **values)


def ended(provider, job_id, *, within=60.0):
    """The observation that a job ends with, and all messages on the way."""
    messages = []
    until = time.monotonic() + within
    while time.monotonic() < until:
        seen = provider.observe([job_id])[job_id]
        messages += getattr(seen, "messages", ())
        if not isinstance(seen, Running):
            return seen, messages
        time.sleep(0.01)
    raise AssertionError(f"the job still runs: {seen}")


def running(provider, job_id, *, within=30.0, wanted=lambda seen: seen.process is not None):
    """The first observation of a running job that is as `wanted`: one that encodes, unless said."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        seen = provider.observe([job_id])[job_id]
        assert isinstance(seen, Running), seen
        if wanted(seen):
            return seen
        time.sleep(0.01)
    raise AssertionError(f"it never came: {seen}")


def encode(project, source, *outputs, **options):
    """Run one job to its end: the results by output name."""
    local = provider(project, **options)
    job_id = local.prepare(job(source, *outputs))
    local.start(job_id)
    seen, _ = ended(local, job_id)
    assert isinstance(seen, Done), seen
    return seen.outputs


def made(project, source, **parameters):
    """The result and the file of one output."""
    (result,) = encode(project, source, output(source, **parameters)).values()
    return result, Path(project) / getattr(result, "path", "nothing")


def hidden_files(project):
    """Everything under outputs/ that is not a finished file."""
    return sorted(path.name for path in Path(project).rglob("outputs/**/.*") if path.is_file())
