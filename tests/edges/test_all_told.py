"""All that is wrong is told in one run: no mistake hides another, and none is told for the sake of another."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest

from builders_specs import problems, write

SPEC = """\
version: 1
project: talks
{top}
variables: {{cdn: x.org{variables}}}
providers: {{studio: {{type: ffmpeg{provider}}}{providers}}}
defaults: {{attempts: 3{defaults}}}
presets:
  web:
    container: mp4
    video: {{codec: h264, height: 720, crf: 23{preset_video}}}
    audio: {{codec: aac{preset_audio}}}{preset}
  sound: {{container: m4a, audio: {{codec: aac{sound}}}}}
{presets}
encodes:
  a:
    source: {{url: "https://x.org/a.mp4"{source}}}
    outputs:
      x: {{extends: web{output}, video: {{preset: slow{video}}}, audio: {{channels: 2{audio}}}}}
      s: {{extends: sound{rich}}}
      {outputs}
    labels: {{of: a}}
    {encode}
  list:
    source: https://x.org/l.mp4
    outputs: [web{listed}]
  fan:
    for_each: {{b: {{q: 20}}, c: {{q: 21{row}}}{rows}}}
    source: "https://x.org/${{each.key}}.mp4"
    outputs: {{y: {{extends: web, video: {{crf: "${{each.value.q}}"{fan}}}}}}}
  table:
    for_each: {{file: t.csv, key: slug}}
    source: {{url: "https://x.org/${{each.value.file}}"{table_source}}}
    outputs: {{z: {{extends: web, video: {{tune: "${{each.value.tune}}"{table}}}}}}}
  local:
    source: {local}
    outputs: {{w: web}}
{encodes}
"""
TABLE = "slug,file,tune\nd,d.mp4,film\ne,e.mp4,\n{rows}"
OTHER = "presets:\n  other: {{extends: sound{other}}}\n{more}{end}"
SLOTS = {
    "spec": (
        *("top", "variables", "provider", "providers", "defaults", "preset_video", "preset_audio", "preset"),
        *("sound", "presets", "source", "output", "video", "audio", "rich", "outputs", "encode", "listed"),
        *("row", "rows", "fan", "table_source", "table", "local", "encodes"),
    ),
    "table": ("rows",),
    "other": ("other", "more", "end"),
}


@dataclass(frozen=True)
class Mistake:
    """Text for one slot of a file, and what is told about it; two with one `key` cannot be made at once."""

    slot: str
    text: str
    told: tuple[str, ...]
    key: str = ""
    file: str = field(default="spec")


def _mistake(slot, text, *told, key="", file="spec"):
    return Mistake(slot, text, told, key or f"{file} {slot} {text}", file)


MISTAKES = [
    # references
    _mistake("video", ', profile: "${var.nope}"', 'unknown variable "nope"'),
    _mistake("output", ', faststart: "${var.no}"', 'unknown variable "no"'),
    _mistake("video", ', width: "1280${var.zzz}"', 'unknown variable "zzz"'),
    _mistake("source", ', id: "${var.who}"', 'unknown variable "who"'),
    _mistake("source", ', trim: {start: "${var.when}", end: 9}', 'unknown variable "when"', key="trim"),
    _mistake("preset_video", ', level: "${var.level}"', 'unknown variable "level"'),
    _mistake("encode", '\n    attempts: "${var.tries}"', 'unknown variable "tries"'),
    _mistake("encode", '\n    provider: "${var.whom}"', 'unknown variable "whom"', key="provider"),
    _mistake("defaults", ', protect: "${var.safe}"', 'unknown variable "safe"'),
    _mistake("provider", ', threads: "${var.many}"', 'unknown variable "many"'),
    _mistake("listed", ', "${var.listed}"', 'unknown variable "listed"'),
    _mistake("outputs", 'o: {extends: "${var.base}", video: {crf: 20}}\n', 'unknown variable "base"', key="outputs"),
    _mistake("variables", ', loop: "${var.loop}"', "variables stand for each other: loop -> loop"),
    _mistake("variables", ", listing: [1]", "a variable cannot be a list"),
    _mistake("fan", ', tune: "${each.value.tune}"', 'no column "tune" for "b"', 'no column "tune" for "c"'),
    _mistake("table", ', level: "${each.value.lvl}"', 'no column "lvl" for "d"', 'no column "lvl" for "e"'),
    _mistake("table", ', profile: "${each.nope}"', "unknown reference ${each.nope}"),
    _mistake("encode", '\n    protect: "${each.key}"', "${each.key} stands for nothing here"),
    # keys and values
    _mistake("top", "encods: {}\n", 'unknown key "encods"'),
    _mistake("output", ", vidoe: {}", 'unknown key "vidoe"'),
    _mistake("video", ', hieght: "${var.hieght}"', 'unknown key "hieght"', 'unknown variable "hieght"'),
    _mistake("video", ", fps: quick", '"quick" is not a frame rate'),
    _mistake("audio", ", sample_rate: 48 apples", '"48 apples" is not a sample rate'),
    _mistake("preset_video", ", keyframe_interval: soon", '"soon" is not a duration'),
    _mistake("preset", "\n    faststrat: true", 'unknown key "faststrat"'),
    _mistake("sound", ", bitrate: loud", '"loud" is not a bitrate'),
    _mistake("sound", ", trak: 1", 'unknown key "trak"'),
    _mistake("source", ", trim: {start: 9s, end: 5s}", "a trim that ends before it starts", key="trim"),
    _mistake("source", ", sha256: abc", 'sha256 cannot be "abc"'),
    _mistake("source", ", path: a.mp4", "a source has a url or a path, not both"),
    _mistake("provider", ", paralelism: 2", 'unknown key "paralelism"'),
    _mistake("providers", ", far: {type: moon}", 'type cannot be "moon"'),
    _mistake("defaults", ", enabled: perhaps", 'enabled must be true or false, not "perhaps"'),
    _mistake("encode", "\n    provider: studoi", 'unknown provider "studoi"', key="provider"),
    _mistake("rich", ", video: {codec: x264, crf: 23}", 'codec cannot be "x264"', key="rich video"),
    # what values cannot mean together
    _mistake("video", ", bitrate: 4M", 'two rate controls: "crf" and "bitrate" cannot both be set'),
    _mistake("video", ", pad: {color: blak}", "pad has no aspect", 'unknown colour "blak"'),
    _mistake("video", ", crop: {top: 3}", "crop.top: 3 is odd: colours are shared by two pixels"),
    _mistake("audio", ", bitrate: 900k", "aac cannot use 900k for 2 channels"),
    _mistake("rich", ", video: {codec: vp9, crf: 30}", "m4a cannot hold vp9", key="rich video"),
    # presets, outputs and names
    _mistake("presets", "  lost: {extends: nope}\n", 'unknown preset "nope"'),
    _mistake(
        "presets",
        "  bad name: {vidoe: 1}\n",
        'unknown key "vidoe"',
        '"bad name" cannot name a preset: it holds a space',
    ),
    _mistake("presets", "  five: 5\n", "a preset is a mapping, not 5"),
    _mistake(
        "outputs",
        "o: {extends: nope, video: {crf: 99}}\n",
        'unknown preset "nope"',
        "crf must be at most 63, not 99",
        key="outputs",
    ),
    _mistake("listed", ", web", 'output "web" is there twice'),
    _mistake("listed", ", 720p-h246", 'unknown preset "720p-h246"'),
    # fan-outs and tables
    _mistake("row", ', q2: "${var.row}"', 'unknown variable "row"'),
    _mistake("rows", ", d: 5", "the values of a name are a mapping, not 5"),
    _mistake("rows", ', "e f": {q: 77}', '"e f" cannot be a name: it holds a space', "crf must be at most 63, not 77"),
    _mistake("rows", "f,g\n", "this row has 2 cells, the header has 3", file="table"),
    _mistake("rows", "d,f.mp4,quick\n", 'name "d" is there twice', 'libx264 has no tune "quick"', file="table"),
    _mistake("rows", ",f.mp4,\n", 'column "slug" is empty in this row', file="table"),
    # whole encodes, files, and what lies on the disk
    _mistake("encodes", "  none: {source: https://x.org/n.mp4}\n", '"none" has no outputs'),
    _mistake("encodes", "  without: {outputs: [web]}\n", '"without" has no source'),
    _mistake("encodes", "  word: word\n", 'an encode is a mapping, not "word"'),
    _mistake("local", "masters/gone.mov", "masters/gone.mov is not there", key="local"),
    _mistake("local", "../out.mov", '"../out.mov" leads out of the project folder', key="local"),
    _mistake(
        "more", "  web: {container: avi}\n", 'preset "web" is defined twice', 'container cannot be "avi"', file="other"
    ),
    _mistake("other", ", audio: {chanels: 2}", 'unknown key "chanels"', file="other"),
    _mistake("end", "  third: {extends: web\n", 'a "{" that is never closed', file="other", key="syntax"),
]
# Where a file cannot be read, a name may be known there.
UNKNOWN = ("unknown variable", "unknown preset", "unknown provider")


def _files(mistakes):
    texts = {"spec": SPEC, "table": TABLE, "other": OTHER}
    for name, slots in SLOTS.items():
        filled = {
            slot: "".join(each.text for each in mistakes if (each.file, each.slot) == (name, slot)) for slot in slots
        }
        if name == "spec" and not filled["local"]:
            filled["local"] = "https://x.org/local.mp4"
        texts[name] = texts[name].format(**filled)
    return {"specs/a.yaml": texts["spec"], "t.csv": texts["table"], "specs/b.yaml": texts["other"]}


def _told(folder, mistakes):
    write(folder, _files(mistakes))
    return sorted({problem.message for problem in problems(folder, require_sources=True)})


def _expected(mistakes):
    told = [message for each in mistakes for message in each.told]
    if any(each.key == "syntax" for each in mistakes):
        syntax = [each for each in mistakes if each.file == "other"]
        hidden = [message for each in syntax if each.key != "syntax" for message in each.told]
        told = [message for message in told if message not in hidden and not message.startswith(UNKNOWN)]
    return sorted(set(told))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda each: f"{each.slot}: {each.told[0]}")
def test_one_mistake(mistake, tmp_path):
    """A mistake is told, and nothing else."""
    assert sorted(mistake.told) == _told(tmp_path, [mistake])


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda each: f"{each.slot}: {each.told[0]}")
def test_two_mistakes(mistake, tmp_path):
    """With any other mistake beside it, both are told, and nothing else."""
    for other in MISTAKES[MISTAKES.index(mistake) + 1 :]:
        if other.key != mistake.key:
            pair = [mistake, other]
            assert (other.told, _expected(pair)) == (other.told, _told(tmp_path, pair))


def test_all_mistakes(tmp_path):
    """All mistakes that can be made at once are told at once."""
    chosen = list({each.key: each for each in MISTAKES if each.key != "syntax"}.values())
    assert _expected(chosen) == _told(tmp_path, chosen)


GOOD = """\
version: 1
project: talks
presets:
  base: {container: mp4, faststart: true, video: {codec: h264, crf: 20, profile: high}, audio: {codec: aac}}
