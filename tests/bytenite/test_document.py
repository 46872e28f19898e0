"""Outputs of ours in the words of ByteNite's encoding document, and what it has no words for."""

from __future__ import annotations

from typing import Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from builders_bodies import AAC, H264, asked, body, document, entry, remote, video
from reconciler.bytenite.document import encoding_document, output_object, refusals
from reconciler.core.parameters import Parameters
from reconciler.core.presets import BUILT_IN

VP9 = {"codec": "vp9", "bitrate": "2M"}
AVERAGE = {"codec": "h264", "bitrate": "2M"}
SIZED = {**H264, "height": 720}

# For every field that a spec may set: a context in which it says something, and two values.
WALK = {
    "container": ({}, "mp4", "mkv"),
    "faststart": ({}, True, False),
    "segment.type": ({"container": "hls"}, "fmp4", "ts"),
    "segment.duration": ({"container": "hls"}, 6, 4),
    "variants": ({"container": "hls"}, None, {"a": {"video": H264, "audio": AAC}}),
    "video.codec": ({}, "h264", "hevc"),
    "video.encoder": ({"video": {"codec": "h264", "crf": 30}}, None, "libaom-av1"),
    "video.crf": ({}, 23, 21),
    "video.bitrate": ({"video": {"codec": "h264"}}, 1_000_000, 2_000_000),
    "video.min_bitrate": ({"video": VP9}, None, "1M"),
    "video.max_bitrate": ({}, None, "3M"),
    "video.buffer_size": ({"video": {**AVERAGE, "max_bitrate": "3M"}}, "6M", "3M"),
    "video.mode": ({"video": AVERAGE}, "vbr", "cbr"),
    "video.preset": ({}, "fast", "slow"),
    "video.tune": ({}, None, "film"),
    "video.profile": ({}, None, "high"),
    "video.level": ({}, None, "4.1"),
    "video.pixel_format": ({}, None, "yuv422p"),
    "video.width": ({}, None, 640),
    "video.height": ({}, None, 360),
    "video.avoid_upscaling": ({"video": SIZED}, True, False),
    "video.crop.top": ({}, 0, 2),
    "video.crop.bottom": ({}, 0, 2),
    "video.crop.left": ({}, 0, 2),
    "video.crop.right": ({}, 0, 2),
    "video.pad.aspect": ({}, "16:9", "4:3"),
    "video.pad.color": ({"video": {**H264, "pad": {"aspect": "16:9"}}}, "black", "white"),
    "video.rotate": ({}, 0, 90),
    "video.flip": ({}, None, "vertical"),
    "video.fps": ({}, None, 30),
    "video.fps.max": ({}, None, 30),
    "video.keyframe_interval": ({}, None, 4),
    "video.watermark.image": ({}, None, "b.png"),
    "video.watermark.position": ({}, "top_right", "center"),
    "video.watermark.margin": ({}, "2%", 0),
    "video.watermark.width": ({}, "10%", 64),
    "video.watermark.opacity": ({}, 1, 0.5),
    "video.watermark.start": ({}, 0, 2),
    "video.watermark.end": ({}, None, 4),
    "video.deinterlace": ({}, "off", "auto"),
    "video.passes": ({"video": AVERAGE}, 1, 2),
    "video.autocrop": ({}, False, True),
    "video.quality.vmaf": ({}, None, 94),
    "video.tonemap": ({}, None, "hable"),
    "audio.codec": ({}, "aac", "opus"),
    "audio.bitrate": ({}, "96k", "128k"),
    "audio.channels": ({}, 1, 2),
    "audio.sample_rate": ({}, 44_100, 48_000),
    "audio.track": ({}, 0, 1),
    "audio.missing": ({}, "skip", "silence"),
    "audio.tracks": ({}, None, "all"),
    "subtitles.track": ({}, 0, "eng"),
    "subtitles.burn_in": ({}, None, "a.srt"),
    "stills.at": ({}, None, "10%"),
    "stills.every": ({}, None, 10),
    "stills.grid": ({}, None, "5x5"),
    "stills.width": ({}, None, 160),
    "stills.height": ({}, None, 90),
    "stills.watermark.image": ({}, None, "b.png"),
    "stills.watermark.position": ({}, "top_right", "center"),
    "stills.watermark.margin": ({}, "2%", 0),
    "stills.watermark.width": ({}, "10%", 64),
    "stills.watermark.opacity": ({}, 1, 0.5),
    "stills.watermark.start": ({}, 0, 2),
    "stills.watermark.end": ({}, None, 4),
    "audio.loudness.target": ({}, None, -16),
    "audio.loudness.true_peak": ({}, -1.5, -1),
    "audio.loudness.range": ({}, None, 11),
    "audio.copy_if.codec": ({}, None, "ac3"),
    "audio.copy_if.max_bitrate": ({}, None, "192k"),
}


