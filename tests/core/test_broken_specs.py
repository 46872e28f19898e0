"""Specs with one thing wrong: each is told once, with its place, its path and what would be right."""

from __future__ import annotations

from textwrap import dedent

import pytest
from builders_specs import HEAD, URL, WEB, Broken, problems, write

from reconciler.core.errors import SpecError
from reconciler.edges.spec_files import load
from reconciler.views.problems import error_text

_ENCODE = f"encodes:\n  a:\n    source: {URL}\n    outputs: [web-720p]\n"


def _top(text):
    return HEAD + WEB + text


def _encode(body):
    """An encode `a` with this body, two levels down."""
    lines = "".join(f"    {line}\n" for line in dedent(body).splitlines())
    return f"{HEAD}{WEB}encodes:\n  a:\n{lines}"


def _source(text):
    return _encode(f"source: {text}\noutputs: [web-720p]")


def _said(text):
    """An encode whose output `x` says this."""
    return _encode(f"source: {URL}\noutputs:\n  x: {text}")


def _video(text):
    return _said(f"{{container: mp4, video: {{{text}}}, audio: {{codec: none}}}}")


def _audio(text):
    return _said(f"{{container: mkv, video: {{codec: none}}, audio: {{{text}}}}}")


_X = "encodes.a.outputs.x"

SYNTAX = [
    Broken(
        "an open list", "project: a\nencodes: «[»a\n", 'a "[" that is never closed', hint='Close the list with "]".'
    ),
    Broken("an open mapping", "project: «{»a: 1\n", 'a "{" that is never closed', hint='"#" after a space begins'),
    Broken("two colons", "project: a«:» b\n", 'a ":" where no key can stand', hint="quote the text"),
    Broken("an open quote", "project: «'»talks\n", "a quote that is never closed", hint="Close it"),
    Broken("a tab", "encodes:\n«\t»a: 1\n", "a tab where YAML wants spaces", hint="Indent with spaces"),
    Broken("a bare at", "project: «@»talks\n", 'a value cannot begin with "@"', hint="Quote the value"),
    Broken("a bad escape", 'project: "a«\\»q"\n', "a backslash that begins no escape", hint="single quotes"),
    Broken(
        "a list gone wrong", "encodes:\n  - a\n  «b»: 1\n", "this line does not continue the list above it", hint='"- "'
    ),
    Broken(
        "an unquoted reference in braces",
        "encodes: {a: {source: {id: x, url: «${»env.X}}}}\n",
        'a "${" without quotes',
        hint='{url: "${env.NAME}"}',
    ),
    Broken(
        "an unquoted colour",
        _video("codec: h264, crf: 23, pad: {aspect: 16:9, color: «#»ff0000}"),
        "a comment where a value belongs",
        hint="quote values that hold one",
    ),
    Broken(
        "two documents", f"{HEAD}«---»\nproject: b\n", "a second document (---) in one file", hint="a file of its own"
    ),
    Broken(
        "a tag",
        "project: «!!python/name:os.system talks»\n",
        'tag "!!python/name:os.system" is not allowed',
        "project",
        "Specs are data",
    ),
    Broken(
        "a merge key",
        _top(f"encodes:\n  a:\n    «<<»: {{}}\n    source: {URL}\n    outputs: [web-720p]\n"),
        'merge keys ("<<") are not read',
        "encodes.a.<<",
        "extends: NAME",
    ),
    Broken(
        "a duplicate key",
        _top(f"encodes:\n  a:\n    source: {URL}\n    «source»: x\n    outputs: [web-720p]\n"),
        'key "source" is written twice',
        "encodes.a.source",
        "It is first at specs/a.yaml:10:5.",
    ),
    Broken("a list as a key", "«[»a]: b\n", "a key must be text, not a list"),
    Broken(
        "an unknown alias",
        _top(f"encodes: {{a: {{source: {URL}, outputs: [web-720p], labels: «*lables»}}}}\n"),
        'unknown alias "*lables"',
        "encodes.a.labels",
        "named earlier",
    ),
    Broken(
        "an alias in itself", "encodes: &x {a: «*x»}\n", 'alias "*x" stands inside of what it stands for', "encodes.a"
    ),
    Broken("a control character", 'project: "a«\x07»"\n', "a character that is no text (U+0007)", hint="Remove it."),
]

