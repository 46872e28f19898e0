"""Names, the globs that choose addresses, and suggestions."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.names import listed, matches, name_error, nearest, normal, publish_path, suggestion


@pytest.mark.parametrize("name", ["a", "big-buck_bunny.2", "720p", "_x", "Größe", "映画", "क्षत्रिय", "é" * 50])
def test_good_names(name):
    """Letters and digits of any language, and `_ . -`, up to 100 bytes."""
    assert name_error(name) is None


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", "it is empty"),
        (".hidden", 'it starts with "."'),
        ("-x", 'it starts with "-"'),
        ("..", 'it starts with "."'),
        ("a b", "it holds a space"),
        ("a/b", 'it holds "/"'),
        ("a\\b", 'it holds "\\"'),
        ("a\nb", "it holds '\\n'"),
        ("a:b", 'it holds ":"'),
        ("½", 'it holds "½"'),
        ("x" * 101, "it has 101 bytes, the most is 100"),
        ("é" * 51, "it has 102 bytes, the most is 100"),
        ("\u0301a", "it starts with a combining mark"),
    ],
)
def test_bad_names(name, error):
    """What cannot be in an address or a path is refused with its reason."""
    assert error == name_error(name)


def test_composed_and_decomposed_are_one_name():
    """File systems of macOS decompose letters; a name is the same however it is stored."""
    assert normal(unicodedata.normalize("NFD", "Größe")) == normal("Größe")


@settings(deadline=None)
@given(st.text(max_size=30))
def test_a_good_name_is_a_safe_path(name):
    """No name that is accepted can leave its folder or hide in it."""
    if name_error(name) is None:
        path = publish_path("e", name, "mp4")
        assert ["outputs", "e", f"{name}.mp4"] == path.split("/")
        assert not name.startswith(".")


@pytest.mark.parametrize(
    ("glob", "chosen"),
    [
        ("trailer", True),
        ("trailer/bbb", True),
        ("trailer/bbb/720p", True),
        ("trailer/*", True),
        ("*/720p", True),
        ("tr*", True),
        ("trailer/?bb/720p", True),
        ("*", True),
        ("trail", False),
        ("trailer/b", False),
        ("TRAILER", False),
        ("720p", False),
        ("", False),
    ],
)
def test_globs(glob, chosen):
    """A glob is fnmatch over the whole address; a bare name means everything below it."""
    assert chosen == matches(glob, "trailer/bbb/720p")


def test_a_glob_may_be_decomposed():
    """What a terminal of macOS hands over chooses the composed address."""
    assert matches(unicodedata.normalize("NFD", "größe"), "größe/720p")


def test_suggestions():
    """The nearest name is suggested, however it is capitalised; none if nothing is near."""
    assert "web-720p" == nearest("Web-720", ["web-1080p", "web-720p"])
    assert nearest("zebra", ["web-720p"]) is None
    assert 'Did you mean "b1"? ' == suggestion("B1", ["b1"])
    assert "" == suggestion("zebra", ["b1"])


def test_long_lists_are_cut():
    """A list for a sentence names some and counts the others."""
    assert "a, b and 2 more" == listed(["a", "b", "c", "d"], most=2)
    assert "a, b" == listed(["a", "b"], most=2)
