"""Packages in specs: variants on top of the output's own picture and sound, and what they cannot mean."""

from __future__ import annotations

import pytest

from builders_specs import complaints, one, problems, said, write

PLAIN = "video: {codec: h264, crf: 23}, audio: {codec: aac}"
HLS = "container: hls, video: {codec: h264, crf: 23}, audio: {codec: aac}"


def fields(folder, text):
    """The manifest of an output, without what all have."""
    manifest = one(folder, text).manifest
    return {name: value for name, value in manifest.items() if name not in {"scheme", "source"}}


def test_a_package_is_a_folder(tmp_path):
    """It is published under its name, without an extension."""
    assert "outputs/a/x" == one(tmp_path, f"{{{HLS}}}").path


def test_a_variant_says_what_it_has_different(tmp_path):
    """The output's own picture and sound are in each; null removes; the order of keys says nothing."""
    variants = "variants: {b: {video: {height: 480, crf: null, bitrate: 1M}}, a: {video: {height: 1080}}}"
    assert {
        "container": "hls",
        "variants.a.audio.codec": "aac",
        "variants.a.video.codec": "h264",
        "variants.a.video.crf": 23,
        "variants.a.video.height": 1080,
        "variants.b.audio.codec": "aac",
        "variants.b.video.bitrate": 1_000_000,
        "variants.b.video.codec": "h264",
        "variants.b.video.height": 480,
    } == fields(tmp_path, f"{{{HLS}, {variants}}}")


SAME = [
    (
        f"{{{HLS}, variants: {{a: {{}}, b: {{video: {{height: 480}}}}}}}}",
        f"{{container: hls, variants: {{b: {{{PLAIN.replace('23', '23, height: 480')}}}, a: {{{PLAIN}}}}}}}",
    ),
    (f"{{{HLS}}}", f"{{{HLS}, variants: {{main: {{}}}}}}"),
    (f"{{{HLS}}}", f"{{{HLS}, segment: {{type: fmp4, duration: 6s}}}}"),
    (
        f"{{{HLS}, variants: {{a: {{video: {{height: 480}}}}, b: {{}}}}}}",
        f"{{{HLS}, variants: {{b: {{}}, a: {{video: {{height: 480, encoder: libx264, mode: null, rotate: 0}}}}}}}}",
    ),
]


@pytest.mark.parametrize(("text", "other"), SAME)
def test_the_same_package_said_otherwise_is_the_same(tmp_path, text, other):
    """Whatever was taken over, and whatever is neutral: one fingerprint."""
    assert one(tmp_path / "a", text).fingerprint == one(tmp_path / "b", other).fingerprint


def test_presets_merge_into_variants(tmp_path):
    """Variants are maps as all others: a preset's are changed, added to and removed by name."""
    head = f"""\
        presets:
          ladder: {{{HLS}, variants: {{1080p: {{video: {{height: 1080}}}}, 720p: {{video: {{height: 720}}}}}}}}
    """
    write(tmp_path, {"specs/p.yaml": head})
    text = "{extends: ladder, variants: {1080p: null, 720p: {video: {crf: 25}}, 480p: {video: {height: 480}}}}"
    found = fields(tmp_path, text)
    assert ({"720p", "480p"}, 25) == (
        {name.split(".")[1] for name in found if name.startswith("variants.")},
        found["variants.720p.video.crf"],
    )


def test_explain_knows_where_a_variant_has_its_value_from(tmp_path):
    """What a variant takes over was written where the output says it."""
    output = one(tmp_path, f"{{{HLS}, variants: {{a: {{video: {{height: 480}}}}, b: {{}}}}}}")
    own, taken = (output.origins[f"variants.a.video.{field}"].place for field in ("height", "crf"))
    assert taken.column < own.column