def leaves(model, prefix=""):
    """The paths of all fields of a model and of the models in it."""
    for name, field in model.model_fields.items():
        inner = [part for part in parts(field.annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
        # Variants are refused as a whole, whatever they say.
        inner = [] if name == "variants" else inner
        plain = [part for part in parts(field.annotation) if part is not type(None) and part not in inner]
        for part in inner:
            yield from leaves(part, f"{prefix}{name}.")
        if plain:
            yield prefix + name


def parts(annotation):
    """The members of a union, without what only describes them."""
    members = get_args(annotation)
    if get_origin(annotation) is Literal or not members:
        return [annotation]
    if hasattr(annotation, "__metadata__"):
        return parts(members[0])
    return [part for member in members for part in parts(member)]


def changed(context, path, value):
    """The parameters of a context with one field set, or left out."""
    place = values = {"container": "mp4", "video": dict(H264), "audio": dict(AAC)} | {
        name: dict(part) if isinstance(part, dict) else part for name, part in context.items()
    }
    *above, last = path.split(".")
    if value is None:
        return Parameters.model_validate(values)
    for name in above:
        place[name] = dict(place.get(name) or {})
        place = place[name]
    place[last] = value
    return Parameters.model_validate(values)


def told(parameters):
    """What ByteNite is asked for, and the fields that it cannot be asked for."""
    return output_object("720p", parameters), [refusal.field for refusal in refusals(parameters, remote())]


def test_the_walk_knows_every_field():
    """A new field fails here until somebody says whether ByteNite has a word for it."""
    assert set(WALK) == set(leaves(Parameters))


@pytest.mark.parametrize("path", WALK)
def test_every_field_is_sent_or_refused(path):
    """No field is forgotten: another value gives another document, or is refused by its name."""
    context, before, other = WALK[path]
    said, refused = told(changed(context, path, other))
    said_before, refused_before = told(changed(context, path, before))
    assert [] == refused_before
    assert refused == [path] or (refused == [] and said != said_before)


REFUSED = {
    "variants": asked(container="hls", video=None, audio=None, variants={"a": {"video": H264, "audio": AAC}}),
    "segment.duration": asked(container="hls", segment={"duration": 4}),
    "container": asked(container="mov"),
    "faststart": asked(faststart=False),
    "video.codec": asked(video={"codec": "av1", "crf": 30}),
    "video.encoder": video(encoder="libx265"),
    "video.crf": video(crf=23.5),
    "video.max_bitrate": video(max_bitrate="4M"),
    "video.min_bitrate": video(min_bitrate="1M"),
    "video.buffer_size": asked(video={**AVERAGE, "mode": "cbr", "buffer_size": "4M"}),
    "video.tune": asked(video={**VP9, "tune": "film"}),
    "video.profile": asked(video={**VP9, "profile": "0"}),
    "video.level": asked(video={"codec": "hevc", "crf": 28, "level": "4.1"}),
    "video.preset": asked(video={**VP9, "preset": "good"}),
    "video.pixel_format": video(pixel_format="yuv420p10le"),
    "video.keyframe_interval": video(keyframe_interval=2),
    "video.deinterlace": video(deinterlace="auto"),
    "video.passes": asked(video={**AVERAGE, "passes": 2}),
    "video.tonemap": video(tonemap="hable"),
    "video.width": video(width=1280),
    "video.flip": video(flip="both"),
    "video.fps.max": video(fps={"max": 30}),
    "audio.codec": asked(audio={"codec": "opus"}),
    "audio.channels": asked(audio={**AAC, "channels": 4}),
    "audio.track": asked(audio={**AAC, "track": 1}),
    "audio.missing": asked(audio={**AAC, "missing": "error"}),
    "audio.tracks": asked(audio={**AAC, "tracks": ["eng"]}),
    "audio.loudness.target": asked(audio={**AAC, "loudness": {"target": -16}}),
    "audio.copy_if.max_bitrate": asked(audio={**AAC, "copy_if": {"max_bitrate": "192k"}}),
}


@pytest.mark.parametrize("field", REFUSED)
def test_what_the_document_cannot_say_is_refused(field):
    """By the field's name in a manifest, with words that say what to do instead."""
    (refusal,) = refusals(REFUSED[field], remote())
    assert field == refusal.field
    assert refusal.message
    assert refusal.hint.endswith((".", "8M", "24", "instead: it is the same picture.")), refusal.hint


def test_no_picture_and_no_sound_are_refused():
    """Nobody ever saw a document without one of them."""
    silent = asked(audio={"codec": "none"})
    blind = asked(video={"codec": "none"})
    assert ["audio.codec"] == [refusal.field for refusal in refusals(silent, remote())]
    assert ["video.codec"] == [refusal.field for refusal in refusals(blind, remote())]


def test_neutral_values_are_no_wish():
    """What spelling out changes nothing is refused by nobody."""
    said = asked(
        faststart=True,
        video={**H264, "pixel_format": "yuv420p", "encoder": "libx264", "rotate": 0, "crop": {"top": 0}},
        audio={**AAC, "track": 0, "missing": "skip"},
    )
    assert [] == refusals(said, remote())


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_presets_of_h264_and_hevc_can_be_asked_for(name):
    """The others hold a codec or a container that ByteNite was never seen to make."""
    refused = refusals(Parameters.model_validate(BUILT_IN[name].parameters), remote())
    assert ("h264" in name or "hevc" in name) == (refused == [])


def test_a_trim_and_a_test_picture_are_refused():
    """ByteNite encodes the whole of a file that there is."""
    trimmed = remote(start=5, end=20)
    assert ["source.trim.start", "source.trim.end"] == [one.field for one in refusals(asked(), trimmed)]
    assert ["source"] == [one.field for one in refusals(asked(), remote(kind="lavfi"))]


def test_turning_a_picture_around_both_ways_has_another_word():
    """The hint of a flip in both directions counts an asked rotation in."""
    (refusal,) = refusals(video(flip="both", rotate=90), remote())
    assert "rotate: 270" in refusal.hint


def seen(name, index=0):
    """An entry as it was seen in a document that ran, with a name."""
    return {"name": "720p", **body(name)["data"]["outputs"][index]}


def test_a_quality_is_said_as_it_was_seen():
    """The guide's own document but for its buffer, which x264 ignores."""
    known = seen("params.request.mp4_x264_crf_480p")
    del known["output_params"]["video"]["bitrate"]["buffer_size"]
    said = asked(
        video={**H264, "height": 480, "preset": "slow", "avoid_upscaling": False}, audio={**AAC, "bitrate": "192k"}
    )
    assert {**known, "name": "720p"} == output_object("720p", said)


def test_an_average_is_said_as_it_was_seen():
    """Every bitrate under the name that the console writes, VP9 with its cpu_used."""
    known = seen("params.request.mp4_x264_and_vp9_vbr", 1)
    rates = {"bitrate": "800k", "max_bitrate": "2M", "min_bitrate": "400k", "buffer_size": "2M"}
    picture = {"codec": "vp9", "preset": 1, "height": 480, "avoid_upscaling": False, **rates}
    assert known == output_object("720p", asked(video=picture, audio={**AAC, "bitrate": "320k"}))


def test_a_constant_rate_is_said_as_it_was_seen():
    """One target, and no bounds."""
    known = seen("params.request.mp4_x265_cbr_540p_1080p")
    picture = {"codec": "hevc", "preset": "medium", "height": 540, "bitrate": "600k", "mode": "cbr"}
    assert known == output_object("720p", asked(video=picture, audio={**AAC, "bitrate": "192k"}))


def test_a_quality_keeps_its_buffer():
    """The one bound that was seen beside a quality."""
    said = output_object("a", video(buffer_size="1200k"))
    assert (
        body("params.request.mp4_x264_crf_480p")["data"]["outputs"][0]["output_params"]["video"]["bitrate"]
        == (said["output_params"]["video"]["bitrate"])
    )


@pytest.mark.parametrize(
    ("height", "said"),
    [
        (480, {"height": "480p"}),
        (540, {"height": "540p"}),
        (720, {"height": "720p"}),
        (1080, {"height": "1080p"}),
        (360, {"height": "custom", "custom_height": 360}),
        (2160, {"height": "custom", "custom_height": 2160}),
        (None, {"height": ""}),
    ],
)
def test_heights_have_names_or_are_custom(height, said):
    """Only four heights have a name."""
    resolution = output_object("a", video(height=height))["output_params"]["aspect"]["resolution"]
    assert {"aspect_ratio": "", "avoid_upscaling": True, **said} == resolution


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (30, "30"),
        (29.97, "29.97"),
        ("30000/1001", "29.97"),
        (23.976, "23.976"),
        (59.94, "59.94"),
        (12.5, "12.5"),
        ("1/3", "1/3"),
        ("1000/33", "1000/33"),
        (None, ""),
    ],
)
def test_frame_rates_are_text(rate, said):
    """In the decimals that people write, where these mean exactly that rate."""
    assert {"fps": said, "up_mode": "avoid"} == output_object("a", video(fps=rate))["output_params"]["video"][
        "frame_rate"
    ]


