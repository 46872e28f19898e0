"""The files that `init` writes, and what it says about them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence

from reconciler.core.names import LONGEST, name_error, normal
from reconciler.views.cells import fold, visible

TEST_PICTURES = (
    "lavfi:testsrc2=size=1280x720:rate=25:duration=5[out0];sine=frequency=440:sample_rate=48000:duration=5[out1]"
)
VIDEO_PRESETS = ("720p-h264", "480p-h264")
SOUND_PRESETS = ("audio-aac",)
SCHEMA_FILE = ".encodes.schema.json"

# What is made by running; encodes.json is the memory and belongs in git.
IGNORED = ("outputs/", "state/links.json", "state/*.jsonl", "state/.*", "state/backups/")

MERGE_DRIVER = 'git config merge.reconciler-state.driver "reconciler state merge %O %A %B %P"'

_SOUND_ONLY = frozenset({"aac", "aif", "aiff", "flac", "m4a", "mp3", "oga", "ogg", "opus", "wav", "wma"})
_PLAIN = re.compile(r"[\w./~][\w./:%?=&+~@,;()\[\]-]*")


def first_spec(project: str, encode: str, source: str, presets: Sequence[str]) -> str:
    """The shortest useful spec: a source and a list of presets."""
    return f"""\
# yaml-language-server: $schema={SCHEMA_FILE}
version: 1
project: {_scalar(project)}
encodes:
  {_scalar(encode)}:
    source: {_scalar(source)}
    outputs: [{", ".join(presets)}]
"""


def presets_for(source: str) -> tuple[str, ...]:
    """Presets that suit a clip, as far as its name tells."""
    ending = source.partition("?")[0].rpartition(".")[2].lower()
    return SOUND_PRESETS if ending in _SOUND_ONLY else VIDEO_PRESETS


def name_from(text: str, otherwise: str) -> str:
    """The nearest name to a folder's or file's; `otherwise` where nothing of it can stand in a name."""
    letters = (letter if name_error(f"a{letter}") is None else "-" for letter in normal(text))
    name = re.sub(r"-{2,}", "-", "".join(letters)).strip("-.")
    while name and unicodedata.category(name[0]).startswith("M"):
        name = name[1:]
    while len(name.encode()) > LONGEST:
        name = name[:-1]
    return name or otherwise


def ignored(existing: str) -> str:
    """A .gitignore with our lines; what is in it already stays as it is, and nothing stands in it twice."""
    known = {line.strip() for line in existing.splitlines()}
    missing = [line for line in IGNORED if line not in known and f"/{line}" not in known]
    if not missing:
        return existing
    gap = "" if not existing else "\n" if existing.endswith("\n") else "\n\n"
    return (
        existing + gap + "\n".join(["# reconciler: what runs make; state/encodes.json stays in git", *missing]) + "\n"
    )


def attributes(existing: str, state: str) -> str:
    """A .gitattributes with our line, by which git merges the state record by record; what is in it stays."""
    line = f"{state} merge=reconciler-state"
    known = {each.split()[0].lstrip("/") for each in existing.splitlines() if "merge=" in each and each.split()}
    if state in known:
        return existing
    gap = "" if not existing or existing.endswith("\n") else "\n"
    return f"{existing}{gap}{line}\n"


def init_text(written: Sequence[str], left_alone: Sequence[str], *, columns: int = 80) -> str:
    """Which files were written, which were left alone, and what to do next."""
    lines = [f"Wrote {visible(path)}" for path in written]
    for sentence in left_alone:
        lines += fold(f"Left alone: {visible(sentence)}", columns, rest="  ")
    if ".gitattributes" in written:
        driver = "So that git merges states of two branches record by record, once in every clone:"
        lines += ["", *fold(driver, columns), f"  {MERGE_DRIVER}"]
    return "\n".join([*lines, "", "To see what would be encoded: reconciler plan"]) + "\n"


def _scalar(text: str) -> str:
    """Text as one YAML scalar that says just that."""
    text = text.replace("${", "$${")
    plain = _PLAIN.fullmatch(text) and not _reads_as_something_else(text)
    return text if plain else json.dumps(text, ensure_ascii=False)


def _reads_as_something_else(text: str) -> bool:
    """Numbers, truths, nulls and the like must be quoted to be text."""
    return bool(re.fullmatch(r"[-+0-9_.:eExXoO~]+|(?i:true|false|yes|no|on|off|null|y|n|nan|\.inf)", text)) or (
        text.endswith(":") or ": " in text
    )
