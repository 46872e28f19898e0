"""Edits that are no changes: fingerprints and addresses stay as they are."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders_specs import HEAD, URL, load, one, write
from reconciler.core.codecs import DEFAULT_ENCODERS


def _fingerprints(files):
    with tempfile.TemporaryDirectory() as folder:
        wanted = load(write(Path(folder), files)).desired
        return {output.address: output.fingerprint for output in wanted.outputs}


def _flow(value):
    """A value as YAML; JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


VIDEO = st.fixed_dictionaries(
    {"codec": st.just("h264"), "crf": st.integers(0, 51)},
    optional={
        "height": st.sampled_from([240, 480, 720]),
        "preset": st.sampled_from(["fast", "slow"]),
        "fps": st.sampled_from([25, 29.97]),
        "keyframe_interval": st.sampled_from([2, 4]),
        "rotate": st.sampled_from([0, 90]),
        "crop": st.just({"top": 2, "left": 4}),
    },
)
AUDIO = st.fixed_dictionaries(
    {"codec": st.just("aac")},
    optional={
        "bitrate": st.sampled_from([96_000, 128_000]),
        "channels": st.integers(1, 2),
        "sample_rate": st.just(48_000),
    },
)
OUTPUT = st.fixed_dictionaries({"container": st.sampled_from(["mp4", "mkv", "mov"]), "video": VIDEO, "audio": AUDIO})
ENCODES = st.dictionaries(
    st.sampled_from(["a", "b", "größe"]),
    st.dictionaries(st.sampled_from(["x", "y", "720p"]), OUTPUT, min_size=1),
    min_size=1,
)


def _spec(encodes):
    said = {name: {"source": f"{URL}?e={name}", "outputs": outputs} for name, outputs in encodes.items()}
    return {"specs/a.yaml": f"{HEAD}encodes: {_flow(said)}\n"}


def _shuffled(value, random):
    if not isinstance(value, dict):
        return value
    items = list(value.items())
    random.shuffle(items)
    return {key: _shuffled(each, random) for key, each in items}


@settings(deadline=None)
@given(ENCODES, st.randoms())
def test_the_order_of_keys_says_nothing(encodes, random):
    """Keys may stand in any order, at every level."""
    assert _fingerprints(_spec(encodes)) == _fingerprints(_spec(_shuffled(encodes, random)))


@settings(deadline=None)
@given(ENCODES, st.lists(st.sampled_from("abcd"), min_size=3, max_size=3))
def test_files_say_nothing(encodes, names):
    """Encodes may stand in one file or in several, of any name and in any folder."""
    split = {f"specs/{names[0]}/project.yml": HEAD}
    for index, (name, outputs) in enumerate(encodes.items()):
        said = {name: {"source": f"{URL}?e={name}", "outputs": outputs}}
        split[f"specs/{names[index]}/{index}.yaml"] = f"encodes: {_flow(said)}\n"
    assert _fingerprints(_spec(encodes)) == _fingerprints(split)


@settings(deadline=None)
@given(ENCODES, st.data())
def test_moving_settings_into_a_preset_says_nothing(encodes, data):
    """Any part of what an output says may move into presets that it extends."""
    presets, moved = {}, {}
    for name, outputs in encodes.items():
        moved[name] = {}
        for key, output in outputs.items():
            sections = data.draw(st.sets(st.sampled_from(["container", "video", "audio"])))
            base = f"p{len(presets)}"
            presets[base] = {section: output[section] for section in sections}
            rest = {section: output[section] for section in output if section not in sections}
            if "video" not in sections and data.draw(st.booleans()):
                presets[base]["video"] = {**rest["video"], "crf": 50}
                rest["video"] = {"crf": rest["video"]["crf"]}
            moved[name][key] = {"extends": base, **rest} if rest else base
    files = _spec(moved)
    files["specs/presets.yaml"] = f"presets: {_flow(presets)}\n"
    assert _fingerprints(_spec(encodes)) == _fingerprints(files)


