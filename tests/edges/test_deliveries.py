"""Copies are whole or not there, in folders and in stores, whatever breaks on the way."""

from __future__ import annotations

import hashlib
import random
import socket
import threading
import time

import pytest

from builders_http import Page, serving, waits_until
from builders_stores import SECRET, breaking, free_port, s3
from reconciler.core.copies import DeliveredCopy, FromFile, FromLink, Presence, Request
from reconciler.core.errors import CredentialsError, RejectedError, UnavailableError
from reconciler.core.targets import Target
from reconciler.edges.deliveries import Deliveries, Outside, media_type
from reconciler.io import trees
from reconciler.io.http import session
from reconciler.io.stores import Patience, Store

SMALL = random.Random(1).randbytes(300_000)
LARGE = random.Random(2).randbytes(20_000_000)
QUICK = Patience(retries=10, seconds=60, pause=0.01)


def sha(content):
    """The digest of a content."""
    return hashlib.sha256(content).hexdigest()


def no_renewal():
    """For links that live."""
    raise AssertionError("nobody asked for a fresh link")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A real S3 with a bucket."""
    with s3(tmp_path_factory.mktemp("s3") / "buckets") as served:
        yield served


@pytest.fixture
def desk(tmp_path, site):
    """Deliveries of an empty project, with credentials for the store."""
    return Desk(tmp_path, site.environment())


class Desk:
    """Deliveries, each in one readable call."""

    def __init__(self, folder, environment, *, allow_private=True, roots=()):
        self.project = folder / "project"
        self.project.mkdir(exist_ok=True)
        self.told = []
        new_session = lambda private: session(allow_private=allow_private or private)  # noqa: E731 - a factory in one line
        outside = Outside(self.project, roots, environment, new_session, lambda _: time.sleep(0.001), QUICK)
        self.deliveries = Deliveries(outside)

    def file(self, content=SMALL, name="made.mp4"):
        """A finished output on this machine."""
        path = self.project / name
        path.write_bytes(content)
        return FromFile(str(path))

    def package(self, name="web", **more):
        """A finished package on this machine."""
        folder = self.project / "outputs" / name
        files = {"master.m3u8": b"#EXTM3U", "720p/index.m3u8": b"#EXTM3U 720p", "720p/1.m4s": SMALL, **more}
        for inside, content in files.items():
            path = folder / inside
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return FromFile(str(folder))

    def deliver(self, target, origin, *, cancelled=lambda: False, **known):
        """Make a copy."""
        follow = lambda done, total: self.told.append((done, total))  # noqa: E731 - a callback in one line
        return self.deliveries.deliver(Request(target, origin, **known), follow, cancelled)


def folder(key="trailer/720p.mp4", root="dist", **more):
    """A place on this machine."""
    return Target("folder", root, key, **more)


def stored(key="trailer/720p.mp4", root="site", **more):
    """A place in the store."""
    return Target("s3", root, key, **more)


def test_a_file_into_a_folder(desk):
    """Size, digest and progress are told; nothing but the copy is left."""
    copy = desk.deliver(folder(), desk.file(), sha256=sha(SMALL), size=len(SMALL))
    assert DeliveredCopy("dist/trailer/720p.mp4", len(SMALL), sha(SMALL)) == copy
    assert ["720p.mp4"] == [path.name for path in (desk.project / "dist/trailer").iterdir()]
    assert SMALL == (desk.project / "dist/trailer/720p.mp4").read_bytes()
    assert (len(SMALL), len(SMALL)) == desk.told[-1]


def test_a_link_into_a_folder(desk):
    """Without a credential, gone on with where the connection broke, however often."""
    with serving({"/720p": Page(LARGE, cut_after=1_500_000, cuts=9)}) as web:
        copy = desk.deliver(folder(), FromLink(web.url("/720p", "sig=x"), no_renewal), sha256=sha(LARGE))
        asked = [request.headers for request in web.requests]
    assert DeliveredCopy("dist/trailer/720p.mp4", len(LARGE), sha(LARGE)) == copy
    assert not any("Authorization" in headers for headers in asked)
    assert len(asked) == 10


@pytest.mark.parametrize("place", [folder, stored])
def test_a_link_that_died_is_renewed(desk, place):
    """Before the first byte and in the middle; a fresh link that is refused too is the end."""
    with serving({"/live": Page(LARGE, cut_after=5_000_000), "/dead": Page(statuses=[403] * 99)}) as web:
        live = web.url("/live")
        copy = desk.deliver(place("a.mp4"), FromLink(web.url("/dead"), lambda: live), sha256=sha(LARGE))
        assert len(LARGE) == copy.size
        with pytest.raises(RejectedError, match="403 Forbidden"):
            desk.deliver(place("b.mp4"), FromLink(web.url("/dead"), lambda: web.url("/dead", "again")))
    assert desk.deliveries.look(place("b.mp4")) is None


@pytest.mark.parametrize("place", [folder, stored])
def test_a_link_that_dies_on_the_way(desk, place):
    """What came before stays; the fresh link brings the rest."""
    with serving({"/old": Page(LARGE, cut_after=9_000_000), "/new": LARGE}) as web:
        origin = FromLink(web.url("/old"), lambda: web.url("/new"))
        dying = threading.Thread(target=lambda: dies(web), daemon=True)
        dying.start()
        copy = desk.deliver(place("dies.mp4"), origin, sha256=sha(LARGE))
        served = web.served("/old") + web.served("/new")
    assert sha(LARGE) == copy.sha256
    assert served < len(LARGE) + 2_000_000


def dies(web):
    """The old link dies with its first connection."""
    assert waits_until(lambda: web.served("/old") > 0)
    web.pages["/old"] = Page(statuses=[403] * 99)


@pytest.mark.parametrize("place", [folder, stored])
def test_what_is_not_what_was_made_is_no_copy(desk, place):
    """Another digest, another length: the name stays as it was."""
    before = desk.deliver(place("other.mp4"), desk.file())
    for known in ({"sha256": "0" * 64}, {"size": 7}):
        with pytest.raises(RejectedError, match="was not made: "):
            desk.deliver(place("other.mp4"), desk.file(LARGE), **known)
    assert desk.deliveries.look(place("other.mp4")).is_copy(before)


def test_an_address_that_is_not_public(tmp_path, site):
    """No link leads there."""
    desk = Desk(tmp_path, site.environment(), allow_private=False)
    with serving({"/720p": SMALL}) as web:
        for place in (folder(), stored("private.mp4")):
            with pytest.raises(RejectedError, match="is not a public address"):
                desk.deliver(place, FromLink(web.url("/720p"), no_renewal))
    assert [] == web.requests


@pytest.mark.parametrize(("key", "root"), [("a.mp4", "../out"), ("a.mp4", "/"), ("link/a.mp4", "dist")])
def test_folders_stay_where_they_may_be(desk, tmp_path, key, root):
    """Neither absolute paths, nor steps up, nor symlinks lead out of the project."""
    (desk.project / "dist").mkdir()
    (desk.project / "dist/link").symlink_to(tmp_path)
    with pytest.raises(RejectedError, match="--media-root"):
        desk.deliver(folder(key, root), desk.file())
    allowed = Desk(tmp_path, {}, roots=(tmp_path,))
    assert "dist/link/a.mp4" == allowed.deliver(folder("link/a.mp4"), allowed.file()).where


def test_a_folder_in_the_way(desk):
    """It is not replaced: it holds files of somebody."""
    (desk.project / "dist/trailer/720p.mp4").mkdir(parents=True)
    with pytest.raises(RejectedError, match="there is a folder of other files in its place"):
        desk.deliver(folder(), desk.file())


@pytest.mark.parametrize("place", [folder, stored])
def test_only_the_copy_that_was_made_is_removed(desk, place):
    """What is there now must be what was made; what is gone is no error."""
    target = place("remove/a.mp4")
    copy = desk.deliver(target, desk.file())
    desk.deliver(target, desk.file(SMALL[::-1]))
    with pytest.raises(RejectedError, match="is not the copy that was made"):
        desk.deliveries.remove(target, copy)
    copy = desk.deliver(target, desk.file())
    desk.deliveries.remove(target, copy)
    desk.deliveries.remove(target, copy)
    assert desk.deliveries.look(target) is None
    assert not (desk.project / "dist/remove").exists()


def test_a_file_into_a_store(desk, site):
    """In one go, or in parts; the store's own version is recorded."""
    for content in (b"", SMALL, LARGE):
        copy = desk.deliver(stored("plain.mp4"), desk.file(content), sha256=sha(content))
        assert content == site.content("plain.mp4")
        assert ("s3://site/plain.mp4", len(content), sha(content)) == (copy.where, copy.size, copy.sha256)
        assert Presence(len(content), copy.etag) == desk.deliveries.look(stored("plain.mp4"))
        assert copy.etag


