"""Sources that cannot be reached, are being read for long, or stand behind one's own certificates."""

from __future__ import annotations

import hashlib
import socket

import pytest

from builders_certificates import certificate
from builders_http import Page, serving
from reconciler.core.encode import Source
from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.edges.source_cache import SourceCache
from reconciler.edges.sources import SourceFetcher, Trust

CLIP = bytes(range(256)) * 1000


def fetcher(folder, slept, **environment):
    """A fetcher with a cache in `folder`, whose sleeps are noted and not slept."""
    cache = SourceCache(folder / "cache", 1 << 30)
    return SourceFetcher(folder, cache, environment, Trust(allow_private=True), slept.append)


def remote(url, **options):
    """A source at a URL."""
    return Source("http", url, url, **options)


def bring(fetching, source, *, told=None, cancelled=lambda: False):
    """Fetch, with what is told of the bytes appended to a list."""
    return fetching.fetch(source, lambda done, total: told is None or told.append((done, total)), cancelled)


@pytest.fixture
def nowhere():
    """A port of this machine on which nobody listens, held so that nobody will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_a_server_that_gave_no_answer_is_not_asked_again(tmp_path, nowhere):
    """The first source waits for it, every other one of that server fails at once and says why."""
    slept = []
    fetching = fetcher(tmp_path, slept)
    with pytest.raises(UnavailableError, match="no connection, 6 times"):
        bring(fetching, remote(f"http://127.0.0.1:{nowhere}/a.mov?sig=SECRET"))
    waited = len(slept)
    for act in (bring, lambda fetching, source: fetching.probe(source)):
        with pytest.raises(UnavailableError, match=f"127.0.0.1:{nowhere} gave no answer before") as caught:
            act(fetching, remote(f"http://127.0.0.1:{nowhere}/b.mov?sig=SECRET"))
        assert "SECRET" not in str(caught.value)
    fetching.close()

    assert waited == len(slept)


def test_a_probe_without_an_answer_counts_as_well(tmp_path, nowhere):
    """Looking at many sources of a dead server waits for it once."""
    fetching, words = fetcher(tmp_path, []), []
    for name in ("a", "b"):
        with pytest.raises(UnavailableError) as caught:
            fetching.probe(remote(f"http://127.0.0.1:{nowhere}/{name}.mov"))
        words.append(str(caught.value))
    fetching.close()

    assert words[0].endswith("cannot be reached: no connection")
    assert words[1].endswith("gave no answer before, in this run")


def test_other_servers_are_still_asked(tmp_path, nowhere):
    """One dead server says nothing of another, not even on the same machine."""
    fetching = fetcher(tmp_path, [])
    with serving({"/clip": CLIP}) as site:
        with pytest.raises(UnavailableError):
            bring(fetching, remote(f"http://127.0.0.1:{nowhere}/a.mov"))
        assert len(CLIP) == bring(fetching, remote(site.url("/clip"))).size
    fetching.close()


def test_a_server_that_answered_is_asked_again(tmp_path):
    """A server that says it is busy, or breaks off, is there: its next source is asked for."""
    fetching = fetcher(tmp_path, [])
    with serving({"/a": Page(statuses=[503] * 99), "/b": Page(CLIP, origin_has=1000), "/c": CLIP}) as site:
        for path in ("/a", "/b"):
            with pytest.raises(UnavailableError):
                bring(fetching, remote(site.url(path)))
        assert len(CLIP) == bring(fetching, remote(site.url("/c"))).size
    fetching.close()


def test_a_pinned_source_that_is_kept_needs_no_answer(tmp_path, nowhere):
    """Its content is known by its digest, also when its server was found dead before."""
    with serving({"/clip": CLIP}) as site:
        url = site.url("/clip")
        first = fetcher(tmp_path, [])
        bring(first, remote(url))
        first.close()
    fetching = fetcher(tmp_path, [])
    with pytest.raises(UnavailableError, match="cannot be reached"):
        bring(fetching, remote(url))
    assert bring(fetching, remote(url, sha256=hashlib.sha256(CLIP).hexdigest())).cached
    fetching.close()


def test_a_url_that_is_none_is_refused_in_words(tmp_path):
    """What the environment holds may be anything."""
    fetching = fetcher(tmp_path, [], KEYNOTE_URL="http://[::1/clip?sig=SECRET")
    source = Source("http", "keynote", "${env.KEYNOTE_URL}")
    for act in (bring, lambda fetching, source: fetching.probe(source)):
        with pytest.raises(RejectedError) as caught:
            act(fetching, source)
        assert "SECRET" not in str(caught.value)
    fetching.close()


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_certificates_of_ones_own_authority_are_trusted_where_the_environment_names_them(tmp_path, name):
    """A studio's own servers are proven by the studio's own certificates; without them they are refused."""
    crt, key = certificate(tmp_path, "localhost")
    with serving({"/clip": CLIP}, certificate=(crt, key)) as site:
        url = f"https://localhost:{site.port}/clip"
        for environment in ({}, {name: "/nowhere.pem"}):
            strict = fetcher(tmp_path, [], **environment)
            with pytest.raises(RejectedError, match="certificate"):
                bring(strict, remote(url))
            strict.close()
        trusting = fetcher(tmp_path, [], **{name: str(crt)})
        assert len(CLIP) == bring(trusting, remote(url)).size
        trusting.close()


def test_reading_a_large_pinned_master_is_told_and_can_be_stopped(tmp_path):
    """The digest of a local source takes minutes when it is large: it has progress, and an end on cancel."""
    (tmp_path / "large.mov").write_bytes(bytes(9_000_000))
    source, told = Source("file", "large.mov", "large.mov", sha256="ab" * 32), []
    fetching = fetcher(tmp_path, [])
    with pytest.raises(UnavailableError, match=r"the reading of large\.mov was stopped"):
        bring(fetching, source, told=told, cancelled=lambda: bool(told))
    assert [(1 << 22, 9_000_000)] == told
    bring(fetching, source, told=told)
    assert (9_000_000, 9_000_000) == told[-1]
    told.clear()
    bring(fetching, source, told=told)
    fetching.close()

    assert [] == told