def _respelled(field, value):
    """Another spelling of the same value."""
    match field:
        case "bitrate":
            return f"{value // 1000}k"
        case "sample_rate":
            return f"{value // 1000} kHz"
        case "keyframe_interval":
            return f"00:00:0{value}"
        case "fps":
            return {25: "25.0", 29.97: "30000/1001"}[value]
        case "crf":
            return float(value)
        case _:
            return value


@settings(deadline=None)
@given(ENCODES)
def test_units_say_nothing(encodes):
    """`128k`, `48khz`, `2s`, `29.97` and `00:00:02` are the numbers they stand for."""
    written = json.loads(_flow(encodes))
    for outputs in written.values():
        for output in outputs.values():
            output["audio"] = {field: _respelled(field, value) for field, value in output["audio"].items()}
            output["video"] = {field: _respelled(field, value) for field, value in output["video"].items()}
    assert _fingerprints(_spec(encodes)) == _fingerprints(_spec(written))


@settings(deadline=None)
@given(ENCODES)
def test_neutral_values_say_nothing(encodes):
    """Writing out what is meant anyway is no change."""
    written = json.loads(_flow(encodes))
    for outputs in written.values():
        for output in outputs.values():
            output["video"] = {"encoder": "libx264", "rotate": 0, "avoid_upscaling": True, **output["video"]}
            output["audio"] = {"track": 0, "missing": "skip", **output["audio"]}
            if output["container"] != "mkv":
                output["faststart"] = True
    assert _fingerprints(_spec(encodes)) == _fingerprints(_spec(written))


@pytest.mark.parametrize(("codec", "encoder"), DEFAULT_ENCODERS.items())
def test_naming_the_usual_encoder_says_nothing(codec, encoder, tmp_path):
    """The encoder that a codec gets anyway may be named."""
    said = f"{{container: mkv, video: {{codec: {codec}, crf: 30}}, audio: {{codec: none}}}}"
    named = said.replace("crf", f"encoder: {encoder}, crf")
    assert one(tmp_path / "a", said).fingerprint == one(tmp_path / "b", named).fingerprint


@settings(deadline=None)
@given(ENCODES)
def test_variables_and_fan_outs_say_nothing(encodes):
    """Taking values out into variables, and encodes into one fan-out, keeps every fingerprint."""
    names = list(encodes)
    outputs = encodes[names[0]]
    same = dict.fromkeys(names, outputs)
    fanned = {"all": {"for_each": names, "source": "${var.base}?e=${each.key}", "outputs": outputs}}
    text = f"{HEAD}variables: {{base: {URL}}}\nencodes: {_flow(fanned)}\n"
    one_by_one = {f"all/{address}": digest for address, digest in _fingerprints(_spec(same)).items()}
    assert one_by_one == _fingerprints({"specs/a.yaml": text})


def test_comments_blocks_and_anchors_say_nothing():
    """Comments, blocks, quotes, anchors, a byte order mark and Windows line ends are how it is written, not what."""
    outputs = "{x: {extends: 720p-h264, video: {crf: 20}}, y: 720p-h264}"
    flow = f"{HEAD}encodes: {{a: {{source: {URL}, outputs: {outputs}}}}}\n"
    block = f"""\
# a comment
version: 1
"project": 'talks'
encodes:
  a:
    source: >-
      {URL}
    outputs:
      x:
        extends: &base 720p-h264
        video:
          crf: 20   # better
      y: *base
"""
    plain = _fingerprints({"specs/a.yaml": flow})
    assert plain == _fingerprints({"specs/a.yaml": block})
    assert plain == _fingerprints({"specs/renamed.yml": "\ufeff" + block.replace("\n", "\r\n")})


def test_signing_a_url_again_says_nothing():
    """Only the signature of a source differs: no change."""
    output = {"container": "mp4", "video": {"codec": "h264", "crf": 23}, "audio": {"codec": "none"}}
    plain = _spec({"a": {"x": output}})["specs/a.yaml"]
    signatures = ("X-Amz-Signature=1&X-Amz-Date=a", "X-Amz-Date=b&X-Amz-Signature=2")
    found = [_fingerprints({"specs/a.yaml": plain.replace("?e=a", f"?e=a&{signature}")}) for signature in signatures]
    assert [_fingerprints({"specs/a.yaml": plain})] * 2 == found
