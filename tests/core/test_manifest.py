"""Manifests and fingerprints: what makes an output's bits, and nothing else."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders_specs import URL, one
from reconciler.core.manifest import (
    NEUTRAL,
    Difference,
    Prepared,
    difference,
    fingerprint,
    lines,
    manifest,
    parameter_fields,
    prepared_source,
    source_fields,
)
from reconciler.core.parameters import Parameters

KNOWN = """\
audio.bitrate=192000
audio.channels=2
audio.codec="aac"
audio.sample_rate=48000
container="mp4"
scheme=1
source="https://cdn.example.com/gr%C3%B6%C3%9Fe.mp4?v=2"
source.trim.end=90
source.trim.start=1.5
video.codec="h264"
video.crf=23
video.fps="30000/1001"
video.height=720
video.keyframe_interval=2
video.preset="slow"
"""


def test_a_known_encode_has_a_known_fingerprint(tmp_path):
    """Whoever changes this hash encodes every catalogue again, and must mean it."""
    source = "{url: 'https://CDN.example.com/größe.mp4?v=2#t', trim: {start: 1500ms, end: 00:01:30}}"
    said = "{extends: web-720p, faststart: true, video: {rotate: 0, fps: 29.97, keyframe_interval: 2s}}"
    output = one(tmp_path, said, source=source)
    assert KNOWN == "".join(lines(output.manifest))
    assert hashlib.sha256(KNOWN.encode()).hexdigest() == output.fingerprint
    assert "22176eed" == output.fingerprint[:8]


def test_what_is_not_set_is_not_there():
    """Null, absent and neutral are the same, so a field that is added later changes no fingerprint."""
    assert {} == parameter_fields(Parameters())
    said = {"faststart": True, "video": {"mode": "vbr", "rotate": 0, "crop": {"top": 0}}, "audio": {"track": 0}}
    assert {} == parameter_fields(Parameters.model_validate(said))
    assert {"source": "x"} == source_fields("x", 0, None)


def test_a_value_that_is_not_neutral_is_there():
    """Where the neutral value is true or 0, the other one counts."""
    said = {"faststart": False, "video": {"avoid_upscaling": False}, "audio": {"track": 1, "missing": "silence"}}
    assert {"faststart": False, "video.avoid_upscaling": False, "audio.track": 1, "audio.missing": "silence"} == (
        parameter_fields(Parameters.model_validate(said))
    )


@pytest.mark.parametrize("field", [field for field in NEUTRAL if field.startswith(("video.", "audio.", "faststart"))])
def test_neutral_values_can_be_said(field):
    """Every neutral value is one that its field takes, and says nothing."""
    said = NEUTRAL[field]
    for name in reversed(field.split(".")):
        said = {name: said}
    assert {} == parameter_fields(Parameters.model_validate(said))


_NAMES = st.sampled_from([URL, 'a"b\\c', "größe 映画", "lavfi:testsrc2", "\x7f"])


@settings(deadline=None)
@given(_NAMES, st.floats(0, 1e6), st.none() | st.integers(1, 10**6), st.booleans())
def test_prepared_is_what_it_would_be(identity, start, end, faststart):
    """The quick way, which shares all but the source, gives manifest and fingerprint of the slow one."""
    parameters = Parameters.model_validate({"container": "mp4", "video": {"codec": "h264"}, "faststart": faststart})
    slow = manifest(source_fields(identity, start, end), parameter_fields(parameters))
    quick, digest = Prepared(parameters).of(prepared_source(identity, start, end))
    assert slow == quick
    assert list(slow) == list(quick)
    assert fingerprint(lines(slow)) == digest


def test_differences_are_fields():
    """A difference names each field that changed; an absent field means its neutral value."""
    before = {"scheme": 1, "source": "a", "video.crf": 23, "faststart": True}
    after = {"scheme": 1, "source": "a", "video.crf": 21, "video.height": 720}
    assert (Difference("video.crf", 23, 21), Difference("video.height", None, 720)) == difference(before, after)
    assert () == difference(after, after)
