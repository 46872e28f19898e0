"""The ByteNite provider against the real server: whatever happens on the way, one start a job and the right outcome."""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from datetime import datetime

import pytest

from builders_bytenite import (
    Hurried,
    as_json,
    bytenite,
    fresh,
    options,
    output,
    request,
    templated,
    web,
    workshop,
)
from builders_ffmpeg import local
from builders_http import serving
from builders_server import DROP_AFTER, DROP_BEFORE, TEMPLATE, Answer, Delay, document, serving_api
from reconciler.bytenite.provider import built
from reconciler.contract.provider import done, ended, observed, started
from reconciler.core.encode import Source
from reconciler.core.errors import CredentialsError, RejectedError, UnavailableError
from reconciler.core.ports import Done, Draft, Failed, Held, Lost, MadeOutput, NotMade, Running, Suspect


@pytest.fixture(scope="module")
def clip(clips):
    """What every output of an instant server is a copy of: as `fresh` and `request` ask for."""
    return clips.plain()


@pytest.fixture
def site(clips):
    """Where sources are fetched from."""
    with serving({"/plain.mp4": clips.plain(), "/sound.m4a": clips.sound_only()}) as found:
        yield found


@pytest.fixture
def source(site):
    """A source on the web."""
    return web(site.url("/plain.mp4", "token=SECRET"))


@pytest.fixture
def api(tmp_path, clip):
    """A server that is done at once."""
    with serving_api(tmp_path, instant=clip) as found:
        yield found


@pytest.fixture
def served(tmp_path, clip):
    """Serves like `api`; a host "ids-of-its-own" takes none from us."""

    def serve(host):
        return serving_api(tmp_path, instant=clip, middleware=None if host is None else _ignore_ids)

    return serve


def on(verb, wanted, *, times=1):
    """A fault of the first calls whose method and path are as `verb` ("POST run": a path that ends so, or holds it)."""
    method, _, word = verb.partition(" ")
    left = [times]

    def fault(asked, path, _number):
        parts = path.split("/")
        here = word in parts if word != "jobs" else parts[-1] == "jobs"
        if asked != method or not here or not path.startswith("/v1/") or not left[0]:
            return None
        left[0] -= 1
        return wanted

    return fault


def calls(api, word):
    """The calls of the API whose path holds a word."""
    return [call for call in api.calls if call[1].startswith("/v1/") and word in call[1].split("/")]


class TestOneJob:
    """From a request to links."""

    def test_a_url_becomes_links(self, tmp_path, source):
        """A real encode: each output held by the provider, with size, summary, and when link and file end."""
        with serving_api(tmp_path, rate=60, balance=1000) as api:
            wanted = fresh(source)
            provider = bytenite(api)
            seen = done(provider, started(provider, wanted))
            held = seen.outputs["b"]
        assert isinstance(held, Held)
        assert "b-3e23e816.mp4" == held.name.rpartition("/")[2]
        assert "0:02.0 80x60 25 fps h264, aac stereo 48k" == held.summary
        assert held.duration == pytest.approx(2.0, abs=0.1)
        assert held.size > 1000
        assert "X-Goog-Signature" in held.link
        lives = [_seconds(held.link_expires_at) - time.time(), _seconds(held.expires_at) - _seconds(seen.finished_at)]
        assert [14400, 48 * 3600] == pytest.approx(lives, abs=30)
        assert seen.cost.endswith(" BYC")
        assert seen.seconds >= 0
        assert source.identity == seen.source.identity

    def test_a_local_file_is_uploaded(self, tmp_path, clips):
        """Streamed to where the server says; what was seen of it is told in the end."""
        with serving_api(tmp_path) as api:
            provider = bytenite(api)
            seen = done(provider, started(provider, fresh(local(clips.plain()))))
        assert all(isinstance(result, Held) for result in seen.outputs.values())
        assert "a" * 64 == seen.source.sha256
        assert ["PUT"] == [method for method, _ in api.calls if method == "PUT"]

    def test_a_dead_upload_address_is_replaced_once(self, api, clips):
        """403 means that its signature died."""
        api.faults.append(_first_put(Answer(403)))
        provider = bytenite(api, clocks=Hurried().clocks())
        provider.prepare(fresh(local(clips.plain())))
        assert ["datasource", "params", "PUT", "datasource", "PUT", "uploadcompleted"] == _order(api)

    def test_an_upload_address_that_stays_dead_is_told(self, api, clips):
        """And nothing was started."""
        api.faults.append(_first_put(Answer(403), times=9))
        with pytest.raises(RejectedError, match="does not take the upload"):
            bytenite(api, clocks=Hurried().clocks()).prepare(fresh(local(clips.plain())))

    def test_an_empty_file_is_refused(self, api, tmp_path):
        """Before anything is sent."""
        (tmp_path / "empty.mp4").touch()
        with pytest.raises(RejectedError, match=r"empty\.mp4 is empty"):
            bytenite(api).prepare(fresh(local(tmp_path / "empty.mp4")))

    def test_a_template_is_sent_as_it_stands(self, tmp_path, source):
        """Its own names, matched by what its output_template makes of them."""
        with serving_api(tmp_path) as api:
            wanted = templated(source, document(60, 80))
            provider = bytenite(api)
            seen = done(provider, started(provider, wanted))
        assert {"60p", "80p"} == set(seen.outputs)
        names = [seen.outputs[name].name.rpartition("/")[2] for name in ("60p", "80p")]
        assert [f"{wanted.name}_60p.mp4", f"{wanted.name}_80p.mp4"] == names

    def test_only_the_outputs_that_are_wanted_are_made(self, tmp_path, source):
        """Of a template with two, one that changed."""
        with serving_api(tmp_path) as api:
            whole = templated(source, document(60, 80))
            one = request(source, whole.outputs[1])
            provider = bytenite(api)
            seen = done(provider, started(provider, one))
        assert ["80p"] == list(seen.outputs)

    def test_two_outputs_of_one_file_name_are_refused(self, api, source):
        """Nobody could tell them apart afterwards."""
        with pytest.raises(RejectedError, match=r"two outputs would be the file same\.mp4"):
            bytenite(api).prepare(templated(source, document(60, 80, name="same")))

    def test_few_calls_a_job(self, api, source):
        """Token and list once; then create, source, params, quote, run and results, and what polling takes."""
        provider = bytenite(api)
        job_id = provider.prepare(fresh(source))
        provider.quote(job_id)
        provider.start(job_id)
        done(provider, job_id)
        before = [call for call in api.calls if "files" not in call[1] and not call[1].endswith(".mp4")]
        polls = [call for call in before if call == ("GET", f"/v1/customer/jobs/{job_id}")]
        assert len(before) - len(polls) <= 6 + 2


