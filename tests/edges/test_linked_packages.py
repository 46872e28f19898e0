"""Packages behind a link become whole copies, whatever breaks on the way; nothing else is ever fetched or written."""

from __future__ import annotations

import hashlib
import random
import time

import pytest

from builders_http import Page, serving
from builders_stores import breaking, s3
from reconciler.core.copies import FromLink, Request
from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.core.targets import Target
from reconciler.edges.deliveries import Deliveries, Outside
from reconciler.io import trees
from reconciler.io.http import session
from reconciler.io.stores import Patience

SEGMENT = 600_000
NAMES = [f"main/segment-{number:05}.m4s" for number in range(6)]
MEDIA = {name: random.Random(number).randbytes(SEGMENT) for number, name in enumerate(NAMES)}
MEDIA["main/init.mp4"] = b"an opening"
INDEX = "\n".join(['#EXTM3U\n#EXT-X-MAP:URI="init.mp4"', *(f"#EXTINF:6,\n{n[5:]}" for n in NAMES), "#EXT-X-ENDLIST"])
FILES = {
    **MEDIA,
    "main/index.m3u8": INDEX.encode(),
    "master.m3u8": b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nmain/index.m3u8\n",
}
SIZE = sum(map(len, FILES.values()))
LINES = sorted(f"{hashlib.sha256(content).hexdigest()} {name}\n" for name, content in FILES.items())
DIGEST = hashlib.sha256("".join(LINES).encode()).hexdigest()
OLD, NEW = "/hdnts=exp=1~hmac=0ld/job/web", "/hdnts=exp=2~hmac=4ew/job/web"


def pages(root=OLD, **more):
    """A package as its provider serves it below a signed path."""
    return {f"{root}/{name}": Page(content) for name, content in {**FILES, **more}.items()}


