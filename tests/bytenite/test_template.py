"""ByteNite's documents as outputs of ours: the same bits, the same fingerprint."""

from __future__ import annotations

import copy
import datetime as dt
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders_bodies import AAC, H264, asked, body, document, entry, fields, remote
from reconciler.bytenite.document import encoding_document, output_object, refusals
from reconciler.bytenite.template import TemplateError, TemplateProblems, read_template
from reconciler.core.combinations import problems
from reconciler.core.manifest import parameter_fields
from reconciler.core.nodes import from_plain
from reconciler.core.parameters import Parameters
from reconciler.core.written import Written

SOUND = {"codec": "aac", "bitrate": "192k", "channels": 2, "sample_rate": "48k"}
LOUD = {**SOUND, "bitrate": "320k"}

# What each document that was seen means, in our words, and what has none.
SEEN = {
    "params.request.mp4_x264_crf_480p": {
        "480p": (
            {
                "container": "mp4",
                "video": {"codec": "h264", "crf": 23, "preset": "slow", "height": 480, "avoid_upscaling": False},
                "audio": SOUND,
            },
            {},
        ),
    },
    "params.request.mp4_x265_cbr_540p_1080p": {
        "540p": (
            {
                "container": "mp4",
                "video": {"codec": "hevc", "bitrate": "600k", "mode": "cbr", "preset": "medium", "height": 540},
                "audio": SOUND,
            },
            {},
        ),
        "1080p": (
            {
                "container": "mp4",
                "video": {"codec": "hevc", "bitrate": "4.5M", "mode": "cbr", "preset": "medium", "height": 1080},
                "audio": SOUND,
            },
            {},
        ),
    },
    "params.request.mp4_x264_and_vp9_vbr": {
        "720p": (
            {
                "container": "mp4",
                "video": {
                    "codec": "h264",
                    "bitrate": "3M",
                    "max_bitrate": "8M",
                    "buffer_size": "8M",
                    "preset": "slow",
                    "tune": "film",
                    "height": 720,
                    "avoid_upscaling": False,
                },
                "audio": LOUD,
            },
            {},
        ),
        "480p": (
            {
                "container": "mp4",
                "video": {
                    "codec": "vp9",
                    "bitrate": "800k",
                    "min_bitrate": "400k",
                    "preset": 1,
                    "height": 480,
                    "avoid_upscaling": False,
                },
                "audio": LOUD,
            },
            {},
        ),
    },
    "params.request.hls_x264_vbr_custom_height": {
        "360p-365kbps": (
            {
                "container": "hls",
                "video": {
                    "codec": "h264",
                    "bitrate": "365k",
                    "max_bitrate": "548k",
                    "buffer_size": "548k",
                    "preset": "medium",
                    "profile": "high",
                    "height": 360,
                    "fps": 30,
                },
                "audio": {**SOUND, "bitrate": "160k"},
            },
            {},
        ),
        "720p-4.5Mbps": (
            {
                "container": "hls",
                "video": {
                    "codec": "h264",
                    "bitrate": "4500k",
                    "max_bitrate": "6750k",
                    "buffer_size": "6750k",
                    "preset": "medium",
                    "profile": "high",
                    "height": 720,
                    "fps": 60,
                },
                "audio": {**SOUND, "bitrate": "160k"},
            },
            {},
        ),
    },
    "params.request.png_opencv_container": {"source": ({}, {"bytenite.output_type": "png"})},
}
SEEN["params.request.mp4_named_outputs"] = SEEN["params.request.mp4_x264_and_vp9_vbr"]


@pytest.mark.parametrize("name", SEEN)
def test_a_seen_document_is_its_twin_in_our_words(name):
    """Names, parameters and what is left over; the entries stay as they are in the file."""
    template = read_template(body(name))
    assert list(SEEN[name]) == [output.name for output in template.outputs]
    for output, (parameters, extras) in zip(template.outputs, SEEN[name].values(), strict=True):
        assert fields(parameters) == fields(output.parameters)
        assert extras == output.extras
    assert body(name) == template.document
    assert body(name)["data"]["outputs"] == [output.original for output in template.outputs]


