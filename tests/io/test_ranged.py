"""A file behind a link is read here and there, with few bytes, and never with a credential of ours."""

from __future__ import annotations

import random

import pytest

from builders_http import Page, serving
from reconciler.io.http import session
from reconciler.io.ranged import LinkError, RangedFile

SIZE = 3_000_000
DATA = random.Random(4).randbytes(SIZE)
KILO = 1024


@pytest.fixture
def site():
    """A server without pages."""
    with serving({}) as found:
        yield found


def opened(site, page, **options):
    """A page, opened through its signed link; no pause takes time."""
    site.pages["/file"] = page
    slept = options.pop("slept", [])
    return RangedFile(
        session(allow_private=True), site.url("/file", "X-Goog-Signature=SECRET"), sleep=slept.append, **options
    )


def refused(site, page, **options):
    """The error that opening or reading all of a page ends with."""
    with pytest.raises(LinkError) as raised, opened(site, page, **options) as file:
        file.read()
    assert "SECRET" not in str(raised.value)
    return raised.value


class TestReading:
    """What is read is what is there."""

    @pytest.mark.parametrize(
        ("start", "count"),
        [(0, 10), (100, 0), (SIZE - 5, 5), (SIZE - 5, 50), (SIZE, 5), (SIZE + 9, 5), (32 * KILO - 3, 6), (1, 200_000)],
    )
    def test_anywhere(self, site, start, count):
        """At the beginning, across blocks, at the end and past it."""
        with opened(site, Page(DATA)) as file:
            file.seek(start)
            assert DATA[start : start + count] == file.read(count)
            assert start + len(DATA[start : start + count]) == file.tell()

    def test_all_of_it(self, site):
        """In order, with requests that grow."""
        with opened(site, Page(DATA)) as file:
            assert SIZE == file.size
            assert DATA == b"".join(iter(lambda: file.read(10_000), b""))
        assert len(site.of("/file")) < 15
        assert SIZE == site.served("/file")

    def test_into_a_buffer(self, site):
        """As libraries read."""
        buffer = bytearray(100)
        with opened(site, Page(DATA)) as file:
            file.seek(-40, 2)
            assert 40 == file.readinto(buffer)
        assert DATA[-40:] == bytes(buffer[:40])

    def test_what_was_read_is_not_asked_for_again(self, site):
        """Going back costs nothing."""
        with opened(site, Page(DATA)) as file:
            for _ in range(5):
                file.seek(0)
                file.read(100)
        assert 1 == len(site.of("/file"))

    def test_far_apart_is_few_bytes(self, site):
        """The beginning and the end of a large file."""
        with opened(site, Page(DATA)) as file:
            file.seek(-10, 2)
            assert DATA[-10:] == file.read()
        assert site.served("/file") <= 64 * KILO

    def test_an_empty_file(self, site):
        """Has nothing."""
        with opened(site, Page(b"")) as file:
            assert [0, b""] == [file.size, file.read()]

    def test_a_small_file(self, site):
        """Fits into the first request."""
        with opened(site, Page(b"short")) as file:
            assert [5, b"short"] == [file.size, file.read()]
        assert 1 == len(site.of("/file"))

    def test_a_server_that_gives_less_than_asked(self, site):
        """Of a range is asked again until the end, or refused; never wrong bytes."""
        error = refused(site, Page(DATA, most=1000))
        assert "cannot be read" in str(error)

    def test_before_the_beginning(self, site):
        """Is a mistake of whoever seeks."""
        with opened(site, Page(DATA)) as file, pytest.raises(ValueError, match="before the beginning"):
            file.seek(-1)


class TestServersWithoutRanges:
    """A 200 instead of a 206."""

    def test_a_file_that_is_small_enough(self, site):
        """Is taken whole, in one request."""
        with opened(site, Page(DATA, ranges=False)) as file:
            file.seek(SIZE - 9)
            assert DATA[-9:] == file.read()
        assert 1 == len(site.of("/file"))

    def test_a_larger_one_has_its_beginning(self, site):
        """And what follows cannot be looked at."""
        with opened(site, Page(DATA, ranges=False), limit=100 * KILO) as file:
            assert DATA[: 50 * KILO] == file.read(50 * KILO)
            file.seek(SIZE - 9)
            with pytest.raises(LinkError, match="few bytes"):
                file.read()

    def test_one_that_does_not_say_how_long_it_is(self, site):
        """Cannot be looked at."""
        assert "how long" in str(refused(site, Page(DATA, ranges=False, length=False)))


class TestLimits:
    """No more than allowed is transferred."""

    def test_a_reader_that_wants_all_of_a_large_file(self, site):
        """Is stopped at the limit."""
        assert "few bytes" in str(refused(site, Page(DATA), limit=200 * KILO))
        assert site.served("/file") <= 200 * KILO


class TestTrouble:
    """What may pass is tried again, what will not is told."""

    @pytest.mark.parametrize("status", [429, 500, 502, 503])
    def test_it_passes(self, site, status):
        """Another try, after a pause."""
        slept = []
        with opened(site, Page(DATA, statuses=[status]), slept=slept) as file:
            assert DATA[:9] == file.read(9)
        assert 1 == len(slept)

    def test_a_connection_that_breaks(self, site):
        """Is made anew."""
        with opened(site, Page(DATA, cut_after=1000)) as file:
            assert DATA[:9] == file.read(9)

    def test_trouble_that_stays(self, site):
        """Three times."""
        assert "answered 503, 3 times" in str(refused(site, Page(DATA, statuses=[503] * 9)))

    @pytest.mark.parametrize("status", [400, 403, 404, 410])
    def test_a_dead_link(self, site, status):
        """Is told with its status, at once."""
        assert status == refused(site, Page(DATA, statuses=[status] * 9)).status
        assert 1 == len(site.of("/file"))

    def test_a_file_that_changes_meanwhile(self, site):
        """Is not one file."""
        site.pages["/file"] = Page([DATA, DATA[:-9]])
        with RangedFile(session(allow_private=True), site.url("/file"), sleep=lambda seconds: None) as file:
            file.seek(-5, 2)
            with pytest.raises(LinkError, match="another part"):
                file.read()

    def test_nobody_there(self, site):
        """Three times no connection."""
        with pytest.raises(LinkError, match="no connection, 3 times"):
            RangedFile(session(allow_private=True), "http://127.0.0.1:9/file", sleep=lambda seconds: None)

    def test_a_private_address(self, site):
        """Is refused where the session allows none."""
        site.pages["/file"] = Page(DATA)
        with pytest.raises(LinkError, match="not a public address"):
            RangedFile(session(allow_private=False), site.url("/file"))
        assert [] == site.requests


def test_nothing_of_ours_is_sent_along(site):
    """No Authorization; what is asked for is a range."""
    with opened(site, Page(DATA)) as file:
        file.read(9)
    (request,) = site.of("/file")
    assert "Authorization" not in request.headers
    assert request.headers["Range"].startswith("bytes=0-")
