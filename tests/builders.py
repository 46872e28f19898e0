"""Small values for tests, each in one readable call."""

from __future__ import annotations

from reconciler.core import manifest
from reconciler.core.encode import Desired, Output, ProviderSettings, Source, Trim
from reconciler.core.errors import Place
from reconciler.core.parameters import Parameters
from reconciler.core.state import Evidence, JobRecord, OutputRecord, Record, SourceRecord
from reconciler.core.world import World
from reconciler.ffmpeg.kind import FfmpegOptions

HOST = "studio"


def source(identity="masters/bbb.mov", *, kind="file", sha256=None):
    """A local source by default."""
    return Source(kind=kind, identity=identity, location=identity, sha256=sha256)


def made_from(upstream, *, trim=None):
    """The file of another output as a source."""
    identity = f"encode:{upstream.fingerprint}"
    return Source("encode", identity, upstream.address, trim or Trim(), upstream=upstream)


def output(address="bbb/720p", *, crf=23, of=None, provider="local", container="mp4", **policy):
    """One wanted output; `crf` is what tests change when they want another fingerprint."""
    encode, _, name = address.rpartition("/")
    of = of or source()
    parameters = Parameters.model_validate(
        {
            "container": container,
            "video": {"codec": "h264", "height": 720, "crf": crf, "preset": "medium"},
            "audio": {"codec": "aac", "bitrate": "128k", "channels": 2},
        }
    )
    fields = manifest.manifest(
        manifest.source_fields(of.identity, of.trim.start, of.trim.end), manifest.parameter_fields(parameters)
    )
    return Output(
        address=address,
        encode=encode,
        name=name,
        source=of,
        parameters=parameters,
        manifest=fields,
        fingerprint=manifest.fingerprint(manifest.lines(fields)),
        provider=provider,
        path=f"outputs/{encode}/{name}.{container}",
        place=Place("specs/test.yaml", 1, 1),
        **policy,
    )


def desired(*outputs, empty=()):
    """What the specs want; `away` is a provider that costs money and keeps what it makes."""
    away = ProviderSettings("away", "bytenite", FfmpegOptions(), paid=True, holds=True)
    ordered = tuple(sorted(outputs, key=lambda wanted: wanted.address))
    return Desired(
        project="test",
        outputs=ordered,
        providers={"local": ProviderSettings("local", "ffmpeg", FfmpegOptions()), "away": away},
        files=("specs/test.yaml",),
        empty=empty,
    )


def file_of(wanted, *, size=1000, host=HOST, temp=None, path=None):
    """The file of a finished output."""
    return OutputRecord(name=wanted.name, path=path or wanted.path, size=size, sha256="ab" * 32, host=host, temp=temp)


def record(wanted, status="complete", *, rev=1, **changes):
    """What the state knows of an output that was wanted just so."""
    values = {
        "rev": rev,
        "status": status,
        "fingerprint": wanted.fingerprint,
        "manifest": dict(wanted.manifest),
        "source": SourceRecord(
            identity=wanted.source.identity, evidence=Evidence(size=10, mtime_ns=5), sha256="cd" * 32
        ),
        "provider": wanted.provider,
        "labels": dict(wanted.labels),
        "protect": wanted.protect,
        "output": file_of(wanted) if status in {"complete", "retired"} else None,
        "job": JobRecord(id="job-1", phase="started") if status in {"submitted", "running"} else None,
        "error": "it broke" if status in {"failed", "suspect", "lost"} else None,
        "failures": 1 if status in {"failed", "suspect", "lost"} else 0,
    }
    return Record(**{**values, **changes})


def world(*records, host=HOST, missing=(), sightings=()):
    """This machine, on which every recorded file is there unless it is `missing`."""
    files = {}
    for known in records:
        for file in [known.output, *(attempt.output for attempt in known.previous)]:
            if file is not None and file.host == host:
                files[file.path] = None if file.path in missing else file.size
    return World(host=host, sightings={seen.identity: seen for seen in sightings}, files=files)
