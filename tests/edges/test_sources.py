"""Sources are brought to this machine once, and looked at for a plan."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from builders_http import Page, Site, serving
from reconciler.core.encode import Source
from reconciler.core.errors import NotReadyError, RejectedError, UnavailableError
from reconciler.core.ports import SourceSeen
from reconciler.edges.source_cache import SourceCache
from reconciler.edges.sources import SourceFetcher, Trust, confined, in_words
from reconciler.io.answers import PrivateAddressError, Validators

CLIP = bytes(range(256)) * 1000
OTHER = CLIP[::-1]
DIGEST = hashlib.sha256(CLIP).hexdigest()


def remote(site: Site, *, path="/clip", query="", location=None, sha256=None):
    """A source at an address, whose identity has no query."""
    return Source("http", site.url(path), location or site.url(path, query), sha256=sha256)


def local(location, *, pin=None):
    """A source in the project folder."""
    return Source("file", location, location, sha256=pin)


class Fetchers:
    """Fetchers over one project and one cache, each as a new process would have it."""

    def __init__(self, folder: Path, *, limit=1 << 30, environment=None):
        self.project, self.cache = folder / "project", SourceCache(folder / "cache", limit)
        self.project.mkdir()
        self.environment = environment or {}
        self.slept = []

    def fetch(self, source, *, cancelled=lambda: False, **trust):
        """What a new fetcher brings, and lets go again."""
        fetcher = self.open(**trust)
        try:
            return fetcher.fetch(source, lambda done, total: None, cancelled)
        finally:
            fetcher.close()

    def open(self, **trust):
        """A fetcher that holds what it fetches until it is closed."""
        trusted = Trust(**{"allow_private": True, **trust})
        return SourceFetcher(self.project, self.cache, self.environment, trusted, self.slept.append)


@pytest.fixture
def fetchers(tmp_path):
    """A project and an empty cache."""
    return Fetchers(tmp_path)


def test_a_remote_source_becomes_a_local_file(fetchers):
    """The file, its size and digest; nothing of its address but the identity."""
    with serving({"/clip": CLIP}) as site:
        got = fetchers.fetch(remote(site, query="sig=SECRET"))

    assert (CLIP, len(CLIP), False) == (Path(got.path).read_bytes(), got.size, got.cached)
    assert SourceSeen(site.url("/clip"), size=len(CLIP), sha256=DIGEST) == got.seen
    assert "SECRET" not in got.path


def test_unchanged_content_is_not_fetched_again(fetchers):
    """The second time one byte is asked for, and none is served."""
    with serving({"/clip": CLIP}) as site:
        first = fetchers.fetch(remote(site, query="sig=one"))
        second = fetchers.fetch(remote(site, query="sig=two"))
        asked = site.of("/clip")

    assert (first.path, True) == (second.path, second.cached)
    assert (2, "bytes=0-0", 304, 0) == (len(asked), asked[1].headers["Range"], asked[1].status, asked[1].served)


def test_changed_content_is_fetched_anew_beside_the_old(fetchers):
    """Whoever still reads the old file is not disturbed."""
    with serving({"/clip": Page([CLIP, OTHER])}) as site:
        reader = fetchers.open()
        first = reader.fetch(remote(site), lambda done, total: None, lambda: False)
        second = fetchers.fetch(remote(site))
        assert (CLIP, OTHER) == (Path(first.path).read_bytes(), Path(second.path).read_bytes())
        reader.close()

    assert (False, hashlib.sha256(OTHER).hexdigest()) == (second.cached, second.seen.sha256)


def test_content_without_a_version_is_fetched_each_time(fetchers):
    """Nothing says that it is the same."""
    with serving({"/clip": Page([CLIP, CLIP, OTHER], etag=None, modified=None)}) as site:
        fetchers.fetch(remote(site))
        assert OTHER == Path(fetchers.fetch(remote(site)).path).read_bytes()


def test_a_pinned_source_needs_no_server(fetchers):
    """What is kept has the digest that the spec pins: there is nothing to ask."""
    with serving({"/clip": CLIP}) as site:
        fetchers.fetch(remote(site))
    assert fetchers.fetch(remote(site, sha256=DIGEST)).cached


def test_a_pin_that_is_not_met_does_not_fetch_the_same_again(fetchers):
    """The server still has what is kept; that it is not what was pinned is for the encode to say."""
    with serving({"/clip": CLIP}) as site:
        fetchers.fetch(remote(site))
        got = fetchers.fetch(remote(site, sha256="ab" * 32))
    assert (True, DIGEST, len(CLIP)) == (got.cached, got.seen.sha256, site.served("/clip"))


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_dead_link_is_no_loss_while_its_content_is_kept(fetchers, status):
    """A signature that expired does not take away what was fetched."""
    with serving({"/clip": CLIP}) as site:
        fetchers.fetch(remote(site))
        site.pages["/clip"] = Page(statuses=[status] * 99)
        got = fetchers.fetch(remote(site))
    assert (True, CLIP) == (got.cached, Path(got.path).read_bytes())


def test_a_dead_link_without_kept_content_is_refused(fetchers):
    """Nothing was ever fetched."""
    page = Page(statuses=[403] * 9)
    with serving({"/clip": page}) as site, pytest.raises(RejectedError, match="403 Forbidden"):
        fetchers.fetch(remote(site))


def test_a_server_that_is_down_for_a_moment_is_asked_again(fetchers):
    """Kept content is asked for up to three times before anything fails."""
    with serving({"/clip": CLIP}) as site:
        fetchers.fetch(remote(site))
        site.pages["/clip"] = Page(CLIP, statuses=[200, 503, 503])
        assert fetchers.fetch(remote(site)).cached
    with pytest.raises(UnavailableError, match="no connection"):
        fetchers.fetch(remote(site))


def test_what_was_fetched_from_a_private_address_needs_the_switch_again(fetchers):
    """The cache is shared: another project does not get what it may not fetch."""
    with serving({"/clip": CLIP}) as site:
        fetchers.fetch(remote(site))
        with pytest.raises(PrivateAddressError, match="--allow-private-sources"):
            fetchers.fetch(remote(site), allow_private=False)


def test_a_broken_download_is_gone_on_with_by_the_next_apply(fetchers):
    """The part stays in the cache when all tries are used up."""
    with serving({"/clip": Page(CLIP, cut_after=100_000, origin_has=100_000)}) as site:
        with pytest.raises(UnavailableError, match="100,000 of 256,000"):
            fetchers.fetch(remote(site))
        site.pages["/clip"] = Page(CLIP)
        got = fetchers.fetch(remote(site))
    assert (DIGEST, len(CLIP)) == (got.seen.sha256, site.served("/clip"))


def test_a_source_over_the_limit_is_refused(fetchers):
    """Trust says how many bytes a source may have."""
    with serving({"/clip": CLIP}) as site, pytest.raises(RejectedError, match="more than the limit of 1,000"):
        fetchers.fetch(remote(site), max_bytes=1_000)


def test_the_cache_makes_room_but_not_of_what_is_in_use(tmp_path):
    """A fetcher holds all that it fetched until it is closed."""
    fetchers = Fetchers(tmp_path, limit=300_000)
    with serving({"/a": CLIP, "/b": OTHER}) as site:
        holder = fetchers.open()
        first = holder.fetch(remote(site, path="/a"), lambda done, total: None, lambda: False)
        second = fetchers.fetch(remote(site, path="/b"))
        assert (True, True) == (Path(first.path).exists(), Path(second.path).exists())
        holder.close()
        fetchers.fetch(remote(site, path="/b"))
        site.pages["/c"] = Page(CLIP)
        third = fetchers.fetch(remote(site, path="/c"))
    assert (False, True) == (Path(first.path).exists(), Path(third.path).exists())


def test_what_is_used_again_outlives_what_is_not(tmp_path):
    """A use counts as much as a download, also if nothing was fetched."""
    fetchers = Fetchers(tmp_path, limit=600_000)
    with serving({"/a": CLIP, "/b": OTHER, "/c": CLIP}) as site:
        first, second = (fetchers.fetch(remote(site, path=path)) for path in ("/a", "/b"))
        for number, got in enumerate((first, second)):
            os.utime(Path(got.path).parent, (1_000 + number, 1_000 + number))
        fetchers.fetch(remote(site, path="/a"))
        fetchers.fetch(remote(site, path="/c"))
    assert (True, False) == (Path(first.path).exists(), Path(second.path).exists())


def test_two_threads_fetch_a_source_once(fetchers):
    """The second waits for the first, and is told that it was there."""
    results = []
    with serving({"/clip": Page(CLIP, pace=0.005)}) as site:
        fetcher = fetchers.open()
        work = [
            threading.Thread(
                target=lambda: results.append(fetcher.fetch(remote(site), lambda done, total: None, lambda: False))
            )
            for _ in range(4)
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
        fetcher.close()
        assert (1, len(CLIP)) == (len(site.requests), site.served("/clip"))

    assert [False, True, True, True] == sorted(result.cached for result in results)
    assert {results[0].path} == {result.path for result in results}


PROCESS = """\
import sys
from pathlib import Path
from reconciler.core.encode import Source
from reconciler.edges.source_cache import SourceCache
from reconciler.edges.sources import SourceFetcher, Trust
fetcher = SourceFetcher(Path("."), SourceCache(Path(sys.argv[1]), 1 << 30), {}, Trust(allow_private=True))
got = fetcher.fetch(Source("http", sys.argv[2], sys.argv[2]), lambda done, total: None, lambda: False)
print(got.seen.sha256)
fetcher.close()
"""


def test_two_processes_fetch_a_source_once(tmp_path):
    """Two applies of two projects with one master: it comes over the line once."""
    with serving({"/clip": Page(CLIP, pace=0.01)}) as site:
        command = [sys.executable, "-c", PROCESS, str(tmp_path / "cache"), site.url("/clip")]
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        said = [process.communicate(timeout=60)[0].strip() for process in both]
        assert len(CLIP) == site.served("/clip")

    assert [DIGEST, DIGEST] == said


def test_a_cancel_does_not_wait_for_another_process(fetchers):
    """Who waits for somebody else's download is stopped like any other."""
    with serving({"/clip": CLIP}) as site:
        entry = fetchers.cache.entry(site.url("/clip"))
        entry.use()
        with entry.fetching(lambda: None), pytest.raises(UnavailableError, match="was stopped"):
            fetchers.fetch(remote(site), cancelled=lambda: len(fetchers.slept) > 2)
        entry.release()
        assert [] == site.requests