@pytest.mark.parametrize("name", [name for name in SEEN if "mp4" in name])
def test_a_seen_document_is_a_spec_that_validates(name):
    """So it runs on the ffmpeg provider: what our encoders would ignore is not in it."""
    for output in read_template(body(name)).outputs:
        assert [] == wrong(output.parameters)


def wrong(parameters):
    """What the combination rules say of plain parameters."""
    node = from_plain(parameters)
    return problems(Parameters.model_validate(parameters), Written(node, "encodes.a.outputs.b", None))


@pytest.mark.parametrize("name", SEEN)
def test_a_seen_document_is_sent_as_it_stands(name):
    """All of it, or only some of its outputs."""
    template = read_template(body(name))
    last = template.outputs[-1].original
    assert body(name) == encoding_document([output.original for output in template.outputs], template.document)
    assert [last] == encoding_document([last], template.document)["data"]["outputs"]


@pytest.mark.parametrize("name", ["create_job.request.legacy_full_snake_case", "params.response.2023-03"])
def test_a_document_in_a_body_of_the_api_is_found(name):
    """The guide's way to get one is to copy it out of `params`; the whole of it will do."""
    given = body(name).get("job", body(name))
    assert ["720p", "480p"] == [output.name for output in read_template(given).outputs]
    assert given["params"] == read_template(given).document


def test_a_servers_additions_are_nothing():
    """`schema` and `selectedOutputs` are in every echo."""
    (plain,) = read_template(body("params.request.mp4_x264_crf_480p")).outputs
    (echoed,) = read_template(body("get_job.response.partitioning.2023-06")["job"]).outputs
    assert plain == echoed


def test_a_document_under_app_keeps_what_stands_beside_it():
    """The current generation has keys of its own, which are hashed and sent if they say anything."""
    given = {"app": body("params.request.mp4_x264_crf_480p"), "partitioner": {"chunk": 5}, "assembler": {}}
    template = read_template({"params": given})
    assert given == template.document
    assert {"bytenite.partitioner.chunk": 5} == template.outputs[0].extras