class TestFound:
    """Nothing is bought twice: what an earlier process, or another machine, made is taken up."""

    @pytest.mark.parametrize("ignores", [False, True], ids=["takes-our-id", "ids-of-its-own"])
    @pytest.mark.parametrize("how_far", ["draft", "started", "done"])
    def test_the_next_process_takes_up_the_job(self, tmp_path, clip, source, ignores, how_far):
        """By its id, or by its name where the server has ids of its own; one job, one start."""
        with serving_api(tmp_path, instant=clip, middleware=_ignore_ids if ignores else None) as api:
            wanted = fresh(source)
            first = bytenite(api)
            job_id = first.prepare(wanted)
            if how_far != "draft":
                first.start(job_id)
            if how_far == "done":
                done(first, job_id)
            second = bytenite(api)
            assert job_id == second.prepare(wanted)
            second.start(job_id)
            done(second, job_id)
            assert ignores == (job_id != wanted.job_id)
            assert [1, 1] == [len(api.jobs()), api.starts(job_id)]

    def test_it_is_found_among_many(self, tmp_path, clip, source):
        """On a later page of the list, by name."""
        with serving_api(tmp_path, instant=clip, middleware=_ignore_ids) as api:
            wanted = fresh(source)
            job_id = bytenite(api).prepare(wanted)
            others = api.client()
            for number in range(120):
                others.ask("POST", "/jobs", {"name": f"rc-talks-site-{number:08}", "templateId": TEMPLATE})
            assert job_id == bytenite(api).prepare(wanted)
            assert 121 == len(api.jobs())

    def test_a_job_of_the_name_that_makes_something_else_is_not_taken(self, tmp_path, clip, source):
        """Its description says so."""
        with serving_api(tmp_path, instant=clip, middleware=_ignore_ids) as api:
            wanted = fresh(source)
            other = dataclasses.replace(fresh(source), name=wanted.name)
            first = bytenite(api).prepare(other)
            assert first != bytenite(api).prepare(wanted)

    def test_a_second_draft_of_a_name_is_deleted(self, tmp_path, clip, source):
        """The older one stays, and only one is ever started."""
        with serving_api(tmp_path, instant=clip, middleware=_ignore_ids) as api:
            wanted = fresh(source)
            older, newer = bytenite(api), bytenite(api)
            newer._drafts.listing.find("", "")  # it has read the list before the other draft was made
            first, second = older.prepare(wanted), newer.prepare(wanted)
            assert first == second
            assert [first] == [job.id for job in api.jobs()]

    def test_two_machines_with_an_old_list_buy_one_job(self, api, source):
        """Both saw an empty list; the id makes it one job, and the second start is none."""
        wanted = fresh(source)
        one, two = bytenite(api), bytenite(api)
        for each in (one, two):
            each._drafts.listing.find("", "")  # what another machine does meanwhile is not in it
        job_id = one.prepare(wanted)
        one.start(job_id)
        assert job_id == two.prepare(wanted)
        two.start(job_id)
        done(two, job_id)
        assert 1 == api.starts(job_id)

    def test_a_failed_job_counts(self, tmp_path, site):
        """It is taken up as it is, and not made again under the same id."""
        with serving_api(tmp_path) as api:
            wanted = fresh(web(site.url("/nothing.mp4")))
            first = bytenite(api)
            last, _ = ended(first, started(first, wanted))
            assert isinstance(last, Failed)
            second = bytenite(api)
            job_id = second.prepare(wanted)
            second.start(job_id)
            assert isinstance(observed(second, job_id), Failed)
            assert 1 == api.starts(job_id)

    def test_a_resumed_job_is_asked_for_by_the_id_of_the_server(self, tmp_path, clip, source):
        """One call, no list."""
        with serving_api(tmp_path, instant=clip, middleware=_ignore_ids) as api:
            wanted = fresh(source)
            job_id = bytenite(api).prepare(wanted)
            before = len(api.calls)
            resumed = bytenite(api)
            assert job_id == resumed.prepare(dataclasses.replace(wanted, job_id=job_id))
            assert ("GET", "/v1/customer/jobs") not in api.calls[before:]


