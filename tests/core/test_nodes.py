"""Located values: YAML 1.2, and no more of it than a spec needs."""

from __future__ import annotations

import math
import time

import pytest

from builders_specs import node
from reconciler.core.errors import Place
from reconciler.core.nodes import described, find, masked, plain_scalar, scalars, shortened, stamped, to_plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("tRue", "tRue"),
        ("null", None),
        ("~", None),
        ("", None),
        ("1:30", "1:30"),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("-3", -3),
        ("+3", 3),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.5.2", "1.5.2"),
        ("-", "-"),
        ("4500k", "4500k"),
        ("2026-01-01", "2026-01-01"),
        ("Nobody", "Nobody"),
    ],
)
def test_unquoted_values(text, value):
    """Unquoted text is typed by YAML 1.2's core schema: no sexagesimals, no dates, `no` is text."""
    assert (type(value), value) == (type(plain_scalar(text)), plain_scalar(text))


def test_numbers_that_are_none():
    """Infinity is read as what it is, for others to refuse; endless digits do not take for ever."""
    assert math.inf == plain_scalar(".inf")
    assert math.isnan(plain_scalar(".nan"))
    assert math.inf == plain_scalar("9" * 5000)


def test_quotes_make_text():
    """A quoted value is text, whatever it looks like."""
    assert {"a": "true", "b": "720", "c": ""} == to_plain(node("""{a: "true", b: '720', c: ""}"""))


def test_keys_are_text_as_it_is_written():
    """A key is never a number or a truth: `720`, `1.0` and `true` are names."""
    assert {"720": 1, "1.0": 2, "true": 3, "no": 4, "0x10": 5} == to_plain(
        node("720: 1\n1.0: 2\ntrue: 3\nno: 4\n0x10: 5\n")
    )


def test_every_value_knows_its_place():
    """Line, column and length are those of the text, with its quotes; the key has a place of its own."""
    root = node("a:\n  - {b: 'cd', é: 12}\n")
    values = {".".join(path): scalar.place for path, scalar in scalars(root)}
    assert {"a.0.b": Place("a.yaml", 2, 9, 4), "a.0.é": Place("a.yaml", 2, 18, 2)} == values
    assert Place("a.yaml", 1, 1, 1) == root.items["a"].key
    assert Place("a.yaml", 2, 15, 1) == root.items["a"].node.items[0].items["é"].key


def test_an_alias_is_what_it_stands_for():
    """An alias gives the value of its anchor, with the place where the value is written."""
    root = node("a: &x {crf: 23}\nb: *x\n")
    assert {"crf": 23} == to_plain(find(root, ["b"]).node)
    assert 1 == find(root, ["b", "crf"]).node.place.line


def test_finding_stops_where_nothing_is():
    """A path that leads nowhere finds nothing."""
    root = node("a: {b: 1}")
    assert 1 == find(root, ["a", "b"]).node.value
    assert find(root, ["a", "c"]) is None
    assert find(root, ["a", "b", "c"]) is None


def test_a_stamp_reaches_every_value():
    """Stamping says of each value which preset it came from, and changes nothing else."""
    root = node("{a: 1, b: [2, {c: 3}]}")
    assert ["p", "p", "p"] == [scalar.preset for _, scalar in scalars(stamped(root, "p"))]
    assert to_plain(root) == to_plain(stamped(root, "p"))


@pytest.mark.parametrize(
    ("text", "words"),
    [("[1]", "a list"), ("{a: 1}", "a mapping"), ("null", "null"), ("abc", '"abc"'), ("5", "5"), ("true", "true")],
)
def test_what_a_value_is_called(text, words):
    """Sentences show values as they are written."""
    assert words == described(node(text))


def test_long_and_secret_text_is_not_repeated():
    """A message holds one short line, without passwords and queries."""
    assert "a b" == shortened("a\n b")
    assert "x" * 57 + "..." == shortened("x" * 100)
    assert 'see "https://h.org/a?..." now' == masked('see "https://me:pw@h.org/a?sig=1" now')


@pytest.mark.parametrize("unit", ["a", "a://", "://", "?", "@"])
def test_endless_text_is_masked_at_once(unit):
    """The time grows with the length of a text, not with its square."""
    start = time.monotonic()
    masked(unit * (1_000_000 // len(unit)))

    assert time.monotonic() - start < 1