def test_a_url_from_the_environment_is_read_when_it_is_fetched(tmp_path):
    """The spec names the variable; identity, state and cache know nothing of its value."""
    with serving({"/clip": CLIP}) as site:
        fetchers = Fetchers(tmp_path, environment={"KEYNOTE_URL": site.url("/clip", "sig=SECRET")})
        got = fetchers.fetch(Source("http", "masters/keynote", "${env.KEYNOTE_URL}"))
        assert "sig=SECRET" == site.requests[0].query

    assert SourceSeen("masters/keynote", size=len(CLIP), sha256=DIGEST) == got.seen
    assert not any(b"SECRET" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize("value", [None, "", "file:///etc/passwd?SECRET", "ftp://host/SECRET", "SECRET"])
def test_a_variable_that_holds_no_url_is_named_but_never_shown(tmp_path, value):
    """Unset, empty or of another scheme: the error says which variable, not what is in it."""
    fetchers = Fetchers(tmp_path, environment={} if value is None else {"KEYNOTE_URL": value})
    with pytest.raises((NotReadyError, RejectedError), match=r"masters/keynote: .*KEYNOTE_URL") as caught:
        fetchers.fetch(Source("http", "masters/keynote", "${env.KEYNOTE_URL}"))
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("status", [403, 404, 503])
def test_errors_of_a_secret_url_do_not_show_its_query(tmp_path, status):
    """Whatever goes wrong with it."""
    with serving({"/clip": Page(statuses=[status] * 9)}) as site:
        fetchers = Fetchers(tmp_path, environment={"KEYNOTE_URL": site.url("/clip", "sig=SECRET")})
        with pytest.raises((RejectedError, UnavailableError)) as caught:
            fetchers.fetch(Source("http", "masters/keynote", "${env.KEYNOTE_URL}"))
    assert "SECRET" not in str(caught.value)


def test_a_cache_that_cannot_be_used_is_told_with_the_way_out(tmp_path):
    """No traceback: the folder, the reason, and the variable that names another one."""
    fetchers = Fetchers(tmp_path)
    (tmp_path / "cache").touch()
    with serving({"/clip": CLIP}) as site, pytest.raises(UnavailableError, match="/cache, cannot be used") as caught:
        fetchers.fetch(remote(site))
    assert "RECONCILER_CACHE" in str(caught.value)


def test_a_probe_asks_for_one_byte(fetchers):
    """What `plan --refresh` sees: size and version."""
    with serving({"/clip": CLIP}) as site:
        fetcher = fetchers.open()
        found = fetcher.probe(remote(site))
        fetcher.close()
        assert (len(CLIP), "bytes=0-0") == (found.total, site.requests[0].headers["Range"])


def test_a_local_source_is_read_where_it_is(fetchers):
    """Path, size and time; nothing is copied, and its digest is for whoever reads it anyway."""
    path = fetchers.project / "masters" / "clip.mov"
    path.parent.mkdir()
    path.write_bytes(CLIP)
    got = fetchers.fetch(local("masters/clip.mov"))

    assert str(path.resolve()) == got.path
    assert SourceSeen("masters/clip.mov", len(CLIP), path.stat().st_mtime_ns) == got.seen


def test_a_pinned_local_source_comes_with_its_digest(fetchers):
    """Whether it is what the spec pins must be known before it is encoded."""
    (fetchers.project / "clip.mov").write_bytes(CLIP)
    assert DIGEST == fetchers.fetch(local("clip.mov", pin="ab" * 32)).seen.sha256


@pytest.mark.parametrize("kind", ["absent", "folder", "fifo", "under a file", "loop", "nul"])
def test_what_is_no_file_is_refused(fetchers, kind):
    """Also a pipe, which would be waited for without end, and links that go round."""
    path = fetchers.project / "clip.mov"
    location = "clip.mov"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "under a file":
        path.touch()
        location = "clip.mov/clip.mov"
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "nul":
        location = "clip\0.mov"
    with pytest.raises(RejectedError, match="clip"):
        fetchers.fetch(local(location))


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(fetchers):
    """With the system's reason."""
    path = fetchers.project / "clip.mov"
    path.touch(mode=0)
    with pytest.raises(RejectedError, match="Permission denied"):
        fetchers.fetch(local("clip.mov"))


@pytest.mark.parametrize("location", ["../outside.mov", "masters/../../outside.mov", "link.mov", "folder/outside.mov"])
def test_a_path_out_of_the_project_is_refused(tmp_path, location):
    """By name or through a link to a file or folder; a media root lifts it."""
    project = tmp_path / "project"
    (project / "masters").mkdir(parents=True)
    (tmp_path / "outside.mov").write_bytes(CLIP)
    (project / "link.mov").symlink_to(tmp_path / "outside.mov")
    (project / "folder").symlink_to(tmp_path)

    with pytest.raises(RejectedError, match="--media-root"):
        confined(project, location, ())
    assert (tmp_path / "outside.mov").resolve() == confined(project, location, (tmp_path,))


def test_an_absolute_path_lies_in_a_media_root(tmp_path):
    """A root that only begins with the same letters is another folder; roots may be links themselves."""
    project, media = tmp_path / "project", tmp_path / "media"
    for folder in (project, media, tmp_path / "media-secret"):
        folder.mkdir()
    (tmp_path / "mounted").symlink_to(media)
    (media / "clip.mov").touch()

    assert media / "clip.mov" == confined(project, str(media / "clip.mov"), (tmp_path / "mounted",))
    with pytest.raises(RejectedError, match="--media-root"):
        confined(project, str(tmp_path / "media-secret" / "clip.mov"), (media,))


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ("https://h/a: reachable, 1,000 bytes, a version that can be told apart", Validators('"1"', "", 1000)),
        (
            "https://h/a: reachable, size not told, no version: a change would not be seen",
            Validators('W/"1"', "", None),
        ),
    ],
)
def test_a_look_at_a_remote_source_is_a_line(expected, found):
    """Without the query."""
    assert expected == in_words(Source("http", "https://h/a?id=7", "https://h/a?id=7&sig=SECRET"), found)