def link(web, *, port=None, renewed=None):
    """The link to a package, through another port if that is said."""

    def renew():
        assert renewed is not None, "nobody asked for a fresh link"
        return f"http://127.0.0.1:{port or web.port}{renewed}/master.m3u8"

    return FromLink(f"http://127.0.0.1:{port or web.port}{OLD}/master.m3u8", renew)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A real S3 with a bucket."""
    with s3(tmp_path_factory.mktemp("s3") / "buckets") as served:
        yield served


@pytest.fixture
def project(tmp_path):
    """An empty project."""
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def deliver(project, target, origin, *, environment=None, cancelled=lambda done: False, **known):
    """Make a copy, as a process of its own would; `cancelled` is asked with the bytes that were told last."""
    told = [0]
    patience = Patience(retries=10, seconds=60, pause=0.01)
    new_session = lambda _private: session(allow_private=True)  # noqa: E731 - a factory in one line
    outside = Outside(project, (), environment or {}, new_session, lambda _: time.sleep(0.001), patience)
    follow = lambda done, _total: told.append(done)  # noqa: E731 - a callback in one line
    return Deliveries(outside).deliver(Request(target, origin, **known), follow, lambda: cancelled(told[-1]))


HERE, THERE = Target("folder", "dist", "web", package=True), Target("s3", "site", "t/web", package=True)


@pytest.mark.parametrize("target", [HERE, THERE])
def test_all_that_the_playlists_name_is_copied_and_nothing_else(project, site, target):
    """Size and digest are those of all files together; what stands beside them stays where it is."""
    with serving(pages(**{"main/secret.txt": b"of somebody else"})) as web:
        copy = deliver(project, target, link(web), environment=site.environment(), size=SIZE)
        asked = {request.path.removeprefix(f"{OLD}/") for request in web.requests}
    assert (target.where, SIZE, DIGEST) == (copy.where, copy.size, copy.sha256)
    assert set(FILES) == asked
    if target is HERE:
        assert DIGEST == trees.digest(project / "dist/web")
        assert ["web"] == [path.name for path in (project / "dist").iterdir()]
    else:
        assert {f"t/web/{name}" for name in (*FILES, ".reconciler.json")} == set(site.names())
        assert MEDIA[NAMES[3]] == site.content(f"t/web/{NAMES[3]}")


@pytest.mark.parametrize("target", [HERE, THERE])
@pytest.mark.parametrize("seed", range(5))
def test_lines_that_break_at_random_bytes(project, site, target, seed):
    """The one to the provider, and the one to the store: what came stays, and the digest is that of the whole."""
    with (
        serving(pages()) as web,
        breaking(web.port, seed=seed, most=400_000) as to_provider,
        breaking(site.port, seed=seed + 100, most=900_000) as to_store,
    ):
        to_provider.cuts, to_store.cuts = 8, 3
        origin = link(web, port=to_provider.port)
        copy = deliver(project, target, origin, environment=site.environment(to_store.port))
        served = sum(request.served for request in web.requests)
    assert (SIZE, DIGEST) == (copy.size, copy.sha256)
    assert to_provider.cut > 0
    assert served < 2 * SIZE


def test_the_next_process_goes_on(project):
    """Whole files are kept, the one that broke off is gone on with; under its name there is never a part."""
    with serving(pages()) as web:
        with pytest.raises(UnavailableError, match="stopped"):
            deliver(project, HERE, link(web), cancelled=lambda done: done > 2.5 * SEGMENT)
        assert not (project / "dist/web").exists()
        before = sum(request.served for request in web.requests)
        copy = deliver(project, HERE, link(web))
        again = sum(request.served for request in web.requests) - before
    assert DIGEST == copy.sha256 == trees.digest(project / "dist/web")
    assert again < SIZE - 1.5 * SEGMENT


def test_another_job_begins_anew(project):
    """What was left of one job is not taken for a part of another, though the files are called the same."""
    other = {name: content[::-1] if name in NAMES else content for name, content in FILES.items()}
    elsewhere = "/hdnts=exp=1~hmac=0ld/another-job/web"
    with serving({**pages(), **{f"{elsewhere}/{name}": Page(content) for name, content in other.items()}}) as web:
        with pytest.raises(UnavailableError):
            deliver(project, HERE, link(web), cancelled=lambda done: done > 2.5 * SEGMENT)
        deliver(project, HERE, FromLink(web.url(f"{elsewhere}/master.m3u8"), lambda: ""))
    assert other[NAMES[0]] == (project / "dist/web" / NAMES[0]).read_bytes()
    assert ["web"] == [path.name for path in (project / "dist").iterdir()]


@pytest.mark.parametrize("target", [HERE, THERE])
def test_a_link_that_dies_on_the_way_is_renewed_for_all_files(project, site, target):
    """The fresh link opens what is left."""
    dead = {f"{OLD}/{name}": Page(statuses=[403] * 9) for name in NAMES[4:]}
    served = {**pages(NEW), **pages(), **dead}
    with serving(served) as web:
        copy = deliver(project, target, link(web, renewed=NEW), environment=site.environment())
        fresh = [request.path for request in web.requests if request.path.startswith(NEW)]
    assert DIGEST == copy.sha256
    assert [f"{NEW}/{name}" for name in NAMES[4:]] == [path for path in fresh if path.endswith("m4s")]


@pytest.mark.parametrize("target", [HERE, THERE])
@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"main/index.m3u8": b"#EXTM3U\n#EXTINF:6,\nhttp://127.0.0.1:1/a.ts\n"}, "leads out of the package"),
        ({"master.m3u8": b"<html>"}, "is no playlist"),
    ],
)
def test_playlists_that_cannot_be_followed(project, site, target, broken, words):
    """Nothing is fetched, nothing is written."""
    target = Target(target.kind, target.root, "t/refused", package=True)
    with serving(pages(**broken)) as web, pytest.raises(RejectedError, match=words):
        deliver(project, target, link(web), environment=site.environment())
    assert not [name for name in site.names() if "refused" in name]
    assert not list(project.rglob("refused"))


@pytest.mark.parametrize("target", [HERE, THERE])
def test_what_is_not_the_package_that_was_made(project, site, target):
    """Another size than was seen when the job ended: no playlist takes the place of the copy that is there."""
    target = Target(target.kind, target.root, "t/other", package=True)
    with serving(pages()) as web:
        before = deliver(project, target, link(web), environment=site.environment())
        with pytest.raises(RejectedError, match="was not made"):
            deliver(project, target, link(web), environment=site.environment(), size=SIZE + 1)
    assert before == deliver_look(project, target, site, before)


def deliver_look(project, target, site, before):
    """The copy that was made, if it is what stands there now."""
    outside = Outside(project, (), site.environment(), lambda _: session(allow_private=True), time.sleep)
    seen = Deliveries(outside).look(target)
    return before if seen is not None and seen.size == before.size else seen