def test_bars_have_a_shape_and_a_colour():
    """Colours by name are written as numbers."""
    padding = output_object("a", video(pad={"aspect": "16:9", "color": "orange"}))["output_params"]["aspect"]["padding"]
    assert {"fill_color": "#ffa500", "final_aspect_ratio": "16:9"} == padding


@pytest.mark.parametrize(
    ("hertz", "said"), [(48_000, "48khz"), (44_100, "44.1khz"), (22_050, "22.05khz"), (8_000, "8khz")]
)
def test_sample_rates_are_in_kilohertz(hertz, said):
    """In the manner that was seen."""
    sound = output_object("a", asked(audio={**AAC, "sample_rate": hertz}))["output_params"]["audio"]
    assert said == sound["audio_sample_rate"]


def test_bitrates_without_thousands_are_plain_bits():
    """Rounding would ask for something else."""
    sound = output_object("a", asked(audio={**AAC, "bitrate": 127_500}))["output_params"]["audio"]
    assert "127500" == sound["audio_bitrate"]


def test_our_own_document_names_outputs_by_their_names():
    """So results can be told apart by their file names."""
    wanted = encoding_document([entry("720p-0123abcd")])
    data = {"output_template": "{{.name}}", "output_code_template": "", "outputs": [entry("720p-0123abcd")]}
    assert {"data": data, "preset": "unpackaged"} == wanted


def test_a_users_document_keeps_all_but_its_outputs():
    """Unknown fields pass through, on every level, and the document that was given stays as it is."""
    given = document(entry("a"), entry("b"), preset="mine", watermark={"text": "x"})
    given["data"]["unknown"] = [1, {"two": 2}]
    sent = encoding_document([given["data"]["outputs"][1]], given)
    assert ["b"] == [one["name"] for one in sent["data"]["outputs"]]
    assert given == {**sent, "data": {**sent["data"], "outputs": [entry("a"), entry("b")]}}


def test_a_users_document_stays_in_its_wrapping():
    """What stands beside `app` is as it was, too."""
    given = {"app": document(entry("a"), entry("b")), "partitioner": {"chunk": 5}}
    sent = encoding_document([entry("b")], given)
    assert {"app": document(entry("b")), "partitioner": {"chunk": 5}} == sent
