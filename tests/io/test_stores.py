"""Object stores: what a bucket can be asked, and calls that nobody waits for for ever."""

from __future__ import annotations

import random
import re
import threading
import time

import pytest
import requests
from obstore.store import MemoryStore

from builders_stores import google, s3
from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.io import stores
from reconciler.io.stores import NoConditionsError, Object, Store, Version, abandonable


@pytest.fixture(scope="module", params=[("s3", s3), ("gs", google)], ids=["s3", "gs"])
def store(request, tmp_path_factory):
    """A bucket of a real S3, and of a server that speaks as Google's store does."""
    kind, serve = request.param
    with serve(tmp_path_factory.mktemp(kind) / "buckets") as served:
        yield Store(kind, "site", served.environment())


def test_an_object(store):
    """Made, seen, read, listed, removed."""
    store.put("a/b.txt", [b"he", b"llo"], 5, "text/plain")
    seen = store.look("a/b.txt")
    assert (5, b"hello") == (seen.size, store.read("a/b.txt"))
    assert {"b.txt": seen} == store.list("a")
    store.remove("a/b.txt")
    store.remove("a/b.txt")
    assert (None, None, {}) == (store.look("a/b.txt"), store.read("a/b.txt"), store.list("a"))


def test_a_signed_link(store):
    """Opens the object without credentials, for a time."""
    store.put("signed.txt", [b"hello"], 5, None)
    link = store.signed("signed.txt", 60)
    assert re.search("X-(Amz|Goog)-Expires=60", link)
    assert b"hello" == requests.get(link, timeout=10).content


def test_a_large_object(store):
    """In parts, of which nothing is seen before the last."""
    content = random.Random(7).randbytes(17_000_000)
    store.put("large.bin", (content[at : at + 1_000_000] for at in range(0, len(content), 1_000_000)), None, None)
    assert len(content) == store.look("large.bin").size
    assert content == store.read("large.bin")


def test_an_upload_that_ends_in_an_error(store):
    """Is none: what the pieces raise is raised, and the name stays free."""

    def pieces():
        for _ in range(20):
            yield bytes(1_000_000)
        raise RejectedError("not what it was to be")

    with pytest.raises(RejectedError, match="not what it was to be"):
        store.put("partial.bin", pieces(), None, None)
    assert store.look("partial.bin") is None


def test_parts_are_few_enough():
    """A store takes ten thousand of them."""
    sizes = [None, 1, 10**9, 10**11, 5 * 10**12]
    assert all(stores._part_size(size) >= stores.PART for size in sizes)
    assert all((size or 0) / stores._part_size(size) < 10_000 for size in sizes)


def test_http_without_encryption_only_to_this_machine():
    """Or where the environment says so."""
    assert stores._plain_http({"AWS_ENDPOINT_URL": "http://127.0.0.1:9000"})
    assert not stores._plain_http({"AWS_ENDPOINT_URL": "http://minio.example:9000"})
    assert stores._plain_http({"AWS_ENDPOINT_URL": "http://minio.example:9000", "AWS_ALLOW_HTTP": "true"})


def test_without_the_package():
    """It says what to install."""
    with pytest.raises(RejectedError, match=r"encode-reconciler\[cloud\]"):
        stores._library("no_such_package_for_stores", "s3://site")


def test_a_call_that_hangs_is_left_to_itself():
    """A cancel waits two seconds for it; what it gives or raises before is given or raised."""
    ended = threading.Event()
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="the upload was stopped"):
        abandonable(lambda: ended.wait(60), lambda: True, "the upload")
    ended.set()
    assert time.monotonic() - began < 20
    assert Object(1, None) == abandonable(lambda: Object(1, None), lambda: False, "the upload")
    with pytest.raises(ZeroDivisionError):
        abandonable(lambda: 1 // 0, lambda: False, "the upload")


def test_writes_under_a_condition():
    """Create takes no name twice; swap replaces the version that was seen and no other; a copy has its own name."""
    memory = Store.over("s3://site", MemoryStore())
    first = memory.create("a", b"1")
    second = memory.swap("a", b"2", first)

    assert first != second
    assert [None, None, None] == [
        memory.create("a", b"3"),
        memory.swap("a", b"3", first),
        memory.swap("b", b"3", first),
    ]
    memory.copy("a", "b")
    assert ((b"2", second), b"2", None) == (memory.fetch("a"), memory.fetch("b")[0], memory.fetch("c"))


def test_a_server_that_ignores_conditions_may_do_so_silently(store):
    """So whoever needs them has to try them out; a Google store without generations cannot even be asked."""
    first = store.create("careless", b"1")

    assert None not in (first, store.create("careless", b"2"))
    if store.name.startswith("gs"):
        with pytest.raises(NoConditionsError, match="does not know what it was asked"):
            store.swap("careless", b"3", first)
    else:
        assert store.swap("careless", b"3", Version('"no such"')) is not None
    assert store.fetch("careless")[0] in {b"2", b"3"}
    assert store.fetch("nothing") is None
