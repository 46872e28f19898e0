"""Text on a terminal."""

from __future__ import annotations

import pytest

from reconciler.views.cells import fold, pad, table, visible, whole, width


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ("plain", "plain"),
        (r"\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        (r"two\nlines\t\r", "two\nlines\t\r"),
        (r"\x9b31m", "\x9b31m"),
        (r"gpj.\u202egpm", "gpj.\u202egpm"),
        (r"half \ud800", "half \ud800"),
        (r"line\u2028line", "line\u2028line"),
        ("日本語 né مرحبا", "日本語 né مرحبا"),
        ("می‌خواهم", "می‌خواهم"),
    ],
)
def test_what_acts_on_a_terminal_is_shown_as_its_escape(shown, text):
    """Escapes, line breaks, direction marks and half characters are written out; letters of all scripts stay."""
    assert shown == visible(text)


def test_width_counts_columns():
    """Wide letters take two columns, combining marks none."""
    assert (6, 2, 4) == (width("日本語"), width("ne\u0301"), width("abcd"))


def test_padding_counts_columns():
    """Padded texts of all scripts end in the same column."""
    assert ["日本  |", "ne\u0301    |", "abcdefg|"] == [f"{pad(text, 6)}|" for text in ("日本", "ne\u0301", "abcdefg")]


def test_a_word_that_is_too_long_keeps_its_line():
    """Folding breaks at spaces and never cuts an address."""
    assert ["  to", "    " + "a" * 30, "    and on"] == fold("to " + "a" * 30 + " and on", 20, first="  ", rest="    ")


def test_a_whole_text_is_not_broken():
    """A command stays on one line, with plain spaces to copy."""
    assert ["To run it:", "reconciler apply --target x"] == fold(
        f"To run it: {whole('reconciler apply --target x')}", 30
    )


def test_table_aligns_numbers_to_the_right():
    """Cells stand under each other, columns of numbers end together, and nothing trails."""
    assert ["a    10 MB  x", "bcd   1 MB"] == table([("a", "10 MB", "x"), ("bcd", "1 MB", "")], numbers={1})
