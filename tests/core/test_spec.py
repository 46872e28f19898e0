"""Every field of a spec is known to change an output's bits or not to, and is described for editors."""

from __future__ import annotations

import jsonschema
import pytest

from builders_specs import HEAD, URL, WEB, node, one, outputs
from reconciler.commands.kinds import Types
from reconciler.core.descriptions import DESCRIPTIONS, description
from reconciler.core.manifest import Prepared, prepared_source
from reconciler.core.nodes import to_plain
from reconciler.core.parameters import Parameters
from reconciler.core.presets import BUILT_IN
from reconciler.core.schema import spec_schema
from reconciler.core.spec import CHANGES_BITS, NO_BITS, PARAMETER_MODELS, SPEC_MODELS

MODELS = (*PARAMETER_MODELS, *SPEC_MODELS)


def _own_fields(model):
    """The fields that a model declares itself."""
    return set(model.__annotations__) & set(model.model_fields)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_is_classified(model):
    """A new field fails here until somebody says whether it changes bits, and if not, why."""
    bits = CHANGES_BITS.get(model.__name__, frozenset())
    others = NO_BITS.get(model.__name__, {})
    assert _own_fields(model) == bits | others.keys()
    assert not bits & others.keys()
    assert all(others.values())


def test_every_model_is_classified():
    """No model hides behind another: what a spec is made of is what is listed."""
    seen = set()

    def walk(annotation):
        if isinstance(annotation, type) and hasattr(annotation, "model_fields") and annotation not in seen:
            seen.add(annotation)
            for field in annotation.model_fields.values():
                walk(field.annotation)
        for part in getattr(annotation, "__args__", ()):
            walk(part)

    walk(SPEC_MODELS[-1])
    bases = {base for model in seen for base in model.__mro__ if hasattr(base, "model_fields") and base.model_fields}
    assert set(MODELS) == bases


# Two values for each field that changes bits; the first may be None.
SAMPLES = {
    "container": ("mp4", "mkv"),
    "faststart": (None, False),
    "subtitles.track": (0, "eng"),
    "subtitles.burn_in": ("eng", "a.srt"),
    "stills.at": ("10%", "20%"),
    "stills.every": (5, 10),
    "stills.grid": (None, "5x5"),
    "stills.width": (None, 160),
    "stills.height": (None, 90),
    "stills.watermark.image": ("a.png", "b.png"),
    "stills.watermark.position": (None, "center"),
    "stills.watermark.margin": (None, 0),
    "stills.watermark.width": (None, "20%"),
    "stills.watermark.opacity": (None, "50%"),
    "stills.watermark.start": (None, "2s"),
    "stills.watermark.end": (None, "4s"),
    "segment.type": (None, "ts"),
    "segment.duration": (None, 4),
    "variants.x.video.crf": (23, 21),
    "variants.x.audio.track": (None, 1),
    "video.codec": ("h264", "hevc"),
    "video.encoder": (None, "libx264"),
    "video.crf": (23, 21),
    "video.quality.vmaf": (None, 94),
    "video.bitrate": ("4M", "5M"),
    "video.min_bitrate": (None, "1M"),
    "video.max_bitrate": (None, "5M"),
    "video.buffer_size": (None, "5M"),
    "video.mode": (None, "cbr"),
    "video.passes": (None, 2),
    "video.preset": ("slow", "fast"),
    "video.tune": (None, "film"),
    "video.profile": (None, "high"),
    "video.level": (4, 4.1),
    "video.pixel_format": (None, "yuv444p"),
    "video.width": (None, 640),
    "video.height": (480, 720),
    "video.avoid_upscaling": (None, False),
    "video.autocrop": (None, True),
    "video.crop.top": (None, 2),
    "video.crop.bottom": (None, 2),
    "video.crop.left": (None, 2),
    "video.crop.right": (None, 2),
    "video.pad.aspect": ("4:3", "16:9"),
    "video.pad.color": (None, "red"),
    "video.rotate": (None, 90),
    "video.deinterlace": (None, "auto"),
    "video.tonemap": (None, "hable"),
    "video.flip": (None, "both"),
    "video.fps": (25, 30),
    "video.fps.max": (25, 30),
    "video.keyframe_interval": ("2s", "4s"),
    "video.watermark.image": ("a.png", "b.png"),
    "video.watermark.position": (None, "center"),
    "video.watermark.margin": (None, 0),
    "video.watermark.width": (None, "20%"),
    "video.watermark.opacity": (None, "50%"),
    "video.watermark.start": (None, "2s"),
    "video.watermark.end": (None, "4s"),
    "audio.codec": ("aac", "opus"),
    "audio.bitrate": ("96k", "128k"),
    "audio.channels": (1, 2),
    "audio.sample_rate": (None, "48k"),
    "audio.track": (None, 1),
    "audio.missing": (None, "silence"),
    "audio.tracks": (None, "all"),
    "audio.loudness.target": (-16, -23),
    "audio.loudness.true_peak": (None, -1),
    "audio.loudness.range": (None, 11),
    "audio.copy_if.codec": (None, "ac3"),
    "audio.copy_if.max_bitrate": (None, "192k"),
}


