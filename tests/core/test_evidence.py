"""Two sayings of a server about a file: the same content, another one, or nobody knows."""

from __future__ import annotations

import base64
import hashlib

import msgspec
import pytest

from reconciler.core.evidence import Changed, Content, Same, Unknown, compare, content_of, merged

MD5 = hashlib.md5(b"a", usedforsecurity=False).hexdigest()
SHA = hashlib.sha256(b"a").hexdigest()
OTHER = hashlib.sha256(b"b").hexdigest()
PART = "bytes 0-0/1000"


def b64(digest):
    """A digest in hex as headers have it."""
    return base64.b64encode(bytes.fromhex(digest)).decode()


@pytest.mark.parametrize(
    ("recorded", "seen", "verdict"),
    [
        (Content(size=9, digests={"sha256": SHA}), Content(size=9, digests={"sha256": SHA}), Same("sha256")),
        (
            Content(size=9, digests={"sha256": SHA}, etag='"a"'),
            Content(size=9, digests={"sha256": OTHER}, etag='"a"'),
            Changed(f"sha256 {SHA[:12]} -> {OTHER[:12]}"),
        ),
        (Content(size=9, etag='"a"'), Content(size=1009, etag='"a"'), Changed("9 -> 1,009 bytes")),
        (Content(size=9, version="1"), Content(size=9, version="1", etag='"b"'), Same("version")),
        (Content(size=9, version="1"), Content(size=9, version="2"), Changed("version 1 -> 2")),
        (Content(size=9, version="1", etag='"a"'), Content(size=9, version="2", etag='"a"'), Same("ETag")),
        (Content(size=9, etag='"a"'), Content(size=9, etag='"a"'), Same("ETag")),
        (Content(size=9, etag='"a"'), Content(size=9, etag='"b"'), Changed('ETag "a" -> "b"')),
        (Content(size=9, etag='W/"a"'), Content(size=9, etag='W/"a"'), Same("weak ETag")),
        (Content(size=9, etag='W/"a"'), Content(size=9, etag='"a"'), Same("weak ETag")),
        (Content(size=9, etag='"a-gzip"'), Content(size=9, etag='"a"'), Same("weak ETag")),
        (Content(size=9, etag='W/"a"'), Content(size=9, etag='W/"b"'), Unknown('weak ETag W/"a" -> W/"b"')),
        (Content(size=9, modified="Mon"), Content(size=9, modified="Mon"), Same("Last-Modified")),
        (Content(size=9, modified="Mon"), Content(size=9, modified="Tue"), Unknown("Last-Modified Mon -> Tue")),
        (Content(size=9), Content(size=9, etag='"a"', digests={"sha256": SHA}), Same("size")),
        (Content(etag='"a"'), Content(version="1"), Unknown("nothing is known of it that could be compared")),
        (Content(), Content(), Unknown("nothing is known of it that could be compared")),
    ],
)
def test_the_strongest_that_both_have_decides(recorded, seen, verdict):
    """Digest, version, strong ETag with length; what is weak never says that it changed."""
    assert verdict == compare(recorded, seen)


def test_a_multipart_etag_that_changed_alone_is_no_change():
    """The same bytes, uploaded in parts of another size: checksum and size are what they were."""
    before = Content(size=9, digests={"crc32c": "00000001"}, etag=f'"{MD5}-3"')
    after = Content(size=9, digests={"crc32c": "00000001"}, etag=f'"{MD5[::-1]}-5"')
    assert Same("crc32c") == compare(before, after)


def test_without_a_checksum_another_cut_decides_nothing():
    """Another number of parts may hold the same bytes; the same number with another ETag does not."""
    before = Content(size=9, etag=f'"{MD5}-3"')
    assert isinstance(compare(before, Content(size=9, etag=f'"{MD5[::-1]}-5"')), Unknown)
    assert isinstance(compare(before, Content(size=9, etag=f'"{MD5}"')), Unknown)
    assert isinstance(compare(before, Content(size=9, etag=f'"{MD5[::-1]}-3"')), Changed)


def test_better_evidence_is_never_a_change():
    """Whatever more a server says later, it agrees with what it said before, and is kept from then on."""
    before = Content(size=9, etag='"a"', modified="Mon")
    later = Content(size=9, etag='"a"', modified="Mon", version="7", digests={"sha256": SHA})
    assert Same("ETag") == compare(before, later)
    assert later == merged(before, later)
    assert Same("sha256") == compare(merged(before, later), later)
    assert Content(size=9, etag='"a"', digests={"md5": MD5}) == merged(
        Content(digests={"md5": MD5}), Content(size=9, etag='"a"')
    )


@pytest.mark.parametrize(
    ("headers", "seen"),
    [
        ({"Content-Range": PART, "ETag": '"a"'}, Content(size=1000, etag='"a"')),
        ({"X-Amz-Checksum-Sha256": b64(SHA)}, Content(digests={"sha256": SHA})),
        ({"x-amz-checksum-crc32c": "AAAAAQ==", "x-amz-checksum-type": "COMPOSITE"}, Content()),
        ({"x-amz-checksum-sha256": f"{b64(SHA)}-3"}, Content()),
        ({"x-goog-hash": f"crc32c=AAAAAQ==, md5={b64(MD5)}"}, Content(digests={"crc32c": "00000001", "md5": MD5})),
        ({"x-ms-blob-content-md5": b64(MD5)}, Content(digests={"md5": MD5})),
        ({"Content-MD5": b64(SHA)}, Content()),
        ({"Content-MD5": b64(MD5)}, Content()),
        ({"Repr-Digest": f"sha-256=:{b64(SHA)}:, unixsum=:AA==:"}, Content(digests={"sha256": SHA})),
        ({"Digest": f"SHA-256={b64(SHA)},MD5={b64(MD5)}"}, Content(digests={"md5": MD5, "sha256": SHA})),
        ({"x-goog-generation": "17", "x-goog-metageneration": "2"}, Content(version="17")),
        ({"x-amz-version-id": "null"}, Content()),
        ({"Content-Range": PART, "x-goog-stored-content-encoding": "gzip"}, Content()),
        ({"Content-Range": "bytes 0-0/*", "Last-Modified": "Mon"}, Content(modified="Mon")),
        ({"ETag": "é"}, Content()),
        ({"x-goog-hash": "md5=%%%, nonsense, =", "Digest": "sha-256"}, Content()),
    ],
)
def test_what_an_answer_says(headers, seen):
    """Checksums in every store's words, never those of one part; sizes of the whole."""
    assert seen == content_of(206, headers)


def test_an_answer_with_the_whole_file():
    """A server without ranges tells the length, and may tell the digest, of the whole."""
    said = {"Content-Length": "1000", "Content-MD5": b64(MD5)}
    assert Content(size=1000, digests={"md5": MD5}) == content_of(200, said)
    assert Content(size=1000) == content_of(200, {"Content-Length": "1", "Content-Range": PART})


def test_it_can_be_recorded():
    """As JSON, without what is not known."""
    content = Content(size=9, digests={"md5": MD5})
    text = msgspec.json.encode(content)
    assert {"size": 9, "digests": {"md5": MD5}} == msgspec.json.decode(text)
    assert content == msgspec.json.decode(text, type=Content)