MASTER = Source("store", "s3://masters/a.mov", "s3://masters/a.mov")
FAULTS = {
    "before": DROP_BEFORE,
    "after": DROP_AFTER,
    "truncated": Answer(200, b'{"job": {"id', {"Content-Length": "400"}),
    "502": Answer(502, b"<html><body>Bad Gateway"),
}
LIFE = ["POST access_token", "POST jobs", "PATCH datasource", "PATCH params", "POST run", "GET results"]


class TestLostCalls:
    """Connections that break before and after every request of a job's life."""

    @pytest.mark.parametrize("fault", ["before", "after", "truncated", "502"])
    @pytest.mark.parametrize("verb", [*LIFE, "GET jobs"])
    @pytest.mark.parametrize("host", [None, "ids-of-its-own"])
    def test_there_is_one_start_and_nothing_is_lost(self, host, verb, fault, served, source):
        """In the same process, which observes after a start that was not answered."""
        with served(host) as api:
            api.faults.append(on(verb, FAULTS[fault]))
            provider = bytenite(api, clocks=Hurried().clocks())
            job_id = provider.prepare(fresh(source))
            _start_as_an_apply_does(provider, job_id)
            done(provider, job_id)
            assert {job_id: 1} == api.all_starts()

    @pytest.mark.parametrize("fault", [DROP_BEFORE, DROP_AFTER])
    @pytest.mark.parametrize("ignores", [False, True], ids=["takes-our-id", "ids-of-its-own"])
    def test_the_next_process_after_a_start_without_an_answer(self, tmp_path, clip, source, ignores, fault):
        """It attaches by the id that was recorded, and starts only a draft."""
        with serving_api(tmp_path, instant=clip, middleware=_ignore_ids if ignores else None) as api:
            api.faults.append(on("POST run", fault))
            wanted, first = fresh(source), bytenite(api)
            job_id = first.prepare(wanted)
            with pytest.raises(UnavailableError):
                first.start(job_id)
            second = bytenite(api)
            second.attach(dataclasses.replace(wanted, job_id=job_id))
            assert (fault == DROP_BEFORE) == isinstance(observed(second, job_id), Draft)
            second.start(job_id)
            done(second, job_id)
            assert {job_id: 1} == api.all_starts()

    def test_starting_again_after_doubt_looks_first(self, api, source):
        """The answer of the first start was lost: the second sends nothing."""
        api.faults.append(on("POST run", DROP_AFTER))
        provider = bytenite(api)
        job_id = provider.prepare(fresh(source))
        with pytest.raises(UnavailableError):
            provider.start(job_id)
        provider.start(job_id)
        assert 1 == len(calls(api, "run"))

    def test_starting_a_job_that_another_machine_started(self, api, source):
        """The server refuses; since it runs, that is no failure."""
        wanted = fresh(source)
        one, two = bytenite(api), bytenite(api)
        job_id = one.prepare(wanted)
        assert job_id == two.prepare(wanted)
        one.start(job_id)
        two.start(job_id)
        assert isinstance(done(two, job_id), Done)
        assert {job_id: 1} == api.all_starts()

    @pytest.mark.parametrize(
        "answer",
        [Answer(400, as_json({"message": "busy"})), Answer(200, as_json({"ok": False, "message": "not now"}))],
        ids=["400", "ok-false"],
    )
    def test_a_server_that_still_digests_gets_a_moment(self, api, source, answer):
        """A 400 without a fault: one more try, since the job is still a draft."""
        hurried = Hurried()
        api.faults.append(on("POST run", answer))
        provider = bytenite(api, clocks=hurried.clocks())
        job_id = started(provider, fresh(source))
        assert isinstance(done(provider, job_id), Done)
        assert 2 == len(calls(api, "run"))
        assert any(0.5 <= one <= 1.0 for one in hurried.slept)

    def test_a_refusal_that_names_a_fault_is_final(self, api, source):
        """Nothing is tried again, and the job is still a draft."""
        api.faults.append(on("POST run", Answer(400, as_json({"code": 3, "message": "invalid params"})), times=9))
        provider = bytenite(api)
        job_id = provider.prepare(fresh(source))
        with pytest.raises(RejectedError, match="invalid params"):
            provider.start(job_id)
        assert 1 == len(calls(api, "run"))
        assert Draft() == observed(provider, job_id)

    def test_a_wallet_that_is_empty(self, tmp_path, clip, source):
        """Stops the run, and nothing was started."""
        with serving_api(tmp_path, instant=clip) as api:
            api.faults.append(on("POST run", Answer(400, as_json({"code": 9, "message": "insufficient balance"}))))
            provider = bytenite(api)
            job_id = provider.prepare(fresh(source))
            with pytest.raises(CredentialsError, match="balance"):
                provider.start(job_id)
            assert {} == api.all_starts()


