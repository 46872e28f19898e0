"""File names of results, and whose a result is."""

from __future__ import annotations

import itertools

import pytest

from builders_bodies import body, entry
from reconciler.bytenite.naming import file_name, match_results, render
from reconciler.bytenite.template import TemplateError
from reconciler.bytenite.wire import Result, read_results

HEIGHT = "{{.job_name}}_{{.output_params.Aspect.Resolution.Height}}"
OUTPUT = entry(
    "web",
    aspect={"resolution": {"height": "custom", "custom_height": 360, "avoid_upscaling": False}},
    video={"bitrate": {"avg_bitrate": "365k"}, "codec_params": {"cpu_used": 0}, "frame_rate": {"fps": ""}},
)
RENDERED = {
    "plain text": ("film", "film"),
    "a name": ("{{.name}}", "web"),
    "the job's name, without spaces": ("{{ .job_name }}", "Example_job"),
    "a field as Go names it": ("{{.output_params.Aspect.Resolution.CustomHeight}}p", "360p"),
    "two words": ("{{.output_params.Video.Bitrate.AvgBitrate}}", "365k"),
    "a field as JSON names it": ("{{.output_params.video.bitrate.avg_bitrate}}", "365k"),
    "an acronym": ("[{{.output_params.Video.FrameRate.FPS}}]", "[]"),
    "a number of zero": ("{{.output_params.Video.CodecParams.CpuUsed}}", "0"),
    "a truth": ("{{.output_params.Aspect.Resolution.AvoidUpscaling}}", "false"),
    "nothing": ("{{.output_params.Video.Nothing.There}}", "<no value>"),
    "an if": ("{{if .name}}yes{{end}}", "yes"),
    "an if that fails": ("a{{if .output_params.Video.CodecParams.CpuUsed}}yes{{end}}b", "ab"),
    "an else": ("{{if .output_params.Video.FrameRate.Fps}}yes{{else}}no{{end}}", "no"),
    "an else if": ("{{if .nothing}}a{{else if .name}}b{{else}}c{{end}}", "b"),
    "an else if that fails": ("{{if .nothing}}a{{else if .nobody}}b{{else}}c{{end}}d", "cd"),
    "an if in an if": ("{{if .name}}{{if .nothing}}a{{else}}b{{end}}c{{else}}d{{end}}", "bc"),
    "trimmed spaces": ("a {{- if .name -}} b {{- end }} c", "ab c"),
    "a comment": ("a{{/* not shown */}}b", "ab"),
}


@pytest.mark.parametrize("case", RENDERED)
def test_a_template_renders_as_in_go(case):
    """The part of text/template that was seen in documents, and what goes with it."""
    template, text = RENDERED[case]
    assert text == render(template, "Example job", OUTPUT)


@pytest.mark.parametrize(
    "template",
    [
        "{{.name",
        "{{if .name}}a",
        "{{if .name}}a{{else}}b",
        "a{{end}}",
        "{{else}}",
        "{{range .outputs}}a{{end}}",
        "{{.name | printf}}",
        "{{printf .name}}",
        "{{if .name}}a{{else with .x}}b{{end}}",
        "{{}}",
        "{{if .name}}" * 500 + "{{end}}" * 500,
    ],
)
def test_unknown_syntax_is_an_error(template):
    """A name that might be wrong would lose a file that was paid for."""
    with pytest.raises(TemplateError) as caught:
        render(template, "job", OUTPUT)
    assert ("data", "output_template") == caught.value.path
    assert caught.value.hint


def test_an_output_without_a_name_falls_back():
    """As the template of the console does."""
    template = body("params.request.hls_x264_vbr_custom_height")["data"]["output_template"]
    nameless = {**OUTPUT, "name": ""}
    del nameless["output_type"]
    assert "web" == render(template, "job", OUTPUT)
    assert "job_360p@365k" == render(template, "job", nameless)
    assert "job_360p@365k" == file_name(template, "job", nameless)


