"""Spec files in a temporary project folder, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest

from reconciler.commands.kinds import knowledge
from reconciler.core.errors import Place, Problem, SpecError
from reconciler.core.nodes import Node
from reconciler.edges import spec_files
from reconciler.edges.yaml_nodes import read_yaml

HEAD = """\
version: 1
project: talks
"""

# A preset of one's own, as most tests want one.
WEB = """\
presets:
  web-720p:
    container: mp4
    video: {codec: h264, height: 720, crf: 23, preset: slow}
    audio: {codec: aac, bitrate: 192k, channels: 2, sample_rate: 48k}
"""

URL = "https://cdn.example.com/bbb.mp4"


def load(folder: Path, *args, **options):
    """The specs of a folder, with all types of providers known."""
    return spec_files.load(folder, *args, knowledge=knowledge(), **options)


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write files below a project folder; their indentation is taken off."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return folder


def desired(folder: Path, *texts: str, **options):
    """What spec files want; each text is a file, the first one begins with the project's name."""
    files = {f"specs/{chr(97 + index)}.yaml": dedent(text) for index, text in enumerate(texts)}
    files["specs/a.yaml"] = HEAD + files["specs/a.yaml"]
    return load(write(folder, files), **options).desired


def outputs(folder: Path, *texts: str, **options):
    """The wanted outputs by address."""
    return {output.address: output for output in desired(folder, *texts, **options).outputs}


def fingerprints(folder: Path, *texts: str, **options):
    """The wanted fingerprints by address."""
    return {address: output.fingerprint for address, output in outputs(folder, *texts, **options).items()}


def one(folder: Path, said: str, *, head: str = WEB, source: str = URL):
    """The only output of an encode `a` whose output `x` says `said` (a flow mapping or a preset's name)."""
    text = f"{head}encodes:\n  a:\n    source: {source}\n    outputs:\n      x: {said}\n"
    return outputs(folder, text)["a/x"]


def problems(folder: Path, **options) -> tuple[Problem, ...]:
    """Everything that is wrong with the specs of a folder."""
    with pytest.raises(SpecError) as caught:
        load(folder, **options)
    return caught.value.problems


def complaints(folder: Path, said: str, *, head: str = WEB) -> list[str]:
    """The messages about an encode `a` whose output `x` says `said`."""
    text = f"{HEAD}{head}encodes:\n  a:\n    source: {URL}\n    outputs:\n      x: {said}\n"
    return [problem.message for problem in problems(write(folder, {"specs/a.yaml": text}))]


def node(text: str) -> Node:
    """The nodes of a good YAML text, which stands in `a.yaml`."""
    root, found = read_yaml(dedent(text), "a.yaml")
    assert root is not None
    assert not found
    return root


# An encode that is as it should be.
ONE = f"encodes:\n  a:\n    source: {URL}\n    outputs: [web-720p]\n"


def top(text):
    """A spec with a project, a preset and this."""
    return HEAD + WEB + text


def encode(body):
    """A spec with one encode, `a`, that says this."""
    lines = "".join(f"    {line}\n" for line in dedent(body).splitlines())
    return f"{HEAD}{WEB}encodes:\n  a:\n{lines}"


def source(text):
    """A spec whose encode `a` has this source."""
    return encode(f"source: {text}\noutputs: [web-720p]")


def said(text):
    """A spec whose output `a/x` says this."""
    return encode(f"source: {URL}\noutputs:\n  x: {text}")


def video(text):
    """A spec whose output `a/x` has this picture, and no sound."""
    return said(f"{{container: mp4, video: {{{text}}}, audio: {{codec: none}}}}")


def audio(text):
    """A spec whose output `a/x` has this sound, and no picture."""
    return said(f"{{container: mkv, video: {{codec: none}}, audio: {{{text}}}}}")


@dataclass(frozen=True)
class Broken:
    """A spec with one thing wrong. The offending text stands between « and »."""

    fact: str
    text: str
    message: str
    path: str = ""
    hint: str = ""
    files: dict[str, str] = field(default_factory=dict)
    options: dict = field(default_factory=dict)

    def write(self, folder: Path) -> Place | None:
        """Write it, without the marks, and say where they were."""
        texts = {"specs/a.yaml": self.text, **self.files}
        places = [place for name, text in texts.items() if (place := marked(name, dedent(text))) is not None]
        write(folder, {name: text.replace("«", "").replace("»", "") for name, text in texts.items()})
        return places[0] if places else None


def marked(name: str, text: str) -> Place | None:
    """The place between the marks of a text, if there are some."""
    for number, line in enumerate(text.splitlines(), 1):
        start, end = line.find("«"), line.find("»")
        if start >= 0:
            return Place(name, number, start + 1, end - start - 1)
    return None


def assert_told_once(case: Broken, folder: Path) -> None:
    """One mistake is one problem: its message, its place and length, its path and its hint."""
    place = case.write(folder)
    [problem] = problems(folder, **case.options)
    assert case.message == problem.message
    assert case.path == problem.path
    assert case.hint in "\n".join(problem.hints)
    assert place == problem.place
