"""YAML that cannot be read, or says more than a spec may."""

from __future__ import annotations

import pytest

from builders_specs import HEAD, URL, Broken, assert_told_once, top, video
from reconciler.edges.yaml_nodes import read_yaml

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
        video("codec: h264, crf: 23, pad: {aspect: 16:9, color: «#»ff0000}"),
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
        top(f"encodes:\n  a:\n    «<<»: {{}}\n    source: {URL}\n    outputs: [web-720p]\n"),
        'merge keys ("<<") are not read',
        "encodes.a.<<",
        "extends: NAME",
    ),
    Broken(
        "a duplicate key",
        top(f"encodes:\n  a:\n    source: {URL}\n    «source»: x\n    outputs: [web-720p]\n"),
        'key "source" is written twice',
        "encodes.a.source",
        "It is first at specs/a.yaml:10:5.",
    ),
    Broken("a list as a key", "«[»a]: b\n", "a key must be text, not a list"),
    Broken(
        "an unknown alias",
        top(f"encodes: {{a: {{source: {URL}, outputs: [web-720p], labels: «*lables»}}}}\n"),
        'unknown alias "*lables"',
        "encodes.a.labels",
        "named earlier",
    ),
    Broken(
        "an alias in itself", "encodes: &x {a: «*x»}\n", 'alias "*x" stands inside of what it stands for', "encodes.a"
    ),
    Broken("a control character", 'project: "a«\x07»"\n', "a character that is no text (U+0007)", hint="Remove it."),
]


@pytest.mark.parametrize("case", SYNTAX, ids=lambda case: case.fact)
def test_told_once(case, tmp_path):
    """One mistake is one problem: its message, its place, its path and its hint."""
    assert_told_once(case, tmp_path)


@pytest.mark.parametrize("case", SYNTAX, ids=lambda case: case.fact)
def test_a_url_in_braces_changes_no_complaint(case):
    """Whichever parser reads a file, a mistake in it is told in the same words, at the same place."""
    text = case.text.replace("«", "").replace("»", "")
    (_, plain), (_, exact) = (read_yaml(f"cdn: {{a: {value}}}\n{text}", "a.yaml") for value in ("b", "http://e.x/y"))

    assert [each.message for each in plain] == [each.message for each in exact]
    assert [(each.place.line, each.path) for each in plain] == [(each.place.line, each.path) for each in exact]
