"""Names, versions, variables and presets gone wrong: each is told once, with what would be right."""

from __future__ import annotations

import pytest

from builders_specs import HEAD, ONE, URL, WEB, Broken, assert_told_once, said, source, top

_X = "encodes.a.outputs.x"

TOP_LEVEL = [
    Broken("a list for a file", "«-» a\n", "a spec file is a mapping, not a list", hint="project: NAME"),
    Broken(
        "an unknown section",
        top(f"«encods»: {{}}\n{ONE}"),
        'unknown key "encods"',
        "encods",
        'Did you mean "encodes"?',
    ),
    Broken("a newer version", "version: «2»\nproject: a\n", "version cannot be 2", "version", "newer reconciler"),
    Broken("no project", "«v»ersion: 1\n", "no project is named", "project", "project: NAME"),
    Broken(
        "a project's bad name",
        "project: «my talks»\n",
        'project cannot be "my talks": it holds a space',
        "project",
        "letters, digits",
    ),
    Broken(
        "two projects",
        "project: a\n",
        "project is defined twice",
        "project",
        "It is first at specs/a.yaml:1:10.",
        {"specs/b.yaml": "project: «b»\n"},
    ),
    Broken(
        "a preset in two files",
        top(ONE),
        'preset "web-720p" is defined twice',
        "presets.web-720p",
        "It is first at specs/a.yaml:4:3.",
        {"specs/b.yaml": "presets:\n  «web-720p»: {container: mkv}\n"},
    ),
    Broken(
        "an encode in two files",
        top(ONE),
        'encode "a" is defined twice',
        "encodes.a",
        "It is first at specs/a.yaml:9:3.",
        {"specs/b.yaml": f"encodes:\n  «a»: {{source: {URL}, outputs: [web-720p]}}\n"},
    ),
    Broken(
        "two defaults",
        top("defaults: {protect: true}\n"),
        "defaults is defined twice",
        "defaults",
        "It is first at specs/a.yaml:8:1.",
        {"specs/b.yaml": "«defaults»: {protect: false}\n"},
    ),
    Broken(
        "a built-in preset's name",
        HEAD + "presets:\n  «720p-h264»: {container: mkv}\n",
        '"720p-h264" is a built-in preset, which cannot be changed',
        "presets.720p-h264",
        "my-720p-h264: {extends: 720p-h264}",
    ),
    Broken(
        "encodes as a list",
        f"{HEAD}encodes: «[»a]\n",
        "encodes must be a mapping, not a list",
        "encodes",
        "as a key below it",
    ),
    Broken(
        "an encode's bad name",
        top(f'encodes:\n  «"a/b"»: {{source: {URL}, outputs: [web-720p]}}\n'),
        '"a/b" cannot name an encode: it holds "/"',
        "encodes.a/b",
        "letters, digits",
    ),
    Broken(
        "a provider of another kind",
        f"{HEAD}providers:\n  cloud: {{type: «bytenit»}}\n",
        'type cannot be "bytenit"',
        "providers.cloud.type",
        'Did you mean "bytenite"? Known: bytenite, ffmpeg.',
    ),
    Broken(
        "an unknown default provider",
        f"{HEAD}defaults: {{provider: «lokal»}}\n",
        'unknown provider "lokal"',
        "defaults.provider",
        'Did you mean "local"?',
    ),
    Broken(
        "a later word in defaults",
        f"{HEAD}defaults: {{«retention»: x}}\n",
        'unknown key "retention"',
        "defaults.retention",
        "Keys here: enabled, protect",
    ),
]