def test_a_link_without_a_length(desk, site):
    """Is streamed all the same, and compared with what it should be."""
    with serving({"/720p": Page(LARGE, chunked=True)}) as web:
        origin = FromLink(web.url("/720p"), no_renewal)
        desk.deliver(stored("chunked.mp4"), origin, sha256=sha(LARGE))
    assert LARGE == site.content("chunked.mp4")


def test_an_altered_object_is_seen(desk, site):
    """By its version, even where its size is the same."""
    copy = desk.deliver(stored("altered.mp4"), desk.file())
    Store("s3", "site", site.environment()).put("altered.mp4", [SMALL[::-1]], len(SMALL), None)
    assert not desk.deliveries.look(stored("altered.mp4")).is_copy(copy)


@pytest.mark.parametrize("place", [folder, stored])
def test_a_package_is_one_copy(desk, site, place):
    """All its files, one digest; a new one leaves nothing of the old, and what is not ours stays."""
    target = place("pack/web", package=True)
    first = desk.deliver(target, desk.package(**{"720p/2.m4s": LARGE}))
    again = desk.package()
    (desk.project / "outputs/web/720p/2.m4s").unlink()
    second = desk.deliver(target, again, sha256=trees.digest(desk.project / "outputs/web"))

    assert desk.deliveries.look(target).is_copy(second)
    assert not desk.deliveries.look(target).is_copy(first)
    assert second.size == trees.size(desk.project / "outputs/web")
    with pytest.raises(RejectedError, match="is not the copy that was made"):
        desk.deliveries.remove(target, first)
    if place is stored:
        names = [name.removeprefix("pack/web/") for name in site.names() if name.startswith("pack/web/")]
        assert [".reconciler.json", "720p/1.m4s", "720p/index.m3u8", "master.m3u8"] == names
    desk.deliveries.remove(target, second)
    assert desk.deliveries.look(target) is None


