"""Encodes gone wrong: values, outputs, policies and fan-outs."""

from __future__ import annotations

import pytest

from builders_specs import URL, Broken, assert_told_once, encode, said, top, video

_X = "encodes.a.outputs.x"

VALUES = [
    Broken(
        "text for a number", video("codec: h264, crf: «high»"), 'crf must be a number, not "high"', f"{_X}.video.crf"
    ),
    Broken(
        "a height with a p",
        video("codec: h264, crf: 23, height: «720p»"),
        'height must be a whole number, not "720p"',
        f"{_X}.video.height",
        "Write  height: 720",
    ),
    Broken(
        "yes for true",
        said("{extends: web-720p, faststart: «yes»}"),
        'faststart must be true or false, not "yes"',
        f"{_X}.faststart",
        "Write  faststart: true",
    ),
    Broken(
        "a bitrate without a unit we know",
        video("codec: h264, bitrate: «4 megs»"),
        '"4 megs" is not a bitrate',
        f"{_X}.video.bitrate",
        "4500k, 4.5M",
    ),
    Broken(
        "a bitrate that forgot its k",
        video("codec: h264, bitrate: «4500»"),
        '"bitrate" is 4,500 bits a second',
        f"{_X}.video.bitrate",
        "Did you mean 4500k?",
    ),
    Broken(
        "an unknown container",
        said("{extends: web-720p, container: «avi»}"),
        'container cannot be "avi"',
        f"{_X}.container",
        "Possible: mp4, mov, mkv, webm, m4a, mp3, ogg, flac, hls, dash, cmaf, jpg, png, webp, vtt, srt.",
    ),
    Broken(
        "an unknown codec",
        video("codec: «x264», crf: 23"),
        'codec cannot be "x264"',
        f"{_X}.video.codec",
        'Did you mean "h264"?',
    ),
    Broken(
        "a number that is too large",
        video("codec: vp9, crf: «64»"),
        "crf must be at most 63, not 64",
        f"{_X}.video.crf",
    ),
    Broken(
        "a section that is no mapping",
        said("{container: mp4, video: «h264», audio: {codec: none}}"),
        'video must be a mapping, not "h264"',
        f"{_X}.video",
        "video: {key: value}",
    ),
    Broken(
        "a frame rate of words",
        video("codec: h264, crf: 23, fps: «film»"),
        '"film" is not a frame rate',
        f"{_X}.video.fps",
        "25, 29.97 or 30000/1001",
    ),
    Broken(
        "an unknown key beside max",
        video("codec: h264, crf: 23, fps: {max: 30, «min»: 5}"),
        'unknown key "min"',
        f"{_X}.video.fps.min",
        "Keys here: max.",
    ),
    Broken(
        "no attempts",
        encode(f"source: {URL}\noutputs: [web-720p]\nattempts: «0»"),
        "attempts must be at least 1, not 0",
        "encodes.a.attempts",
    ),
    Broken(
        "a label that is a list",
        encode(f"source: {URL}\noutputs: [web-720p]\nlabels: {{tags: «[»a]}}"),
        "tags must be text, not a list",
        "encodes.a.labels.tags",
    ),
]

ENCODES = [
    Broken(
        "an encode without a source",
        top("encodes:\n  «a»: {outputs: [web-720p]}\n"),
        '"a" has no source',
        "encodes.a.source",
        "source: https://HOST/PATH",
    ),
    Broken(
        "an encode without outputs",
        top(f"encodes:\n  «a»: {{source: {URL}}}\n"),
        '"a" has no outputs',
        "encodes.a.outputs",
        "outputs: [720p-h264]",
    ),
    Broken(
        "an encode that is text",
        top(f"encodes: {{a: «{URL}»}}\n"),
        'an encode is a mapping, not "https://cdn.example.com/bbb.mp4"',
        "encodes.a",
        "{source: https://HOST/PATH",
    ),
    Broken(
        "outputs as text",
        encode(f"source: {URL}\noutputs: «web-720p»"),
        'outputs must be a list or a mapping, not "web-720p"',
        "encodes.a.outputs",
        "outputs: [web-720p]",
    ),
    Broken(
        "a mapping in a list of outputs",
        encode(f"source: {URL}\noutputs: [«{{»extends: web-720p}}]"),
        "a list of outputs names presets; this is a mapping",
        "encodes.a.outputs",
        "name the output",
    ),
    Broken(
        "an output twice in a list",
        encode(f"source: {URL}\noutputs: [web-720p, «web-720p»]"),
        'output "web-720p" is there twice',
        "encodes.a.outputs.web-720p",
        "It is first at specs/a.yaml:11:15.",
    ),
    Broken(
        "an output's bad name",
        encode(f"source: {URL}\noutputs: {{«.x»: web-720p}}"),
        '".x" cannot name an output: it starts with "."',
        "encodes.a.outputs..x",
        "letters, digits",
    ),
    Broken("an output that is a list", said("«[»web-720p]"), "an output cannot be a list", _X, "the name of a preset"),
    Broken(
        "a policy where none is read",
        encode(f"source: {URL}\noutputs: [web-720p]\n«crf»: 21"),
        'unknown key "crf"',
        "encodes.a.crf",
        "Keys here:",
    ),
    Broken(
        "an unknown provider",
        encode(f"source: {URL}\noutputs: [web-720p]\nprovider: «cloud»"),
        'unknown provider "cloud"',
        "encodes.a.provider",
        "Known: local.",
    ),
    Broken(
        "addresses that differ by case",
        encode(f"source: {URL}\noutputs:\n  web: web-720p\n  «WEB»: web-720p"),
        "a/WEB and a/web differ only by case",
        "encodes.a.WEB",
        "The other is at specs/a.yaml:12:7.",
    ),
    Broken(
        "a file that is another's folder",
        top(
            f"encodes:\n  A: {{for_each: [x.mp4], source: {URL}, outputs: [web-720p]}}\n"
            f"  a: {{source: {URL}, outputs: {{«x»: web-720p}}}}\n"
        ),
        "outputs/a/x.mp4 would be a file and the folder of A/x.mp4/web-720p",
        "encodes.a.x",
        "The other is at specs/a.yaml:9:",
    ),
]