class TestEcho:
    """What the server did not understand is found before anything is paid."""

    def test_a_field_that_was_dropped_is_named(self, api, source):
        """The draft stays, the start never comes."""
        wanted = fresh(source)
        told = {"job": {"id": wanted.job_id, "state": "JOB_STATE_NEW", "params": {"data": {"outputs": []}}}}
        api.faults.append(on("PATCH params", Answer(200, as_json(told)), times=9))
        with pytest.raises(RejectedError, match=r"data\.outputs: 2 were sent, 0 came back"):
            bytenite(api).prepare(wanted)

    def test_a_source_that_was_changed_is_named(self, api, source):
        """Without what is secret in it."""
        wanted = fresh(source)
        other = {"dataSourceDescriptor": "url", "params": {"url": "https://elsewhere.example.com/x.mp4?s=SECRET"}}
        told = {"job": {"id": wanted.job_id, "state": "JOB_STATE_NEW", "dataSource": other}}
        api.faults.append(on("PATCH datasource", Answer(200, as_json(told)), times=9))
        with pytest.raises(RejectedError, match=r"dataSource\.params\.url") as raised:
            bytenite(api).prepare(wanted)
        assert "SECRET" not in str(raised.value)

    def test_a_server_that_wants_the_document_bare(self, api, source):
        """Sent under `app` first, as the newer documentation has it; what works is remembered."""
        refused = Answer(400, as_json({"code": 3, "message": "unknown field app"}))
        api.faults.append(on("PATCH params", refused))
        provider = bytenite(api)
        provider.prepare(fresh(source))
        provider.prepare(fresh(source))
        assert 3 == len(calls(api, "params"))


class TestStores:
    """Sources and destinations in buckets, which the server of the tests does not have: only what is sent counts."""

    @pytest.mark.parametrize(("refusals", "sent"), [(0, ["aws"]), (1, ["aws", "s3"])])
    def test_amazon_by_the_name_that_the_host_has_for_it(self, api, refusals, sent):
        """`aws`, or as it was called until 2025 where that is refused; what works is remembered."""
        stores = {"s3": {"secret_id": "my_secret", "region": "us-east-2"}}
        provider = bytenite(api, stores=stores, destination="s3://out/films")
        bodies, left = [], [refusals]

        def fault(method, path, number):
            if method != "PATCH" or not path.endswith("datasource"):
                return None
            if left[0]:
                left[0] -= 1
                return Answer(400, as_json({"code": 3, "message": "unknown descriptor"}))
            job = {"id": path.split("/")[4], "state": "JOB_STATE_NEW", **_sent("s3" if refusals else "aws")}
            bodies.append(job["dataSource"]["dataSourceDescriptor"])
            return Answer(200, as_json({"job": job}))

        api.faults.append(fault)
        for name in ("a", "b"):
            provider.prepare(request(MASTER, output(MASTER, name)))
        assert [sent[-1]] * 2 == bodies
        assert len(sent) + 1 == len(calls(api, "datasource"))


