"""One state for several machines, through the real program, a real S3 protocol and the real server of jobs."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal

import pytest

from builders_commands import Desk
from builders_http import waits_until
from builders_moto import moto
from builders_project import ladder_spec
from builders_remote import instant_clip, remote_project, without_job_ids
from builders_server import serving_api
from builders_stores import breaking, s3
from builders_terminal import on_a_terminal
from reconciler.io.stores import Store

LOCK = re.compile(r"state is locked by \S+@\S+, pid \d+, since \S+Z\n +It is the lock ([0-9a-f]+) of s3://site/")


@pytest.fixture(scope="module")
def served():
    """A store that keeps conditions."""
    with moto() as server:
        yield server


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """What every output is a copy of."""
    return instant_clip(tmp_path_factory.mktemp("instant"))


@pytest.fixture
def url(tmp_path):
    """A place of its own for the state of a test."""
    return f"s3://site/{tmp_path.name}"


def machine(tmp_path, name, api, served, url, *, port=None, spec=None):
    """A checkout of the project on a machine of its own."""
    project = remote_project(tmp_path / name, api, spec)
    project.environment |= served.environment(port) | {"RECONCILER_STATE": url}
    return project


def pulled(project):
    """The records of the shared state."""
    return json.loads(project.run("state", "pull").ok().out)["records"]


def starts(api):
    """How often each job was started."""
    return sorted(api.all_starts().values())


def test_what_one_machine_applied_another_one_has(tmp_path, clip, served, url):
    """Plan, status and output there know it; the state file of the project is not used, links stay private."""
    with serving_api(tmp_path, instant=clip) as api:
        a, b = (machine(tmp_path, name, api, served, url) for name in "ab")
        assert f"Recorded in {url}" in a.apply().ok().out
        before = len(served.requests)
        plan = b.run("plan", "--detailed-exitcode").ok().out
        asked = served.requests[before:]

        assert "No changes." in plan
        assert f'"state": "{url}"' in b.run("plan", "--json").ok().out
        assert [("GET", f"/{url[5:]}/{name}") for name in ("encodes.journal.jsonl", "encodes.json")] == asked
        assert {"complete"} == {record["status"] for record in json.loads(b.run("status", "--json").ok().out).values()}
        assert "bbb/720p" in b.run("output").ok().out
        assert not (a.folder / "state/encodes.json").exists()
        assert ["links.json"] == [path.name for path in a.folder.rglob("links.json")]
        assert "?" not in a.run("state", "pull").ok().out
        assert "http" in b.run("output", "--show-links", "bbb/720p").ok().out
        assert [1] == starts(api)


def test_while_one_machine_applies_the_others_wait_or_leave(tmp_path, clip, served, url):
    """Exit 6 names the holder; a plan takes no lock and sees the job; who waits goes on after it."""
    with serving_api(tmp_path, instant=clip, instant_seconds=3.0) as api:
        a, b = (machine(tmp_path, name, api, served, url) for name in "ab")
        process = a.start("apply", "--auto-approve")
        assert waits_until(api.all_starts, 60)
        refused = b.apply()
        plan = b.run("plan").ok().out
        waited = b.apply("--lock-timeout", "60")
        process.communicate(timeout=60)

        assert (6, 0) == (refused.code, process.returncode)
        assert LOCK.search(refused.err)
        assert "0 to encode" in plan or "No changes" in plan or "running" in plan
        assert "No changes." in waited.ok().out
        assert [1] == starts(api)


@pytest.mark.parametrize("ids", [True, False], ids=["ours", "the server's"])
def test_a_machine_that_dies_is_replaced_by_another_one(tmp_path, clip, served, url, ids):
    """Killed after the paid call, its disk gone: the other one breaks the lock by name and finds the job it started."""
    middleware = None if ids else without_job_ids
    with serving_api(tmp_path, instant=clip, instant_seconds=2.0, middleware=middleware) as api:
        a, b = (machine(tmp_path, name, api, served, url) for name in "ab")
        process = a.start("apply", "--auto-approve")
        assert waits_until(api.all_starts, 60)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        shutil.rmtree(a.folder)
        locked = b.apply()
        (lock,) = LOCK.findall(locked.err)
        job = pulled(b)["bbb/720p"]["job"]
        unasked = b.run("state", "unlock")
        wrong = b.run("state", "unlock", "0123")
        unlocked = b.run("state", "unlock", lock).ok()
        b.apply().ok()

        assert (6, "starting") == (locked.code, job["phase"])
        assert (1, True) == (unasked.code, f"state unlock {lock}" in unasked.err)
        assert (1, True) == (wrong.code, lock in wrong.err)
        assert f"Unlocked {url}, which was locked by" in unlocked.out
        assert {"complete"} == {record["status"] for record in pulled(b).values()}
        assert [1] == starts(api)
        assert "is not locked" in b.run("state", "unlock").ok().out


def test_the_machine_that_died_goes_on_by_itself(tmp_path, clip, served, url):
    """Its own next apply takes the lock over that it had, with everything that it had written on its disk."""
    with serving_api(tmp_path, instant=clip, instant_seconds=2.0) as api:
        a = machine(tmp_path, "a", api, served, url)
        process = a.start("apply", "--auto-approve")
        assert waits_until(api.all_starts, 60)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        a.apply().ok()

        assert {"complete"} == {record["status"] for record in pulled(a).values()}
        assert [1] == starts(api)


def test_a_lock_is_broken_in_a_terminal_by_saying_yes(tmp_path, clip, served, url):
    """Anything else leaves it alone."""
    with serving_api(tmp_path, instant=clip, instant_seconds=2.0) as api:
        a = machine(tmp_path, "a", api, served, url)
        process = a.start("apply", "--auto-approve")
        assert waits_until(api.all_starts, 60)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        no = on_a_terminal(a, "state", "unlock", answers=[("breaks its lock: ", "y\n")])
        yes = on_a_terminal(a, "state", "unlock", answers=[("breaks its lock: ", "yes\n")])

        assert (1, True) == (no[0], "left alone" in no[1])
        assert (0, True) == (yes[0], "Unlocked" in yes[1])


@pytest.mark.parametrize("started", [False, True], ids=["before", "after"])
def test_the_store_goes_away_within_an_apply(tmp_path, clip, served, url, started):
    """Before the paid call nothing is started; after it the job is gone on with. Its machine brings it all later."""
    with breaking(served.port, seed=1, least=0, most=0) as line:

        def cut(method, path, _number):
            if method != "GET" and path.endswith("/run" if started else "/jobs"):
                line.cuts = 10**9

        with serving_api(tmp_path, instant=clip, faults=[cut]) as api:
            a = machine(tmp_path, "a", api, served, url, port=line.port)
            b = machine(tmp_path, "b", api, served, url)
            failed = a.apply()
            plan = a.run("plan")
            others = b.apply()

            assert (1, True) == (failed.code, "is kept in state/shared/" in failed.err)
            assert "Traceback" not in failed.err
            assert (1, True) == (plan.code, "cannot be reached" in plan.err)
            assert (6, started) == (others.code, bool(api.all_starts()))

            api.faults.clear()
            line.cuts = 0
            a.apply().ok()
            assert {"complete"} == {record["status"] for record in pulled(b).values()}
            assert "No changes." in b.apply().ok().out
            assert [1] == starts(api)


def test_an_apply_over_a_line_that_breaks_now_and_then(tmp_path, clip, served, url):
    """Requests to the store are asked again, and a reply that was lost is no lost race."""
    with breaking(served.port, seed=7, least=1, most=1200) as line:

        def cut(_method, _path, _number):
            line.cuts = 1

        with serving_api(tmp_path, instant=clip, faults=[cut]) as api:
            a = machine(tmp_path, "a", api, served, url, port=line.port)
            line.cuts = 2
            a.apply().ok()

            assert 2 < line.cut
            assert {"complete"} == {record["status"] for record in pulled(a).values()}
            assert [1] == starts(api)


@pytest.fixture
def here(tmp_path, served, url):
    """A project that was applied into the store, in this process."""
    made = Desk(tmp_path / "here", served.environment() | {"RECONCILER_STATE": url})
    made.write("specs/encodes.yaml", ladder_spec())
    made.run("apply", "--auto-approve").ok()
    return made


def test_every_command_takes_the_url(here, url):
    """What reads and what mends."""
    for words in (["output"], ["explain", "clip/big"], ["show", "clip/big"], ["state", "list"]):
        assert "clip/big" in here.run(*words).ok().out
    assert "2 outputs" in here.run("status").ok().out
    assert "No changes." in here.run("plan").ok().out
    assert "Moved" in here.run("state", "mv", "clip/big", "clip/large").ok().out
    assert "clip/large" in here.run("state", "show", "clip/large").ok().out
    here.run("state", "rm", "clip/large").ok()
    here.run("state", "prune").ok()
    assert ["clip/small"] == list(here.json("state", "pull")["records"])
    assert 1 == here.run("state", "rebuild").code
    assert 64 == here.run("state", "adopt", "clip/big", "some-job").code
    assert {"unlocked": None} == here.json("state", "unlock")
    assert not (here.folder / "state/encodes.json").exists()
    assert [] == list((here.folder / "state").rglob("*.jsonl"))


def test_a_state_moves_into_a_store_and_out_of_it(here, url):
    """Push takes what knows everything that is recorded, and refuses what is older, or of another project."""
    saved = here.run("state", "pull", "-o", "saved.json").ok()
    assert f"Saved {url} to saved.json: 2 records." in " ".join(saved.out.split())
    assert here.run("state", "pull").ok().out == (here.folder / "saved.json").read_text()
    assert "holds already" in here.run("state", "push", "saved.json").ok().out
    assert "No changes." in here.run("--state", "saved.json", "plan").ok().out

    moved = f"{url}-moved"
    assert "2 records, 2 changed" in " ".join(
        here.run("--state", moved, "state", "push", "saved.json").ok().out.split()
    )
    assert "No changes." in here.run("--state", moved, "plan").ok().out

    here.run("apply", "--auto-approve", "--rerun", "clip/big").ok()
    older = here.run("state", "push", "saved.json")
    assert (4, True, False) == (older.code, "  clip/big\n" in older.err, "clip/small" in older.err)
    assert {"pushed": "saved.json", "records": 2, "changed": 1} == here.json("state", "push", "saved.json", "--force")
    record, before = (here.json("state", "pull")["records"]["clip/big"], json.loads(saved_text(here))["records"])
    assert before["clip/big"] | {"rev": record["rev"]} == record

    films = (here.folder / "saved.json").read_text().replace('"project": "test"', '"project": "films"')
    newer = films.replace('"version": 1', '"version": 2').replace("films", "test")
    here.write("films.json", films)
    here.write("newer.json", newer)
    assert 'films.json is of project "films"' in here.run("state", "push", "films.json", "--force").err
    assert "of version 2" in here.run("state", "push", "newer.json", "--force").err
    assert (64, 64) == (
        here.run("state", "push", "none.json").code,
        here.run("--state", f"{url}-0", "state", "rm", "a/b").code,
    )
    assert 64 == here.run("--state", f"{url}-0", "state", "pull").code


def saved_text(here):
    """What was pulled."""
    return (here.folder / "saved.json").read_text()


def test_a_lock_that_somebody_wrote_by_hand_is_told_and_broken(here, served, url):
    """Whatever stands in it locks; nothing of it reaches the terminal as more than letters."""
    store, key = Store("s3", "site", served.environment()), f"{url.removeprefix('s3://site/')}/encodes.lock"
    for content, word in ((b"{", "unreadable"), (b'{"id": "ab", "who": "\\u001b[31mme"}', "ab")):
        store.create(key, content)
        locked = here.run("apply", "--auto-approve")
        assert (6, True, False) == (locked.code, f"state unlock {word}" in locked.err, "\x1b" in locked.err)
        assert "\x1b" not in here.run("state", "unlock", word).ok().out
    store.create(key, b"{")
    assert "Unlocked" in here.run("state", "unlock", "--force").ok().out


def test_a_url_that_names_no_state_is_refused(tmp_path):
    """By what is wrong, with what would be right, and without the secret that is in it."""
    desk = Desk(tmp_path)
    wrong = ("http://h/x", "s3://site", "s3://site/encodes.json", "s3://key:SECRET@site/x", "s3://site/x?sig=SECRET")
    odd = ("s3://site/a/../b", "s3://site/.", "s3://site/a//b", "s3://site/a\x1bb", "s3://si te/b")
    for url in (*wrong, *odd):
        refused = desk.run("--state", url, "state", "list")
        assert (64, True, False) == (refused.code, "s3://BUCKET/PATH" in refused.err, "SECRET" in refused.err)
    assert "is a file; its lock ends with the process" in desk.run("state", "unlock").err


def test_a_store_that_cannot_be_used_is_told(tmp_path, served, here):
    """No credentials is 8, unreachable is 1, one that ignores conditions is refused by name; no secret is shown."""
    secret = here.environment["AWS_SECRET_ACCESS_KEY"]
    without = Desk(here.folder, {**here.environment, "AWS_SECRET_ACCESS_KEY": ""})
    away = Desk(here.folder, {**here.environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    with s3(tmp_path / "buckets") as server:
        careless = Desk(here.folder, {**server.environment(), "RECONCILER_STATE": "s3://site/x"})
        told = [(desk.run("plan"), desk.run("apply", "--auto-approve")) for desk in (without, away)]
        refused = careless.run("apply", "--auto-approve", "--rerun", "clip/big")
        assert [] == server.names()

    assert [(8, 8), (1, 1)] == [(plan.code, apply.code) for plan, apply in told]
    assert all("Set AWS_ACCESS_KEY_ID" in each.err for each in told[0])
    assert all("cannot be reached" in each.err and "credentials" in each.err for each in told[1])
    assert (1, True) == (refused.code, 'its store ignores "create only if there is none"' in refused.err)
    assert not any(secret in each.out + each.err for pair in told for each in pair)