VARIABLES = [
    Broken(
        "an unknown variable",
        HEAD
        + WEB
        + "variables: {cdn: https://x.org}\n"
        + 'encodes: {a: {source: "«${var.cnd}»/b.mp4", outputs: [web-720p]}}\n',
        'unknown variable "cnd"',
        "encodes.a.source",
        'Did you mean "cdn"? Yours: cdn.',
    ),
    Broken(
        "variables in a circle",
        HEAD + 'variables:\n  a: ${var.b}\n  b: "«${var.a}»"\n',
        "variables stand for each other: a -> b -> a",
        "variables.b",
        "Give one of them a value.",
    ),
    Broken(
        "a variable that is a list",
        HEAD + "variables: {a: «[»1, 2]}\n",
        "a variable cannot be a list",
        "variables.a",
        "presets with extends carry more",
    ),
    Broken(
        "an unknown root",
        source("https://x.org/«${variable.x}».mp4"),
        "unknown reference ${variable.x}",
        "encodes.a.source",
        "Write ${var.NAME}",
    ),
    Broken(
        "each without for_each",
        source("https://x.org/«${each.key}».mp4"),
        "${each.key} stands for nothing here",
        "encodes.a.source",
        "Give the encode a for_each.",
    ),
    Broken(
        "each in a preset",
        HEAD + 'presets: {p: {container: "«${each.key}»"}}\n',
        "${each.key} stands for nothing here",
        "presets.p.container",
        "Only encodes fan out",
    ),
    Broken(
        "an open reference",
        source("https://x.org/«${var.x.mp4»"),
        '"${" without its "}"',
        "encodes.a.source",
        "for a literal ${ write $${",
    ),
    Broken(
        "the environment in a preset",
        HEAD + 'presets: {p: {container: "«${env.HOME}»"}}\n',
        "${env.HOME} cannot stand here",
        "presets.p.container",
        "the url of a source that has an id",
    ),
    Broken(
        "a variable of the wrong type",
        HEAD
        + WEB
        + "variables: {q: best}\n"
        + f"encodes:\n  a:\n    source: {URL}\n"
        + "    outputs: {x: {extends: web-720p, video: {crf: «'${var.q}'»}}}\n",
        'crf must be a number, not "best"',
        f"{_X}.video.crf",
        '"best" is what ${var.q} stands for, specs/a.yaml:8:16.',
    ),
]

PRESETS = [
    Broken(
        "an unknown preset",
        said("«web-720»"),
        'unknown preset "web-720"',
        _X,
        'Did you mean "web-720p"? Yours: web-720p.',
    ),
    Broken(
        "an unknown base",
        said("{extends: «web-72p»}"),
        'unknown preset "web-72p"',
        f"{_X}.extends",
        "Built in: reconciler explain --presets",
    ),
    Broken(
        "a circle of presets",
        HEAD + "presets:\n  a: {extends: b}\n  b: {extends: «a»}\n",
        "presets extend each other: a -> b -> a",
        "presets.b.extends",
        "not even through others",
    ),
    Broken(
        "a preset that extends itself",
        HEAD + "presets:\n  a: {extends: «a»}\n",
        "presets extend each other: a -> a",
        "presets.a.extends",
        "cannot extend itself",
    ),
    Broken(
        "a preset that is no mapping",
        HEAD + "presets: {p: «mp4»}\n",
        'a preset is a mapping, not "mp4"',
        "presets.p",
        "{extends: NAME, ...}",
    ),
    Broken(
        "an unknown key in a preset",
        HEAD + "presets: {p: {video: {«bitrat»: 4M}}}\n",
        'unknown key "bitrat"',
        "presets.p.video.bitrat",
        'Did you mean "bitrate"?',
    ),
    Broken(
        "a key of another section",
        said("{extends: web-720p, «crf»: 21}"),
        'unknown key "crf"',
        f"{_X}.crf",
        '"crf" belongs under "video"',
    ),
    Broken(
        "a key of two sections",
        said("{extends: web-720p, «bitrate»: 1M}"),
        'unknown key "bitrate"',
        f"{_X}.bitrate",
        'belongs under "video" or "audio"',
    ),
    Broken(
        "an empty value",
        said("{extends: web-720p, video: {«crf»: }}"),
        "crf has no value",
        f"{_X}.video.crf",
        "crf: null",
    ),
    Broken("extends of a mapping", said("{extends: «{»a: b}}"), "extends must be text, not a mapping", f"{_X}.extends"),
]


@pytest.mark.parametrize("case", [*TOP_LEVEL, *VARIABLES, *PRESETS], ids=lambda case: case.fact)
def test_told_once(case, tmp_path):
    """One mistake is one problem: its message, its place, its path and its hint."""
    assert_told_once(case, tmp_path)