def test_a_look_at_a_named_source_says_its_name():
    """A source whose address is a secret has only that."""
    line = in_words(Source("http", "masters/keynote", "${env.KEYNOTE_URL}"), Validators('"1"', "", 5))
    assert line.startswith("masters/keynote: reachable, 5 bytes")


def test_a_login_is_sent_to_its_own_host_and_told_to_nobody(tmp_path):
    """User and password reach the server as Basic auth, the password from the environment; no error shows them."""
    with serving({"/clip": CLIP}) as site, serving({"/clip": CLIP}) as other:
        site.pages["/moved"] = Page(redirect=other.url("/clip"))
        fetchers = Fetchers(tmp_path, environment={"RECONCILER_PASSWORD": "p@ss/word"})
        for path in ("/clip", "/moved"):
            login = {"username": "ann", "password": "${env.RECONCILER_PASSWORD}"}
            fetched = fetchers.fetch(Source("http", site.url(path), site.url(path), **login))
            assert CLIP == Path(fetched.path).read_bytes()

        assert "Basic YW5uOnBAc3Mvd29yZA==" == site.of("/clip")[0].headers["Authorization"]
        assert "Basic YW5uOnBAc3Mvd29yZA==" == site.of("/moved")[0].headers["Authorization"]
        assert "Authorization" not in other.of("/clip")[0].headers
        with pytest.raises(RejectedError) as caught:
            fetchers.fetch(Source("http", site.url("/none"), site.url("/none"), **login))
    assert "404" in str(caught.value)
    assert "ann" not in str(caught.value)


def test_a_password_that_is_not_set_is_named(tmp_path):
    """Whose password it is and which variable holds it."""
    source = Source("http", "masters/a", "https://cdn.test/a", username="ann", password="${env.RECONCILER_NONE}")
    with pytest.raises(NotReadyError, match=r"masters/a: the environment variable RECONCILER_NONE is not set"):
        Fetchers(tmp_path).fetch(source)