def _leaves():
    """The names, in a manifest, of all fields of Parameters."""
    models = {"": "Parameters", "video.": "Video", "audio.": "Audio", "video.crop.": "Crop", "video.pad.": "Pad"}
    models["video.quality."] = "Quality"
    models |= {
        "segment.": "Segment",
        "stills.": "Stills",
        "subtitles.": "Subtitles",
        "audio.loudness.": "Loudness",
        "audio.copy_if.": "CopyIf",
        "video.watermark.": "Watermark",
        "stills.watermark.": "Watermark",
    }
    names = {prefix + field for prefix, model in models.items() for field in CHANGES_BITS[model]}
    names -= {"video", "video.quality", "audio", "video.crop", "video.pad", "segment", "variants"}
    names -= {"stills", "subtitles", "audio.loudness", "audio.copy_if", "video.watermark", "stills.watermark"}
    # A variant is made of Video and Audio: one field of each stands for them.
    return names | {"video.fps.max", "variants.x.video.crf", "variants.x.audio.track"}


def test_every_field_has_a_sample():
    """The samples below are of all fields that change bits."""
    assert _leaves() == SAMPLES.keys()


@pytest.mark.parametrize("field", SAMPLES)
def test_fields_that_change_bits_change_the_fingerprint(field):
    """Another value of the field is another fingerprint."""

    def made(value):
        said = value
        for name in reversed(field.split(".")):
            said = {name: said}
        return Prepared(Parameters.model_validate(said)).of(prepared_source("s", 0, None))[1]

    before, after = SAMPLES[field]
    assert made(before) != made(after)


def test_fields_that_change_no_bits_change_no_fingerprint(tmp_path):
    """Policies, provider settings, a pin and names leave the fingerprint alone."""
    plain = one(tmp_path, "720p-h264").fingerprint
    text = f"""\
providers: {{local: {{type: ffmpeg, parallelism: 2, threads: 1}}}}
defaults: {{attempts: 5, labels: {{a: b}}}}
variables: {{url: {URL}}}
encodes:
  other:
    for_each: [k]
    source: {{url: "${{var.url}}", sha256: {"a" * 64}}}
    provider: local
    outputs: {{y: {{extends: 720p-h264, enabled: false, protect: true, attempts: 1, labels: {{c: d}}}}}}
"""
    assert {"other/k/y": plain} == {address: output.fingerprint for address, output in outputs(tmp_path, text).items()}