TOP_LEVEL = [
    Broken("a list for a file", "«-» a\n", "a spec file is a mapping, not a list", hint="project: NAME"),
    Broken(
        "an unknown section",
        _top(f"«encods»: {{}}\n{_ENCODE}"),
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
        _top(_ENCODE),
        'preset "web-720p" is defined twice',
        "presets.web-720p",
        "It is first at specs/a.yaml:4:3.",
        {"specs/b.yaml": "presets:\n  «web-720p»: {container: mkv}\n"},
    ),
    Broken(
        "an encode in two files",
        _top(_ENCODE),
        'encode "a" is defined twice',
        "encodes.a",
        "It is first at specs/a.yaml:9:3.",
        {"specs/b.yaml": f"encodes:\n  «a»: {{source: {URL}, outputs: [web-720p]}}\n"},
    ),
    Broken(
        "two defaults",
        _top("defaults: {protect: true}\n"),
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
        f"{HEAD}encodes: «[a]»\n",
        "encodes must be a mapping, not a list",
        "encodes",
        "as a key below it",
    ),
    Broken(
        "an encode's bad name",
        _top(f'encodes:\n  «"a/b"»: {{source: {URL}, outputs: [web-720p]}}\n'),
        '"a/b" cannot name a encode: it holds "/"',
        "encodes.a/b",
        "letters, digits",
    ),
    Broken(
        "a provider of another kind",
        f"{HEAD}providers:\n  cloud: {{type: «bytenite»}}\n",
        'type cannot be "bytenite"',
        "providers.cloud.type",
        "Possible: ffmpeg.",
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
        f"{HEAD}defaults: {{«deliver»: x}}\n",
        'unknown key "deliver"',
        "defaults.deliver",
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
        HEAD + "variables: {a: «[1, 2]»}\n",
        "a variable cannot be a list",
        "variables.a",
        "presets with extends carry more",
    ),
    Broken(
        "an unknown root",
        _source("https://x.org/«${variable.x}».mp4"),
        "unknown reference ${variable.x}",
        "encodes.a.source",
        "Write ${var.NAME}",
    ),
    Broken(
        "each without for_each",
        _source("https://x.org/«${each.key}».mp4"),
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
        _source("https://x.org/«${var.x.mp4»"),
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
        + f"encodes:\n  a:\n    source: {URL}\n    outputs: {{x: {{extends: web-720p, video: {{crf: «'${{var.q}}'»}}}}}}\n",
        'crf must be a number, not "best"',
        f"{_X}.video.crf",
        '"best" is what ${var.q} stands for, specs/a.yaml:8:16.',
    ),
]

PRESETS = [
    Broken(
        "an unknown preset",
        _said("«web-720»"),
        'unknown preset "web-720"',
        _X,
        'Did you mean "web-720p"? Yours: web-720p.',
    ),
    Broken(
        "an unknown base",
        _said("{extends: «web-72p»}"),
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
        _said("{extends: web-720p, «crf»: 21}"),
        'unknown key "crf"',
        f"{_X}.crf",
        '"crf" belongs under "video"',
    ),
    Broken(
        "a key of two sections",
        _said("{extends: web-720p, «bitrate»: 1M}"),
        'unknown key "bitrate"',
        f"{_X}.bitrate",
        'belongs under "video" or "audio"',
    ),
    Broken(
        "an empty value",
        _said("{extends: web-720p, video: {«crf»: }}"),
        "crf has no value",
        f"{_X}.video.crf",
        "crf: null",
    ),
    Broken(
        "extends of a mapping", _said("{extends: «{»a: b}}"), "extends must be text, not a mapping", f"{_X}.extends"
    ),
]

