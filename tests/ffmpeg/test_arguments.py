"""What ffmpeg is told."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from builders_ffmpeg import AAC, H264, asked, generated, local
from reconciler.core.parameters import Parameters
from reconciler.core.pins import resolved, uncropped, unresolved
from reconciler.ffmpeg.arguments import Target, arguments, shell
from reconciler.ffmpeg.formats import FORMAT_WHITELIST
from reconciler.ffmpeg.probe import probe

SOURCE = local("master.mov")


def told(*parameters, source=SOURCE, facts=None, threads=None):
    """The arguments for some outputs."""
    targets = [Target(one, f"/project/outputs/{number}.part") for number, one in enumerate(parameters)]
    return arguments(source, "/media/master.mov", targets, facts=facts, threads=threads)


def after(words, option):
    """What follows an option, each time that it is given."""
    return [words[place + 1] for place, word in enumerate(words) if word == option]


POSTER = {"container": "jpg", "video": {}, "audio": {}}
MARKED = {"video": {**H264, "watermark": {"image": "a.png"}}}
POSTER_MARKED = {**POSTER, "stills": {"at": 1, "watermark": {"image": "a.png"}}}

# For every field that a spec may set: a context in which it says something, and two values.
WALK = {
    "container": ({}, "mp4", "mkv"),
    "faststart": ({}, True, False),
    "segment.type": ({"container": "hls"}, "fmp4", "ts"),
    "segment.duration": ({"container": "hls"}, 6, 4),
    "variants": ({"container": "hls"}, {"a": {"video": H264}}, {"a": {"video": {**H264, "crf": 40}}}),
    "video.codec": ({}, "h264", "hevc"),
    "video.encoder": ({"video": {"codec": "av1", "crf": 30}}, "libsvtav1", "libaom-av1"),
    "video.crf": ({}, 23, 21),
    "video.bitrate": ({"video": {"codec": "h264"}}, 1_000_000, 2_000_000),
    "video.min_bitrate": ({"video": {"codec": "vp9", "bitrate": "2M"}, "container": "webm"}, None, "1M"),
    "video.max_bitrate": ({}, None, "3M"),
    "video.buffer_size": ({"video": {**H264, "max_bitrate": "3M"}}, "6M", "3M"),
    "video.passes": ({"video": {"codec": "h264", "bitrate": "2M"}}, 1, 2),
    "video.mode": ({"video": {"codec": "h264", "bitrate": "2M"}}, "vbr", "cbr"),
    "video.preset": ({}, "fast", "slow"),
    "video.tune": ({}, None, "film"),
    "video.profile": ({}, None, "high"),
    "video.level": ({}, None, "4.1"),
    "video.pixel_format": ({}, None, "yuv422p"),
    "video.width": ({}, None, 640),
    "video.height": ({}, None, 360),
    "video.avoid_upscaling": ({"video": {**H264, "height": 720}}, True, False),
    "video.crop.top": ({}, 0, 2),
    "video.crop.bottom": ({}, 0, 2),
    "video.crop.left": ({}, 0, 2),
    "video.crop.right": ({}, 0, 2),
    "video.pad.aspect": ({}, "16:9", "4:3"),
    "video.pad.color": ({"video": {**H264, "pad": {"aspect": "16:9"}}}, "black", "white"),
    "video.rotate": ({}, 0, 90),
    "video.deinterlace": ({}, "auto", "on"),
    "video.tonemap": ({}, None, "hable"),
    "video.flip": ({}, None, "vertical"),
    "video.fps": ({}, None, 30),
    "video.fps.max": ({}, 25, 30),
    "video.keyframe_interval": ({}, 2, 4),
    "video.watermark.image": ({}, "a.png", "b.png"),
    "video.watermark.position": (MARKED, "top_right", "center"),
    "video.watermark.margin": (MARKED, "2%", 0),
    "video.watermark.width": (MARKED, "10%", 64),
    "video.watermark.opacity": (MARKED, 1, 0.5),
    "video.watermark.start": (MARKED, 0, 2),
    "video.watermark.end": (MARKED, None, 4),
    "audio.codec": ({"container": "mkv"}, "aac", "opus"),
    "audio.bitrate": ({}, "96k", "128k"),
    "audio.channels": ({}, 1, 2),
    "audio.sample_rate": ({}, 44_100, 48_000),
    "audio.track": ({}, 0, 1),
    "audio.missing": ({}, "skip", "silence"),
    "audio.tracks": ({}, None, "all"),
    "subtitles.burn_in": ({}, 0, "a.srt"),
    "subtitles.track": ({"container": "vtt", "video": {}, "audio": {}}, 0, 1),
    "stills.at": ({**POSTER, "stills": {}}, "2s", "3s"),
    "stills.every": ({**POSTER, "stills": {}}, "5s", "10s"),
    "stills.grid": ({**POSTER, "stills": {"every": 5}}, None, "3x3"),
    "stills.width": ({**POSTER, "stills": {"at": 1}}, None, 160),
    "stills.height": ({**POSTER, "stills": {"at": 1}}, None, 90),
    "stills.watermark.image": ({**POSTER, "stills": {"at": 1}}, "a.png", "b.png"),
    "stills.watermark.position": (POSTER_MARKED, "top_right", "center"),
    "stills.watermark.margin": (POSTER_MARKED, "2%", 0),
    "stills.watermark.width": (POSTER_MARKED, "10%", 64),
    "stills.watermark.opacity": (POSTER_MARKED, 1, 0.5),
    "stills.watermark.start": (POSTER_MARKED, 0, 2),
    "stills.watermark.end": (POSTER_MARKED, None, 4),
    "audio.loudness.target": ({}, -16, -23),
    "audio.loudness.true_peak": ({"audio": {**AAC, "loudness": {"target": -16}}}, None, -1),
    "audio.loudness.range": ({"audio": {**AAC, "loudness": {"target": -16}}}, None, 11),
    "audio.copy_if.codec": ({}, "ac3", "aac"),
    "audio.copy_if.max_bitrate": ({}, "1k", "1M"),
}

# What is found by a pass of its own.
SEARCHED = {"video.quality.vmaf", "video.autocrop"}

# What changes nothing before a source is known, and a clip with which it does.
KNOWN = {
    "audio.missing": "silent",
    "audio.tracks": "eight_mono",
    "audio.copy_if.codec": "plain",
    "audio.copy_if.max_bitrate": "plain",
}


def leaves(model, prefix=""):
    """The paths of all fields of a model and of the models in it."""
    for name, field in model.model_fields.items():
        inner = [part for part in parts(field.annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
        # Variants are made of Video and Audio, which are walked as an output's own.
        inner = [] if name == "variants" else inner
        plain = [part for part in parts(field.annotation) if part is not type(None) and part not in inner]
        for part in inner:
            yield from leaves(part, f"{prefix}{name}.")
        if plain:
            yield prefix + name


def parts(annotation):
    """The members of a union, without what only describes them."""
    origin = get_origin(annotation)
    if origin is Literal:
        return [annotation]
    members = get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return parts(members[0])
    if not members:
        return [annotation]
    return [part for member in members for part in parts(member)]


def changed(context, path, value):
    """The parameters of a context with one field set."""
    values = {"container": "mp4", "video": dict(H264), "audio": dict(AAC), **context}
    place = values = {name: dict(part) if isinstance(part, dict) else part for name, part in values.items()}
    *above, last = path.split(".")
    for name in above:
        place[name] = dict(place.get(name) or {})
        place = place[name]
    place[last] = value
    return Parameters.model_validate(values)


def test_the_walk_knows_every_field():
    """A new field fails here until somebody says below how it changes what ffmpeg is told."""
    assert set(WALK) | set(SEARCHED) == set(leaves(Parameters))


def test_what_is_searched_for_changes_the_arguments_when_it_is_found():
    """A quality is no setting of an encoder: a pass of its own finds the crf, which is."""
    wanted = asked(video={"codec": "h264", "quality": {"vmaf": 94}})
    assert {"video."} == set(unresolved(wanted, {}))
    assert {} == unresolved(wanted, {"video.crf": 24.5})
    barred = asked(video={**H264, "autocrop": True})
    assert ["video."] == uncropped(barred, {})
    found = {"video.crop.top": 20, "video.crop.bottom": 20, "video.crop.left": 0, "video.crop.right": 0}
    assert [] == uncropped(barred, found)
    assert "crop=iw-0:ih-40:0:20" in after(told(resolved(barred, found)), "-vf")[0]
    assert ["24.5"] == after(told(resolved(wanted, {"video.crf": 24.5})), "-crf")


@pytest.mark.parametrize("path", WALK)
def test_every_field_changes_the_arguments(clips, path):
    """No field is read and forgotten: another value gives other arguments."""
    context, before, after_it = WALK[path]
    facts = probe(str(getattr(clips, KNOWN[path])())) if path in KNOWN else None
    assert told(changed(context, path, before), facts=facts) != told(changed(context, path, after_it), facts=facts)


def test_a_source_is_opened_as_a_local_file_only():
    """Protocols and formats are listed before the input, and the name cannot be taken for a URL or an option."""
    words = told(asked())
    opened = words[: words.index("-map")]
    assert ["file,pipe"] == after(opened, "-protocol_whitelist")
    assert [FORMAT_WHITELIST] == after(opened, "-format_whitelist")
    assert ["file:/media/master.mov"] == after(opened, "-i")
    assert {"hls", "dash", "concat", "lavfi"}.isdisjoint(FORMAT_WHITELIST.split(","))


def test_a_generated_source_is_the_only_use_of_lavfi():
    """The graph goes to ffmpeg as it is, and no file is opened."""
    words = told(asked(), source=generated("testsrc2=d=1"))
    assert ["lavfi", "mp4"] == after(words, "-f")
    assert ["testsrc2=d=1"] == after(words, "-i")


def test_progress_is_asked_for():
    """The options that make ffmpeg speak to a program, not to a person."""
    words = told(asked())
    assert words[:12] == [
        *("-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning"),
        *("-progress", "pipe:1", "-stats_period", "0.5", "-y", "-protocol_whitelist", "file,pipe"),
    ]


def test_several_outputs_share_one_graph():
    """One input is decoded once; `split` and `asplit` hand it to each output's own filters."""
    sound = {"codec": "opus", "channels": 6}
    second = asked(container="webm", video={"codec": "vp9", "crf": 33, "height": 60}, audio=sound)
    words = told(asked(), second, asked(container="m4a", video=None))
    assert ["file:/media/master.mov"] == after(words, "-i")
    (shared,) = after(words, "-filter_complex")
    assert shared.replace(";", "\n").splitlines() == [
        "[0:V:0]split=2[video0in][video1in]",
        "[video0in]" + after(told(asked()), "-vf")[0] + "[video0]",
        "[video1in]" + after(told(second), "-vf")[0] + "[video1]",
        "[0:a:0]asplit=3[audio0in][audio1in][audio2in]",
        "[audio0in]anull[audio0]",
        "[audio1in]aresample,aformat=channel_layouts=5.1[audio1]",
        "[audio2in]anull[audio2]",
    ]
    assert ["[video0]", "[audio0]", "[video1]", "[audio1]", "[audio2]"] == after(words, "-map")
    assert {"-vf", "-af"}.isdisjoint(words)


