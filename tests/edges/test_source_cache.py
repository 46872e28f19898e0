"""Fetched sources are kept, bounded, and never taken from whoever uses them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import threading

import pytest

from reconciler.edges.source_cache import SourceCache
from reconciler.io.answers import Validators

LIMIT = 10_000


def keep(cache, identity, content=b"film", *, used_at=None):
    """Put a content into the cache, as a download does; its entry, not in use."""
    entry = cache.entry(identity)
    entry.use()
    with entry.fetching(give_up):
        fetched = entry.folder / "fetched"
        fetched.write_bytes(content)
        entry.keep(fetched, len(content), hashlib.sha256(content).hexdigest(), Validators('"1"', "", len(content)))
    entry.release()
    if used_at is not None:
        os.utime(entry.folder, (used_at, used_at))
    return entry


def give_up():
    """What a test says that must not wait."""
    raise TimeoutError


def kept(cache, *identities):
    """The identities that are still kept."""
    return [identity for identity in identities if cache.entry(identity).kept() is not None]


def test_what_is_kept_is_found_again(tmp_path):
    """Size, digest and version; the file is named after its content."""
    keep(SourceCache(tmp_path, LIMIT), "https://h/a", b"film")
    entry = SourceCache(tmp_path, LIMIT).entry("https://h/a")
    found = entry.kept()

    assert (4, hashlib.sha256(b"film").hexdigest(), Validators('"1"', "", 4)) == (
        found.size,
        found.sha256,
        found.validators,
    )
    assert b"film" == (entry.folder / found.file).read_bytes()


def test_nobody_else_reads_the_cache(tmp_path):
    """Sources may be private: all folders are the user's own, however open the umask."""
    umask = os.umask(0)
    try:
        cache = SourceCache(tmp_path / "cache" / "reconciler", LIMIT)
        entry = keep(cache, "https://h/a")
    finally:
        os.umask(umask)
    folders = [cache.folder, cache.folder / "sources", entry.folder]
    assert [0o700] * 3 == [folder.stat().st_mode & 0o777 for folder in folders]


@pytest.mark.parametrize("note", ["", "{", "[]", "{}", '{"file": 3}', "\x00"])
def test_a_note_that_cannot_be_read_keeps_nothing(tmp_path, note):
    """It is as if the source was never fetched."""
    cache = SourceCache(tmp_path, LIMIT)
    (keep(cache, "https://h/a").folder / "kept.json").write_text(note)
    assert [] == kept(cache, "https://h/a")


def test_a_file_of_another_size_is_not_kept(tmp_path):
    """Somebody cut it, or it is gone."""
    cache = SourceCache(tmp_path, LIMIT)
    for identity, spoil in {
        "https://h/a": lambda file: file.write_bytes(b"fil"),
        "https://h/b": lambda file: file.unlink(),
    }.items():
        entry = keep(cache, identity)
        spoil(entry.folder / entry.kept().file)
        assert [] == kept(cache, identity)


def test_the_longest_unused_entries_go_first(tmp_path):
    """Until the rest is within the limit, and no further."""
    cache = SourceCache(tmp_path, LIMIT)
    for number, identity in enumerate(["old", "middle", "new"]):
        keep(cache, identity, bytes(4_000), used_at=1_000 + number)
    cache.evict()

    assert ["middle", "new"] == kept(cache, "old", "middle", "new")
    assert 2 == len(list((tmp_path / "sources").iterdir()))


def test_what_is_touched_stays_longer(tmp_path):
    """Use counts, not the time of the download."""
    cache = SourceCache(tmp_path, LIMIT)
    for number, identity in enumerate(["old", "middle", "new"]):
        keep(cache, identity, bytes(4_000), used_at=1_000 + number)
    cache.entry("old").touch()
    cache.evict()

    assert ["old", "new"] == kept(cache, "old", "middle", "new")