TWINS = {
    "an empty text is nothing": ({"audio": {"audio_codec": "AAC", "audio_bitrate": ""}}, {"audio": {"codec": "aac"}}),
    "croppings of zero are nothing": ({"aspect": {"cropping": {"top": 0, "left": "0"}}}, {}),
    "croppings": ({"aspect": {"cropping": {"top": 2, "left": "4"}}}, {"video": {"crop": {"top": 2, "left": 4}}}),
    "mono": ({"audio": {"audio_channel": "1.0"}}, {"audio": {"channels": 1}}),
    "surround": ({"audio": {"audio_channel": "5.1"}}, {"audio": {"channels": 6}}),
    "channels as a number": ({"audio": {"audio_channel": 2}}, {"audio": {"channels": 2}}),
    "a sample rate": ({"audio": {"audio_sample_rate": "44.1khz"}}, {"audio": {"sample_rate": 44_100}}),
    "a rotation": (
        {"aspect": {"orientation": {"rotation": "90", "flip": "vertical"}}},
        {"video": {"rotate": 90, "flip": "vertical"}},
    ),
    "upscaling without a height is nothing": ({"aspect": {"resolution": {"avoid_upscaling": False}}}, {}),
    "upscaling": (
        {"aspect": {"resolution": {"height": "720p", "avoid_upscaling": False}}},
        {"video": {"height": 720, "avoid_upscaling": False}},
    ),
    "no upscaling is neutral": (
        {"aspect": {"resolution": {"height": "720p", "avoid_upscaling": True}}},
        {"video": {"height": 720}},
    ),
    "any height": ({"aspect": {"resolution": {"height": "1440p"}}}, {"video": {"height": 1440}}),
    "a custom height": (
        {"aspect": {"resolution": {"height": "custom", "custom_height": "360"}}},
        {"video": {"height": 360}},
    ),
    "a colour without bars is nothing": ({"aspect": {"padding": {"fill_color": "#ff0000"}}}, {}),
    "black bars": (
        {"aspect": {"padding": {"fill_color": "#000000", "final_aspect_ratio": "16:9"}}},
        {"video": {"pad": {"aspect": "16:9"}}},
    ),
    "red bars": (
        {"aspect": {"padding": {"fill_color": "#FF0000", "final_aspect_ratio": "32:18"}}},
        {"video": {"pad": {"aspect": "16:9", "color": "red"}}},
    ),
    "bars of a colour without a name": (
        {"aspect": {"padding": {"fill_color": "#123456", "final_aspect_ratio": "16:9"}}},
        {"video": {"pad": {"aspect": "16:9", "color": "#123456"}}},
    ),
    "a broadcast rate": ({"video": {"frame_rate": {"fps": "29.97", "up_mode": "avoid"}}}, {"video": {"fps": 29.97}}),
    "bitrates of zero are nothing": (
        {"video": {"bitrate": {"rate_control_mode": "variable_bitrate", "avg_bitrate": "2M", "max_bitrate": "0k"}}},
        {"video": {"bitrate": "2M"}},
    ),
    "a capped quality": (
        {
            "video": {
                "codec": "libx264",
                "bitrate": {
                    "rate_control_mode": "constant_quality",
                    "crf": "23",
                    "max_bitrate": "3M",
                    "buffer_size": "6M",
                },
            }
        },
        {"video": {"codec": "h264", "crf": 23, "max_bitrate": "3M", "buffer_size": "6M"}},
    ),
    "a quality of zero": (
        {"video": {"codec": "libx264", "bitrate": {"rate_control_mode": "constant_quality", "crf": 0}}},
        {"video": {"codec": "h264", "crf": 0}},
    ),
    "a buffer of a constant rate": (
        {
            "video": {
                "codec": "libx264",
                "bitrate": {"rate_control_mode": "constant_bitrate", "target_bitrate": "2M", "buffer_size": "2M"},
            }
        },
        {"video": {"codec": "h264", "bitrate": "2M", "mode": "cbr", "buffer_size": "2M"}},
    ),
    "a level": (
        {"video": {"codec": "libx264", "codec_params": {"level": 4.1, "tune": ""}}},
        {"video": {"codec": "h264", "level": "4.1"}},
    ),
    "the fastest VP9": (
        {"video": {"codec": "libvpx-vp9", "codec_params": {"cpu_used": 0}}},
        {"video": {"codec": "vp9", "preset": 0}},
    ),
    "AV1, should they have it": (
        {"video": {"codec": "libaom-av1", "codec_params": {"cpu_used": 4}}},
        {"video": {"codec": "av1", "encoder": "libaom-av1", "preset": 4}},
    ),
}


@pytest.mark.parametrize("case", TWINS)
def test_a_field_and_its_twin_are_the_same(case):
    """Different spellings of one wish have one fingerprint, and nothing is left over."""
    sections, twin = TWINS[case]
    (output,) = read_template(document(entry("a", **sections))).outputs
    assert fields({"container": "mp4", **twin}) == fields(output.parameters)
    assert {} == output.extras


LEFT = {
    "unknown fields": (
        {"video": {"deinterlace": {"mode": "bwdif", "empty": ""}}},
        {"bytenite.output_params.video.deinterlace.mode": "bwdif"},
    ),
    "unknown sections": ({"drm": {"keys": ["a", {"b": 1}]}}, {"bytenite.output_params.drm.keys": '["a",{"b":1}]'}),
    "an unknown truth": ({"video": {"two_pass": False}}, {"bytenite.output_params.video.two_pass": False}),
    "keys with dots": ({"video": {"a.b": 1}}, {'bytenite.output_params.video."a.b"': 1}),
    "an unknown codec": ({"audio": {"audio_codec": "MP3"}}, {"bytenite.output_params.audio.audio_codec": "MP3"}),
    "no codec, in a word": ({"audio": {"audio_codec": "none"}}, {"bytenite.output_params.audio.audio_codec": "none"}),
    "a bitrate that is none": (
        {"audio": {"audio_bitrate": "high"}},
        {"bytenite.output_params.audio.audio_bitrate": "high"},
    ),
    "an unknown rate control": (
        {"video": {"bitrate": {"rate_control_mode": "magic", "crf": 23}}},
        {
            "bytenite.output_params.video.bitrate.crf": 23,
            "bytenite.output_params.video.bitrate.rate_control_mode": "magic",
        },
    ),
    "the fields of another rate control": (
        {"video": {"bitrate": {"rate_control_mode": "variable_bitrate", "crf": 23}}},
        {"bytenite.output_params.video.bitrate.crf": 23},
    ),
    "settings of an unknown encoder": (
        {"video": {"codec": "h264_nvenc", "codec_params": {"preset": "p5"}}},
        {
            "bytenite.output_params.video.codec": "h264_nvenc",
            "bytenite.output_params.video.codec_params.preset": "p5",
        },
    ),
    "another way up": (
        {"video": {"frame_rate": {"up_mode": "interpolate"}}},
        {"bytenite.output_params.video.frame_rate.up_mode": "interpolate"},
    ),
    "a height by another name": (
        {"aspect": {"resolution": {"height": "uhd"}}},
        {"bytenite.output_params.aspect.resolution.height": "uhd"},
    ),
    "a custom height that is not used": (
        {"aspect": {"resolution": {"height": "720p", "custom_height": 360}}},
        {"bytenite.output_params.aspect.resolution.custom_height": 360},
    ),
    "a shape of the picture": (
        {"aspect": {"resolution": {"aspect_ratio": "4:3"}}},
        {"bytenite.output_params.aspect.resolution.aspect_ratio": "4:3"},
    ),
}


