"""From declared to wanted: presets, variables, fan-outs and policies are gone, and every field knows its place."""

from __future__ import annotations

import pytest

from builders_specs import HEAD, URL, WEB, desired, load, node, one, outputs, problems, write
from reconciler.commands.kinds import knowledge
from reconciler.core.encode import Source, Trim
from reconciler.core.namespace import Document, gather
from reconciler.core.resolve import Resolver
from reconciler.core.sources import Trust
from reconciler.ffmpeg.kind import FfmpegOptions

LADDER = """\
presets:
  base:
    container: mp4
    video: {codec: h264, crf: 23, preset: slow, crop: {top: 20, bottom: 20}}
    audio: {codec: aac, bitrate: 192k}
  small: {extends: base, video: {height: 480, crf: 26}}
  quiet: {extends: base, audio: {codec: none}}
  bare: {extends: base, video: {crop: null, preset: null}}
  both: {extends: [small, bare], video: {crf: 20}}
"""


def _set(model):
    return model.model_dump(exclude_none=True)


def test_five_lines(tmp_path):
    """The shortest spec has five lines: a project, an encode, its source and a built-in preset."""
    text = f"project: x\nencodes:\n  bbb:\n    source: {URL}\n    outputs: [720p-h264]\n"
    write(tmp_path, {"specs/a.yaml": text})
    wanted = load(tmp_path).desired
    [output] = wanted.outputs
    assert ("x", "bbb/720p-h264", "outputs/bbb/720p-h264.mp4") == (wanted.project, output.address, output.path)
    assert ("local", True, False, 2, {}) == (
        output.provider,
        output.enabled,
        output.protect,
        output.attempts,
        output.labels,
    )
    assert Source("http", URL, URL) == output.source
    assert {"codec": "aac", "bitrate": 128_000, "channels": 2, "sample_rate": 48_000} == _set(output.parameters.audio)


@pytest.mark.parametrize(
    ("said", "video", "audio"),
    [
        (
            "small",
            {"crf": 26, "height": 480, "preset": "slow", "crop": {"top": 20, "bottom": 20}},
            {"bitrate": 192_000},
        ),
        ("quiet", {"crf": 23, "preset": "slow", "crop": {"top": 20, "bottom": 20}}, "none"),
        ("bare", {"crf": 23}, {"bitrate": 192_000}),
        ("both", {"crf": 20, "height": 480}, {"bitrate": 192_000}),
        (
            "{extends: [bare, small]}",
            {"crf": 26, "height": 480, "preset": "slow", "crop": {"top": 20, "bottom": 20}},
            {"bitrate": 192_000},
        ),
        (
            "{extends: small, video: {crop: {top: 0, left: 8}}}",
            {"crf": 26, "height": 480, "preset": "slow", "crop": {"top": 0, "bottom": 20, "left": 8}},
            {"bitrate": 192_000},
        ),
        ("{extends: quiet, audio: {codec: aac}}", {"crf": 23, "preset": "slow", "crop": {"top": 20, "bottom": 20}}, {}),
    ],
)
def test_presets_are_merged(said, video, audio, tmp_path):
    """Maps merge deep, later wins, null removes also through lists of presets, `codec: none` takes nothing over."""
    output = one(tmp_path, said, head=LADDER)
    assert {"codec": "h264", **video} == _set(output.parameters.video)
    sound = {"codec": "none"} if audio == "none" else {"codec": "aac", **audio}
    assert sound == _set(output.parameters.audio)


def test_a_section_may_be_removed_and_said_anew(tmp_path):
    """`null` removes a whole section."""
    output = one(tmp_path, "{extends: small, container: m4a, video: null}", head=LADDER)
    assert output.parameters.video is None
    assert ["a/x"] == list(
        outputs(tmp_path, f"encodes: {{a: {{source: {URL}, outputs: {{x: {{extends: audio-aac, video: null}}}}}}}}\n")
    )


def test_sound_alone_says_nothing_of_a_picture(tmp_path):
    """In an m4a, no picture is the same whether it is said or left out."""
    said = "{container: m4a, video: {codec: none}, audio: {codec: aac}}"
    left_out = "{container: m4a, audio: {codec: aac}}"
    assert one(tmp_path, left_out).fingerprint == one(tmp_path, said).fingerprint