def test_what_is_in_use_is_not_evicted(tmp_path):
    """However old it is, and however little room there is."""
    cache = SourceCache(tmp_path, 0)
    keep(cache, "used", used_at=1_000)
    keep(cache, "idle", used_at=2_000)
    used = cache.entry("used")
    used.use()
    cache.evict()
    assert ["used"] == kept(cache, "used", "idle")

    used.release()
    cache.evict()
    assert [] == kept(cache, "used")


USER = """\
import sys
from pathlib import Path
from reconciler.edges.source_cache import SourceCache
cache = SourceCache(Path(sys.argv[1]), 0)
entry = cache.entry("https://h/a")
entry.use()
print("in use", flush=True)
sys.stdin.read()
"""


def test_another_process_keeps_what_it_uses_until_it_ends(tmp_path):
    """Also when it is killed."""
    cache = SourceCache(tmp_path, 0)
    keep(cache, "https://h/a")
    with subprocess.Popen(
        [sys.executable, "-c", USER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as user:
        assert "in use\n" == user.stdout.readline()
        cache.evict()
        assert ["https://h/a"] == kept(cache, "https://h/a")
        user.kill()
    cache.evict()
    assert [] == kept(cache, "https://h/a")


def test_an_entry_can_be_used_while_it_is_evicted_again_and_again(tmp_path):
    """Whoever begins to use an entry has its folder, whatever another does at that moment."""
    cache, ended = SourceCache(tmp_path, 0), threading.Event()

    def evict():
        while not ended.is_set():
            cache.evict()

    cache.entry("https://h/a")
    evictor = threading.Thread(target=evict)
    evictor.start()
    try:
        for _ in range(500):
            entry = cache.entry("https://h/a")
            entry.use()
            (entry.folder / "fetched.part").write_bytes(b"film")
            assert b"film" == (entry.folder / "fetched.part").read_bytes()
            entry.release()
    finally:
        ended.set()
        evictor.join()


def test_what_a_newer_download_replaced_is_removed(tmp_path):
    """The old content goes once nobody can read it any more; the new one stays."""
    cache = SourceCache(tmp_path, LIMIT)
    keep(cache, "https://h/a", b"old film")
    entry = keep(cache, "https://h/a", b"new film")
    reader = cache.entry("https://h/a")
    reader.use()
    cache.evict()
    assert 2 == len(list(entry.folder.glob("*.media")))

    reader.release()
    cache.evict()
    assert [entry.folder / entry.kept().file] == list(entry.folder.glob("*.media"))


def test_evicting_an_empty_or_odd_cache_is_no_error(tmp_path):
    """Nothing fetched yet, and a file that somebody put there."""
    cache = SourceCache(tmp_path / "cache", 0)
    cache.evict()
    cache.entry("https://h/a")
    (cache.folder / "sources" / "stray").touch()
    cache.evict()
    assert (cache.folder / "sources" / "stray").exists()


def test_only_one_fetches_an_entry_and_others_may_give_up_waiting(tmp_path):
    """What the waiting raises ends it; the lock is free when the other is done."""
    cache = SourceCache(tmp_path, LIMIT)
    first, second = cache.entry("https://h/a"), cache.entry("https://h/a")
    first.use()
    second.use()
    with first.fetching(give_up), pytest.raises(TimeoutError), second.fetching(give_up):
        raise AssertionError("two at once")
    with second.fetching(give_up):
        pass
    first.release()
    second.release()


def test_a_local_file_has_its_digest_from_the_same_folder(tmp_path):
    """Digests of local sources are kept beside the fetched ones."""
    cache, path = SourceCache(tmp_path / "cache", LIMIT), tmp_path / "clip.mov"
    path.write_bytes(b"film")
    assert hashlib.sha256(b"film").hexdigest() == cache.digest(path)
    assert 1 == len(list((tmp_path / "cache" / "digests").iterdir()))


def test_the_locks_are_the_kernels(tmp_path):
    """Nothing that a killed process leaves behind keeps an entry in use."""
    entry = keep(SourceCache(tmp_path, LIMIT), "https://h/a")
    handle = os.open(entry.folder / "use.lock", os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(handle)