encodes:
  a:
    source: {id: a, url: https://x.org/a.mp4, sha256: SHA, ignore_query: [t], trim: {start: 2s, end: 9s}}
    provider: local
    attempts: 3
    labels: {x: y}
    outputs:
      one: {extends: [base], video: {encoder: libx264, preset: slow, tune: film, level: 4.1, pixel_format: yuv420p}}
      two: {extends: base, video: {max_bitrate: 4M, buffer_size: 8M, height: 720, width: 1280, crop: {top: 2, left: 4}}}
      six: {extends: base, video: {crf: 0.5, profile: high444, pixel_format: yuv444p, pad: {aspect: 16:9, color: red}}}
      cbr: {extends: base, video: {crf: null, mode: cbr, bitrate: 4M, buffer_size: 4M, fps: {max: 30}, rotate: 90}}
      vbr: {extends: base, video: {crf: null, mode: vbr, bitrate: 4M, max_bitrate: 5M, buffer_size: 6M}}
      vp9: {container: webm, video: {codec: vp9, bitrate: 2M, min_bitrate: 1M}, audio: {codec: opus, channels: 6}}
      ten: {extends: base, video: {codec: hevc, encoder: libx265, profile: main10, pixel_format: yuv420p10le}}
      m4a: {container: m4a, audio: {codec: aac, sample_rate: 8k, bitrate: 48k, channels: 1, missing: silence}}
      mut: {container: mp4, video: {codec: av1, crf: 30, avoid_upscaling: false, height: 720}, audio: {codec: none}}
  b:
    for_each: {k: {q: 20, l: en}}
    source: https://x.org/b.mp4
    outputs: {x: {extends: base, video: {crf: "${each.value.q}"}, labels: {l: "${each.value.l}"}}}
""".replace("SHA", "a" * 64)
_VALUE = re.compile(r"(?<=: )[^,\]}{\[\n\"]+(?=[,\]}\n])|(?<=\[)[a-z]+(?=\])")
VALUES = [match for match in _VALUE.finditer(GOOD) if match.start() > GOOD.index("presets:")]


@pytest.mark.parametrize("value", VALUES, ids=lambda match: GOOD[: match.end()].splitlines()[-1].strip())
def test_a_lost_value_has_no_consequences(value, tmp_path):
    """Wherever a reference cannot be filled in, that is all that is told: nobody misses the value."""
    text = f'{GOOD[: value.start()]}"${{var.nope}}"{GOOD[value.end() :]}'
    write(tmp_path, {"specs/a.yaml": text})
    assert ['unknown variable "nope"'] == [problem.message for problem in problems(tmp_path)]