class TestLegacyHost:
    """A host of 2023."""

    def test_a_job_from_start_to_end(self, tmp_path, clip, source):
        """Its paths are found with the first draft and used from then on."""
        with serving_api(tmp_path, instant=clip, dialect="legacy") as api:
            api.faults.append(lambda method, path, number: Answer(404) if method == "PATCH" else None)
            provider = bytenite(api)
            assert isinstance(done(provider, started(provider, fresh(source))), Done)
            assert isinstance(done(provider, started(provider, fresh(source))), Done)
        assert 1 == len([call for call in api.calls if call[0] == "PATCH"])

    def test_it_may_be_said(self, api, source):
        """`generation: legacy` tries nothing else."""
        provider = bytenite(api, generation="legacy")
        done(provider, started(provider, fresh(source)))
        assert not [call for call in api.calls if call[0] == "PATCH"]


class TestWatching:
    """What is observed while and after a job runs."""

    def test_a_job_that_was_deleted_is_lost(self, tmp_path, clip, source):
        """Behind our back."""
        with serving_api(tmp_path, instant=clip, instant_seconds=60) as api:
            provider = bytenite(api)
            job_id = started(provider, fresh(source))
            api.client().ask("DELETE", f"/jobs/{job_id}")
            assert Lost() == ended(provider, job_id)[0]

    def test_a_job_that_fails_says_why(self, tmp_path, site):
        """In the server's words."""
        with serving_api(tmp_path) as api:
            provider = bytenite(api)
            last, _ = ended(provider, started(provider, fresh(web(site.url("/nothing.mp4")))))
        assert isinstance(last, Failed)
        assert "404" in last.error

    def test_a_state_that_nobody_knows_is_running(self, api, source, caplog):
        """And is logged once."""
        caplog.set_level(logging.INFO, "reconciler.bytenite")
        provider = bytenite(api)
        job_id = started(provider, fresh(source))
        told = {"job": {"id": job_id, "state": "JOB_STATE_POLISHING", "startedAt": "2026-11-25T12:00:00Z"}}
        api.faults.append(on(f"GET {job_id}", Answer(200, as_json(told)), times=2))
        done(provider, job_id)
        assert 1 == len([one for one in caplog.messages if "JOB_STATE_POLISHING" in one])

    @pytest.mark.parametrize("empty", [{"results": []}, {"results": None}, {}])
    def test_results_that_come_late(self, api, source, empty):
        """Empty at first: asked again."""
        api.faults.append(on("GET results", Answer(200, as_json(empty)), times=2))
        provider = bytenite(api, clocks=Hurried().clocks())
        seen = done(provider, started(provider, fresh(source)))
        assert all(isinstance(result, Held | Suspect) for result in seen.outputs.values())
        assert 3 == len(calls(api, "results"))

    @pytest.mark.parametrize("status", [400, 500])
    def test_results_that_are_said_not_to_be_ready(self, api, source, status):
        """An error whose words say so."""
        told = Answer(status, as_json({"code": 9, "message": "job has not yet been completed"}))
        api.faults.append(on("GET results", told, times=2))
        provider = bytenite(api, clocks=Hurried().clocks())
        done(provider, started(provider, fresh(source)))
        assert 3 == len(calls(api, "results"))

    def test_results_that_never_come(self, api, source):
        """Five times asked, then each output says so."""
        api.faults.append(on("GET results", Answer(200, as_json({"results": []})), times=99))
        provider = bytenite(api, clocks=Hurried().clocks())
        seen = done(provider, started(provider, fresh(source)))
        assert {NotMade("complete, but the provider gives no results")} == set(seen.outputs.values())
        assert 5 == len(calls(api, "results"))

    def test_results_in_another_order(self, tmp_path, source):
        """Matched by name, with or without a folder before it."""
        with serving_api(tmp_path) as api:
            first = bytenite(api)
            wanted = fresh(source)
            job_id = started(first, wanted)
            done(first, job_id)
            listed = api.client().ask("GET", f"/jobs/{job_id}/results")["results"]
            turned = [{**one, "name": f"out_{number}/{one['name']}"} for number, one in enumerate(reversed(listed))]
            api.faults.append(on("GET results", Answer(200, as_json({"results": turned})), times=9))
            second = bytenite(api)
            seen = done(second, started(second, wanted))
        assert isinstance(seen.outputs["b"], Held), seen.outputs["b"]
        assert "80x60" in seen.outputs["b"].summary
        assert "160x120" in seen.outputs["a"].summary

    def test_an_output_that_is_not_as_asked_is_suspect(self, api, source):
        """The instant server copies one clip for all; its link is told without its signature."""
        provider = bytenite(api)
        wanted = request(source, output(source, "small", video={"codec": "h264", "crf": 30, "height": 60}))
        result = done(provider, started(provider, wanted)).outputs["small"]
        assert isinstance(result, Suspect)
        assert "its height is 120 instead of 60" == result.error
        assert "?" not in result.path

    def test_a_link_that_cannot_be_reached_is_held_with_a_note(self, api, source):
        """Its file may be whole; only we do not get there."""
        wanted = request(source)
        link = "http://127.0.0.1:9/x.mp4?X-Goog-Date=20261125T120000Z&X-Goog-Expires=14399&X-Goog-Signature=SECRET"
        name = f"web-{wanted.outputs[0].fingerprint[:8]}.mp4"
        listed = {"results": [{"name": name, "link": link}]}
        api.faults.append(on("GET results", Answer(200, as_json(listed)), times=9))
        provider = bytenite(api, clocks=Hurried().clocks())
        held = done(provider, started(provider, wanted)).outputs["web"]
        assert isinstance(held, Held)
        assert "could not be looked at" in held.notes[0]
        assert "SECRET" not in held.notes[0]
        assert "2026-11-25T15:59:59Z" == held.link_expires_at

    def test_no_token_goes_to_a_link(self, tmp_path, source, site):
        """Nor to where sources are uploaded."""
        with serving_api(tmp_path) as api:
            provider, wanted = bytenite(api), request(source)
            name = f"web-{wanted.outputs[0].fingerprint[:8]}.mp4"
            listed = {"results": [{"name": name, "link": site.url("/plain.mp4", "X-Goog-Signature=x")}]}
            api.faults.append(on("GET results", Answer(200, as_json(listed)), times=9))
            done(provider, started(provider, wanted))
        looks = [one for one in site.of("/plain.mp4") if "X-Goog" in one.query]
        assert looks
        assert not any("authorization" in {name.lower() for name in one.headers} for one in looks)
        assert all("Range" in one.headers for one in looks)

    def test_a_token_that_lives_two_seconds(self, tmp_path, clip, source):
        """Is renewed while a job runs."""
        with serving_api(tmp_path, instant=clip, instant_seconds=4, token_seconds=2) as api:
            provider = bytenite(api)
            assert isinstance(done(provider, started(provider, fresh(source))), Done)
            assert len(calls(api, "access_token")) >= 2

    def test_passing_trouble_is_not_told(self, tmp_path, clip, source):
        """What was known last is."""
        with serving_api(tmp_path, instant=clip, instant_seconds=2) as api:
            provider = bytenite(api)
            job_id = started(provider, fresh(source))
            api.faults.append(on(f"GET {job_id}", Answer(503), times=2))
            last, seen = ended(provider, job_id)
        assert isinstance(last, Done)
        assert all(isinstance(one, Running) for one in seen)

    def test_trouble_that_stays_is_told_in_the_end(self, tmp_path, clip, source):
        """After ten minutes without a word."""
        hurried = Hurried()
        with serving_api(tmp_path, instant=clip, instant_seconds=60) as api:
            provider = bytenite(api, clocks=hurried.clocks())
            job_id = started(provider, fresh(source))
            api.faults.append(lambda method, path, number: Answer(503))
            for _ in range(10):
                hurried.skip(59)
                assert isinstance(observed(provider, job_id), Running)
            hurried.skip(130)
            with pytest.raises(UnavailableError, match="Nothing was heard for 10 minutes"):
                observed(provider, job_id)

    def test_a_draft_in_doubt_is_never_guessed(self, api, source):
        """The start was not answered, and now nothing is: nobody knows."""
        provider = bytenite(api, clocks=Hurried().clocks())
        job_id = provider.prepare(fresh(source))
        api.faults.append(lambda method, path, number: DROP_BEFORE)
        for attempt in (provider.start, lambda job: observed(provider, job)):
            with pytest.raises(UnavailableError):
                attempt(job_id)

    def test_a_key_that_is_revoked_stops_the_run(self, tmp_path, clip, source):
        """No waiting for ten minutes."""
        with serving_api(tmp_path, instant=clip, instant_seconds=60) as api:
            provider = bytenite(api)
            job_id = started(provider, fresh(source))
            api.faults.append(lambda method, path, number: Answer(401))
            with pytest.raises(CredentialsError):
                ended(provider, job_id)


