"""Errors as people read them."""

from __future__ import annotations

import time

import pytest

from reconciler.core.errors import Place, Problem, ReconcilerError, SpecError
from reconciler.views.cells import width
from reconciler.views.problems import error_text

TRAILERS = [""] * 29 + [
    "      1080p: web-1080p",
    "      720p: web-720",
    *[""] * 5,
    "      480p:",
    "        video: {bitrate: 900k}",
]


def spec_error(*problems, lines=(), files=1):
    """Problems in one file."""
    return SpecError(problems, texts={"specs/t.yaml": list(lines)}, files=files)


def test_a_bad_spec():
    """Every problem has its place, an excerpt with a mark, and what would be right; then how many there are."""
    error = SpecError(
        [
            Problem(
                'unknown preset "web-720"',
                Place("specs/trailers.yaml", 31, 13, 7),
                "encodes.trailer.outputs.720p",
                (
                    'Did you mean "web-720p"? Yours: web-1080p, web-720p, web-480p.',
                    "Built in: reconciler explain --presets",
                ),
            ),
            Problem(
                'two rate controls: "crf" and "bitrate" cannot both be set',
                Place("specs/trailers.yaml", 38, 17, 7),
                "encodes.talk.outputs.480p.video.bitrate",
                (
                    '"crf: 24" comes from preset web-480p, specs/presets.yaml:14:21.',
                    "For a quality with a ceiling write  max_bitrate: 900k",
                    "For a fixed bitrate write           crf: null, bitrate: 900k",
                ),
            ),
        ],
        texts={"specs/trailers.yaml": TRAILERS},
        files=2,
    )

    assert (
        error_text(error)
        == """\
Error: unknown preset "web-720"
  specs/trailers.yaml:31:13  encodes.trailer.outputs.720p

    30 |       1080p: web-1080p
    31 |       720p: web-720
       |             ^^^^^^^
  Did you mean "web-720p"? Yours: web-1080p, web-720p, web-480p.
  Built in: reconciler explain --presets

Error: two rate controls: "crf" and "bitrate" cannot both be set
  specs/trailers.yaml:38:17  encodes.talk.outputs.480p.video.bitrate

    37 |       480p:
    38 |         video: {bitrate: 900k}
       |                 ^^^^^^^
  "crf: 24" comes from preset web-480p, specs/presets.yaml:14:21.
  For a quality with a ceiling write  max_bitrate: 900k
  For a fixed bitrate write           crf: null, bitrate: 900k

2 errors in 1 of 2 files. Nothing was planned; the state was not touched.
"""
    )


def marked(text):
    """The text above the mark, by columns on the screen."""
    lines = text.splitlines()
    place = next(number for number, line in enumerate(lines) if set(line) == {" ", "|", "^"})
    start, end = lines[place].index("^"), lines[place].rindex("^") + 1
    shown, column = "", 0
    for letter in lines[place - 1]:
        if start <= column < end:
            shown += letter
        column += width(letter)
    return shown


def test_the_mark_stands_under_what_is_meant():
    """Tabs, wide letters, combining marks and escapes before or in the marked text do not shift the mark."""
    lines = ["\ttrailer: x", "映画: {ne\u0301: web}", "a: \x1b[31mred, b", "last"]
    places = [Place("specs/t.yaml", 1, 2, 7), Place("specs/t.yaml", 2, 11, 3), Place("specs/t.yaml", 3, 14, 1)]
    texts = [error_text(spec_error(Problem("bad", place), lines=lines)) for place in places]

    assert ["trailer", "web", "b"] == [marked(text) for text in texts]
    assert r"     3 | a: \x1b[31mred, b" in texts[2]


def test_a_place_behind_the_end_of_a_line_is_marked_at_its_end():
    """Where something is missing, the mark stands behind what is there."""
    text = error_text(spec_error(Problem("missing", Place("specs/t.yaml", 1, 99, 5)), lines=["source:"]))

    assert "     1 | source:\n       |        ^\n" in text


def test_a_long_line_is_cut_around_its_mark():
    """An excerpt fits the screen and still shows what is meant."""
    line = "a: [" + "x, " * 100 + "BAD, " + "y, " * 100 + "]"
    text = error_text(spec_error(Problem("bad", Place("specs/t.yaml", 1, 305, 3)), lines=[line]), columns=60)

    assert "BAD" == marked(text)
    assert [] == [line for line in text.splitlines()[:-1] if width(line) > 60]


def test_values_in_the_query_of_a_url_are_not_shown():
    """A signed URL in an excerpt keeps its place and loses its secrets."""
    line = "  source: https://key:word@cdn.example.com/a.mp4?X-Amz-Signature=abcdef&v=1  # here"
    text = error_text(spec_error(Problem("bad", Place("specs/t.yaml", 1, 11, 6)), lines=[line]), columns=120)

    assert "source: https://********@cdn.example.com/a.mp4?X-Amz-Signature=******&v=*  # here" in text


def test_a_problem_without_a_place():
    """What no line can be blamed for has a path and hints."""
    text = error_text(spec_error(Problem("no project", path="project", hints=("Write project: NAME",)), files=1))

    assert (
        """\
Error: no project
  project
  Write project: NAME

1 error. Nothing was planned; the state was not touched.
"""
        == text
    )


def test_documents_beside_the_specs_are_counted_too():
    """Problems in more files than there are specs are in so many files, not in three of one."""
    beside = [Problem("wrong", Place(f"templates/{name}.json", 1, 1), "encodes") for name in "abc"]
    assert error_text(spec_error(*beside)).splitlines()[-1].startswith("3 errors in 3 files.")


def test_other_errors_say_what_they_say():
    """Any other expected error is printed as it is, control characters made visible."""
    assert "Error: bad \\x1b[0m file\nDo that.\n" == error_text(ReconcilerError("bad \x1b[0m file\nDo that."))


@pytest.mark.parametrize("unit", ["a", "a://", "://", "?", "a://b?", "a b "])
@pytest.mark.parametrize("column", [1, 2_000_000])
def test_an_endless_line_is_shown_at_once(unit, column):
    """A line of four megabytes, whatever it is made of, costs no more than a short one."""
    line = unit * (4_000_000 // len(unit))
    error = spec_error(Problem("bad", Place("specs/t.yaml", 2, column, 3)), lines=[line, line])
    start = time.process_time()
    text = error_text(error)

    assert time.process_time() - start < 1
    assert [] == [line for line in text.splitlines() if width(line) > 80]


def test_a_url_that_is_cut_off_keeps_its_secrets():
    """Of a URL that began far before the mark nothing is shown: its query cannot be told from its path."""
    line = "a: https://x.org/a?token=" + "s3cret" * 2_000 + " next"
    text = error_text(spec_error(Problem("bad", Place("specs/t.yaml", 1, len(line) - 20, 3)), lines=[line]))

    assert "s3cret" not in text
    assert "next" in text


def test_no_spelling_of_a_scheme_shows_a_password():
    """Capitals, or digits before it, hide no URL from being masked."""
    line = "a: [HTTPS://key:word@x.org/a?b=tok, 1https://key:word@x.org/a?b=tok]"
    text = error_text(spec_error(Problem("bad", Place("specs/t.yaml", 1, 1, 1)), lines=[line]), columns=120)

    assert ("word" not in text, "tok" not in text) == (True, True)
