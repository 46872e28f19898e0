"""What is sent, beside what was seen to be sent."""

from __future__ import annotations

import pytest

from builders_bodies import body, document, entry
from reconciler.bytenite.wire import (
    bucket_destination,
    bucket_source,
    create_body,
    data_source_body,
    file_source,
    params_body,
    temporary_destination,
    url_source,
)

URL = "https://storage.googleapis.com/video-test-public/input/bbb.mp4"


def test_a_new_job():
    """With nothing in it that is not said."""
    assert body("create_job.request.legacy_minimal") == create_body("Example job", "video-transcoding@v0.2")
    full = create_body("Example job", "video-transcoding@v0.2", "7728ba38", "two outputs")
    assert {"jobId": "7728ba38", "description": "two outputs"}.items() < full.items()


def test_a_public_url_to_the_temporary_bucket():
    """The guide's step 3."""
    seen = body("datasource.request.url_to_bucket.seed")
    seen["dataDestination"]["params"] = {}
    assert seen == data_source_body(url_source(URL), temporary_destination())


def test_a_url_with_a_password():
    """Each under its own key."""
    params = url_source(URL, "bbb", "me", "hunter2")["params"]
    assert {"name": "bbb", "username": "me", "password": "hunter2", "url": URL}.items() < params.items()


def test_a_file_to_be_uploaded():
    """Its name is a help only."""
    assert body("datasource.request.file.current")["dataSource"] == file_source("")
    assert "bbb.mp4" == file_source("bbb.mp4")["params"]["name"]


@pytest.mark.parametrize("kind", ["aws", "gcp", "storj"])
def test_buckets_of_ones_own(kind):
    """As documented for each store; keys stay at ByteNite, we name the secret."""
    seen = body(f"datasource.request.{kind}.current")
    bucket, region = (seen["dataSource"]["params"][key] for key in ("bucketName", "cloudRegion"))
    source = bucket_source(kind, bucket, "/vids/big_buck_bunny.mp4", region, f"my_{kind}_secret")
    destination = bucket_destination(kind, bucket, "/vids/encoded/", region, f"my_{kind}_secret")
    assert seen == data_source_body(source, destination)


def test_the_document_of_each_generation():
    """Flat in 2023; under `app` since 2025, unless a setting says otherwise."""
    plain = document(entry("a"))
    wrapped = {"app": plain, "partitioner": {}, "assembler": {}}
    assert plain == params_body(plain, "legacy", "app")
    assert plain == params_body(plain, "current", "flat")
    assert wrapped == params_body(plain, "current", "app")


def test_a_document_that_is_wrapped_already():
    """What its author wrote beside `app` is sent where there is a place for it."""
    plain = document(entry("a"))
    given = {"app": plain, "partitioner": {"chunk": 5}}
    assert {**given, "assembler": {}} == params_body(given, "current", "app")
    assert plain == params_body(given, "legacy", "app")
