"""A file behind a link is read once, in order, and as one version."""

from __future__ import annotations

import random

import pytest

from builders_http import Page, serving
from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.io.download import Watch
from reconciler.io.http import session
from reconciler.io.link_stream import LinkStream

CLIP = random.Random(1).randbytes(3_000_000)
OTHER = random.Random(2).randbytes(3_000_000)
SECRET = "sig=SECRET"


def read(site, *, path="/clip", renew=None, cancelled=lambda: False):
    """All that a stream brings."""
    watch = Watch(lambda done, total: None, cancelled, lambda _: None)
    with session(allow_private=True) as made:
        stream = LinkStream(made, site.url(path, SECRET), renew or (lambda: site.url(path, SECRET)), watch)
        stream.begin()
        return b"".join(stream.pieces()), stream.total


def refused(kind, site, **options):
    """The words of a stream that fails, which hold no secret."""
    with pytest.raises(kind) as caught:
        read(site, **options)
    assert "SECRET" not in str(caught.value)
    return str(caught.value)


def test_a_file_is_read_whole():
    """One request."""
    with serving({"/clip": CLIP}) as site:
        assert (CLIP, len(CLIP)) == read(site)
        assert 1 == len(site.requests)


def test_each_byte_is_served_once():
    """A connection that breaks is gone on with, of the same version."""
    with serving({"/clip": Page(CLIP, cut_after=1_000_000, cuts=2)}) as site:
        assert CLIP == read(site)[0]
        assert len(CLIP) == site.served("/clip")
        assert [None, "bytes=1000000-", "bytes=2000000-"] == [each.headers.get("Range") for each in site.requests]


def test_a_server_without_ranges():
    """Sends all of it again; what is here is skipped."""
    with serving({"/clip": Page(CLIP, cut_after=1_000_000, ranges=False)}) as site:
        assert CLIP == read(site)[0]


def test_content_that_changes_on_the_way():
    """Two halves of two versions are no file."""
    with serving({"/clip": Page([CLIP, OTHER], cut_after=1_000_000)}) as site:
        assert "changed while it was read" in refused(UnavailableError, site)


def test_without_a_length():
    """The end is where the server says so; a break before that is none."""
    cut = Page(CLIP, chunked=True, cut_after=1_000_000, cuts=2)
    with serving({"/clip": Page(CLIP, chunked=True), "/cut": cut}) as site:
        assert (CLIP, None) == read(site)
        assert CLIP == read(site, path="/cut")[0]
        assert 3 == len(site.of("/cut"))


def test_a_server_that_fails():
    """For a while, or for good."""
    with serving({"/clip": Page(CLIP, statuses=[503, 503]), "/down": Page(statuses=[503] * 99)}) as site:
        assert CLIP == read(site)[0]
        assert "cannot be reached: the server answered 503" in refused(UnavailableError, site, path="/down")


def test_a_file_that_is_gone():
    """Is no link that died: nothing is renewed."""

    def never():
        raise AssertionError("not asked for")

    with serving({}) as site:
        assert "answered 404 Not Found" in refused(RejectedError, site, renew=never)


def test_a_cancel():
    """Ends it between two pieces."""
    with serving({"/clip": CLIP}) as site:
        assert "was stopped" in refused(UnavailableError, site, cancelled=lambda: site.served("/clip") > 0)