def test_a_package_that_is_not_whole_is_seen(desk, site):
    """A missing or foreign segment: it is there, and it is not the copy."""
    target = stored("broken/web", package=True)
    copy = desk.deliver(target, desk.package())
    store = Store("s3", "site", site.environment())
    store.put("broken/web/720p/1.m4s", [SMALL[::-1]], len(SMALL), None)
    assert Presence(copy.size, "altered") == desk.deliveries.look(target)
    with pytest.raises(RejectedError, match="left alone"):
        desk.deliveries.remove(target, copy)
    store.remove("broken/web/720p/1.m4s")
    assert not desk.deliveries.look(target).is_copy(copy)


@pytest.mark.parametrize("place", [folder, stored])
def test_a_package_that_is_another_one(desk, place):
    """No playlist is put where segments are not what they were."""
    target = place("another/web", package=True)
    with pytest.raises(RejectedError, match="was not made"):
        desk.deliver(target, desk.package(), sha256="0" * 64)
    assert desk.deliveries.look(target) is None


def test_kinds_of_media():
    """Players believe what a store says."""
    assert "video/mp4" == media_type("a/b.mp4")
    assert "application/vnd.apple.mpegurl" == media_type("a/master.m3u8")
    assert "application/dash+xml" == media_type("manifest.mpd")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (stored(), "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        (Target("gs", "site", "a"), "Set GOOGLE_APPLICATION_CREDENTIALS"),
        (Target("az", "site", "a"), "Set AZURE_STORAGE_ACCOUNT_NAME"),
    ],
)
def test_without_credentials(tmp_path, target, words):
    """A store is refused before anything is asked, with what to set."""
    desk = Desk(tmp_path, {"AWS_ACCESS_KEY_ID": "only half"})
    for call in (lambda: desk.deliver(target, desk.file()), lambda: desk.deliveries.look(target)):
        with pytest.raises(CredentialsError, match=words):
            call()


def test_wrong_credentials_are_never_told(tmp_path, site):
    """Nor what the store says of them."""
    desk = Desk(tmp_path, site.environment(AWS_SECRET_ACCESS_KEY=SECRET[::-1] + "x", AWS_SESSION_TOKEN="TOKEN"))
    with pytest.raises(CredentialsError) as caught:
        desk.deliver(stored("wrong.mp4"), desk.file())
    assert "s3://site/wrong.mp4 is refused: the credentials of the environment may not do that" == str(caught.value)
    assert caught.value.__suppress_context__


def test_settings_that_are_not_usable(tmp_path):
    """A key that is none says so without being told."""
    environment = {"AZURE_STORAGE_ACCOUNT_NAME": "a", "AZURE_STORAGE_ACCOUNT_KEY": "not base64!"}
    with pytest.raises(RejectedError) as caught:
        Desk(tmp_path, environment).deliveries.look(Target("az", "site", "a"))
    assert "not base64" not in str(caught.value)


def test_a_bucket_that_is_not_there(desk):
    """Is no reason to try again."""
    with pytest.raises(RejectedError, match="there is no such bucket"):
        desk.deliver(stored(root="nobody"), desk.file())


def test_a_store_that_is_gone(tmp_path, site):
    """Is told in the end."""
    desk = Desk(tmp_path, site.environment(free_port()))
    with pytest.raises(UnavailableError, match=r"720p\.mp4 cannot be reached, or broke off"):
        desk.deliver(stored(), desk.file())