@pytest.mark.parametrize(
    ("name", "job", "files"),
    [
        ("params.request.mp4_x264_and_vp9_vbr", "Example job", ["Example_job_720p.mp4", "Example_job_480p.mp4"]),
        ("params.request.mp4_x264_crf_480p", "Test_BBB_to_H264_SD", ["Test_BBB_to_H264_SD_480p.mp4"]),
        ("params.request.mp4_named_outputs", "Example job", ["720p.mp4", "480p.mp4"]),
        ("params.request.hls_x264_vbr_custom_height", "A086", ["360p @365kbps", "720p @4.5Mbps"]),
    ],
)
def test_files_are_named_as_they_were_seen(name, job, files):
    """The names of the results that real jobs had; a package is a folder."""
    data = body(name)["data"]
    assert files == [file_name(data["output_template"], job, output) for output in data["outputs"]]


def test_the_seen_results_find_their_outputs():
    """The request had 720p first, the answer had it second."""
    data = body("params.request.mp4_x264_and_vp9_vbr")["data"]
    names = {
        height: file_name(data["output_template"], "Example job", output)
        for height, output in zip(("720p", "480p"), data["outputs"], strict=True)
    }
    results = read_results(body("results.response.two_outputs"))
    found = match_results(results, names)
    assert {"480p": results[0], "720p": results[1]} == found


def test_the_seen_link_finds_its_output():
    """A result without a name is known by its link."""
    link = body("results.link.signed_url")
    (result,) = read_results({"results": [link]})
    assert {"a": result} == match_results([result], {"a": "Test_BBB_to_H264_SD_480p.mp4"})


FILES = {"a": "web-1.mp4", "b": "my film.mp4", "c": "größe.mp4"}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize(
    "names",
    [
        ["web-1.mp4", "my film.mp4", "größe.mp4"],
        ["out_2/web-1.mp4", "out_0/my_film.mp4", "out_1/größe.mp4"],
        ["job/out_0/web-1.mp4", "my%20film.mp4", "gr%C3%B6%C3%9Fe.mp4"],
    ],
)
def test_order_and_folders_do_not_matter(order, names):
    """Only the file's name does, however it is quoted."""
    results = [Result(name, f"https://x.example/{index}") for index, name in enumerate(names)]
    found = match_results([results[index] for index in order], FILES)
    assert dict(zip(FILES, results, strict=True)) == found


@pytest.mark.parametrize(
    "names",
    [
        ["other.mp4"],
        ["web-1.mp4.part"],
        ["out_0/web-1.mp4", "out_1/web-1.mp4"],
        ["web-1"],
        [""],
        [],
    ],
)
def test_what_cannot_be_told_is_absent(names):
    """Neither a guess nor the only one that is left."""
    results = [Result(name, f"https://x.example/{index}") for index, name in enumerate(names)]
    assert {} == match_results(results, {"a": "web-1.mp4"})


def test_two_outputs_of_one_name_have_no_result():
    """Nobody knows whose it is."""
    assert {} == match_results([Result("a.mp4", "https://x.example/a")], {"a": "a.mp4", "b": "a.mp4"})


def test_a_space_and_an_underscore_are_two_names_where_both_are_there():
    """The exact one goes first."""
    results = [Result("a_b.mp4", "https://x.example/1"), Result("a b.mp4", "https://x.example/2")]
    assert {"x": results[1], "y": results[0]} == match_results(results, {"x": "a b.mp4", "y": "a_b.mp4"})


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["out_0/360p @365kbps/"], 0),
        (["out_0/360p%20@365kbps/seg1.ts", "out_0/360p%20@365kbps/index.m3u8"], 1),
        (["360p_@365kbps.zip"], 0),
        (["360p @365kbps.m3u8"], 0),
    ],
)
def test_a_package_is_its_folder_or_its_playlist(names, chosen):
    """Nobody ever saw the results of one, so all that may be meant are taken."""
    results = [Result(name, f"https://x.example/{index}") for index, name in enumerate(names)]
    assert {"a": results[chosen]} == match_results(results, {"a": "360p @365kbps"})