@pytest.mark.parametrize("case", LEFT)
def test_what_has_no_word_of_ours_is_kept_by_its_path(case):
    """It is hashed and sent, whatever it means."""
    sections, extras = LEFT[case]
    (output,) = read_template(document(entry("a", **sections))).outputs
    assert extras == output.extras


def test_what_the_document_says_of_all_outputs_is_kept_with_each():
    """But for the names of files, and the preset."""
    given = document(
        entry("a"), entry("b"), preset="unpackaged", watermark={"text": "x"}, schema="s", selectedOutputs=[1]
    )
    given["data"] |= {"output_code_template": "x", "segments": 6}
    extras = {"bytenite.data.segments": 6, "bytenite.watermark.text": "x"}
    assert [extras, extras] == [output.extras for output in read_template(given).outputs]


def height(text, custom=None, codec="libx264"):
    """An output without a name."""
    resolution = {"height": text} | ({"custom_height": custom} if custom else {})
    return entry("", aspect={"resolution": resolution}, video={"codec": codec})


NAMES = {
    "a name": ([entry("web-720p")], ["web-720p"]),
    "what cannot stand in a name": ([entry("  720p @ 4,5 Mbps/HD! ")], ["720p-4-5-Mbps-HD"]),
    "other letters": ([entry("größe"), entry("高清")], ["größe", "高清"]),
    "a dot in front": ([entry("..-a")], ["a"]),
    "nothing that can stand": ([entry("@@@")], ["source"]),
    "one height": ([height("720p")], ["720p"]),
    "a custom height": ([height("custom", 360)], ["360p"]),
    "no height": ([height("")], ["source"]),
    "two codecs of one height": ([height("720p"), height("720p", codec="libvpx-vp9")], ["720p-h264", "720p-vp9"]),
    "two codecs of one name": (
        [entry("web", video={"codec": "libx264"}), entry("WEB", video={"codec": "exotic/1"})],
        ["web-h264", "WEB-exotic-1"],
    ),
}


@pytest.mark.parametrize("case", NAMES)
def test_outputs_have_names(case):
    """Of their own, else after their height; those that clash get their codecs, in whatever order."""
    entries, names = NAMES[case]
    assert names == [output.name for output in read_template(document(*entries)).outputs]
    assert names[::-1] == [output.name for output in read_template(document(*entries[::-1])).outputs]


def test_a_long_name_is_cut_between_letters():
    """A hundred bytes are the most that a name has."""
    (output,) = read_template(document(entry("é" * 70))).outputs
    assert "é" * 50 == output.name