VALUES = [
    Broken(
        "text for a number", _video("codec: h264, crf: «high»"), 'crf must be a number, not "high"', f"{_X}.video.crf"
    ),
    Broken(
        "a height with a p",
        _video("codec: h264, crf: 23, height: «720p»"),
        'height must be a whole number, not "720p"',
        f"{_X}.video.height",
        "Write  height: 720",
    ),
    Broken(
        "yes for true",
        _said("{extends: web-720p, faststart: «yes»}"),
        'faststart must be true or false, not "yes"',
        f"{_X}.faststart",
        "Write  faststart: true",
    ),
    Broken(
        "a bitrate without a unit we know",
        _video("codec: h264, bitrate: «4 megs»"),
        '"4 megs" is not a bitrate',
        f"{_X}.video.bitrate",
        "4500k, 4.5M",
    ),
    Broken(
        "a bitrate that forgot its k",
        _video("codec: h264, bitrate: «4500»"),
        '"bitrate" is 4,500 bits a second',
        f"{_X}.video.bitrate",
        "Did you mean 4500k?",
    ),
    Broken(
        "an unknown container",
        _said("{extends: web-720p, container: «avi»}"),
        'container cannot be "avi"',
        f"{_X}.container",
        "Possible: mp4, mov, mkv, webm, m4a.",
    ),
    Broken(
        "an unknown codec",
        _video("codec: «x264», crf: 23"),
        'codec cannot be "x264"',
        f"{_X}.video.codec",
        'Did you mean "h264"?',
    ),
    Broken(
        "a number that is too large",
        _video("codec: vp9, crf: «64»"),
        "crf must be at most 63, not 64",
        f"{_X}.video.crf",
    ),
    Broken(
        "a section that is no mapping",
        _said("{container: mp4, video: «h264», audio: {codec: none}}"),
        'video must be a mapping, not "h264"',
        f"{_X}.video",
        "video: {key: value}",
    ),
    Broken(
        "a frame rate of words",
        _video("codec: h264, crf: 23, fps: «film»"),
        '"film" is not a frame rate',
        f"{_X}.video.fps",
        "25, 29.97 or 30000/1001",
    ),
    Broken(
        "an unknown key beside max",
        _video("codec: h264, crf: 23, fps: {max: 30, «min»: 5}"),
        'unknown key "min"',
        f"{_X}.video.fps.min",
        "Keys here: max.",
    ),
    Broken(
        "no attempts",
        _encode(f"source: {URL}\noutputs: [web-720p]\nattempts: «0»"),
        "attempts must be at least 1, not 0",
        "encodes.a.attempts",
    ),
    Broken(
        "a label that is a list",
        _encode(f"source: {URL}\noutputs: [web-720p]\nlabels: {{tags: «[»a]}}"),
        "tags must be text, not a list",
        "encodes.a.labels.tags",
    ),
]

ENCODES = [
    Broken(
        "an encode without a source",
        _top("encodes:\n  «a»: {outputs: [web-720p]}\n"),
        '"a" has no source',
        "encodes.a.source",
        "source: https://HOST/PATH",
    ),
    Broken(
        "an encode without outputs",
        _top(f"encodes:\n  «a»: {{source: {URL}}}\n"),
        '"a" has no outputs',
        "encodes.a.outputs",
        "outputs: [720p-h264]",
    ),
    Broken(
        "an encode that is text",
        _top(f"encodes: {{a: «{URL}»}}\n"),
        'an encode is a mapping, not "https://cdn.example.com/bbb.mp4"',
        "encodes.a",
        "{source: https://HOST/PATH",
    ),
    Broken(
        "outputs as text",
        _encode(f"source: {URL}\noutputs: «web-720p»"),
        'outputs must be a list or a mapping, not "web-720p"',
        "encodes.a.outputs",
        "outputs: [web-720p]",
    ),
    Broken(
        "a mapping in a list of outputs",
        _encode(f"source: {URL}\noutputs: [«{{»extends: web-720p}}]"),
        "a list of outputs names presets; this is a mapping",
        "encodes.a.outputs",
        "name the output",
    ),
    Broken(
        "an output twice in a list",
        _encode(f"source: {URL}\noutputs: [web-720p, «web-720p»]"),
        'output "web-720p" is there twice',
        "encodes.a.outputs.web-720p",
        "It is first at specs/a.yaml:11:15.",
    ),
    Broken(
        "an output's bad name",
        _encode(f"source: {URL}\noutputs: {{«.x»: web-720p}}"),
        '".x" cannot name an output: it starts with "."',
        "encodes.a.outputs..x",
        "letters, digits",
    ),
    Broken("an output that is a list", _said("«[»web-720p]"), "an output cannot be a list", _X, "the name of a preset"),
    Broken(
        "a policy where none is read",
        _encode(f"source: {URL}\noutputs: [web-720p]\n«crf»: 21"),
        'unknown key "crf"',
        "encodes.a.crf",
        "Keys here:",
    ),
    Broken(
        "an unknown provider",
        _encode(f"source: {URL}\noutputs: [web-720p]\nprovider: «cloud»"),
        'unknown provider "cloud"',
        "encodes.a.provider",
        "Known: local.",
    ),
    Broken(
        "addresses that differ by case",
        _encode(f"source: {URL}\noutputs:\n  web: web-720p\n  «WEB»: web-720p"),
        "a/WEB and a/web differ only by case",
        "encodes.a.WEB",
        "The other is at specs/a.yaml:12:7.",
    ),
    Broken(
        "a file that is another's folder",
        _top(
            f"encodes:\n  A: {{for_each: [x.mp4], source: {URL}, outputs: [web-720p]}}\n  a: {{source: {URL}, outputs: {{«x»: web-720p}}}}\n"
        ),
        "outputs/a/x.mp4 would be a file and the folder of A/x.mp4/web-720p",
        "encodes.a.x",
        "The other is at specs/a.yaml:9:",
    ),
]

