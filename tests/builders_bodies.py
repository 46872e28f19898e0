"""The JSON bodies that were seen of the ByteNite API, and outputs in its words."""

from __future__ import annotations

import json
from pathlib import Path

from reconciler.core.encode import Source, Trim
from reconciler.core.manifest import parameter_fields
from reconciler.core.parameters import Parameters

BODIES = Path(__file__).parent / "bytenite" / "bodies"

H264 = {"codec": "h264", "crf": 23}
AAC = {"codec": "aac", "bitrate": "128k", "channels": 2, "sample_rate": "48k"}


def body(name):
    """One of the bodies that are kept beside the tests."""
    return json.loads((BODIES / f"{name}.json").read_text())


def text(name):
    """One of them as it comes over the wire."""
    return (BODIES / f"{name}.json").read_text()


def asked(**parameters):
    """Parameters as a spec would write them: an mp4 of H.264 and AAC but for what is said."""
    return Parameters.model_validate({"container": "mp4", "video": H264, "audio": AAC, **parameters})


def video(**fields):
    """The same with a picture of its own."""
    return asked(video={**H264, **fields})


def remote(*, kind="http", start=0, end=None):
    """A source at a public URL."""
    url = "https://cdn.example.com/bbb.mp4"
    return Source(kind, url, url, Trim(start, end))


def fields(parameters):
    """What a plain mapping of parameters puts into a manifest."""
    return parameter_fields(Parameters.model_validate(parameters))


def document(*outputs, **beside):
    """A document with these outputs."""
    return {"data": {"output_template": "{{.name}}", "outputs": list(outputs)}, **beside}


def entry(name="720p", **sections):
    """One entry of `data.outputs`: an mp4 with these sections."""
    return {"name": name, "output_type": "mp4", "output_params": sections}
