"""Where copies go is decided before anything is copied."""

from __future__ import annotations

import msgspec
import pytest
from pydantic import ValidationError

from reconciler.core.copies import DeliveredCopy, Presence
from reconciler.core.delivery import Deliver, DeliverSpec, deliver_of, path_error, to_error, url_error
from reconciler.core.errors import Place
from reconciler.core.targets import Fields, Wanted, collisions, target_of, trespasses

FILE = Fields("trailer/bbb", "720p", "mp4", "0123456789abcdef", "mp4", 720)
PACKAGE = Fields("trailer/bbb", "web", "", "0123456789abcdef", "hls", None)
PLACE = Place("specs/a.yaml", 3, 5)


@pytest.mark.parametrize(
    ("to", "where"),
    [
        ("dist", "dist/trailer/bbb/720p.mp4"),
        ("./dist/", "dist/trailer/bbb/720p.mp4"),
        (".", "trailer/bbb/720p.mp4"),
        ("./", "trailer/bbb/720p.mp4"),
        ("/mnt/media", "/mnt/media/trailer/bbb/720p.mp4"),
        ("s3://site-media", "s3://site-media/trailer/bbb/720p.mp4"),
        ("s3://site-media/trailers/", "s3://site-media/trailers/trailer/bbb/720p.mp4"),
        ("gs://site/a/b", "gs://site/a/b/trailer/bbb/720p.mp4"),
        ("AZ://container/a", "az://container/a/trailer/bbb/720p.mp4"),
    ],
)
def test_places(to, where):
    """Folders of the project, absolute ones, and objects in stores."""
    assert to_error(to) is None
    assert where == target_of(Deliver(to), FILE).where


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("{output}.{ext}", "720p.mp4"),
        ("{encode}-{output}-{fingerprint8}.{ext}", "trailer/bbb-720p-01234567.mp4"),
        ("{container}/{height}p/{encode}.{ext}", "mp4/720p/trailer/bbb.mp4"),
        ("latest.mp4", "latest.mp4"),
    ],
)
def test_templates(template, path):
    """Every field is filled in."""
    assert path_error(template) is None
    assert f"s3://bucket/{path}" == target_of(Deliver("s3://bucket", template), FILE).where


def test_a_package_is_a_folder():
    """It has no ending, and is seen through the file that opens it."""
    target = target_of(Deliver("s3://bucket/p", public_url="https://cdn.example/t/"), PACKAGE, "master.m3u8")
    assert ("s3://bucket/p/trailer/bbb/web", True) == (target.where, target.package)
    assert "https://cdn.example/t/trailer/bbb/web/master.m3u8" == target.public_url


def test_a_public_url_stands_for_the_place():
    """What comes below the place comes below the URL, escaped."""
    fields = Fields("tráiler", "a b", "mp4", "0" * 64, "mp4", None)
    target = target_of(Deliver("s3://bucket/deep", public_url="https://cdn.example/t"), fields)
    assert "https://cdn.example/t/tr%C3%A1iler/a%20b.mp4" == target.public_url


def test_a_height_that_nobody_asked_for():
    """Cannot be in a name."""
    with pytest.raises(ValueError, match="asks for no height"):
        target_of(Deliver("dist", "{height}.{ext}"), PACKAGE)


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("ftp://host/a", '"ftp://" cannot be delivered to'),
        ("https://host/a", "s3:// gs:// az://"),
        ("", "it is empty"),
        ("s3://", "names no bucket"),
        ("s3:///a", "names no bucket"),
        ("s3://b ad/a", "names no bucket"),
        ("s3://bucket/../a", '".."'),
        ("s3://bucket/a//b", "empty step"),
        ("../dist", '".."'),
        ("dist/../..", '".."'),
        ("~/dist", "not expanded"),
        ("a\\b", "backslashes"),
        ("a\nb", "control characters"),
    ],
)
def test_no_places(to, words):
    """What is none says what would be right."""
    assert words in to_error(to)
    with pytest.raises(ValidationError, match="Value error"):
        DeliverSpec(to=to)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{encode}/{ouput}.{ext}", 'Did you mean "output"?'),
        ("{0}", "{0} is not known"),
        ("{}", "{} is not known"),
        ("{encode", "a brace that belongs to no field"),
        ("{{encode}}", "a brace"),
        ("/{encode}", 'a path below "to"'),
        ("{encode}/", "names a file"),
        ("../{encode}", '".."'),
        ("{encode}/./x", '"."'),
        ("a//b", "empty step"),
        ("a\\b", "backslashes"),
        ("", "cannot be empty"),
    ],
)
def test_no_templates(template, words):
    """What is none says what would be right."""
    assert words in path_error(template)


