"""What is sent to the ByteNite API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

BucketKind = Literal["aws", "s3", "gcp", "storj"]  # "s3" is what "aws" was called until September 2025
Generation = Literal["legacy", "current"]
Wrapper = Literal["app", "flat"]

Body = dict[str, object]

_TYPES = "type.googleapis.com/bytenite.data_source."


def create_body(name: str, template_id: str, job_id: str = "", description: str = "") -> Body:
    """A new draft, or the same one again: with `job_id`, creating twice is creating once."""
    said = {"name": name, "templateId": template_id, "jobId": job_id, "description": description}
    return {key: value for key, value in said.items() if value}


def data_source_body(source: Mapping[str, object], destination: Mapping[str, object]) -> Body:
    """Source and destination; always both, since nobody knows what leaving one out means."""
    return {"dataSource": dict(source), "dataDestination": dict(destination)}


def url_source(url: str, name: str = "", username: str = "", password: str = "") -> Body:
    """A source that ByteNite fetches, public, signed or with a password."""
    said = {"url": url, "name": name, "username": username, "password": password}
    return _descriptor("url", "HttpDataSource", said)


def file_source(name: str) -> Body:
    """A source that we upload: the answer holds the URL to put it to."""
    return _descriptor("file", "LocalFileDataSource", {"name": name})


def bucket_source(kind: BucketKind, bucket: str, key: str, region: str, secret_id: str) -> Body:
    """An object in a bucket, opened with a secret that ByteNite keeps; `key` is the object's path."""
    said = {"name": key, "bucketName": bucket, "cloudRegion": region, "secret_id": secret_id}
    return _descriptor(kind, "S3DataSource", said)


def temporary_destination() -> Body:
    """ByteNite's own bucket, which keeps files for 48 hours."""
    return {"dataSourceDescriptor": "bucket", "params": {}}


def bucket_destination(kind: BucketKind, bucket: str, folder: str, region: str, secret_id: str) -> Body:
    """A folder in a bucket of one's own, which is made if it is not there."""
    return bucket_source(kind, bucket, folder, region, secret_id)


def _descriptor(kind: str, type_name: str, said: Mapping[str, str]) -> Body:
    params = {"@type": _TYPES + type_name, **{key: value for key, value in said.items() if value}}
    return {"dataSourceDescriptor": kind, "params": params}


def params_body(document: Mapping[str, object], generation: Generation, wrapper: Wrapper = "app") -> Body:
    """The encoding document as a generation takes it: flat, or under `app` beside the other keys of 2025."""
    inner = document.get("app")
    wrapped = "data" not in document and isinstance(inner, Mapping)
    if generation == "current" and wrapper == "app":
        around: Body = {"partitioner": {}, "assembler": {}}
        return {**around, **document} if wrapped else {"app": dict(document), **around}
    return dict(inner) if wrapped and isinstance(inner, Mapping) else dict(document)