FAN_OUT = [
    Broken(
        "a for_each that is text",
        _encode(f"for_each: «bbb»\nsource: {URL}\noutputs: [web-720p]"),
        'for_each cannot be "bbb"',
        "encodes.a.for_each",
        "Write  [a, b],",
    ),
    Broken(
        "a key that is no name",
        _encode(f'for_each: [«"a b"»]\nsource: {URL}\noutputs: [web-720p]'),
        '"a b" cannot be a name: it holds a space',
        "encodes.a.for_each.a b",
        "addresses and folders",
    ),
    Broken(
        "a key twice",
        _encode(f"for_each: [b, «b»]\nsource: {URL}\noutputs: [web-720p]"),
        'name "b" is there twice',
        "encodes.a.for_each.b",
        "It is first at specs/a.yaml:10:16.",
    ),
    Broken(
        "values that are no mapping",
        _encode(f"for_each: {{b: «en»}}\nsource: {URL}\noutputs: [web-720p]"),
        'the values of a name are a mapping, not "en"',
        "encodes.a.for_each.b",
        "{column: value}",
    ),
    Broken(
        "a column that is not there",
        _encode("for_each: {b: {lang: en}}\nsource: https://x.org/«${each.value.lag}»\noutputs: [web-720p]"),
        'no column "lag" for "b"',
        "encodes.a.source",
        'Did you mean "lang"? Columns: lang.',
    ),
    Broken(
        "a table that is not there",
        _encode(f"for_each: {{file: «lists/titels.csv», key: slug}}\nsource: {URL}\noutputs: [web-720p]"),
        "lists/titels.csv is not there",
        "encodes.a.for_each.file",
        'Did you mean "lists/titles.csv"?',
        {"lists/titles.csv": "slug\nb\n"},
    ),
    Broken(
        "a table outside",
        _encode(f"for_each: {{file: «../t.csv», key: slug}}\nsource: {URL}\noutputs: [web-720p]"),
        '"../t.csv" leads out of the project folder',
        "encodes.a.for_each.file",
        "--media-root",
    ),
    Broken(
        "a column of names that is not there",
        _encode(f"for_each: {{file: «t.csv», key: slug}}\nsource: {URL}\noutputs: [web-720p]"),
        'there is no column "slug"',
        "encodes.a.for_each.key",
        "Columns: name.",
    ),
    Broken(
        "a table without a key",
        _encode(f"for_each: {{file: «t.csv»}}\nsource: {URL}\noutputs: [web-720p]"),
        "which column holds the names is not said",
        "encodes.a.for_each",
        "Columns: name.",
    ),
    Broken(
        "a row with too many cells",
        _encode(f"for_each: {{file: t.csv, key: name}}\nsource: {URL}\noutputs: [web-720p]"),
        "this row has 2 cells, the header has 1",
        "",
        "Quote cells",
        {"t.csv": "name\n«b»,c\n"},
    ),
    Broken(
        "a table that is no table",
        _encode(f"for_each: {{file: «specs/a.txt», key: name}}\nsource: {URL}\noutputs: [web-720p]"),
        'a table cannot be ".txt"',
        "encodes.a.for_each.file",
        ".csv, .json",
        {"specs/a.txt": "x"},
    ),
    Broken(
        "JSON gone wrong",
        _encode(f"for_each: {{file: t.json}}\nsource: {URL}\noutputs: [web-720p]"),
        "not JSON: Expecting value",
        "",
        "",
        {"t.json": '["b", «]»\n'},
    ),
    Broken(
        "two files of one name",
        _encode(f'for_each: {{glob: «"m/*"»}}\nsource: {URL}\noutputs: [web-720p]'),
        'm/a.mov and m/a.mp4 would both be "a"',
        "encodes.a.for_each.glob",
        "another name",
        {"m/a.mov": "", "m/a.mp4": ""},
    ),
    Broken(
        "a glob that leads out",
        _encode(f'for_each: {{glob: «"../*.mov"»}}\nsource: {URL}\noutputs: [web-720p]'),
        '"../*.mov" leads out of the project folder',
        "encodes.a.for_each.glob",
        "--media-root",
    ),
]

