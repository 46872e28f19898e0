"""A stranger's pull request: whatever its specs say leaks nothing, starts nothing, and is named with its line."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field

import pytest

from builders_http import serving
from builders_project import Project, generated, ladder_spec, tiny

SECRET = "s3cr3t-that-must-not-be-told"
GOOD = f"{{source: '{generated()}', outputs: {{x: {tiny()}}}}}"


@dataclass(frozen=True)
class Hostile:
    """A spec, what is said about it and where; `files` are laid beside it, `links` symlinked."""

    name: str
    spec: str
    said: str
    place: str = "specs/evil.yaml:"
    files: dict = field(default_factory=dict)
    links: dict = field(default_factory=dict)


def encode(source, **more):
    """A spec of one encode of a source."""
    extra = "".join(f", {name}: {value}" for name, value in more.items())
    return f"encodes:\n  e: {{source: {source}, outputs: {{x: {tiny()}}}{extra}}}\n"


ALIASES = "variables: {a: x}\n_x: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"_{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

TEMPLATE = """\
providers: {b: {type: bytenite, api_url: 'https://b.example/v1'}}
encodes:
  e: {source: 'https://x.example/a.mp4', provider: b, template: t.json}
"""


def fan_out(over):
    """A spec of one encode for each row or file."""
    return f"encodes:\n  e: {{for_each: {over}, source: a.mov, outputs: []}}\n"


CASES = [
    Hostile("environment in a source", encode('"https://x.example/${env.SECRET}.mp4"'), "env.SECRET"),
    Hostile("environment of its own name", encode("{id: m, url: '${env.SECRET}'}"), "may not read SECRET"),
    Hostile("environment in a label", encode("a.mov", labels="{l: '${env.BYTENITE_API_KEY}'}"), "env.BYTENITE_API_KEY"),
    Hostile("environment in a variable", "variables: {v: '${env.BYTENITE_API_KEY}'}\n" + encode("'${var.v}'"), "env."),
    Hostile("environment in a name", f"encodes:\n  '${{env.SECRET}}': {GOOD}\n", "cannot name an encode"),
    Hostile("a path upwards", encode("../../outside.mov"), "outside"),
    Hostile("an absolute path", encode("/etc/passwd"), "/etc/passwd"),
    Hostile("a path upwards in a table", fan_out("{file: ../secret.csv}"), "secret.csv"),
    Hostile("a glob upwards", fan_out("{glob: '../*'}"), ".."),
    Hostile("a table that is a device", fan_out("{file: rows.csv}"), "rows.csv", links={"rows.csv": "/dev/zero"}),
    Hostile("a template that is a device", TEMPLATE, "t.json", links={"t.json": "/dev/urandom"}),
    Hostile("a template that leads out", TEMPLATE, "t.json", links={"t.json": "../secret.csv"}),
    Hostile("a source that leads out", encode("a.mov"), "a.mov", links={"a.mov": "../secret.csv"}),
    Hostile(
        "an image that leads out",
        encode("a.mov").replace("video: {", "video: {watermark: {image: logo.png}, "),
        "logo.png",
        links={"logo.png": "../secret.csv"},
    ),
    Hostile(
        "subtitles that are a device",
        encode("a.mov").replace("audio:", "subtitles: {burn_in: words.srt}, audio:"),
        "words.srt",
        links={"words.srt": "/dev/zero"},
    ),
    Hostile(
        "a spec that leads out", encode("a.mov"), "specs/link.yaml", "", links={"specs/link.yaml": "../../secret.csv"}
    ),
    Hostile("a spec that is a device", "encodes: {}\n", "specs/dev.yaml", "", links={"specs/dev.yaml": "/dev/zero"}),
    Hostile("aliases that explode", ALIASES, "alias"),
    Hostile("a file of the machine", encode("file:///etc/passwd"), "file:// sources cannot be read"),
    Hostile("gopher", encode("'gopher://localhost:25/_HELO'"), "gopher:// sources cannot be read"),
    Hostile("ffmpeg's own protocols", encode("'concat:a.mov|/etc/passwd'"), "concat"),
    Hostile("ffmpeg's pictures with a file", encode("'lavfi:movie=/etc/passwd'"), "movie"),
    Hostile("escapes in a name", f'encodes:\n  "\\e[31mred": {GOOD}\n', "cannot name an encode"),
    Hostile("a turned name", f'encodes:\n  "a\\u202Eb": {GOOD}\n', "cannot name an encode"),
    Hostile("a name with a path", f"encodes:\n  '../../x': {GOOD}\n", "cannot name an encode"),
    Hostile("a tag that makes objects", "encodes: !!python/object/apply:os.system ['touch started']\n", "tag"),
    Hostile(
        "a program for ffmpeg",
        encode("a.mov").replace("video: {", "video: {encoder: 'libx264 -f null /dev/null', "),
        "encoder",
    ),
    Hostile("a key that is not known", "hooks: {after: 'touch started'}\n", 'unknown key "hooks"'),
    Hostile(
        "a key in the clear", "providers: {b: {type: bytenite, api_key: abcdef}}\n", "a secret does not stand in a spec"
    ),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A project that is applied, with secrets beside it that nobody may see."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "secret.csv").write_text(f"key\n{SECRET}\n")
    project = Project(folder / "project", {"SECRET": SECRET, "BYTENITE_API_KEY": SECRET})
    project.write("specs/encodes.yaml", ladder_spec())
    project.apply().ok()
    return project


def told(project, *command):
    """A run that ends soon and tells no secret."""
    began = time.monotonic()
    result = project.run(*command)
    words = result.out + result.err
    bad = {SECRET, "\x1b", "Traceback", "root:", *(() if "--json" in command else ("\u202e",))}
    assert [] == [each for each in bad if each in words]
    assert time.monotonic() - began < 60
    return result


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_strangers_spec(base, case):
    """Named with file and line by validate, plan and apply; no secret told, no file made, nothing that hangs."""
    before = _files(base)
    made = [base.write("specs/evil.yaml", case.spec), *(base.write(name, text) for name, text in case.files.items())]
    for name, target in case.links.items():
        (base.folder / name).symlink_to(target)
        made.append(base.folder / name)
    try:
        for command in (("validate",), ("plan",), ("apply", "--auto-approve")):
            result = told(base, *command)
            assert (1, True, True) == (result.code, case.said in result.err, case.place in result.err), result.err
        events = [json.loads(line) for line in told(base, "plan", "--json").out.splitlines()]
        assert case.said in "".join(event["@message"] + event["diagnostic"]["detail"] for event in events)
        places = [event["diagnostic"].get("range", {}).get("filename") for event in events]
        assert case.place in {"", *(f"{place}:" for place in places)}
    finally:
        for path in made:
            path.unlink()
    assert before == _files(base)


def test_a_plan_contacts_nobody(tmp_path):
    """validate, plan and their JSON ask no server, whatever the sources are."""
    with serving({"/a.mp4": b"x"}) as site:
        project = Project(tmp_path)
        project.write("specs/a.yaml", "version: 1\nproject: p\n" + encode(f"'{site.url('/a.mp4')}'"))
        for command in (("validate",), ("plan",), ("plan", "--json"), ("plan", "--detail", "--markdown", "plan.md")):
            project.run(*command, "--allow-private-sources").ok()

        assert [] == list(site.requests)


def test_labels_and_urls_are_shown_and_do_nothing(tmp_path):
    """What may stand in a spec and looks like commands is told as text, on the screen and in a comment."""
    project = Project(tmp_path)
    hostile = "'::error::oh | `x` <b> \\e[31m'"
    project.write("specs/a.yaml", "version: 1\nproject: p\n" + encode(f"'{generated()}'", labels=f"{{l: {hostile}}}"))
    project.apply().ok()
    project.write("specs/a.yaml", "version: 1\nproject: p\n" + encode(f"'{generated()}'", labels='{l: "a\\e[31m|<i>"}'))
    out = project.run("plan", "--markdown", "plan.md").ok().out
    text = (tmp_path / "plan.md").read_text()

    assert "\x1b" not in out + text
    assert "<i>" not in text
    assert "<b>" not in text


def test_a_private_address_is_not_fetched(tmp_path):
    """A source on this network is refused at apply; nothing is asked there."""
    with serving({"/a.mp4": b"x"}) as site:
        project = Project(tmp_path)
        project.write("specs/a.yaml", "version: 1\nproject: p\n" + encode(f"'{site.url('/a.mp4')}'"))
        result = project.apply()

        assert 3 == result.code
        assert [] == list(site.requests)


def _files(project):
    return sorted(
        (str(path.relative_to(project.folder)), path.lstat().st_mtime_ns if path.is_file() else 0)
        for path in project.folder.rglob("*")
        if ".cache" not in path.parts and path.name != ".lock" and "backups" not in path.parts
    )
