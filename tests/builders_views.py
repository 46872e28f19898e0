"""Plans and documents for the tests of what people and programs read."""

from __future__ import annotations

from dataclasses import replace

from builders import desired, output, record, source, world
from reconciler.core import manifest
from reconciler.core.approval import refusals
from reconciler.core.encode import Origin
from reconciler.core.errors import Place
from reconciler.core.jobs import plan_jobs
from reconciler.core.parameters import Parameters
from reconciler.core.plan import make_plan
from reconciler.core.selection import Selection
from reconciler.views.document import Basis
from reconciler.views.plan_json import encode_steps, plan_document

URL = "https://storage.googleapis.com/video-test-public/input/bbb.mp4"
REMOTE = source(URL, kind="http")


def rendition(address, video, audio=None, *, of=REMOTE, origins=None, **policy):
    """A wanted output with parameters of its own; `origins` maps fields to (preset, file, line)."""
    known = output(address, of=of, **policy)
    parameters = Parameters.model_validate({"container": "mp4", "video": video, "audio": audio or {"codec": "none"}})
    fields = manifest.manifest(
        manifest.source_fields(of.identity, of.trim.start, of.trim.end), manifest.parameter_fields(parameters)
    )
    return replace(
        known,
        parameters=parameters,
        manifest=fields,
        fingerprint=manifest.fingerprint(manifest.lines(fields)),
        origins={
            field: Origin(Place(file, line, 7), preset) for field, (preset, file, line) in (origins or {}).items()
        },
    )


def h264(address, height, crf, bitrate, **more):
    """An H.264 rendition with AAC sound."""
    video = {"codec": "h264", "height": height, "crf": crf}
    return rendition(address, video, {"codec": "aac", "bitrate": bitrate}, **more)


def ladder():
    """The three renditions of the first screen."""
    return [h264("bbb/1080p", 1080, 21, "192k"), h264("bbb/720p", 720, 23, "128k"), h264("bbb/480p", 480, 24, "96k")]


def document(wanted, records=None, *, files=1, findings=(), missing=(), providers=None, **selection):
    """The document of the plan that follows from what is wanted and what is recorded."""
    records = records or {}
    specs = replace(desired(*wanted), providers={**desired().providers, **(providers or {})})
    plan = make_plan(specs, records, world(*records.values(), missing=missing), Selection(**selection))
    return plan_document(
        plan,
        providers=specs.providers,
        records=records,
        basis=Basis(specs="specs/", files=files, state="state/encodes.json", state_exists=bool(records)),
        timestamp="2026-09-21T14:12:00Z",
        tool_version="0.1.0",
        refused=refusals(plan),
        findings=findings,
    )


def made(*outputs, **changes):
    """Records of outputs that were made just so."""
    return {each.address: record(each, **changes) for each in outputs}


def job(*outputs):
    """The one job that makes these outputs, the ladder by default."""
    plan = make_plan(desired(*(outputs or ladder())), {}, world(), Selection())
    return plan_jobs("test", encode_steps(plan))[0]