BROKEN = {
    "no mapping": ([], ((), "an encoding document is a mapping")),
    "no data": ({"preset": "unpackaged"}, ((), 'there is no "data" in it')),
    "data that is none": ({"data": 3}, (("data",), "must be a mapping")),
    "no outputs": (
        {"params": {"data": {}}},
        (("params", "data", "outputs"), "must be a list with at least one output"),
    ),
    "none in the list": (document(), (("data", "outputs"), "must be a list with at least one output")),
    "an output that is none": (document("720p"), (("data", "outputs", 0), "an output is a mapping")),
    "a section that is none": (
        document({"output_params": {"video": "h264"}}),
        (("data", "outputs", 0, "output_params", "video"), "must be a mapping"),
    ),
    "a name that is none": (document({"name": 720}), (("data", "outputs", 0, "name"), "a name is text")),
    "one name twice": (
        document(entry("a"), entry("a")),
        (("data", "outputs", 0, "name"), 'two outputs would be named "a"'),
    ),
    "no number": (document({"x": float("nan")}), (("data", "outputs", 0, "x"), "nan is no number that JSON has")),
    "a date": (
        document({"x": dt.date(2026, 1, 1)}),
        (("data", "outputs", 0, "x"), "a date is nothing that JSON has"),
    ),
    "a key that is none": (document({1: 2}), (("data", "outputs", 0), "the key 1 is no text")),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_document_says_where(case):
    """The path leads there from the top of what was given."""
    given, (path, message) = BROKEN[case]
    with pytest.raises(TemplateProblems) as caught:
        read_template(given)
    first = caught.value.problems[0]
    assert (path, message) == (first.path, first.message)
    assert first.hint


def test_all_that_is_wrong_is_told():
    """Not only the first of it."""
    with pytest.raises(TemplateError) as caught:
        read_template(document("a", {"output_params": {"audio": [1]}}, {"name": [], "output_params": 3}))
    paths = [problem.path[3:] for problem in caught.value.problems]
    assert [(), ("output_params", "audio"), ("output_params",)] == paths
    assert "data.outputs[0]: an output is a mapping" == str(caught.value)


def test_a_document_without_end_is_refused():
    """Before anything goes down all its levels."""
    deep = 1
    for _ in range(500):
        deep = {"a": deep}
    with pytest.raises(TemplateProblems, match="nested too deeply"):
        read_template(document(deep))


BITS = st.integers(min_value=64, max_value=20_000).map(lambda thousands: thousands * 500)
EVEN = st.integers(min_value=0, max_value=200).map(lambda half: half * 2)
COLOURS = st.sampled_from(["black", "white", "orange", "gray", "#123456", "#00ff01"])
RATES = st.sampled_from([24, 25, 30, 60, 12.5, "24000/1001", "30000/1001", "1000/33"])
CODECS = st.sampled_from(["h264", "hevc", "vp9"])


def some(**strategies):
    """Mappings with any of these keys."""
    return st.fixed_dictionaries({}, optional=strategies)


@st.composite
def pictures(draw):
    """A picture as a spec may ask for it of ByteNite."""
    codec = draw(CODECS)
    x26x = codec != "vp9"
    said = draw(
        some(
            height=st.integers(min_value=1, max_value=1080).map(lambda half: half * 2),
            rotate=st.sampled_from([0, 90, 180, 270]),
            flip=st.sampled_from(["horizontal", "vertical"]),
            fps=RATES,
            crop=st.fixed_dictionaries({"top": EVEN}, optional={"bottom": EVEN, "left": EVEN, "right": EVEN}),
            pad=st.fixed_dictionaries(
                {"aspect": st.sampled_from(["16:9", "2.39:1", "1:1"])}, optional={"color": COLOURS}
            ),
            preset=st.sampled_from(["fast", "slow"] if x26x else [0, 1, 4]),
            **({"tune": st.sampled_from(["grain", "psnr"])} if x26x else {}),
            **({"level": st.sampled_from([4, "4.1", 52])} if codec == "h264" else {}),
        )
    )
    if "height" in said:
        said |= draw(some(avoid_upscaling=st.booleans()))
    return {"codec": codec, **said, **draw(rates(x26x=x26x))}


def rates(*, x26x):
    """The three rate controls, as far as both sides have words for them."""
    bounded = {"max_bitrate": st.just("20M"), "buffer_size": st.just("40M")}
    average = st.fixed_dictionaries({"bitrate": BITS, **bounded}) if x26x else st.fixed_dictionaries({"bitrate": BITS})
    return st.one_of(
        st.fixed_dictionaries({"crf": st.integers(min_value=0, max_value=51)}),
        average,
        st.fixed_dictionaries({"bitrate": BITS}, optional={"mode": st.sampled_from(["vbr", "cbr"])}),
    )


SOUNDS = st.fixed_dictionaries(
    {"codec": st.just("aac")},
    optional={
        "bitrate": st.integers(min_value=12, max_value=200).map(lambda thousands: thousands * 1000),
        "channels": st.sampled_from([1, 2, 6]),
        "sample_rate": st.sampled_from([8_000, 22_050, 44_100, 48_000]),
        "missing": st.just("skip"),
        "track": st.just(0),
    },
)


@settings(max_examples=300, deadline=None)
@given(pictures(), SOUNDS)
def test_there_and_back_is_the_same_fingerprint(picture, sound):
    """What ByteNite can be asked for comes back as what was asked, and nothing of it is strange."""
    parameters = asked(video=picture, audio=sound)
    assert [] == refusals(parameters, remote())
    sent = json.loads(json.dumps(encoding_document([output_object("720p-0123abcd", parameters)])))
    (output,) = read_template(sent).outputs
    assert ("720p-0123abcd", {}) == (output.name, output.extras)
    assert parameter_fields(parameters) == fields(output.parameters)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PLACES = [
    ("output_type",), ("output_params", "audio", "audio_channel"), ("output_params", "audio", "audio_codec"),
    ("output_params", "audio", "audio_sample_rate"), ("output_params", "video", "codec"),
    ("output_params", "video", "bitrate", "crf"), ("output_params", "video", "bitrate", "rate_control_mode"),
    ("output_params", "video", "bitrate", "buffer_size"), ("output_params", "video", "codec_params", "preset"),
    ("output_params", "video", "codec_params", "level"), ("output_params", "video", "frame_rate", "fps"),
    ("output_params", "video", "frame_rate"), ("output_params", "aspect", "resolution", "height"),
    ("output_params", "aspect", "resolution", "avoid_upscaling"), ("output_params", "aspect", "cropping", "top"),
    ("output_params", "aspect", "orientation", "rotation"),
    ("output_params", "aspect", "padding", "final_aspect_ratio"),
    ("name",), ("output_params",), ("anything",),
]  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(PLACES), JSON)
def test_any_value_anywhere_is_read_or_complained_of(place, value):
    """Nothing that JSON can hold ends in another error, and what is read is something that a spec can say."""
    given_document = copy.deepcopy(body("params.request.mp4_x264_crf_480p"))
    target = given_document["data"]["outputs"][0]
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    try:
        (output,) = read_template(given_document).outputs
    except TemplateError:
        pass  # a complaint is as good
    else:
        Parameters.model_validate(output.parameters)
        assert all(isinstance(extra, str | int | float) for extra in output.extras.values())


