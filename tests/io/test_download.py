"""Downloads end whole or not at all, and go on where a connection broke."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

import pytest

from builders_http import Page, serving, waits_until
from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.io.answers import Validators
from reconciler.io.download import Downloaded, Watch, download, look
from reconciler.io.http import session

SIZE = 1_000_000
CUT = 600_000
CLIP = random.Random(1).randbytes(SIZE)
OTHER = random.Random(2).randbytes(SIZE)
NOTHING_KNOWN = Validators()
SECRET = "X-Amz-Signature=SECRET"


@dataclass
class Follower:
    """Follows a download; time passes at once. Cancels when `cancel_at` bytes have come."""

    cancel_at: int | None = None
    told: list = field(default_factory=list)
    slept: list = field(default_factory=list)

    def watch(self):
        """What `download` is handed."""
        return Watch(lambda done, total: self.told.append((done, total)), self.cancelled, self.slept.append)

    def cancelled(self):
        """Whether enough has come."""
        return self.cancel_at is not None and bool(self.told) and self.told[-1][0] >= self.cancel_at


def fetch(site, folder, *, follower=None, limit=1 << 40):
    """Download the clip with a fresh session, as a new process would; what `download` says."""
    return watched(site, folder, (follower or Follower()).watch(), limit=limit)


def watched(site, folder, watch, *, limit=1 << 40):
    """As `fetch`, with a watch of one's own."""
    with session(allow_private=True) as made:
        return download(made, site.url("/clip", SECRET), folder / "clip", watch, limit=limit)


def refused(kind, site, folder, **options):
    """The words of a download that fails, which hold no secret and leave no final file."""
    with pytest.raises(kind) as caught:
        fetch(site, folder, **options)
    assert "SECRET" not in str(caught.value)
    assert not (folder / "clip").exists()
    return str(caught.value)


def names(folder):
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def is_whole(folder, content=CLIP):
    """Whether the final file has the content, and nothing else is there."""
    return ["clip"] == names(folder) and content == (folder / "clip").read_bytes()


def ranges(site, path="/clip"):
    """What each request asked for."""
    return [request.headers.get("Range") for request in site.of(path)]


def test_a_file_is_fetched_whole(tmp_path):
    """One request; size, digest and version are told, and nothing but the file is left."""
    with serving({"/clip": CLIP}) as site:
        got = fetch(site, tmp_path)
        expected = Page(CLIP).validators(CLIP)

    version = Validators(expected["ETag"], expected["Last-Modified"], SIZE)
    assert Downloaded(SIZE, hashlib.sha256(CLIP).hexdigest(), version) == got
    assert is_whole(tmp_path)
    assert ([None], SIZE) == (ranges(site), site.served("/clip"))


def test_a_cut_connection_is_gone_on_with(tmp_path):
    """Cut at 60 %: the second request asks for the rest of the same version, and each byte is served once."""
    follower = Follower()
    with serving({"/clip": Page(CLIP, cut_after=CUT)}) as site:
        got = fetch(site, tmp_path, follower=follower)
        second = site.of("/clip")[1].headers

    assert (f"bytes={CUT}-", Page(CLIP).validators(CLIP)["ETag"]) == (second["Range"], second["If-Range"])
    assert SIZE == site.served("/clip")
    assert is_whole(tmp_path)
    assert hashlib.sha256(CLIP).hexdigest() == got.sha256
    assert follower.told == sorted(follower.told)
    assert (SIZE, SIZE) == follower.told[-1]


def test_without_an_etag_the_date_tells_versions_apart(tmp_path):
    """A weak ETag cannot stand in If-Range; Last-Modified can."""
    with serving({"/clip": Page(CLIP, cut_after=CUT, etag='W/"1"')}) as site:
        fetch(site, tmp_path)
    assert (Page().modified, SIZE) == (site.of("/clip")[1].headers["If-Range"], site.served("/clip"))
    assert is_whole(tmp_path)


PROCESS = """\
import sys
from pathlib import Path
from reconciler.io.download import Watch, download
from reconciler.io.http import session
watch = Watch(lambda done, total: None, lambda: False, lambda seconds: None)
with session(allow_private=True) as made:
    download(made, sys.argv[1], Path(sys.argv[2]), watch, limit=1 << 40)
"""