FAN_OUT = [
    Broken(
        "a for_each that is text",
        encode(f"for_each: «bbb»\nsource: {URL}\noutputs: [web-720p]"),
        'for_each cannot be "bbb"',
        "encodes.a.for_each",
        "Write  [a, b],",
    ),
    Broken(
        "a key that is no name",
        encode(f'for_each: [«"a b"»]\nsource: {URL}\noutputs: [web-720p]'),
        '"a b" cannot be a name: it holds a space',
        "encodes.a.for_each.a b",
        "addresses and folders",
    ),
    Broken(
        "a key twice",
        encode(f"for_each: [b, «b»]\nsource: {URL}\noutputs: [web-720p]"),
        'name "b" is there twice',
        "encodes.a.for_each.b",
        "It is first at specs/a.yaml:10:16.",
    ),
    Broken(
        "values that are no mapping",
        encode(f"for_each: {{b: «en»}}\nsource: {URL}\noutputs: [web-720p]"),
        'the values of a name are a mapping, not "en"',
        "encodes.a.for_each.b",
        "{column: value}",
    ),
    Broken(
        "a column that is not there",
        encode("for_each: {b: {lang: en}}\nsource: https://x.org/«${each.value.lag}»\noutputs: [web-720p]"),
        'no column "lag" for "b"',
        "encodes.a.source",
        'Did you mean "lang"? Columns: lang.',
    ),
    Broken(
        "a table that is not there",
        encode(f"for_each: {{file: «lists/titels.csv», key: slug}}\nsource: {URL}\noutputs: [web-720p]"),
        "lists/titels.csv is not there",
        "encodes.a.for_each.file",
        'Did you mean "lists/titles.csv"?',
        {"lists/titles.csv": "slug\nb\n"},
    ),
    Broken(
        "a table outside",
        encode(f"for_each: {{file: «../t.csv», key: slug}}\nsource: {URL}\noutputs: [web-720p]"),
        '"../t.csv" leads out of the project folder',
        "encodes.a.for_each.file",
        "--media-root",
    ),
    Broken(
        "a column of names that is not there",
        encode(f"for_each: {{file: t.csv, key: «slug»}}\nsource: {URL}\noutputs: [web-720p]"),
        'there is no column "slug"',
        "encodes.a.for_each.key",
        "Columns: name.",
        {"t.csv": "name\nb\n"},
    ),
    Broken(
        "a table without a key",
        encode(f"for_each: {{file: «t.csv»}}\nsource: {URL}\noutputs: [web-720p]"),
        "which column holds the names is not said",
        "encodes.a.for_each",
        "Columns: name.",
        {"t.csv": "name\nb\n"},
    ),
    Broken(
        "a row with too many cells",
        encode(f"for_each: {{file: t.csv, key: name}}\nsource: {URL}\noutputs: [web-720p]"),
        "this row has 2 cells, the header has 1",
        "",
        "Quote cells",
        {"t.csv": "name\n«b»,c\n"},
    ),
    Broken(
        "a table that is no table",
        encode(f"for_each: {{file: «specs/a.txt», key: name}}\nsource: {URL}\noutputs: [web-720p]"),
        'a table cannot be ".txt"',
        "encodes.a.for_each.file",
        ".csv, .json",
        {"specs/a.txt": "x"},
    ),
    Broken(
        "JSON gone wrong",
        encode(f"for_each: {{file: t.json}}\nsource: {URL}\noutputs: [web-720p]"),
        "not JSON: Expecting value",
        "",
        "",
        {"t.json": '["b", «]»\n'},
    ),
    Broken(
        "two files of one name",
        encode(f'for_each: {{glob: «"m/*"»}}\nsource: {URL}\noutputs: [web-720p]'),
        'm/a.mov and m/a.mp4 would both be "a"',
        "encodes.a.for_each.glob",
        "another name",
        {"m/a.mov": "", "m/a.mp4": ""},
    ),
    Broken(
        "a glob that leads out",
        encode(f'for_each: {{glob: «"../*.mov"»}}\nsource: {URL}\noutputs: [web-720p]'),
        '"../*.mov" leads out of the project folder',
        "encodes.a.for_each.glob",
        "--media-root",
    ),
]


@pytest.mark.parametrize("case", [*VALUES, *ENCODES, *FAN_OUT], ids=lambda case: case.fact)
def test_told_once(case, tmp_path):
    """One mistake is one problem: its message, its place, its path and its hint."""
    assert_told_once(case, tmp_path)