def test_a_track_that_one_output_uses_is_not_split():
    """A film and its sound alone: the picture goes one way."""
    words = told(asked(audio={"codec": "none"}), asked(container="m4a", video=None))
    (shared,) = after(words, "-filter_complex")
    assert shared.startswith("[0:V:0]")
    assert shared.endswith(";[0:a:0]anull[audio1]")
    assert "split" not in shared


def test_nothing_comes_along_by_itself():
    """Only the tracks that are asked for are mapped; metadata, chapters, data and subtitles stay behind."""
    words = told(asked(audio={**AAC, "track": 3}))
    assert ["0:V:0", "0:a:3"] == after(words, "-map")
    assert ["-1"] == after(words, "-map_metadata") == after(words, "-map_chapters")
    assert {"-dn", "-sn"} <= set(words)


@pytest.mark.parametrize(
    ("container", "muxer", "fast"),
    [("mp4", "mp4", True), ("mov", "mov", True), ("mkv", "matroska", False), ("webm", "webm", False)],
)
def test_the_format_is_named(container, muxer, fast):
    """A temporary name has no telling extension; the index goes to the front where there is one."""
    words = told(asked(container=container))
    assert [muxer] == after(words, "-f")
    assert fast == (["+faststart"] == after(words, "-movflags"))
    assert "-movflags" not in told(asked(container=container, faststart=False))


