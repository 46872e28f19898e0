"""An editor and `validate` are of one mind about a spec, in all that a schema can say."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest

from builders_specs import URL
from reconciler.commands.kinds import Types, knowledge
from reconciler.core.fan_out import TableRequest
from reconciler.core.namespace import Document, gather
from reconciler.core.nodes import from_plain
from reconciler.core.parameters import Audio, Crop, Pad, Video
from reconciler.core.resolve import Resolver
from reconciler.core.schema import spec_schema
from reconciler.core.sources import Trust
from reconciler.core.spec import Policy, SourceSpec, TrimSpec
from reconciler.edges.yaml_nodes import read_yaml

SCHEMA = spec_schema(Types())
EDITOR = jsonschema.Draft7Validator(SCHEMA)


def _editor_takes(document):
    return EDITOR.is_valid(document)


def _validate_takes(document):
    """Whether resolving finds nothing wrong; a table that is asked for holds two rows."""
    problems = []
    root, found = read_yaml(json.dumps(document), "specs/a.yaml")
    namespace = gather([Document("specs/a.yaml", root)], problems)
    resolver = Resolver(namespace, {}, Trust(), knowledge())
    tables = {request: _table(request) for request in resolver.requests()}
    return not [*problems, *found, *resolver.resolve(tables).problems]


def _table(request: TableRequest):
    return from_plain([{request.name: "a", "5": "b", "k": "c"}] if request.kind == "file" else {"a": {"path": "a.mp4"}})


def _spec(**sections):
    variables = {"n": 2, "rate": "4M", "seconds": "2s", "truth": True, "word": "a", "digest": "a" * 64}
    return {"version": 1, "project": "talks", "variables": variables, **sections}


def _encode(**said):
    return _spec(encodes={"a": {"source": URL, "outputs": ["720p-h264"], **said}})


VALUES = [
    *(None, True, False, 0, 1, 2, 5, 8, 23, 63, 64, 90, 200, 255, 256, 9000, 48_000, 200_000, 5_000_000, 3_000_000_000),
    *(-1, 0.5, 2.1, 5.1, 23.5, 29.97, 4500.5, "", " ", "5", "-5", "0", "0k", "23.5", "fast", "none", "high", "main10"),
    *("4500k", "4.5M", " 4500 K ", "4500kbps", "4Mb/s", "4 Mbit/s", "4MB", "4MB/s", "4kBps", "4.k", "k", "4kk", "1e6"),
    *(
        "48khz",
        "44.1k",
        "48 kHz",
        "2s",
        "1m30s",
        "90s",
        "500ms",
        "1h 2m",
        "00:01:30",
        "1:30.5",
        "1:60",
        "1:2:3:4",
        "2 s 1 m",
    ),
    *(
        "25",
        "30000/1001",
        "24/0",
        "25:1",
        "16:9",
        "16/9",
        "2.39:1",
        "0:9",
        "mono",
        "stereo",
        "5.1",
        "7.1",
        "2.0",
        "9.1",
    ),
    *(
        "h264",
        "h265",
        "x264",
        "aac",
        "mp3",
        "mp4",
        "avi",
        "libx264",
        "libx266",
        "yuv420p",
        "rgb24",
        "vbr",
        "cbr",
        "abr",
    ),
    *(
        "both",
        "silence",
        "hable",
        "red",
        "RED",
        "#FF0000",
        "#ff00",
        "a b",
        "a" * 41,
        "a" * 64,
        "A" * 64,
        "g" * 64,
        "yes",
        "true",
    ),
    *([], [1], ["a"], {}, {"max": 30}, {"max": "fast"}, {"max": None}, {"min": 1}, {"top": 2}, {"aspect": "16:9"}),
]
# What a schema does not say of text: how large a number is, and whether it comes to whole bits.
_PARTS = frozenset({"23.5", "5.1", "7.1", "9.1"})
UNSAID = {
    **dict.fromkeys(("bitrate", "min_bitrate", "max_bitrate", "buffer_size"), _PARTS),
    "sample_rate": _PARTS | {"5", "25", "2.0", "4500k", " 4500 K ", "4.5M"},
    "aspect": _PARTS | {"25", "25:1", "30000/1001", "1:30.5", "1:60", "00:01:30"},
    "keyframe_interval": frozenset({"0", "1h 2m"}),
}


def _said(field, value):
    return not isinstance(value, str) or value not in UNSAID.get(field, ())


FIELDS = [
    *((("video",), field) for field in Video.model_fields),
    *((("audio",), field) for field in Audio.model_fields),
    *((("video", "crop"), field) for field in Crop.model_fields),
    *((("video", "pad"), field) for field in Pad.model_fields),
    *(((), field) for field in ("container", "video", "audio", "faststart")),
]


def _preset(path, field, value):
    said = {field: value}
    for name in reversed(path):
        said = {name: said}
    return _spec(presets={"p": said, "a": {}})


@pytest.mark.parametrize(("path", "field"), FIELDS, ids=lambda each: each if isinstance(each, str) else ".".join(each))
def test_every_value_of_every_parameter(path, field):
    """A value under a preset's field is flagged by an editor where validate refuses it, and nowhere else."""
    judged = [
        (value, _editor_takes(document), _validate_takes(document))
        for value in VALUES
        if _said(field, value)
        for document in [_preset(path, field, value)]
    ]
    assert [] == [(value, f"editor {editor}, validate {right}") for value, editor, right in judged if editor != right]


