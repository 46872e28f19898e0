"""Sources in object stores are opened through links of ours, and are called by their object."""

from __future__ import annotations

import time

import pytest
import requests

from builders_stores import s3
from reconciler.core.encode import Source
from reconciler.core.errors import CredentialsError, RejectedError
from reconciler.core.evidence import Changed, Same, compare
from reconciler.core.links import link_expires_at
from reconciler.edges.evidence import SourceLooks
from reconciler.edges.object_sources import content, signed
from reconciler.io.http import session
from reconciler.io.stores import Store


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A real S3 with a bucket."""
    with s3(tmp_path_factory.mktemp("s3") / "buckets") as served:
        yield served


def stored(key="masters/a b.mov"):
    """A source in the bucket."""
    return Source("store", f"s3://site/{key}", f"s3://site/{key}")


def put(site, data):
    """Write the source."""
    Store("s3", "site", site.environment()).put("masters/a b.mov", [data], len(data), None)


def test_a_signed_source_is_the_same_source(site):
    """Its identity is the object; its link opens it, and tells when it dies."""
    put(site, b"hello")
    found = signed(stored(), site.environment(), 600)
    assert ("http", "s3://site/masters/a b.mov") == (found.kind, found.identity)
    assert b"hello" == requests.get(found.location, timeout=10).content
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert now < link_expires_at(found.location, now)


def test_what_the_store_says_of_it(site):
    """Through the store itself, and through the link, as of any source."""
    put(site, b"hello")
    first = content(stored(), site.environment())
    looks = SourceLooks({}, lambda: session(allow_private=True), time.monotonic)
    through = looks.look([signed(stored(), site.environment())])["s3://site/masters/a b.mov"]
    assert Same("ETag") == compare(first, through)
    put(site, b"other")
    assert isinstance(compare(first, content(stored(), site.environment())), Changed)


def test_what_cannot_be_opened(site):
    """Says why."""
    with pytest.raises(RejectedError, match=r"s3://site/nothing\.mov is not there"):
        content(stored("nothing.mov"), site.environment())
    with pytest.raises(CredentialsError, match="AWS_ACCESS_KEY_ID"):
        signed(stored(), {})
    with pytest.raises(RejectedError, match="storj:// sources cannot be read here"):
        signed(Source("store", "storj://a/b", "storj://a/b"), {})