def test_sound_alone_maps_no_picture():
    """An m4a of a film holds its sound."""
    words = told(asked(container="m4a", video=None))
    assert ["0:a:0"] == after(words, "-map")
    assert ["ipod"] == after(words, "-f")
    assert ["0:V:0"] == after(told(asked(audio={"codec": "none"})), "-map")


def test_a_trim_is_exact_and_skips_what_is_before():
    """The start comes before the input, as a seek; the end is cut by filters, in every track at the same time."""
    words = told(asked(), source=local("master.mov", start=1.5, end=4))
    assert ["1.5"] == after(words[: words.index("-i")], "-ss")
    assert after(words, "-vf")[0].startswith("trim=end=2.5,scale=")
    assert ["atrim=end=2.5"] == after(words, "-af")
    assert "trim" not in " ".join(told(asked(), source=local("master.mov", start=1.5)))
    assert "-ss" not in told(asked())


def test_a_stream_without_an_index_is_read_from_further_back(clips):
    """A transport stream is read from a group of pictures and a second early; filters drop what is too much."""
    clip = clips.plain("four.ts", seconds=4)
    source, facts = local(clip, start=3.5, end=3.75), probe(str(clip))
    assert facts.video[0].group == pytest.approx(4, abs=0.1)
    words = told(asked(), source=source, facts=facts)
    assert "-ss" not in words
    assert ["trim=start=3.5:end=3.75,setpts=PTS-3.5/TB,setsar=1"] == after(words, "-vf")
    assert ["atrim=start=3.5:end=3.75,asetpts=PTS-3.5/TB"] == after(words, "-af")
    short = replace(facts, video=(replace(facts.video[0], group=1.0),))
    words = told(asked(), source=source, facts=short)
    assert ["1.5"] == after(words, "-ss")
    assert ["trim=start=2:end=2.25,setpts=PTS-2/TB,setsar=1"] == after(words, "-vf")


def test_silence_is_as_long_as_the_picture(clips):
    """A silent source gets a made-up track for those outputs that ask for silence, and no others."""
    facts = probe(str(clips.silent()))
    words = told(asked(audio={**AAC, "missing": "silence"}), asked(), facts=facts)
    assert ["[video0]", "[audio0]", "[video1]"] == after(words, "-map")
    assert "[1:a:0]anull[audio0]" in after(words, "-filter_complex")[0]
    assert ["2"] == after(words, "-t")


def test_threads_only_if_asked():
    """The number of threads is left to ffmpeg unless the provider says otherwise."""
    assert "-threads:v" not in told(asked())
    assert ["2"] == after(told(asked(), threads=2), "-threads:v")


def test_a_command_can_be_pasted():
    """What is shown for reading gives, to a shell, exactly the words of the command."""
    words = ["ffmpeg", *told(asked(video={**H264, "height": 720, "keyframe_interval": 2}))]
    shown = shell(words)
    pasted = subprocess.run(["sh", "-c", f"printf '%s\\0' {shown}"], capture_output=True, check=True, text=True)
    assert words == pasted.stdout.split("\0")[:-1]
    assert len(shown.splitlines()) > 5
    assert max(map(len, shown.splitlines()[2:])) < 250