GOOD = [
    f"{HEAD}{WEB}encodes: {{a: {{source: {URL}, outputs: [web-720p]}}}}\n",
    "encodes: {a: {for_each: [b, 5], source: '${each.key}', outputs: {x: web-720p}}}\n",
    "encodes: {a: {for_each: {file: t.csv, key: k}, source: x, outputs: [p]}}\n",
    "encodes: {a: {source: x, outputs: {720p: {extends: [p, q], enabled: '${var.e}'}}}}\n",
    "presets: {p: {video: {crf: '${var.q}', fps: 29.97, level: 4.1, preset: 8, codec: h265, bitrate: 4.5M}}}\n",
    "presets: {p: {video: {fps: {max: 30}, crop: null, rotate: '${var.r}'}, audio: {channels: 5.1}}}\n",
    "presets: {p: {audio: {loudness: {target: -16 LUFS, true_peak: -1 dBTP}, tracks: [eng, 2], copy_if: null}}}\n",
    "presets: {p: {audio: {tracks: all, copy_if: {max_bitrate: 192k, codec: ac3}}}}\n",
    "variables: {a: 1, b: text, c: true}\ndefaults: {labels: {a: 1, b: null}, protect: true}\n",
    "providers: {local: {type: ffmpeg, threads: 2}}\n",
    "providers: {b: {type: bytenite, api_key: '${env.K}', price: {per_output_minute: 0.05 USD}, retention: 48h}}\n",
    "encodes: {a: {source: x, template: t.json}}\n",
    "encodes: {a: {source: x, outputs: {p: {container: hls, segment: {type: ts}, variants: {b: {audio: null}}}}}}\n",
    "encodes: {a: {source: {id: x, url: '${env.X}', trim: {start: 2s, end: 00:01:30}}, outputs: [p]}}\n",
    "encodes: {a: {for_each: {glob: '*.mov'}, source: x, outputs: [p], attempts: '${each.value.n}'}}\n",
]
BAD = [
    "encods: {}\n",
    "version: 2\n",
    "presets: {p: {vidoe: {}}}\n",
    "presets: {p: {container: avi}}\n",
    "presets: {p: {video: {height: tall}}}\n",
    "encodes: {a: {outputs: [p]}}\n",
    "encodes: {a: {source: x}}\n",
    "providers: {a: {type: vimeo}}\n",
    "providers: {a: {type: bytenite, api_key: secret}}\n",
    "presets: {p: {video: {rotate: 45}}}\n",
    "presets: {p: {segment: {type: mp3}}}\n",
    "presets: {p: {audio: {loudness: {target: loud}}}}\n",
    "presets: {p: {audio: {tracks: []}}}\n",
    "presets: {p: {variants: {a: {heigth: 3}}}}\n",
]


@pytest.fixture(scope="module")
def validator():
    """A validator of the schema, which is itself valid."""
    schema = spec_schema(Types())
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


@pytest.mark.parametrize("text", GOOD)
def test_editors_do_not_flag_good_specs(text, validator):
    """Human units, references and removals are all fine in an editor."""
    assert [] == [error.message for error in validator.iter_errors(to_plain(node(text)))]


@pytest.mark.parametrize("text", BAD)
def test_editors_flag_bad_specs(text, validator):
    """What a schema can see is flagged while it is typed."""
    assert not validator.is_valid(to_plain(node(text)))


def test_built_in_presets_meet_the_schema(validator):
    """The built-in presets could stand in a spec as they are."""
    presets = {name: dict(preset.parameters) for name, preset in BUILT_IN.items()}
    assert [] == [error.message for error in validator.iter_errors({"presets": presets})]


def test_every_field_is_described():
    """An editor has a sentence for every field, and no sentence is about a field that is not there."""
    for model in MODELS:
        for field in model.model_fields:
            assert description(model.__name__, field).endswith("."), (model.__name__, field)
    fields = {model.__name__: own for model in MODELS if (own := _own_fields(model))}
    assert {model: set(words) for model, words in DESCRIPTIONS.items()} == fields
