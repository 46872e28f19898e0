"""Many sources are looked at in little time, and a server that is gone costs little."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from builders_http import LONG_AGO, Page, serving
from reconciler.core.encode import Source
from reconciler.core.evidence import Changed, Content, Same, compare
from reconciler.edges.evidence import SourceLooks, Unseen, silent_servers
from reconciler.io.http import session

SHA = "x-amz-checksum-crc32c"


def looks(environment=None, *, allow_private=True, **options):
    """Looks of a new run."""
    return SourceLooks(environment or {}, lambda: session(allow_private=allow_private), time.monotonic, **options)


def remote(site, path="/clip", location=None):
    """A source at an address."""
    return Source("http", site.url(path), location or site.url(path, "X-Amz-Signature=SECRET"))


def test_one_byte_tells_what_there_is():
    """Size, ETag, date, checksum, version; one byte is served."""
    page = Page(b"a" * 1000, etag='"e"', headers={SHA: "AAAAAQ==", "x-amz-version-id": "7"})
    with serving({"/clip": page}) as site:
        seen = looks().look([remote(site), remote(site)])
    expected = Content(1000, {"crc32c": "00000001"}, "7", '"e"', LONG_AGO)
    assert {site.url("/clip"): expected} == seen
    assert (1, ["bytes=0-0"]) == (site.served("/clip"), [each.headers["Range"] for each in site.of("/clip")])


def test_other_kinds_of_sources_are_not_asked():
    """Only what has a server."""
    assert {} == looks().look([Source("file", "a.mp4", "a.mp4")])


def test_a_changed_source_behind_the_same_url():
    """The next look sees another content; a new signature is none."""
    with serving({"/clip": Page([b"a" * 100, b"b" * 100, b"b" * 100])}) as site:
        first, second, third = (looks().look([remote(site)])[site.url("/clip")] for _ in range(3))
    assert isinstance(compare(first, second), Changed)
    assert Same("ETag") == compare(second, third)


def test_a_multipart_etag_that_changed_alone_is_no_change():
    """Copied to other parts: the ETag is new, checksum and size are not."""
    with serving({"/clip": Page(b"a", etag=f'"{"0" * 32}-2"', headers={SHA: "AAAAAQ=="})}) as site:
        before = looks().look([remote(site)])[site.url("/clip")]
        site.pages["/clip"] = Page(b"a", etag=f'"{"1" * 32}-9"', headers={SHA: "AAAAAQ=="})
        after = looks().look([remote(site)])[site.url("/clip")]
    assert before.etag != after.etag
    assert Same("crc32c") == compare(before, after)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (Page(statuses=[404]), "answered 404 Not Found"),
        (Page(statuses=[403]), "answered 403 Forbidden: a signed link may have expired, or needs credentials"),
        (Page(statuses=[503]), "the server answered 503 Service Unavailable"),
    ],
)
def test_a_source_that_is_refused(page, words):
    """It says why, without its address; its server is there, and is asked for the others."""
    with serving({"/clip": page, "/other": b"a"}) as site:
        seen = looks(at_once=1).look([remote(site), remote(site, "/other")])
    assert Unseen(words) == seen[site.url("/clip")]
    assert 1 == seen[site.url("/other")].size
    assert {} == silent_servers(seen)


def test_an_address_that_is_not_public():
    """Is not connected to."""
    with serving({"/clip": b"a"}) as site:
        seen = looks(allow_private=False).look([remote(site)])
    assert "is not a public address" in seen[site.url("/clip")].why
    assert [] == site.requests


def test_a_url_of_the_environment():
    """Is read at the look; what is missing is named, what is there never told."""
    with serving({"/secret/path": Page(statuses=[404])}) as site:
        sources = [Source("http", name, f"${{env.{name}}}") for name in ("A", "B", "C")]
        environment = {"A": site.url("/secret/path", "sig=SECRET"), "C": "ftp://x"}
        seen = looks(environment).look(sources)
    assert Unseen("answered 404 Not Found") == seen["A"]
    assert Unseen("the environment variable B is not set; it holds the URL") == seen["B"]
    assert Unseen("C must hold an http or https URL") == seen["C"]


@dataclass
class Gone:
    """An address that takes connections and says what it is told to, slowly or never."""

    port: int
    connections: int = 0

    def url(self, path, query=""):
        """The address of a page that never comes."""
        return f"http://127.0.0.1:{self.port}{path}?{query}"


@contextmanager
def gone(says=b"", every=0.05):
    """A server that never answers in full."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = Gone(server.getsockname()[1])

        def drip(connection):
            with connection:
                while not ended.wait(every):
                    try:
                        connection.sendall(says)
                    except OSError:
                        return

        def accept():
            while not ended.is_set():
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                found.connections += 1
                threading.Thread(target=drip, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield found
        ended.set()
        server.shutdown(socket.SHUT_RDWR)


def test_a_server_that_is_gone_is_asked_once():
    """The first source finds out; the others, and the next look, are told without asking."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    sources = [Source("http", f"s{n}", f"http://127.0.0.1:{port}/{n}") for n in range(20)]
    run = looks(at_once=1)
    seen = run.look(sources)
    again = run.look([Source("http", "more", f"http://127.0.0.1:{port}/more")])

    assert Unseen("no connection", f"127.0.0.1:{port}") == seen["s0"]
    assert {Unseen("it gave no answer before", f"127.0.0.1:{port}")} == {*list(seen.values())[1:], again["more"]}
    assert {f"127.0.0.1:{port}": [f"s{n}" for n in range(20)]} == silent_servers(seen)


def test_a_server_that_says_a_little_now_and_then_is_given_up():
    """No read ever times out; the look does. Other sources are looked at meanwhile and after."""
    with gone(b"X") as slow, serving({"/clip": b"a"}) as site:
        began = time.monotonic()
        seen = looks(at_once=1, seconds=0.5).look([remote(slow), remote(site)])
        took = time.monotonic() - began
    assert Unseen("no answer within 0.5 s") == seen[slow.url("/clip")]
    assert 1 == seen[site.url("/clip")].size
    assert took < 5


def test_a_cancel_ends_the_look():
    """What was not seen yet is left out."""
    with gone() as silent:
        began = time.monotonic()
        assert {} == looks().look([remote(silent)], cancelled=lambda: time.monotonic() - began > 0.2)
        assert time.monotonic() - began < 5


def test_five_hundred_sources_with_latency():
    """500 sources, each answer 20 ms late: all seen in under 3 s of what one waits for."""
    with late(0.02) as port:
        sources = [Source("http", f"s{n}", f"http://127.0.0.1:{port}/{n}") for n in range(500)]
        began, busy = time.monotonic(), time.process_time()
        seen = looks().look(sources)
        took, busy = time.monotonic() - began, time.process_time() - busy
    assert [Content(size=1000, etag='"e"')] * 500 == list(seen.values())
    # On a busy machine the wait for a processor is not ours: what we compute, and the waits for the server, are.
    assert min(took, busy + 500 * 0.02 / 24) < 3


ANSWER = b'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/1000\r\nContent-Length: 1\r\nETag: "e"\r\n\r\na'


@contextmanager
def late(seconds):
    """A server as light as can be, so that the time measured is the client's: every answer comes late."""

    def serve(connection):
        with connection:
            while connection.recv(65_536):
                time.sleep(seconds)
                connection.sendall(ANSWER)

    def accept():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