for _case in FAN_OUT:
    if "t.csv" in _case.text and not _case.files:
        _case.files["t.csv"] = "name\nb\n"

SOURCES = [
    Broken(
        "an object store",
        _source("«s3://bucket/a.mov»"),
        "s3:// sources cannot be read",
        "encodes.a.source",
        '{id: NAME, url: "${env.NAME_URL}"}',
    ),
    Broken(
        "gopher",
        _source("«gopher://x.org/a»"),
        "gopher:// sources cannot be read",
        "encodes.a.source",
        "https:// or http:// URL",
    ),
    Broken(
        "a file URL",
        _source("«file:///etc/passwd»"),
        "file:// sources cannot be read",
        "encodes.a.source",
        "Write the path alone",
    ),
    Broken(
        "a password",
        _source("«https://me:secret@x.org/a.mov»"),
        "a URL with a user name or password: credentials never stand in specs",
        "encodes.a.source",
        "keep it in the environment",
    ),
    Broken(
        "a URL without a host",
        _source("«https:///a.mov»"),
        "this URL names no host",
        "encodes.a.source",
        "https://HOST/PATH",
    ),
    Broken(
        "a URL with a space",
        _source("«https://x.org/a b.mov»"),
        "a URL cannot hold spaces or control characters",
        "encodes.a.source",
        "%20",
    ),
    Broken(
        "a path that leads out",
        _source("«masters/../../a.mov»"),
        '"masters/../../a.mov" leads out of the project folder',
        "encodes.a.source",
        "--media-root",
    ),
    Broken(
        "an absolute path",
        _source("«/mnt/media/a.mov»"),
        '"/mnt/media/a.mov" lies outside the project folder',
        "encodes.a.source",
        "--media-root /mnt/media",
    ),
    Broken(
        "a home folder",
        _source("«~/a.mov»"),
        '"~/a.mov" begins with "~", which is not expanded',
        "encodes.a.source",
        "project folder",
    ),
    Broken(
        "a folder", _source("«masters»"), "masters is a folder", "encodes.a.source", "for_each", {"masters/a.mov": ""}
    ),
    Broken(
        "a missing file",
        _source("«masters/keynot.mov»"),
        "masters/keynot.mov is not there",
        "encodes.a.source",
        'Did you mean "masters/keynote.mov"?',
        {"masters/keynote.mov": ""},
        {"require_sources": True},
    ),
    Broken(
        "a URL from the environment without an id",
        _source('{url: «"${env.RECONCILER_URL}"»}'),
        "a URL from the environment needs an id beside it",
        "encodes.a.source.url",
        "{id: NAME",
    ),
    Broken(
        "a variable that may not be read",
        _source('{id: m, url: «"${env.AWS_SECRET}"»}'),
        "specs may not read AWS_SECRET from the environment",
        "encodes.a.source.url",
        "RECONCILER_SPEC_ENV=AWS_SECRET",
    ),
    Broken(
        "the environment in a plain source",
        _source("«${env.RECONCILER_URL}»"),
        "${env.RECONCILER_URL} cannot stand here",
        "encodes.a.source",
        "{id: NAME, url:",
    ),
    Broken(
        "a literal reference as a source",
        _source("«$${env.HOME}»"),
        "a source cannot hold control characters or a literal ${",
        "encodes.a.source",
        "A source is",
    ),
    Broken(
        "neither url nor path",
        _source("«{»trim: {start: 2s}}"),
        "this source has neither url nor path",
        "encodes.a.source",
        "A source is",
    ),
    Broken(
        "an unknown key",
        _source(f"{{url: {URL}, «wach»: true}}"),
        'unknown key "wach"',
        "encodes.a.source.wach",
        "Keys here: url, path",
    ),
    Broken(
        "an end and a duration",
        _source(f"{{url: {URL}, trim: «{{»end: 2s, duration: 1s}}}}"),
        "a trim has an end or a duration, not both",
        "encodes.a.source.trim",
        "Leave one of them out.",
    ),
    Broken(
        "a trim that ends early",
        _source(f"{{url: {URL}, trim: «{{»start: 5s, end: 2s}}}}"),
        "a trim that ends before it starts",
        "encodes.a.source.trim",
        "Start must be less than end.",
    ),
    Broken(
        "a time of words",
        _source(f"{{url: {URL}, trim: {{start: «soon»}}}}"),
        '"soon" is not a duration',
        "encodes.a.source.trim.start",
        "2s, 1m30s",
    ),
    Broken(
        "a short digest",
        _source(f"{{url: {URL}, sha256: «abc»}}"),
        'sha256 cannot be "abc"',
        "encodes.a.source.sha256",
        "64 hexadecimal digits",
    ),
    Broken(
        "a generated file reader",
        _source("«lavfi:movie=/etc/passwd»"),
        'the filter "movie" is not one of those that a generated source may use',
        "encodes.a.source",
        "lavfi:testsrc2=",
    ),
    Broken(
        "a picture without an end",
        _source("«lavfi:testsrc2=size=320x180»"),
        "a generated source needs an end: give each of its sources a duration, or trim it",
        "encodes.a.source",
        "duration=10",
    ),
    Broken("a number for a source", _source("«true»"), "source cannot be true", "encodes.a.source", "A source is"),
    Broken(
        "an id for a file",
        _source("{id: m, path: «masters/a.mov»}"),
        '"id" says nothing for a source that is no URL',
        "encodes.a.source.path",
        "Leave it out.",
        {"masters/a.mov": ""},
    ),
]