def test_every_field_knows_where_it_was_written(tmp_path):
    """The origin of a field is its own scalar, through presets and variables, with the preset's name."""
    text = f"""\
variables: {{q: 24}}
presets:
  base: {{container: mp4, video: {{codec: h264, crf: 23}}, audio: {{codec: aac}}}}
  small: {{extends: base, video: {{height: 480}}}}
encodes:
  a:
    source: {{url: {URL}, trim: {{start: 1s, duration: 2s}}}}
    outputs:
      x: {{extends: small, video: {{crf: "${{var.q}}"}}}}
      y: {{extends: 720p-h264, video: {{crf: 20}}}}
"""
    found = outputs(tmp_path, text)
    origins = {field: (str(each.place), each.preset, each.variable) for field, each in found["a/x"].origins.items()}
    assert {
        "source": ("specs/a.yaml:9:19", None, None),
        "source.trim.start": ("specs/a.yaml:9:66", None, None),
        "source.trim.end": ("specs/a.yaml:9:80", None, None),
        "container": ("specs/a.yaml:5:21", "base", None),
        "video.codec": ("specs/a.yaml:5:41", "base", None),
        "video.crf": ("specs/a.yaml:3:16", None, "var.q"),
        "video.height": ("specs/a.yaml:6:42", "small", None),
        "audio.codec": ("specs/a.yaml:5:72", "base", None),
    } == origins
    assert set(found["a/x"].manifest) - {"scheme"} == set(origins)
    built_in = found["a/y"].origins["video.height"]
    assert (None, "720p-h264") == (built_in.place, built_in.preset)
    assert "specs/a.yaml:12:44" == str(found["a/y"].origins["video.crf"].place)


def test_a_variable_of_the_command_line_wins(tmp_path):
    """--var is read as a YAML scalar: numbers are numbers, quotes make text; the origin is where it is used."""
    said = "{extends: 720p-h264, video: {crf: '${var.q}'}}"
    text = f"variables: {{q: 24}}\nencodes: {{a: {{source: {URL}, outputs: {{x: {said}}}}}}}\n"
    output = outputs(tmp_path, text, variables={"q": "20"})["a/x"]
    assert (20, "specs/a.yaml:4") == (output.parameters.video.crf, str(output.origins["video.crf"].place)[:14])
    assert ['crf must be a number, not "20"'] == [
        problem.message for problem in problems(tmp_path, variables={"q": "'20'"})
    ]


def test_an_unknown_variable_of_the_command_line(tmp_path):
    """A --var that no spec declares is a typing error, with the near one named."""
    write(tmp_path, {"specs/a.yaml": f"{HEAD}variables: {{cdn: x}}\n"})
    [problem] = problems(tmp_path, variables={"cnd": "y"})
    assert ('--var sets "cnd", which no spec declares', None) == (problem.message, problem.place)
    assert ('Did you mean "cdn"? Variables of the specs: cdn.',) == problem.hints


def test_references_keep_types_and_text(tmp_path):
    """Alone a reference keeps its type, inside text it is written as it was, and `$${` is literal."""
    text = """\
variables: {number: 007, truth: true, half: "${var.number}/x", price: "$${x}"}
encodes:
  a:
    source: https://x.org/${var.half}/${var.truth}.mp4
    labels: {n: "${var.number}", t: "${var.truth}", p: "${var.price}", l: "$${var.n}", m: "a${ var.number }b"}
    protect: ${var.truth}
    outputs: [720p-h264]
"""
    output = outputs(tmp_path, text)["a/720p-h264"]
    assert "https://x.org/007/x/true.mp4" == output.source.identity
    assert {"n": "007", "t": "true", "p": "${x}", "l": "${var.n}", "m": "a007b"} == output.labels
    assert output.protect is True


