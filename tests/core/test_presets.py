"""The built-in presets are frozen: their fingerprints are written here."""

from __future__ import annotations

import pytest

from builders_specs import URL, fingerprints, one
from reconciler.core.presets import BUILT_IN

FROZEN = {
    "1080p-av1": "f8b9739044ec",
    "1080p-h264": "18c1b15ba8ff",
    "1080p-hevc": "4bdd24695022",
    "1080p-vp9": "2f0ec5288468",
    "2160p-h264": "58aecaede863",
    "360p-h264": "979567890b2a",
    "480p-h264": "8342d6f43e70",
    "720p-av1": "be00f84e84bb",
    "720p-h264": "160b3205247b",
    "720p-hevc": "10d43df4f221",
    "720p-vp9": "b05e03ea6e42",
    "audio-aac": "45023ea16bf9",
    "audio-opus": "2f133c6fb75b",
}


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_preset_is_complete(name, tmp_path):
    """Each can be used alone, is called by what it makes, and has one line about it."""
    output = one(tmp_path, name)
    assert output.parameters.container is not None
    assert "\n" not in BUILT_IN[name].description
    size, _, codec = name.partition("-")
    if size == "audio":
        assert (codec, True) == (output.parameters.audio.codec, output.parameters.container in {"m4a", "webm"})
    else:
        assert (codec, int(size[:-1])) == (output.parameters.video.codec, output.parameters.video.height)


def test_built_in_presets_never_change(tmp_path):
    """A changed fingerprint here encodes catalogues again: give the better preset a new name."""
    text = f"encodes: {{a: {{source: {URL}, outputs: [{', '.join(BUILT_IN)}]}}}}\n"
    found = {address.partition("/")[2]: digest[:12] for address, digest in fingerprints(tmp_path, text).items()}
    assert FROZEN == found