def test_a_change_of_any_known_value_changes_something():
    """Every value of a document that was seen is hashed, but for names and bounds that the encoder ignores."""
    known = body("params.request.mp4_x264_and_vp9_vbr")
    said = hashed(known)
    silent = set()
    for place in sorted(places(known["data"]["outputs"][0])):
        other = copy.deepcopy(known)
        target = other["data"]["outputs"][0]
        for key in place[:-1]:
            target = target[key]
        target[place[-1]] = {"720p": "540p", False: True}.get(target[place[-1]], "7")
        if hashed(other) == said:
            silent.add(place[-1])
    assert {"min_bitrate", "fill_color"} == silent


def hashed(given_document):
    """What of a document's first output goes into a manifest."""
    output = read_template(given_document).outputs[0]
    return {**fields(output.parameters), **output.extras}


def places(mapping, path=()):
    """The paths of all plain values."""
    for key, value in mapping.items():
        if isinstance(value, dict):
            yield from places(value, (*path, key))
        else:
            yield (*path, key)


def test_h264_and_aac_of_the_builders_are_what_they_say():
    """The common case of the other tests has a twin without anything left over."""
    (output,) = read_template(document(output_object("a", asked()))).outputs
    assert fields({"container": "mp4", "video": H264, "audio": AAC}) == fields(output.parameters)