def test_a_fan_out_is_one_encode_a_name(tmp_path):
    """Names, never numbers, are in the addresses; the key and the values fill in source, labels and parameters."""
    text = f"""\
{WEB}
encodes:
  trailer:
    for_each: {{tos: {{lang: nl, crf: 20, base: web-720p}}, bbb: {{lang: en, crf: 22, base: 720p-h264}}}}
    source: https://x.org/${{each.key}}.mp4
    labels: {{lang: "${{each.value.lang}}"}}
    outputs:
      720p: web-720p
      best: {{extends: "${{each.value.base}}", video: {{crf: "${{each.value.crf}}"}}}}
      mine: ${{each.value.base}}
"""
    found = outputs(tmp_path, text)
    assert [f"trailer/{key}/{name}" for key in ("bbb", "tos") for name in ("720p", "best", "mine")] == list(found)
    tos = found["trailer/tos/best"]
    assert ("trailer/tos", "best", "outputs/trailer/tos/best.mp4") == (tos.encode, tos.name, tos.path)
    assert ("https://x.org/tos.mp4", {"lang": "nl"}) == (tos.source.identity, tos.labels)
    assert (20, "slow") == (tos.parameters.video.crf, tos.parameters.video.preset)
    assert (22, "medium") == tuple(
        getattr(found["trailer/bbb/best"].parameters.video, name) for name in ("crf", "preset")
    )
    assert "each.value.crf" == tos.origins["video.crf"].variable
    assert found["trailer/bbb/720p"].parameters is found["trailer/tos/720p"].parameters


def test_a_list_may_name_outputs_by_member(tmp_path):
    """In a list of presets, too, a reference is filled in; the output is called after the preset it comes to."""
    fan_out = "{b: {p: 480p-h264}, c: {p: 720p-h264}}"
    text = f"encodes: {{a: {{for_each: {fan_out}, source: {URL}, outputs: ['${{each.value.p}}']}}}}\n"
    assert ["a/b/480p-h264", "a/c/720p-h264"] == list(outputs(tmp_path, text))


def test_an_empty_fan_out_is_noted(tmp_path):
    """A fan-out over nothing wants nothing and is named, for the plan to judge."""
    rest = f"source: {URL}, outputs: [720p-h264]"
    text = f"encodes:\n  a: {{for_each: [], {rest}}}\n  b: {{for_each: {{}}, {rest}}}\n"
    wanted = desired(tmp_path, text)
    assert ((), ("a", "b")) == (wanted.outputs, wanted.empty)


def test_what_is_wrong_in_an_empty_fan_out_is_told(tmp_path):
    """A broken output is told even while nothing uses it."""
    text = f"encodes: {{a: {{for_each: [], source: {URL}, outputs: [720p-h246]}}}}\n"
    write(tmp_path, {"specs/a.yaml": HEAD + text})
    assert ['unknown preset "720p-h246"'] == [problem.message for problem in problems(tmp_path)]


def test_policies_from_far_to_near(tmp_path):
    """Defaults, then the encode, then the output; labels are merged, and null takes one away."""
    text = f"""\
providers:
  studio: {{type: ffmpeg, parallelism: 2, threads: 4}}
defaults: {{provider: studio, protect: true, attempts: 3, labels: {{team: web, tier: gold}}}}
encodes:
  a:
    source: {URL}
    provider: local
    attempts: 1
    labels: {{tier: null, year: 2024}}
    outputs:
      x: {{extends: 720p-h264, enabled: false, protect: false, labels: {{team: tv}}}}
      y: 720p-h264
  b: {{source: {URL}, outputs: [720p-h264]}}
"""
    wanted = desired(tmp_path, text)
    x, y, b = wanted.outputs
    assert (False, False, 1, {"team": "tv", "year": "2024"}, "local") == (
        x.enabled,
        x.protect,
        x.attempts,
        x.labels,
        x.provider,
    )
    assert (True, True, 1, {"team": "web", "year": "2024"}, "local") == (
        y.enabled,
        y.protect,
        y.attempts,
        y.labels,
        y.provider,
    )
    assert (True, True, 3, {"team": "web", "tier": "gold"}, "studio") == (
        b.enabled,
        b.protect,
        b.attempts,
        b.labels,
        b.provider,
    )
    assert {"local": FfmpegOptions(), "studio": FfmpegOptions(parallelism=2, threads=4)} == options(wanted)
    assert x.fingerprint == y.fingerprint == b.fingerprint