@pytest.mark.parametrize(
    "url", ["cdn.example", "ftp://a/b", "https://", "https://me:p@a/", "https://a/?x=1", "https://a/ b"]
)
def test_no_public_urls(url):
    """Only what a path can be put behind."""
    assert "https://HOST/PATH" in url_error(url)


def test_what_a_spec_says():
    """A place alone, or a place with more."""
    assert Deliver("dist") == deliver_of("dist")
    said = DeliverSpec(to="s3://bucket", path="{output}.{ext}", public_url="https://cdn.example/")
    assert Deliver("s3://bucket", "{output}.{ext}", "https://cdn.example/") == deliver_of(said)


def wanted(address, to="dist", path="{encode}/{output}.{ext}"):
    """A copy that somebody wants."""
    encode, _, output = address.rpartition("/")
    return Wanted(address, PLACE, target_of(Deliver(to, path), Fields(encode, output, "mp4", "0" * 64, "mp4", 720)))


@pytest.mark.parametrize(
    ("copies", "words"),
    [
        (
            [wanted("a/720p", path="{height}.{ext}"), wanted("b/720p", path="{height}.{ext}")],
            "would both be dist/720.mp4",
        ),
        ([wanted("a/x", path="X.mp4"), wanted("b/x", path="x.mp4")], "would both be dist/x.mp4"),
        ([wanted("a/x", path="x"), wanted("b/y", path="x/y")], "dist/x would be a file and the folder of b/y"),
        ([wanted("a/x", to="outputs")], "would be delivered into outputs/"),
        ([wanted("a/x", to=".", path="outputs/{output}")], "would be delivered into outputs/"),
    ],
)
def test_copies_in_each_others_way(copies, words):
    """Each is told with its place."""
    (problem,) = collisions(copies)
    assert words in problem.message
    assert (PLACE, True) == (problem.place, bool(problem.hints))


@pytest.mark.parametrize(
    ("copy", "words"),
    [
        (wanted("a/m", to="masters", path="M.{ext}"), "a/m would be delivered over a source, masters/M.mp4"),
        (wanted("a/x", to=".", path="masters"), "a/x would be delivered over a source, masters"),
        (wanted("a/x", to="/media", path="tos.mov"), "a/x would be delivered over a source, /media/tos.mov"),
        (
            wanted("a/m", to="s3://bucket", path="in/m.mp4"),
            "a/m would be delivered over a source, s3://bucket/in/m.mp4",
        ),
        (wanted("a/x", to="state", path="encodes.json"), "a/x would be delivered to state/encodes.json"),
        (wanted("a/x", to=".", path="specs/{output}.yaml"), "a/x would be delivered to specs/x.yaml"),
        (wanted("a/x", to="./.git", path="index"), "a/x would be delivered to .git/index"),
    ],
)
def test_copies_that_would_replace_what_was_not_made(copy, words):
    """Neither a source nor what the project lives by is ever written over."""
    sources = {"./masters/m.mp4": "a/m", "/media/tos.mov": "b/x", "s3://bucket/in/m.mp4": "c/x"}
    (problem,) = trespasses([copy], sources)
    assert (words, PLACE, True) == (problem.message, problem.place, bool(problem.hints))


def test_copies_beside_sources():
    """A folder that sources lie in may hold copies too, and names that only begin alike are others."""
    copies = [wanted("a/x", to="masters"), wanted("b/x", to="specs-of-ours"), wanted("c/x", to="s3://state")]
    assert [] == list(trespasses(copies, {"masters/m.mp4": "a/x", "s3://bucket/in/m.mp4": "c/x"}))


def test_copies_side_by_side():
    """The same names in two places are two copies."""
    copies = [
        wanted("a/x"),
        wanted("a/y"),
        wanted("b/x"),
        wanted("c/x", to="s3://dist"),
        wanted("d/x", to="s3://other"),
    ]
    assert [] == list(collisions(copies))


def test_what_is_there_beside_what_was_made():
    """Size and version speak; what is not known says nothing."""
    copy = DeliveredCopy("s3://b/a", 9, "0" * 64, "e")
    assert Presence(9, "e").is_copy(copy)
    assert Presence(9).is_copy(copy)
    assert not Presence(8, "e").is_copy(copy)
    assert not Presence(9, "f").is_copy(copy)
    assert copy == msgspec.json.decode(msgspec.json.encode(copy), type=DeliveredCopy)