CASES = [*SYNTAX, *TOP_LEVEL, *VARIABLES, *PRESETS, *VALUES, *ENCODES, *FAN_OUT, *SOURCES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_told_once(case, tmp_path):
    """One mistake is one problem: its message, its place and length, its path and its hint."""
    place = case.write(tmp_path)
    [problem] = problems(tmp_path, **case.options)
    assert case.message == problem.message
    assert case.path == problem.path
    assert case.hint in "\n".join(problem.hints)
    if place is not None and problem.place is not None and problem.place.length == 1:
        place = type(place)(place.file, place.line, place.column)
    assert place == problem.place


def test_as_a_screen(tmp_path):
    """Two problems in two files read as they do in the design."""
    write(
        tmp_path,
        {
            "specs/presets.yaml": """\
                project: talks-site
                presets:
                  web-1080p: {extends: web-720p, video: {height: 1080}}
                  web-720p:
                    container: mp4
                    video: {codec: h264, height: 720, crf: 23}
                    audio: {codec: aac}
                  web-480p: {extends: web-720p, video: {height: 480, crf: 24}}
            """,
            "specs/trailers.yaml": """\
                encodes:
                  trailer:
                    source: https://cdn.example.com/trailer.mp4
                    outputs:
                      1080p: web-1080p
                      720p: web-720
                  talk:
                    source: https://cdn.example.com/talk.mp4
                    outputs:
                      480p:
                        extends: web-480p
                        video: {bitrate: 900k}
            """,
        },
    )
    with pytest.raises(SpecError) as caught:
        load(tmp_path)
    expected = """\
        Error: unknown preset "web-720"
          specs/trailers.yaml:6:13  encodes.trailer.outputs.720p

             5 |       1080p: web-1080p
             6 |       720p: web-720
               |             ^^^^^^^
          Did you mean "web-720p"? Yours: web-1080p, web-720p, web-480p.
          Built in: reconciler explain --presets

        Error: two rate controls: "crf" and "bitrate" cannot both be set
          specs/trailers.yaml:12:17  encodes.talk.outputs.480p.video.bitrate

            11 |         extends: web-480p
            12 |         video: {bitrate: 900k}
               |                 ^^^^^^^
          "crf: 24" comes from preset web-480p, specs/presets.yaml:8:54.
          For a quality with a ceiling write  max_bitrate: 900k, buffer_size: 1800k
          For a fixed bitrate write           crf: null, bitrate: 900k

        2 errors in 1 of 2 files. Nothing was planned; the state was not touched.
    """
    assert dedent(expected) == error_text(caught.value)