class TestMany:
    """Many jobs cost few calls."""

    def test_the_list_is_read_instead_of_each_job(self, tmp_path, clip, source):
        """Twelve jobs that run for some seconds: at most a fifth of a call for each in a second, and one at its end."""
        with serving_api(tmp_path, instant=clip, instant_seconds=3, queue=100) as api:
            provider = bytenite(api)
            jobs = [started(provider, fresh(source)) for _ in range(12)]
            before, began = len(api.calls), time.monotonic()
            while any(isinstance(one, Running) for one in provider.observe(jobs).values()):
                time.sleep(0.02)
            took = time.monotonic() - began
            polls = [call for call in api.calls[before:] if call[1] == "/v1/customer/jobs" or _is_job(call)]
        assert all(isinstance(one, Done) for one in provider.observe(jobs).values())
        assert len(polls) <= 0.2 * 12 * took + 12
        assert ("GET", "/v1/customer/jobs") in polls

    def test_looking_never_blocks_for_long(self, tmp_path, clip, source):
        """A server that is slow to answer holds nobody up."""
        with serving_api(tmp_path, instant=clip, instant_seconds=60) as api:
            provider = bytenite(api)
            job_id = started(provider, fresh(source))
            api.faults.append(_slow(4))
            time.sleep(1.1)
            began = time.monotonic()
            assert isinstance(observed(provider, job_id), Running)
            assert time.monotonic() - began < 2