def test_a_killed_process_is_gone_on_with(tmp_path):
    """What a process had fetched when it was killed is used by the next one: about the file's size is served."""
    with serving({"/clip": Page(CLIP, pace=0.01)}) as site:
        first = subprocess.Popen([sys.executable, "-c", PROCESS, site.url("/clip", SECRET), str(tmp_path / "clip")])
        assert waits_until(lambda: site.served("/clip") > CUT)
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert ["clip.part", "clip.part.json"] == names(tmp_path)
        there = (tmp_path / "clip.part").stat().st_size
        site.pages["/clip"] = Page(CLIP)
        got = fetch(site, tmp_path)

    assert f"bytes={there}-" == ranges(site)[-1]
    assert site.served("/clip") < SIZE * 1.1
    assert hashlib.sha256(CLIP).hexdigest() == got.sha256
    assert is_whole(tmp_path)


def test_a_part_that_is_whole_is_not_fetched_again(tmp_path):
    """A process that was killed between the last byte and the final name costs nothing."""
    interrupted(tmp_path, size=SIZE)
    with serving({"/clip": CLIP}) as site:
        fetch(site, tmp_path)

    assert ([f"bytes={SIZE}-"], 0) == (ranges(site), site.served("/clip"))
    assert is_whole(tmp_path)


def interrupted(folder, *, size):
    """A folder in which `size` bytes of the clip are left, as after a kill."""
    if size == SIZE:
        (folder / "clip").mkdir()
    with serving({"/clip": Page(CLIP, cut_after=size)}) as site, pytest.raises(UnavailableError):
        fetch(site, folder, follower=Follower(cancel_at=size) if size < SIZE else None)
    if size == SIZE:
        (folder / "clip").rmdir()
    assert size == (folder / "clip.part").stat().st_size


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '{"validators": {"etag": 5}, "boot": ""}', "{}", "\x00\x00"])
def test_a_part_of_an_unknown_version_is_fetched_anew(tmp_path, spoilt):
    """A note that cannot be read says nothing; half a file without a version is worth nothing."""
    interrupted(tmp_path, size=CUT)
    (tmp_path / "clip.part.json").write_text(spoilt)
    with serving({"/clip": CLIP}) as site:
        fetch(site, tmp_path)
    assert [None] == ranges(site)
    assert is_whole(tmp_path)


def test_a_part_from_before_a_restart_of_the_machine_is_fetched_anew(tmp_path):
    """Nothing says that all of it reached the disk: it may have holes."""
    interrupted(tmp_path, size=CUT)
    note = json.loads((tmp_path / "clip.part.json").read_text())
    (tmp_path / "clip.part.json").write_text(json.dumps({**note, "boot": "an earlier one"}))
    with serving({"/clip": CLIP}) as site:
        fetch(site, tmp_path)
    assert [None] == ranges(site)
    assert is_whole(tmp_path)