CANNOT = {
    "{container: mp4, segment: {duration: 4s}, video: {codec: h264, crf: 23}, audio: {codec: aac}}": (
        '"segment" says nothing for mp4'
    ),
    "{container: mp4, variants: {a: {}}, video: {codec: h264, crf: 23}, audio: {codec: aac}}": (
        '"variants" says nothing for mp4'
    ),
    f"{{{HLS}, variants: {{}}}}": "variants names none",
    f"{{{HLS}, variants: {{audio: {{}}, b: {{}}}}}}": '"audio" cannot name a variant: "audio" is where the sound goes',
    f"{{{HLS}, variants: {{a: {{}}, A: {{}}}}}}": '"A" cannot name a variant: "a" differs only by case',
    f"{{{HLS}, variants: {{a/b: {{}}}}}}": '"a/b" cannot name a variant: it holds "/"',
    f"{{{HLS}, variants: {{a: {{}}, b: {{audio: {{codec: none}}}}}}}}": 'variant "b" has no sound, and "a" has',
    f"{{{HLS}, variants: {{a: {{}}, b: {{video: {{codec: none}}}}}}}}": 'variant "b" has no picture, and "a" has',
    f"{{{HLS}, variants: {{a: {{video: {{crf: 60}}}}, b: {{}}}}}}": "crf: 60 is beyond what libx264 takes",
    "{container: hls, segment: {type: ts}, video: {codec: h264, crf: 23}, audio: {codec: aac, tracks: all}}": (
        "segments of type ts hold one track of sound"
    ),
    "{container: dash, video: {codec: none}, audio: {codec: opus, tracks: [eng, nld]}}": (
        "a package without a picture holds one track of sound"
    ),
    f"{{{HLS}, faststart: true}}": '"faststart" says nothing for hls',
    "{container: dash, segment: {type: ts}, video: {codec: h264, crf: 23}, audio: {codec: aac}}": (
        "dash has no segments of type ts"
    ),
    "{container: hls, segment: {type: ts}, video: {codec: hevc, crf: 23}, audio: {codec: aac}}": (
        "players take no hevc in segments of type ts"
    ),
    f"{{{HLS.replace('23', '23, keyframe_interval: 2')}, segment: {{duration: 5}}}}": (
        "segments of 5 s are no whole number of keyframe intervals of 2 s"
    ),
    "{container: hls, video: {codec: av1, encoder: libaom-av1, crf: 30}, audio: {codec: none}}": (
        "libaom-av1 cannot begin every segment with a keyframe"
    ),
    "{container: hls, video: {codec: vp9, crf: 30}, audio: {codec: none}}": "hls cannot hold vp9",
    "{container: cmaf, video: {codec: h264, crf: 30}, audio: {codec: opus}}": "cmaf cannot hold opus",
    # What all variants take over is wrong once.
    "{container: hls, video: {codec: h264, crf: 60}, audio: {codec: aac}, variants: {a: {}, b: {}}}": (
        "crf: 60 is beyond what libx264 takes"
    ),
    "{container: hls, video: {codec: h264, crf: high}, audio: {codec: aac}, variants: {a: {}, b: {}}}": (
        'crf must be a number, not "high"'
    ),
    f"{{{HLS}, variants: {{a: {{video: {{hieght: 480}}}}, b: {{}}}}}}": 'unknown key "hieght"',
    f"{{{HLS}, variants: {{a: hello, b: {{}}}}}}": 'a must be a mapping, not "hello"',
}


@pytest.mark.parametrize("text", CANNOT)
def test_cannot(text, tmp_path):
    """What could not be made is told, and nothing else with it."""
    assert [CANNOT[text]] == complaints(tmp_path, text)


def test_a_problem_of_a_variant_says_which(tmp_path):
    """The path leads to the variant, the place to the value."""
    write(tmp_path, {"specs/a.yaml": said(f"{{{HLS}, variants: {{a: {{video: {{crf: 60}}}}, b: {{}}}}}}")})
    [problem] = problems(tmp_path)
    assert "encodes.a.outputs.x.variants.a.video.crf" == problem.path


def test_a_package_cannot_be_the_folder_of_another_output(tmp_path):
    """A package and the outputs of a member that is called as it is would be in each other."""
    spec = f"""\
version: 1
project: p
presets: {{p: {{{HLS}}}}}
encodes:
  A: {{for_each: [x], source: x.mov, outputs: [p]}}
  a: {{source: x.mov, outputs: {{x: p}}}}
"""
    write(tmp_path, {"specs/a.yaml": spec})
    [problem] = problems(tmp_path)
    assert "outputs/a/x would be a package and the folder of A/x/p" == problem.message