@pytest.mark.parametrize(("path", "field"), FIELDS, ids=lambda each: each if isinstance(each, str) else ".".join(each))
def test_a_variable_for_every_parameter(path, field):
    """Where a single value may stand, a variable that holds one is good to both; elsewhere to neither."""
    single = [value for value in VALUES if value is not None and not isinstance(value, (list, dict))]
    good = [value for value in single if _validate_takes(_preset(path, field, value))]
    document = _preset(path, field, "${var.x}")
    document["variables"]["x"] = good[0] if good else 5
    assert bool(good) == _editor_takes(document) == _validate_takes(document)


WHOLE = [
    *({"version": value, "project": "a"} for value in (1, 2, "1", True, None, "${var.n}")),
    *(
        _spec(project=value)
        for value in ("a", 5, 5.5, True, None, "", "a b", "a/b", ".a", "-a", -5, "é", [], {}, "a" * 101)
    ),
    *(_spec(variables=value) for value in (None, {}, {"a": None}, {"a": 1.5}, {"a": [1]}, {"a b": 1}, {"a": {}})),
    *(_spec(presets=value) for value in (None, {}, {"p": None}, {"p": 5}, {"p": {}}, {"p q": {}}, [])),
    *(
        _spec(providers=value)
        for value in (None, {}, {"p": None}, {"p": {"type": "ffmpeg"}}, {"p": {}}, {"p": {"type": "x"}})
    ),
    *(
        _spec(providers={"p": {"type": "ffmpeg", "threads": value}})
        for value in (None, 1, 0, 256, 257, "2", "${var.n}", True)
    ),
    _spec(variables={"f": "ffmpeg"}, providers={"p": {"type": "${var.f}"}}),
    *(
        _spec(providers={"p": {"type": "bytenite", "api_key": value}})
        for value in ("x", "${env.BYTENITE_KEY}", "${var.word}")
    ),
    *(
        _spec(providers={"p": {"type": "bytenite", "price": {"per_output_minute": value}}})
        for value in ("0.05 USD", "free", 5)
    ),
    *(
        _spec(defaults=value)
        for value in (None, {}, [], {"crf": 1}, {"provider": "local"}, {"provider": 5}, {"labels": {"a": 1}})
    ),
    *(
        _spec(defaults={field: value})
        for field in Policy.model_fields
        for value in (None, True, 0, 1, 21, "1", "x", {}, {"a": None}, {"a": []})
    ),
    *(
        _spec(encodes=value)
        for value in (None, {}, {"a": None}, {"a": []}, {"a b": {"source": URL, "outputs": ["720p-h264"]}})
    ),
    *(
        _encode(source=value)
        for value in (
            None,
            "",
            5,
            [],
            {},
            {"url": URL},
            {"url": None},
            {"url": URL, "path": "a"},
            {"path": "a", "url": None},
        )
    ),
    *(
        _encode(source={"url": URL, "trim": value})
        for value in (None, {}, {"start": 1}, {"end": 5, "duration": 5}, {"end": 5, "duration": None}, 5)
    ),
    *(
        _encode(outputs=value)
        for value in (None, [], {}, "720p-h264", ["720p-h264", "720p-h264"], [None], [["a"]], {"x": None}, {"x": {}})
    ),
    *(
        _encode(outputs={"x": value})
        for value in ("720p-h264", "", {"extends": "720p-h264"}, {"extends": "720p-h264", "atempts": 1}, [])
    ),
    *(_encode(outputs={name: "720p-h264"}) for name in ("a", "5", "é", "a b", "a/b", "", ".a", "a" * 101)),
    *(
        _encode(for_each=value)
        for value in (None, ["a"], ["a", 5], [["a"]], [None], "a", 5, {"a": None}, {"a": {"b": 1}}, {"a": 5})
    ),
    *(
        _encode(for_each=value)
        for value in ({"file": "k", "key": "k"}, {"file": "k", "key": 5}, {"glob": "*"}, {"glob": "*", "key": "k"})
    ),
    _encode(outputs=None, template=None),
    *(
        _encode(protect=value)
        for value in (True, None, "yes", "${var.truth}", "$${var.truth}", "${env.X}", "${truth}", 1)
    ),
    *(
        _encode(**{name: value})
        for name, value in (("sources", 1), ("enabled", False), ("attempts", "${var.n}"), ("attempts", 2.5))
    ),
    _spec(presets={"720": {}}, encodes={"a": {"source": URL, "outputs": {"x": {"extends": ["720", "720p-h264"]}}}}),
]


@pytest.mark.parametrize(
    "document",
    WHOLE,
    ids=lambda each: json.dumps({k: v for k, v in each.items() if k not in {"version", "variables"}} or each)[:90],
)
def test_every_form_of_a_spec(document):
    """The forms of sections, encodes, sources, outputs and fan-outs are judged alike."""
    assert _validate_takes(document) == _editor_takes(document)


@pytest.mark.parametrize("field", SourceSpec.model_fields)
def test_an_editor_flags_no_source_that_is_good(field):
    """A source's text is judged by validate alone, but what it takes an editor takes."""
    documents = [_encode(source={"url": URL, field: value}) for value in VALUES]
    assert [] == [each for each in documents if _validate_takes(each) and not _editor_takes(each)]


@pytest.mark.parametrize("field", TrimSpec.model_fields)
def test_every_value_of_a_trim(field):
    """Times of a trim are judged as the intervals of keyframes are."""
    documents = [_encode(source={"url": URL, "trim": {field: value}}) for value in VALUES if value not in (0, "0")]
    assert [] == [each for each in documents if _validate_takes(each) != _editor_takes(each)]


def test_patterns_are_those_of_any_editor():
    """No pattern uses what only Python knows: flags, named groups, or classes of letters."""
    patterns = re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', json.dumps(SCHEMA))
    assert 10 < len(patterns)
    assert [] == [each for each in map(json.loads, patterns) if re.search(r"\(\?[Pai]|\\[AZzpP]", each)]