@pytest.mark.parametrize(
    "page",
    [
        Page([CLIP, OTHER], cut_after=CUT),
        Page([CLIP, OTHER], cut_after=CUT, ranges=False),
        Page([CLIP, OTHER], cut_after=CUT, if_range=False),
        Page([CLIP, OTHER[:CUT]], cut_after=CUT, if_range=False),
        Page([CLIP, OTHER[: CUT // 2]], cut_after=CUT, if_range=False),
        Page([CLIP, OTHER], cut_after=CUT, etag=None, modified=None),
    ],
    ids=["if-range", "no-ranges", "ignores-if-range", "as-long-as-the-part", "shorter-than-the-part", "no-validators"],
)
def test_content_that_changes_meanwhile_is_never_mixed(tmp_path, page):
    """Another version is fetched from its beginning, also from a server that ignores what If-Range asks."""
    with serving({"/clip": page}) as site:
        got = fetch(site, tmp_path)

    assert is_whole(tmp_path, page.version(9))
    assert hashlib.sha256(page.version(9)).hexdigest() == got.sha256


def test_a_server_that_gives_less_than_was_asked_for_is_asked_on(tmp_path):
    """A range may bring only its beginning: that is not yet the whole file."""
    with serving({"/clip": Page(CLIP, cut_after=CUT, most=150_000)}) as site:
        fetch(site, tmp_path)
    assert [None, "bytes=600000-", "bytes=750000-", "bytes=900000-"] == ranges(site)
    assert is_whole(tmp_path)


def test_a_server_without_ranges_is_asked_for_all_of_it_again(tmp_path):
    """It answers 200 with the whole file, and that is what is kept."""
    with serving({"/clip": Page(CLIP, cut_after=CUT, ranges=False)}) as site:
        fetch(site, tmp_path)
    assert SIZE + CUT == site.served("/clip")
    assert is_whole(tmp_path)


def test_without_a_version_nothing_is_gone_on_with(tmp_path):
    """No ETag and no date: two parts might be of two files, so the second request asks for the whole one."""
    with serving({"/clip": Page(CLIP, cut_after=CUT, etag=None, modified=None)}) as site:
        fetch(site, tmp_path)
    assert [None, None] == ranges(site)
    assert is_whole(tmp_path)


@pytest.mark.parametrize("content_range", [f"bytes 5-{SIZE - 1}/{SIZE}", "nonsense", f"bytes 0-{SIZE - 1}/{SIZE}"])
def test_a_part_that_was_not_asked_for_is_not_used(tmp_path, content_range):
    """A 206 that begins elsewhere would leave a hole; the whole file is asked for instead."""
    interrupted(tmp_path, size=CUT)
    with serving({"/clip": Page(CLIP)}) as site:
        site.pages["/clip"] = Page(CLIP, headers={"Content-Range": content_range})
        fetch(site, tmp_path)
    assert [f"bytes={CUT}-", None] == ranges(site)
    assert is_whole(tmp_path)


@pytest.mark.parametrize("ranged", [True, False])
def test_a_file_that_lost_its_end_at_its_origin_is_never_whole(tmp_path, ranged):
    """The announced length is never reached: an error in the end, with what came and what was announced."""
    with serving({"/clip": Page(CLIP, origin_has=CUT, ranges=ranged)}) as site:
        words = refused(UnavailableError, site, tmp_path)

    assert "the connection broke (600,000 of 1,000,000 bytes are here), 6 times" in words
    assert 6 == len(site.requests)


def test_many_breaks_do_not_end_a_download_that_gets_on(tmp_path):
    """A connection that brings megabytes before it breaks is as good as new: a large file breaks often."""
    content = random.Random(3).randbytes(12_000_000)
    with serving({"/clip": Page(content, cut_after=1_100_000, cuts=None, piece=1 << 17)}) as site:
        got = fetch(site, tmp_path)
    assert (11, len(content)) == (len(site.requests), site.served("/clip"))
    assert hashlib.sha256(content).hexdigest() == got.sha256


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 522])
def test_what_may_pass_is_tried_again(tmp_path, status):
    """A server that is down for a moment costs a pause."""
    follower = Follower()
    with serving({"/clip": Page(CLIP, statuses=[status, status])}) as site:
        fetch(site, tmp_path, follower=follower)
    assert is_whole(tmp_path)
    assert (1 + 2, 3) == (sum(follower.slept), len(site.requests))


def test_what_does_not_pass_ends_with_the_servers_status(tmp_path):
    """Six tries, with pauses that grow, then an error that says to try later."""
    follower = Follower()
    with serving({"/clip": Page(CLIP, statuses=[503] * 9)}) as site:
        words = refused(UnavailableError, site, tmp_path, follower=follower)

    expected = f"{site.url('/clip')} cannot be fetched: the server answered 503 Service Unavailable, 6 times."
    assert words.startswith(expected)
    assert (6, 1 + 2 + 4 + 8 + 10) == (len(site.requests), sum(follower.slept))


@pytest.mark.parametrize("status", [204, 300, 304, 400, 401, 403, 404, 410, 416, 501])
def test_what_will_not_pass_is_refused_at_once(tmp_path, status):
    """One request is enough to know."""
    with serving({"/clip": Page(CLIP, statuses=[status] * 9)}) as site:
        words = refused(RejectedError, site, tmp_path)

    assert f"{site.url('/clip')} answered {status} " in words
    assert (status in {401, 403}) == ("a signed link may have expired" in words)
    assert 1 == len(site.requests)


def test_a_body_in_chunks_is_fetched(tmp_path):
    """Without a length, the end of the chunks is the end of the file."""
    with serving({"/clip": Page(CLIP, chunked=True)}) as site:
        got = fetch(site, tmp_path)
    assert (SIZE, None) == (got.size, got.validators.total)
    assert is_whole(tmp_path)


def test_chunks_that_end_early_are_gone_on_with(tmp_path):
    """A body in chunks that lacks its last one is not whole."""
    with serving({"/clip": Page(CLIP, chunked=True, cut_after=CUT)}) as site:
        fetch(site, tmp_path)
    assert SIZE == site.served("/clip")
    assert is_whole(tmp_path)


def test_a_body_without_any_length_ends_with_its_connection(tmp_path):
    """Old servers say nothing of the length; what they send is taken for all."""
    with serving({"/clip": Page(CLIP, length=False)}) as site:
        fetch(site, tmp_path)
    assert is_whole(tmp_path)


def test_an_empty_file_is_whole(tmp_path):
    """Nothing is also a content; that it is no film is for others to say."""
    with serving({"/clip": b""}) as site:
        got = fetch(site, tmp_path)
    assert 0 == got.size
    assert is_whole(tmp_path, b"")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
def test_a_body_that_was_compressed_on_the_way_is_refused(tmp_path, encoding):
    """Its bytes are not the file's; nobody asked for that."""
    with serving({"/clip": Page(CLIP, headers={"Content-Encoding": encoding})}) as site:
        assert "is sent compressed" in refused(RejectedError, site, tmp_path)
        assert "identity" == site.requests[0].headers["Accept-Encoding"]


def test_what_s3_keeps_of_an_upload_is_no_compression(tmp_path):
    """`aws-chunked` stands on objects whose bytes are plain."""
    with serving({"/clip": Page(CLIP, headers={"Content-Encoding": "aws-chunked"})}) as site:
        fetch(site, tmp_path)
    assert is_whole(tmp_path)


@pytest.mark.parametrize("chunked", [True, False])
def test_a_file_over_the_limit_is_refused_and_leaves_nothing(tmp_path, chunked):
    """Known from its length before a byte is fetched, else as soon as it is too much."""
    with serving({"/clip": Page(CLIP, chunked=chunked)}) as site:
        words = refused(RejectedError, site, tmp_path, limit=CUT)
    assert "limit of 600,000" in words
    assert [] == names(tmp_path)
    assert 1 == len(site.requests)


def test_more_than_the_disk_takes_is_told_before_it_is_fetched(tmp_path):
    """A length that no disk has room for."""
    with serving({"/clip": Page(CLIP, headers={"Content-Length": "999999999999999999"})}) as site:
        words = refused(UnavailableError, site, tmp_path, limit=1 << 60)
    assert f"needs 999,999,999,999,999,999 bytes, but {tmp_path} has" in words
    assert words.endswith("free")


def test_a_cancel_ends_a_download_that_the_next_one_goes_on_with(tmp_path):
    """What has come stays, and the words say so."""
    with serving({"/clip": Page(CLIP, pace=0.001)}) as site:
        words = refused(UnavailableError, site, tmp_path, follower=Follower(cancel_at=CUT // 2))
        there = (tmp_path / "clip.part").stat().st_size
        fetch(site, tmp_path)

    assert "was stopped; the next apply goes on with it" in words
    assert (True, f"bytes={there}-") == (CUT // 2 <= there < SIZE, ranges(site)[-1])
    assert is_whole(tmp_path)


@pytest.mark.parametrize("page", [Page(CLIP, pace=20.0), Page(CLIP, pace=20.0, length=False)], ids=["length", "none"])
def test_a_cancel_does_not_wait_for_a_server_that_stalls(tmp_path, page):
    """The connection is cut while nothing comes; what came is not taken for the whole file."""
    cancelled = threading.Event()
    threading.Timer(0.2, cancelled.set).start()
    watch = Watch(lambda done, total: None, cancelled.is_set, lambda seconds: None)
    began = time.monotonic()
    with serving({"/clip": page}) as site, pytest.raises(UnavailableError, match="was stopped"):
        watched(site, tmp_path, watch)

    assert time.monotonic() - began < 3
    assert not (tmp_path / "clip").exists()


def test_a_cancel_does_not_wait_for_the_next_try(tmp_path):
    """The pauses between tries are cut short too, and no further request is made."""
    naps = []
    watch = Watch(lambda done, total: None, lambda: len(naps) > 3, naps.append)
    with (
        serving({"/clip": Page(CLIP, statuses=[503] * 9)}) as site,
        pytest.raises(UnavailableError, match="was stopped"),
    ):
        watched(site, tmp_path, watch)
    assert (4, 2) == (len(naps), len(site.requests))


def test_bytes_are_told_as_they_come(tmp_path):
    """Over a slow line progress does not wait for a quarter of a megabyte."""
    follower = Follower()
    with serving({"/clip": Page(CLIP[:50_000], pace=0.01, piece=5_000)}) as site:
        fetch(site, tmp_path, follower=follower)
    assert len(follower.told) >= 5
    assert (50_000, 50_000) == follower.told[-1]


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    """An expected error with the folder, no traceback of the system's."""
    (tmp_path / "file").touch()
    with serving({"/clip": CLIP}) as site, pytest.raises(UnavailableError, match="file cannot be written: Not a dir"):
        fetch(site, tmp_path / "file")


FULL = """\
import resource, signal, sys
from pathlib import Path
from reconciler.core.errors import UnavailableError
from reconciler.io.download import Watch, download
from reconciler.io.http import session
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
watch = Watch(lambda done, total: None, lambda: False, lambda seconds: None)
with session(allow_private=True) as made:
    try:
        download(made, sys.argv[1], Path(sys.argv[2]), watch, limit=1 << 40)
    except UnavailableError as error:
        print(error)
"""


def test_a_disk_that_fills_up_is_told_and_gone_on_with(tmp_path):
    """The part up to there is right, and the next download goes on with it when there is room."""
    with serving({"/clip": CLIP}) as site:
        command = [sys.executable, "-c", FULL, site.url("/clip", SECRET), str(tmp_path / "clip"), str(CUT)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        fetch(site, tmp_path)

    assert f"{tmp_path} cannot be written: File too large\n" == done.stdout
    assert [None, f"bytes={CUT}-"] == ranges(site)
    assert is_whole(tmp_path)


def looked(site, known=NOTHING_KNOWN, path="/clip"):
    """What a look at a page says."""
    with session(allow_private=True) as made:
        return look(made, site.url(path, SECRET), known)


def test_a_look_costs_one_byte():
    """A ranged GET, since a signed link refuses HEAD; size and version come with it."""
    with serving({"/clip": CLIP}) as site:
        same, found = looked(site)
    expected = Page(CLIP).validators(CLIP)

    assert (False, Validators(expected["ETag"], expected["Last-Modified"], SIZE)) == (same, found)
    assert (["bytes=0-0"], "GET", 206) == (ranges(site), site.requests[0].method, site.requests[0].status)


@pytest.mark.parametrize(
    "page",
    [Page(CLIP), Page(CLIP, etag=None), Page(CLIP, ranges=False), Page(CLIP, etag='W/"1"')],
    ids=["etag", "date", "no-ranges", "weak"],
)
def test_a_look_knows_an_unchanged_file(page):
    """The server says 304, and nothing is served."""
    with serving({"/clip": page}) as site:
        _, known = looked(site)
        assert (True, known) == looked(site, known)
        assert (304, 0) == (site.requests[1].status, site.requests[1].served)


def test_a_look_knows_an_unchanged_file_without_304():
    """A server that ignores conditions is believed by what its answer says."""
    with serving({"/clip": Page(CLIP, conditions=False)}) as site:
        _, known = looked(site)
        assert (True, known) == looked(site, known)
        assert [206, 206] == [request.status for request in site.requests]


def test_a_look_sees_a_change():
    """Another ETag, another date or another length is another version."""
    with serving({"/clip": Page([CLIP, OTHER])}) as site:
        _, known = looked(site)
        same, found = looked(site, known)
    assert (False, True) == (same, found.etag != known.etag)


def test_a_look_at_a_file_without_a_version_promises_nothing():
    """No ETag and no date: equal lengths are no proof."""
    with serving({"/clip": Page(CLIP, etag=None, modified=None)}) as site:
        _, known = looked(site)
        assert (False, Validators(total=SIZE)) == looked(site, known)


def test_a_look_at_an_empty_file_is_no_error():
    """The first byte of nothing cannot be had; the answer says that there is nothing."""
    with serving({"/clip": b""}) as site:
        assert 0 == looked(site)[1].total


@pytest.mark.parametrize(("kind", "status"), [(RejectedError, 403), (RejectedError, 404), (UnavailableError, 503)])
def test_a_look_that_fails_says_so_without_secrets(kind, status):
    """Once, without another try; the query is not shown."""
    with serving({"/clip": Page(statuses=[status] * 9)}) as site:
        with pytest.raises(kind, match=str(status)) as caught:
            looked(site)
        assert "SECRET" not in str(caught.value)
        assert 1 == len(site.requests)


@pytest.mark.parametrize("length", ["9" * 5000, "-5", "twelve", "*", ""])
def test_nonsense_for_a_length_is_no_length(length):
    """Numbers that no server means end in no traceback."""
    with serving({"/clip": Page(CLIP, headers={"Content-Range": f"bytes 0-0/{length}"})}) as site:
        assert looked(site)[1].total is None