class TestExtras:
    """Quotes, reports, jobs of a project, fresh links, deleting, ending."""

    def test_a_quote(self, tmp_path, clip, source):
        """In ByteChips."""
        with serving_api(tmp_path, instant=clip, rate=30, balance=1000) as api:
            provider = bytenite(api)
            assert provider.quote(provider.prepare(fresh(source))).endswith(" BYC")

    def test_no_quote_is_no_error(self, api, source):
        """Where the server has none, and where it is in trouble."""
        provider = bytenite(api, clocks=Hurried().clocks())
        job_id = provider.prepare(fresh(source))
        api.faults.append(on("GET estimation", Answer(503), times=9))
        assert provider.quote(job_id) is None
        api.faults[:] = [on("GET estimation", Answer(501), times=9)]
        assert provider.quote(job_id) is None

    def test_a_report(self, tmp_path, clip):
        """There, credentials good, generation, balance."""
        with serving_api(tmp_path, instant=clip, balance=500) as api:
            said = bytenite(api).report()
            assert (f"127.0.0.1:{api.url.rpartition(':')[2]} is there and takes the API key", "balance: 500 BYC") == (
                said[0],
                said[-1],
            )
            assert "generation: current" in said
            old = bytenite(api)
            api.faults.append(on("GET info", Answer(404), times=9))
            assert any(line.startswith("generation: legacy, as it seems") for line in old.report())
            api.faults[:] = [on("GET info", Answer(403), times=9)]
            assert "generation: found with the first job" in bytenite(api).report()
            assert "generation: legacy" in bytenite(api, generation="legacy").report()

    def test_a_report_with_a_wrong_key(self, api):
        """Says that it is about credentials."""
        with pytest.raises(CredentialsError):
            bytenite(api, shop=workshop(key="a-wrong-key-that-is-long")).report()

    def test_a_key_that_is_not_set(self, api):
        """Is named, at building."""
        with pytest.raises(CredentialsError, match="BYTENITE_API_KEY is not set"):
            built("bytenite", options(api), workshop(key=""))

    def test_jobs_of_a_project(self, api, source):
        """With addresses and fingerprints, where the server keeps descriptions; the oldest first."""
        provider = bytenite(api)
        draft, finished = fresh(source), fresh(source)
        other = dataclasses.replace(request(source, project="talks-sitemap"))
        for wanted in (draft, other, finished):
            provider.prepare(wanted)
        done(provider, started(provider, finished))
        found = list(bytenite(api).jobs_of("talks-site"))
        assert [(draft.job_id, "draft"), (finished.job_id, "complete")] == [(one.job_id, one.status) for one in found]
        first = finished.outputs[0]
        assert MadeOutput(f"a-{first.fingerprint[:8]}", first.address, first.fingerprint) == found[1].makes[0]
        assert found[1].finished_at >= found[1].created_at

    def test_jobs_of_a_host_that_drops_descriptions(self, tmp_path, clip, source):
        """Then by the names in their documents."""
        with serving_api(tmp_path, instant=clip, middleware=_without("description")) as api:
            wanted = fresh(source)
            bytenite(api).prepare(wanted)
            (found,) = bytenite(api).jobs_of("talks-site")
        assert [f"{one.name}-{one.fingerprint[:8]}" for one in wanted.outputs] == [one.name for one in found.makes]
        assert {None} == {one.address for one in found.makes}

    def test_fresh_links(self, tmp_path, source):
        """By output, for nothing, also in the next process."""
        with serving_api(tmp_path) as api:
            provider, wanted = bytenite(api), fresh(source)
            job_id = started(provider, wanted)
            first = done(provider, job_id).outputs
            other = bytenite(api)
            other.attach(dataclasses.replace(wanted, job_id=job_id))
            links = other.links(job_id)
        assert {name: held.name for name, held in first.items()} == {name: held.name for name, held in links.items()}
        assert all(held.link_expires_at and held.expires_at for held in links.values())

    def test_deleting(self, api, source):
        """Twice is no error."""
        provider = bytenite(api)
        job_id = provider.prepare(fresh(source))
        provider.delete(job_id)
        provider.delete(job_id)
        assert Lost() == observed(provider, job_id)

    def test_an_ended_job_is_not_aborted(self, api, source):
        """Nothing is sent but a question."""
        provider = bytenite(api)
        job_id = started(provider, fresh(source))
        done(provider, job_id)
        provider.cancel(job_id)
        assert [] == calls(api, "abort")