def test_a_store_that_never_answers(tmp_path, site):
    """A cancel waits for nobody."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        desk = Desk(tmp_path, site.environment(silent.getsockname()[1]))
        began = time.monotonic()
        with pytest.raises(UnavailableError, match=r"delivery to s3://site/trailer/720p\.mp4 was stopped"):
            desk.deliver(stored(), desk.file(), cancelled=lambda: time.monotonic() - began > 0.3)
        assert time.monotonic() - began < 6


@pytest.mark.parametrize("place", [folder, stored])
def test_a_cancel_leaves_no_copy(desk, site, place):
    """Wherever it comes; what was there before is there still."""
    before = desk.deliver(place("cancel.mp4"), desk.file())
    with pytest.raises(UnavailableError, match="stopped"):
        desk.deliver(
            place("cancel.mp4"), desk.file(LARGE), cancelled=lambda: bool(desk.told) and desk.told[-1][0] > 10**6
        )
    assert desk.deliveries.look(place("cancel.mp4")).is_copy(before)


def test_a_file_that_is_gone_is_told(desk, site):
    """By its name, without another try."""
    with pytest.raises(RejectedError, match=r"lost\.mp4 cannot be read"):
        desk.deliver(stored("lost.mp4"), FromFile(str(desk.project / "lost.mp4")))


def test_many_are_looked_at_together(desk, site):
    """Each is told by its place, as is one that is not there."""
    made = {number: desk.deliver(stored(f"several/{number}.mp4"), desk.file(SMALL)) for number in range(6)}
    seen = desk.deliveries.look_all([stored(f"several/{name}.mp4") for name in (*made, "lost")])
    assert seen["s3://site/several/lost.mp4"] is None
    assert all(seen[f"s3://site/several/{number}.mp4"].is_copy(copy) for number, copy in made.items())


CONTENTS = [random.Random(seed).randbytes(9_000_000 + 700_000 * seed) for seed in range(3)]


@pytest.mark.parametrize("seed", range(25))
def test_broken_off_at_random_bytes_into_a_store(tmp_path, site, seed):
    """The line to the store and the one to the provider break, several times each: it completes, never a part."""
    content, key = CONTENTS[seed % 3], f"random/{seed}.mp4"
    watching = Watching(site, key, content)
    with (
        serving({"/720p": content}) as web,
        breaking(site.port, seed=seed) as to_store,
        breaking(web.port, seed=seed + 1000) as to_provider,
        watching,
    ):
        to_store.cuts, to_provider.cuts = 3 + seed % 3, 1 + seed % 4
        desk = Desk(tmp_path, site.environment(to_store.port))
        origin = FromLink(f"http://127.0.0.1:{to_provider.port}/720p", no_renewal)
        copy = desk.deliver(stored(key), origin, sha256=sha(content), size=len(content))
        cut = min(to_store.cut, to_provider.cut)
    assert sha(content) == copy.sha256 == sha(site.content(key))
    assert cut > 0
    assert [] == watching.parts


@pytest.mark.parametrize("seed", range(25))
def test_broken_off_at_random_bytes_into_a_folder(tmp_path, seed):
    """The line to the provider breaks and the process is stopped, too: the next one goes on; never a part."""
    content, dice = CONTENTS[seed % 3], random.Random(seed)
    desk = Desk(tmp_path, {})
    path = desk.project / "dist/trailer/720p.mp4"
    with serving({"/720p": content}) as web, breaking(web.port, seed=seed) as line:
        line.cuts = 2
        origin = FromLink(f"http://127.0.0.1:{line.port}/720p", no_renewal)
        stop_at = dice.randint(1, len(content))
        with pytest.raises(UnavailableError, match="stopped"):
            desk.deliver(folder(), origin, cancelled=lambda: bool(desk.told) and desk.told[-1][0] >= stop_at)
        assert not path.exists()
        copy = Desk(tmp_path, {}).deliver(folder(), origin, sha256=sha(content))
        later = web.of("/720p")[1:]
    assert sha(content) == copy.sha256 == sha(path.read_bytes())
    assert ["720p.mp4"] == [other.name for other in path.parent.iterdir()]
    assert any("Range" in request.headers for request in later)


class Watching:
    """Looks at an object all the time, and keeps the sizes that are not that of the whole."""

    def __init__(self, site, key, content):
        self.path, self.size, self.parts = site.folder / "site" / key, len(content), []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _look(self):
        while not self._ended.wait(0.005):
            if self.path.exists() and self.path.stat().st_size != self.size:
                self.parts.append(self.path.stat().st_size)
