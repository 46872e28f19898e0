"""Sources gone wrong."""

from __future__ import annotations

import pytest

from builders_specs import URL, Broken, assert_told_once, source

SOURCES = [
    Broken(
        "an object store that nobody reads",
        source("«r2://bucket/a.mov»"),
        "r2:// sources cannot be read",
        "encodes.a.source",
        '{id: NAME, url: "${env.NAME_URL}"}',
    ),
    Broken(
        "an object store on ffmpeg that we sign no links to",
        source("«storj://bucket/a.mov»"),
        "local: storj:// sources cannot be fetched to this machine",
        "encodes.a.source",
        "Sign an https URL",
    ),
    Broken(
        "a bucket without an object",
        source("«s3://bucket»"),
        "this names no object in a store",
        "encodes.a.source",
        "Write  s3://BUCKET/PATH",
    ),
    Broken(
        "gopher",
        source("«gopher://x.org/a»"),
        "gopher:// sources cannot be read",
        "encodes.a.source",
        "https:// or http:// URL",
    ),
    Broken(
        "a file URL",
        source("«file:///etc/passwd»"),
        "file:// sources cannot be read",
        "encodes.a.source",
        "Write the path alone",
    ),
    Broken(
        "a password",
        source("«https://me:secret@x.org/a.mov»"),
        "a URL with a user name or password: credentials never stand in specs",
        "encodes.a.source",
        "keep it in the environment",
    ),
    Broken(
        "a URL without a host",
        source("«https:///a.mov»"),
        "this URL names no host",
        "encodes.a.source",
        "https://HOST/PATH",
    ),
    Broken(
        "a URL with a space",
        source("«https://x.org/a b.mov»"),
        "a URL cannot hold spaces or control characters",
        "encodes.a.source",
        "%20",
    ),
    Broken(
        "a path that leads out",
        source("«masters/../../a.mov»"),
        '"masters/../../a.mov" leads out of the project folder',
        "encodes.a.source",
        "--media-root",
    ),
    Broken(
        "an absolute path",
        source("«/mnt/media/a.mov»"),
        '"/mnt/media/a.mov" lies outside the project folder',
        "encodes.a.source",
        "--media-root /mnt/media",
    ),
    Broken(
        "a home folder",
        source("«~/a.mov»"),
        '"~/a.mov" begins with "~", which is not expanded',
        "encodes.a.source",
        "project folder",
    ),
    Broken(
        "a folder", source("«masters»"), "masters is a folder", "encodes.a.source", "for_each", {"masters/a.mov": ""}
    ),
    Broken(
        "a missing file",
        source("«masters/keynot.mov»"),
        "masters/keynot.mov is not there",
        "encodes.a.source",
        'Did you mean "masters/keynote.mov"?',
        {"masters/keynote.mov": ""},
        {"require_sources": True},
    ),
    Broken(
        "a URL from the environment without an id",
        source('{url: «"${env.RECONCILER_URL}"»}'),
        "a URL from the environment needs an id beside it",
        "encodes.a.source.url",
        "{id: NAME",
    ),
    Broken(
        "a variable that may not be read",
        source('{id: m, url: «"${env.AWS_SECRET}"»}'),
        "specs may not read AWS_SECRET from the environment",
        "encodes.a.source.url",
        "RECONCILER_SPEC_ENV=AWS_SECRET",
    ),
    Broken(
        "the environment in a plain source",
        source("«${env.RECONCILER_URL}»"),
        "${env.RECONCILER_URL} cannot stand here",
        "encodes.a.source",
        "{id: NAME, url:",
    ),
    Broken(
        "a literal reference as a source",
        source("«$${env.HOME}»"),
        "a source cannot hold control characters or a literal ${",
        "encodes.a.source",
        "A source is",
    ),
    Broken(
        "neither url nor path",
        source("«{»trim: {start: 2s}}"),
        "this source has neither url nor path",
        "encodes.a.source",
        "A source is",
    ),
    Broken(
        "an unknown key",
        source(f"{{url: {URL}, «wach»: true}}"),
        'unknown key "wach"',
        "encodes.a.source.wach",
        "Keys here: url, path",
    ),
    Broken(
        "an end and a duration",
        source(f"{{url: {URL}, trim: «{{»end: 2s, duration: 1s}}}}"),
        "a trim has an end or a duration, not both",
        "encodes.a.source.trim",
        "Leave one of them out.",
    ),
    Broken(
        "a trim that ends early",
        source(f"{{url: {URL}, trim: «{{»start: 5s, end: 2s}}}}"),
        "a trim that ends before it starts",
        "encodes.a.source.trim",
        "Start must be less than end.",
    ),
    Broken(
        "a time of words",
        source(f"{{url: {URL}, trim: {{start: «soon»}}}}"),
        '"soon" is not a duration',
        "encodes.a.source.trim.start",
        "2s, 1m30s",
    ),
    Broken(
        "a short digest",
        source(f"{{url: {URL}, sha256: «abc»}}"),
        'sha256 cannot be "abc"',
        "encodes.a.source.sha256",
        "64 hexadecimal digits",
    ),
    Broken(
        "a generated file reader",
        source("«lavfi:movie=/etc/passwd»"),
        'the filter "movie" is not one of those that a generated source may use',
        "encodes.a.source",
        "lavfi:testsrc2=",
    ),
    Broken(
        "a picture without an end",
        source("«lavfi:testsrc2=size=320x180»"),
        "a generated source needs an end: give each of its sources a duration, or trim it",
        "encodes.a.source",
        "duration=10",
    ),
    Broken("a number for a source", source("«true»"), "source cannot be true", "encodes.a.source", "A source is"),
    Broken(
        "an id for a file",
        source("{id: m, path: «masters/a.mov»}"),
        '"id" says nothing for a source that is no URL',
        "encodes.a.source.path",
        "Leave it out.",
        {"masters/a.mov": ""},
    ),
]


@pytest.mark.parametrize("case", SOURCES, ids=lambda case: case.fact)
def test_told_once(case, tmp_path):
    """One mistake is one problem: its message, its place, its path and its hint."""
    assert_told_once(case, tmp_path)