class TestSecrets:
    """Nothing secret is logged at any level."""

    def test_a_whole_life_at_debug_level(self, tmp_path, source, caplog):
        """Neither key, token, signature, nor the query of a source; our own lines say what was asked."""
        with serving_api(tmp_path) as api, caplog.at_level(logging.DEBUG, "reconciler.bytenite"):
            provider = bytenite(api)
            job_id = started(provider, fresh(source))
            done(provider, job_id)
            provider.report()
        own = "\n".join(one.getMessage() for one in caplog.records if one.name.startswith("reconciler.bytenite"))
        assert f"POST /customer/jobs/{job_id}/run 200" in own
        assert not [word for word in ("SECRET", "X-Goog-Signature", api.key, "eyJ") if word in own]


def _sent(kind):
    """What the master and the folder are echoed as."""
    said = {"@type": "type.googleapis.com/bytenite.data_source.S3DataSource", "cloudRegion": "us-east-2"}
    said |= {"secretId": "my_secret"}
    source = {**said, "name": "a.mov", "bucketName": "masters"}
    folder = {**said, "name": "films", "bucketName": "out"}
    return {
        "dataSource": {"dataSourceDescriptor": kind, "params": source},
        "dataDestination": {"dataSourceDescriptor": kind, "params": folder},
    }


def _seconds(stamp):
    return datetime.fromisoformat(stamp).timestamp()


def _start_as_an_apply_does(provider, job_id):
    """Start; after a start without an answer look, and start only what is still a draft."""
    try:
        provider.start(job_id)
    except UnavailableError:
        if isinstance(observed(provider, job_id), Draft):
            provider.start(job_id)


def _first_put(answer, *, times=1):
    left = [times]

    def fault(method, path, number):
        if method != "PUT" or not left[0]:
            return None
        left[0] -= 1
        return answer

    return fault


def _order(api):
    """The setters and uploads, in order."""
    words = ("datasource", "params", "uploadcompleted")
    named = [next((word for word in words if word in path), method) for method, path in api.calls]
    return [name for name in named if name in {*words, "PUT"}]


def _is_job(call):
    method, path = call
    return method == "GET" and path.startswith("/v1/customer/jobs/") and path.count("/") == 4


def _slow(seconds):
    return lambda method, path, number: Delay(seconds) if method == "GET" else None


def _ignore_ids(app):
    """A host of ids of its own: what a create says of them is dropped."""
    return _without("jobId")(app)


def _without(field):
    def around(app):
        async def without(scope, receive, send):
            if scope["type"] != "http" or (scope["method"], scope["path"].rpartition("/")[2]) != ("POST", "jobs"):
                await app(scope, receive, send)
                return
            body, more = b"", True
            while more:
                message = await receive()
                body, more = body + message.get("body", b""), message.get("more_body", False)
            said = {key: value for key, value in json.loads(body).items() if key != field}
            body = json.dumps(said).encode()
            headers = [
                (key, str(len(body)).encode() if key == b"content-length" else value) for key, value in scope["headers"]
            ]
            sent = [False]

            async def again():
                if sent[0]:
                    return await receive()
                sent[0] = True
                return {"type": "http.request", "body": body, "more_body": False}

            await app({**scope, "headers": headers}, again, send)

        return without

    return around