def options(wanted):
    """What was said of each provider."""
    return {name: settings.options for name, settings in wanted.providers.items()}


def test_local_may_be_declared_anew(tmp_path):
    """The provider that is always there takes settings like any other."""
    wanted = desired(tmp_path, "providers: {local: {type: ffmpeg, threads: 2}}\n")
    assert {"local": FfmpegOptions(threads=2)} == options(wanted)


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("masters/./x/../a.mov", Source("file", "masters/a.mov", "masters/a.mov")),
        (f"{{url: {URL}, trim: {{end: 00:01:30}}}}", Source("http", URL, URL, Trim(0, 90))),
        (f"{{url: {URL}, trim: {{start: 0.1, duration: 0.2}}}}", Source("http", URL, URL, Trim(0.1, 0.3))),
        (f"{{url: '{URL}?v=2&t=9', ignore_query: [t]}}", Source("http", f"{URL}?v=2", f"{URL}?v=2&t=9")),
        (f"{{id: masters/b, url: {URL}}}", Source("http", "masters/b", URL)),
        (f"{{url: {URL}, sha256: {'AB' * 32}}}", Source("http", URL, URL, sha256="ab" * 32)),
        ("{path: masters/a.mov}", Source("file", "masters/a.mov", "masters/a.mov")),
        (
            '{id: b, url: "${env.RECONCILER_B}"}',
            Source("http", "b", "${env.RECONCILER_B}"),
        ),
        (
            "lavfi:testsrc2=duration=5",
            Source("lavfi", "lavfi:testsrc2=duration=5", "testsrc2=duration=5"),
        ),
        (
            "{url: 'lavfi:testsrc2', trim: {end: 5}}",
            Source("lavfi", "lavfi:testsrc2", "testsrc2", Trim(0, 5)),
        ),
    ],
)
def test_forms_of_a_source(said, source, tmp_path):
    """A source has a kind, a name that lasts, a location that is opened, and perhaps a part and a pin."""
    assert source == one(tmp_path, "720p-h264", source=said).source


def test_names_beyond_our_own_must_be_allowed(tmp_path):
    """What `${env.}` may read is for whoever runs the program to say."""
    text = "encodes: {a: {source: {id: b, url: '${env.KEYNOTE_URL}'}, outputs: [720p-h264]}}\n"
    assert "${env.KEYNOTE_URL}" == outputs(tmp_path, text, spec_env=["KEYNOTE_URL"])["a/720p-h264"].source.location
    assert ["specs may not read KEYNOTE_URL from the environment"] == [
        problem.message for problem in problems(tmp_path)
    ]


def test_names_are_normalised(tmp_path):
    """A decomposed name is its composed one in addresses, paths and references."""
    composed, decomposed = "größe", "gro\u0308ße"
    text = f"presets: {{{decomposed}: {{extends: 720p-h264}}}}\n"
    text += f"encodes: {{{decomposed}: {{source: {URL}, outputs: [{composed}]}}}}\n"
    [output] = desired(tmp_path, text).outputs
    assert (f"{composed}/{composed}", f"outputs/{composed}/{composed}.mp4") == (output.address, output.path)


def test_outputs_come_sorted(tmp_path):
    """Outputs are sorted by address, whatever file and order they were written in."""
    texts = [f"encodes: {{{name}: {{source: {URL}, outputs: [b, a]}}}}\n" for name in ("z", "a")]
    presets = "presets: {a: {extends: 720p-h264}, b: {extends: 480p-h264}}\n"
    assert ["a/a", "a/b", "z/a", "z/b"] == list(outputs(tmp_path, *texts, presets))


def test_no_end_of_outputs_is_wanted():
    """Names times outputs stop at a limit, and what stops them is told."""
    text = f"{HEAD}encodes: {{a: {{for_each: [b, c, d], source: {URL}, outputs: [720p-h264]}}}}\n"
    found = []
    resolver = Resolver(gather([Document("a.yaml", node(text))], found), {}, Trust(), knowledge())
    resolution = resolver.resolve({}, most=2)
    assert ["the specs want more than 2 outputs"] == [problem.message for problem in resolution.problems]
    assert not found
    assert not resolver.resolve({}, most=3).problems[1:]
