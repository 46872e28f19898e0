"""Calls to a ByteNite server: tokens, retries, rates, and every shape of failure, each in its words."""

from __future__ import annotations

import json
import logging
import random
import threading
from datetime import UTC, datetime

import pytest
import requests
import responses
from pydantic import SecretStr
from responses import matchers
from urllib3.exceptions import MaxRetryError, NameResolutionError

from reconciler.bytenite.access import Access, read_root
from reconciler.bytenite.api import Api
from reconciler.bytenite.client import Call, Client, Clocks, api_session
from reconciler.bytenite.failures import AnsweredError, TroubledError, unanswered
from reconciler.bytenite.generations import Generations
from reconciler.bytenite.limits import Limiter
from reconciler.core.errors import CredentialsError, RejectedError, UnavailableError

ROOT = "https://encoder.example.com/v1"
TOKEN_URL = f"{ROOT}/auth/access_token"
JOB_URL = f"{ROOT}/customer/jobs/j1"
JOB = {"job": {"id": "j1", "name": "a job", "state": "JOB_STATE_NEW"}}
API_KEY = "key-KEYSECRET"
GET_JOB = Call("GET", "/customer/jobs/j1")
RUN = Call("POST", "/customer/jobs/j1/run", {}, repeat="never")


class Time:
    """A clock that passes only by sleeping."""

    def __init__(self):
        self.passed, self.slept = 0.0, []

    def monotonic(self):
        return self.passed

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.passed += seconds

    def clocks(self):
        now = lambda: datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)  # noqa: E731 - a clock
        return Clocks(self.monotonic, self.sleep, now, random.Random(1))


@pytest.fixture
def time():
    """Time that only a test lets pass."""
    return Time()


@pytest.fixture
def net():
    """The network, of which nothing is real."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def client(time, *, auth="raw", rate=1000.0, name="bytenite"):
    """A client of the example host."""
    access = Access(name, ROOT, SecretStr(API_KEY), auth=auth)
    limiter = Limiter(rate, time.monotonic, time.sleep)
    return Client(access, limiter, time.clocks(), api_session(access))


def api(time, *, generation=None, **options):
    """The calls, in a generation or in whichever is found."""
    return Api(client(time, **options), Generations(generation))


def tokens(net, *names, life="3600"):
    """The token exchange gives these tokens, in turn; the last one stays."""
    for name in names:
        net.post(TOKEN_URL, json={"token": name, "expiresIn": life, "scope": ""})


def authorizations(net, url=JOB_URL):
    """What was sent in Authorization, call by call."""
    return [
        call.request.headers.get("Authorization") for call in net.calls if call.request.url.partition("?")[0] == url
    ]


def asked(net, url=JOB_URL):
    """How often a URL was asked."""
    return len(authorizations(net, url))


class TestTokens:
    """The token is got once, renewed in time, and replaced once when it is refused."""

    def test_it_is_sent_raw_and_got_once(self, net, time):
        """One exchange serves many calls, and the exchange itself carries no token."""
        tokens(net, "T1")
        net.get(JOB_URL, json=JOB)
        caller = client(time)
        assert JOB == caller.call(GET_JOB)
        caller.call(GET_JOB)
        assert ["T1", "T1"] == authorizations(net)
        assert [None] == authorizations(net, TOKEN_URL)

    def test_the_key_goes_into_the_body_of_the_exchange_only(self, net, time):
        """Without the blanks that come with pasting."""
        net.post(TOKEN_URL, json={"token": "T1"}, match=[matchers.json_params_matcher({"apiKey": API_KEY})])
        net.get(JOB_URL, json=JOB)
        access = Access("bytenite", ROOT, SecretStr(f" {API_KEY}\n"))
        Client(access, Limiter(9, time.monotonic, time.sleep), time.clocks(), requests.Session()).call(GET_JOB)
        assert API_KEY not in str([call.request.headers for call in net.calls])

    def test_it_is_sent_as_bearer_where_that_is_wanted(self, net, time):
        """`auth: bearer`."""
        tokens(net, "T1")
        net.get(JOB_URL, json=JOB)
        client(time, auth="bearer").call(GET_JOB)
        assert ["Bearer T1"] == authorizations(net)

    @pytest.mark.parametrize(
        ("life", "good_for"), [("3600", 3539), ("100", 49), ("2", 0.9), ("", 3539), ("soon", 3539)]
    )
    def test_it_is_renewed_before_it_ends(self, net, time, life, good_for):
        """A minute before, or at half its life; a lifetime that cannot be read is an hour."""
        tokens(net, "T1", "T2", life=life)
        net.get(JOB_URL, json=JOB)
        caller = client(time)
        caller.call(GET_JOB)
        time.passed += good_for
        caller.call(GET_JOB)
        time.passed += 1.2
        caller.call(GET_JOB)
        assert ["T1", "T1", "T2"] == authorizations(net)

    def test_a_refused_token_is_replaced_once(self, net, time):
        """After it had been good: one exchange, one replay; also of the call that costs money."""
        tokens(net, "T1", "T2")
        net.get(JOB_URL, json=JOB)
        net.post(f"{JOB_URL}/run", status=401, json={"code": 16, "message": "token expired"})
        net.post(f"{JOB_URL}/run", json={"ok": True})
        caller = client(time)
        caller.call(GET_JOB)
        assert {"ok": True} == caller.call(RUN)
        assert ["T1", "T2"] == authorizations(net, f"{JOB_URL}/run")

    def test_a_second_refusal_is_the_end(self, net, time):
        """It is about the credentials, and says what to look at."""
        tokens(net, "T1", "T2")
        net.get(JOB_URL, json=JOB)
        net.get(JOB_URL, status=401, body="no")
        caller = client(time)
        caller.call(GET_JOB)
        with pytest.raises(CredentialsError, match="Is the API key right"):
            caller.call(GET_JOB)
        assert 3 == asked(net)

    @pytest.mark.parametrize(("wanted", "taken"), [("raw", "Bearer T1"), ("bearer", "T1")])
    def test_a_host_that_wants_the_other_form_gets_it(self, net, time, wanted, taken):
        """The first refusal of all of a fresh token tries the other form, which then stays."""
        tokens(net, "T1")
        refused = {"Bearer T1": "T1", "T1": "Bearer T1"}[taken]
        net.get(JOB_URL, status=401, match=[matchers.header_matcher({"Authorization": refused})])
        net.get(JOB_URL, json=JOB, match=[matchers.header_matcher({"Authorization": taken})])
        caller = client(time, auth=wanted)
        caller.call(GET_JOB)
        caller.call(GET_JOB)
        assert taken == authorizations(net)[-1]
        assert 3 == asked(net)
        assert 1 == asked(net, TOKEN_URL)

    @pytest.mark.parametrize("status", [400, 401, 403, 404])
    def test_a_wrong_key_is_about_credentials(self, net, time, status):
        """Whatever the status, and without a word of the key."""
        net.post(TOKEN_URL, status=status, json={"code": 16, "message": f"bad apiKey: {API_KEY}"})
        with pytest.raises(CredentialsError) as raised:
            client(time).call(GET_JOB)
        assert "KEYSECRET" not in str(raised.value)

    @pytest.mark.parametrize("status", [404, 405, 501])
    def test_a_server_that_is_none_of_bytenite_is_told(self, net, time, status):
        """A web server at the wrong address knows no keys: the address is asked about first."""
        net.post(TOKEN_URL, status=status, body="<html><body>Unsupported method ('POST').</body></html>")
        with pytest.raises(CredentialsError, match=r"method \('POST'\)\. Is api_url that of a ByteNite API"):
            client(time).call(GET_JOB)

    def test_an_exchange_without_a_token_is_about_credentials(self, net, time):
        """A server that answers something else."""
        net.post(TOKEN_URL, json={"expiresIn": "3600"})
        with pytest.raises(CredentialsError, match="no token was given"):
            client(time).call(GET_JOB)

    def test_an_exchange_in_trouble_is_tried_five_times(self, net, time):
        """Not five times five; and the call that needed it was never made."""
        net.post(TOKEN_URL, status=503)
        with pytest.raises(UnavailableError):
            client(time).call(GET_JOB)
        assert [5, 0] == [asked(net, TOKEN_URL), asked(net)]

    def test_threads_share_one_exchange(self, net, time):
        """Eight first calls at once."""
        tokens(net, "T1")
        net.get(JOB_URL, json=JOB)
        caller = client(time)
        threads = [threading.Thread(target=caller.call, args=[GET_JOB]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 1 == asked(net, TOKEN_URL)


class TestTrying:
    """What may be asked again is, within reason; what costs money never."""

    @pytest.mark.parametrize(
        "trouble",
        [
            {"status": 500, "json": {"code": 13, "message": "internal"}},
            {"status": 502, "body": "<html><title>502 Bad Gateway</title></html>"},
            {"status": 503, "body": "unavailable"},
            {"status": 504, "body": ""},
            {"status": 429, "json": {"code": 8, "message": "slow down"}},
            {"status": 200, "body": '{"job": {"id": "j1", "na'},
            {"status": 200, "json": {"ok": False, "error": {"code": 503, "message": "busy"}}},
            {"body": requests.ConnectionError("reset")},
            {"body": requests.ReadTimeout("slow")},
            {"body": requests.exceptions.ChunkedEncodingError("cut")},
        ],
        ids=["500", "502", "503", "504", "429", "truncated", "ok-false-503", "reset", "timeout", "cut"],
    )
    def test_passing_trouble_passes(self, net, time, trouble):
        """A call that changes nothing is made again after a pause."""
        tokens(net, "T1")
        net.get(JOB_URL, **trouble)
        net.get(JOB_URL, json=JOB)
        assert JOB == client(time).call(GET_JOB)
        assert 2 == asked(net)
        assert 1 == len(time.slept)

    @pytest.mark.parametrize(
        "trouble",
        [
            {"status": 429, "json": {"code": 8, "message": "slow down"}},
            {"status": 500, "body": ""},
            {"status": 502, "body": "<html>"},
            {"status": 503, "body": ""},
            {"status": 200, "body": '{"ok": tr'},
            {"body": requests.ConnectionError("reset")},
            {"body": requests.ReadTimeout("slow")},
        ],
        ids=["429", "500", "502", "503", "truncated", "reset", "timeout"],
    )
    def test_the_call_that_costs_money_is_made_once(self, net, time, trouble):
        """Whoever calls must look what became of it."""
        tokens(net, "T1")
        net.post(f"{JOB_URL}/run", **trouble)
        with pytest.raises(UnavailableError):
            client(time).call(RUN)
        assert 1 == asked(net, f"{JOB_URL}/run")

    def test_an_empty_answer_to_a_start_proves_nothing(self, net, time):
        """It may have been cut off."""
        tokens(net, "T1")
        net.post(f"{JOB_URL}/run", body="")
        with pytest.raises(UnavailableError, match="answered nothing"):
            api(time, generation="current").run("j1")

    def test_what_may_make_a_second_thing_is_made_again_only_if_nothing_was_done(self, net, time):
        """After 429, not after 503."""
        tokens(net, "T1")
        create = Call("POST", "/customer/jobs", {}, repeat="refused")
        net.post(f"{ROOT}/customer/jobs", status=429)
        net.post(f"{ROOT}/customer/jobs", status=503)
        with pytest.raises(TroubledError):
            client(time).call(create)
        assert 2 == asked(net, f"{ROOT}/customer/jobs")

    def test_trouble_that_stays_is_told(self, net, time):
        """After five tries, with longer and longer pauses, and what the server said."""
        tokens(net, "T1")
        net.get(JOB_URL, status=503, body="<html><body>down for maintenance</body></html>")
        with pytest.raises(UnavailableError, match=r"503: down for maintenance\. Try again later"):
            client(time).call(GET_JOB)
        assert 5 == asked(net)
        assert sorted(time.slept) == time.slept

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [("7", 7.0), ("Wed, 25 Nov 2026 12:00:09 GMT", 9.0), ("Wed, 25 Nov 2026 11:00:00 GMT", 0.0), ("86400", 60.0)],
    )
    def test_the_server_says_when_to_come_again(self, net, time, header, seconds):
        """Retry-After in seconds or as a date, at most a minute; nobody else asks meanwhile."""
        tokens(net, "T1")
        net.get(JOB_URL, status=429, headers={"Retry-After": header})
        net.get(JOB_URL, json=JOB)
        client(time).call(GET_JOB)
        assert seconds == time.slept[0]

    @pytest.mark.parametrize("header", ["soon", "-5", "", "Wed, 99 Nov"])
    def test_a_retry_after_that_says_nothing_is_no_pause(self, net, time, header):
        """Then the pause is ours."""
        tokens(net, "T1")
        net.get(JOB_URL, status=503, headers={"Retry-After": header})
        net.get(JOB_URL, json=JOB)
        client(time).call(GET_JOB)
        assert 0.5 <= time.slept[0] <= 1.0

    def test_every_call_has_its_timeouts(self, net, time):
        """Five seconds to connect, thirty to answer."""
        tokens(net, "T1")
        net.get(JOB_URL, json=JOB)
        client(time).call(GET_JOB)
        assert [(5.0, 30.0)] * 2 == [call.request.req_kwargs["timeout"] for call in net.calls]

    def test_no_more_requests_a_second_than_wanted(self, net, time):
        """Five at once, then one every fifth of a second."""
        tokens(net, "T1")
        net.get(JOB_URL, json=JOB)
        caller = client(time, rate=5.0)
        for _ in range(24):
            caller.call(GET_JOB)
        assert time.passed == pytest.approx(4.0, abs=0.01)


class TestRefusals:
    """Every shape of a refusal becomes one sentence, and is not asked again."""

    @pytest.mark.parametrize(
        ("answer", "status", "words"),
        [
            ({"status": 400, "json": {"code": 3, "message": "name is too short", "details": []}}, 400, "too short"),
            ({"status": 403, "json": {"code": 7, "message": "no permission"}}, 403, "no permission"),
            ({"status": 404, "body": ""}, 404, "Not Found"),
            ({"status": 409, "body": "it exists"}, 409, "it exists"),
            (
                {"json": {"ok": False, "message": "m", "error": {"code": 404, "description": "no such job"}}},
                404,
                "no such job",
            ),
            ({"json": {"ok": False, "message": "the job runs already", "error": None}}, 400, "runs already"),
            ({"json": {"ok": False}}, 400, "Bad Request"),
        ],
    )
    def test_it_is_told_once(self, net, time, answer, status, words):
        """With the status that it amounts to."""
        tokens(net, "T1")
        net.post(f"{JOB_URL}/run", **answer)
        with pytest.raises(AnsweredError, match=words) as raised:
            client(time).call(RUN)
        assert status == raised.value.status
        assert 1 == asked(net, f"{JOB_URL}/run")

    @pytest.mark.parametrize(
        "answer",
        [
            {"status": 400, "json": {"code": 9, "message": "insufficient balance"}},
            {"status": 402, "json": {}},
            {"json": {"ok": False, "error": {"code": 400, "message": "Your balance is too low"}}},
        ],
    )
    def test_an_empty_wallet_stops_the_run(self, net, time, answer):
        """It is about credentials or balance, exit code 8."""
        tokens(net, "T1")
        net.post(f"{JOB_URL}/run", **answer)
        with pytest.raises(CredentialsError, match="balance") as raised:
            client(time).call(RUN)
        assert 8 == raised.value.exit_code

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_no_redirect_is_followed(self, net, time, status):
        """A token goes where it was meant to go."""
        tokens(net, "T1")
        net.add(responses.POST, f"{JOB_URL}/run", status=status, headers={"Location": "https://elsewhere.example.com/"})
        with pytest.raises(RejectedError, match="redirected"):
            client(time).call(RUN)
        assert {"encoder.example.com"} == {call.request.url.split("/")[2] for call in net.calls}

    def test_a_host_that_does_not_resolve_says_what_else_there_is(self, time):
        """Really asked; the hosted name says that the service may be gone, and nothing is tried for long."""
        access = Access("bytenite", "https://encoder.invalid/v1", SecretStr(API_KEY))
        caller = Client(access, Limiter(9, time.monotonic, time.sleep), time.clocks(), api_session(access))
        with pytest.raises(UnavailableError) as raised:
            caller.call(GET_JOB)
        assert str(raised.value) == (
            "bytenite: encoder.invalid does not resolve; `reconciler serve` speaks the same API: "
            "providers.bytenite.api_url"
        )
        assert 1 == len(time.slept)

    def test_the_hosted_service_may_be_gone(self):
        """Its own name says so, if it does not resolve."""
        reason = NameResolutionError("api.bytenite.com", None, OSError("unknown"))
        error = requests.ConnectionError(MaxRetryError(None, "/v1", reason))
        said = str(unanswered("bytenite", "api.bytenite.com", "GET /customer/jobs", error))
        assert "api.bytenite.com does not resolve; the hosted service may be gone; `reconciler serve`" in said


class TestGenerations:
    """Which paths a host has is found with the first call on a real draft, and remembered."""

    def test_a_current_host(self, net, time):
        """The newer path is tried first."""
        tokens(net, "T1")
        net.patch(f"{JOB_URL}/datasource", json=JOB)
        caller = api(time)
        assert "j1" == caller.set_source("j1", {}).id
        assert "current" == caller.generations.known

    @pytest.mark.parametrize("status", [404, 405, 501])
    def test_a_legacy_host(self, net, time, status):
        """Whatever it says to the newer path; all later calls take the older."""
        tokens(net, "T1")
        net.patch(f"{JOB_URL}/datasource", status=status)
        net.post(f"{ROOT}/customer/jobs/datasource/j1", json=JOB)
        net.post(f"{ROOT}/customer/jobs/params/j1", json=JOB)
        net.post(f"{ROOT}/customer/jobs/run/j1", json={"ok": True})
        caller = api(time)
        caller.set_source("j1", {})
        caller.set_params("j1", lambda generation: {"of": generation})
        caller.run("j1")
        assert "legacy" == caller.generations.known
        assert b'{"of": "legacy"}' == net.calls[-2].request.body
        assert 1 == asked(net, f"{JOB_URL}/datasource")

    def test_a_job_that_is_not_there_decides_nothing(self, net, time):
        """404 from both paths is about the job."""
        tokens(net, "T1")
        net.patch(f"{JOB_URL}/datasource", status=404)
        net.post(f"{ROOT}/customer/jobs/datasource/j1", status=404)
        caller = api(time)
        with pytest.raises(AnsweredError):
            caller.set_source("j1", {})
        assert caller.generations.known is None

    def test_a_refusal_decides(self, net, time):
        """A path that says what is wrong is there."""
        tokens(net, "T1")
        net.post(f"{JOB_URL}/run", status=400, json={"message": "already started"})
        caller = api(time)
        with pytest.raises(AnsweredError):
            caller.run("j1")
        assert "current" == caller.generations.known

    def test_a_start_finds_the_older_path(self, net, time):
        """404 means that nothing was started, so the other path may be tried."""
        tokens(net, "T1")
        net.post(f"{JOB_URL}/run", status=404)
        net.post(f"{ROOT}/customer/jobs/run/j1", json={"ok": True, "requestId": "", "message": "", "error": None})
        api(time).run("j1")
        assert [1, 1] == [asked(net, f"{JOB_URL}/run"), asked(net, f"{ROOT}/customer/jobs/run/j1")]

    @pytest.mark.parametrize("status", [404, 405, 501])
    def test_an_estimate_that_is_not_there_is_asked_for_once(self, net, time, status):
        """Then the host has none."""
        tokens(net, "T1")
        url = f"{ROOT}/customer/jobs/estimation/j1"
        net.get(url, status=status)
        caller = api(time)
        assert [None, None] == [caller.estimate("j1"), caller.estimate("j1")]
        assert 1 == asked(net, url)

    def test_the_balance_is_where_the_generation_has_it(self, net, time):
        """Numbers or texts."""
        tokens(net, "T1")
        net.get(f"{ROOT}/wallet/balance", status=404)
        net.get(f"{ROOT}/customer/wallet/balance", json={"totalBalance": "18335", "availableBalance": "18335"})
        assert 18335 == api(time).balance().available


class TestLists:
    """The list of jobs is read to its end, whatever the end looks like."""

    def pages(self, net, *bodies):
        """Give pages in turn; the last one stays."""
        tokens(net, "T1")
        for ids, pagination in bodies:
            data = [{"id": one, "name": "rc-x", "state": "JOB_STATE_NEW"} for one in ids]
            net.get(f"{ROOT}/customer/jobs", json={"pagination": pagination, "data": data})

    @pytest.mark.parametrize(
        "bodies",
        [
            [("ab", {"hasNext": True}), ("c", {"hasNext": False})],
            [("ab", {"hasNext": True}), ("c", {"hasNext": True}), ("", {"hasNext": True})],
            [("ab", {"hasNext": True}), ("c", {"hasNext": True}), ("c", {"hasNext": True})],
            [("abc", None)],
            [("ab", {"has_next": "true"}), ("c", {})],
        ],
        ids=["hasNext", "empty", "no-advance", "no-pagination", "snake-case"],
    )
    def test_every_job_is_seen_once(self, net, time, bodies):
        """Until hasNext is false, a page is empty, or a page has nothing new."""
        self.pages(net, *bodies)
        assert list("abc") == [job.id for page in api(time).pages() for job in page.jobs]

    def test_pages_are_asked_for_by_offset(self, net, time):
        """By as many as were really given."""
        self.pages(net, ("ab", {"hasNext": True}), ("c", {"hasNext": False}))
        list(api(time).pages())
        queries = [call.request.params["pagination.offset"] for call in net.calls if call.request.method == "GET"]
        assert ["0", "2"] == queries


class TestSecrets:
    """Nothing secret is in what is logged or raised."""

    def test_a_log_line_says_method_path_status_and_time(self, net, time, caplog):
        """And neither key nor token, at any level."""
        tokens(net, "TOKENSECRET")
        net.get(f"{ROOT}/customer/jobs", json={"data": []})
        with caplog.at_level(logging.DEBUG):
            list(api(time).pages())
        assert "GET /customer/jobs 200 0 ms" in caplog.messages
        assert "SECRET" not in caplog.text

    def test_what_a_server_says_of_secrets_is_not_repeated(self, net, time):
        """A message with a token, a key and a signed link."""
        tokens(net, "TOKENSECRET1")
        words = "bad token: TOKENSECRET1, secretKey=KEYSECRET1, https://s.example.com/x?X-Goog-Signature=SIGSECRET1"
        net.get(JOB_URL, status=400, json={"code": 3, "message": words})
        with pytest.raises(AnsweredError) as raised:
            client(time).call(GET_JOB)
        assert "SECRET1" not in str(raised.value)

    def test_values_do_not_show_secrets(self):
        """Neither in their repr."""
        assert "KEYSECRET" not in repr(Access("bytenite", ROOT, SecretStr(API_KEY)))


class TestAddresses:
    """Where the API is may be written in many ways; what would tell the key to strangers is refused."""

    @pytest.mark.parametrize(
        "written",
        [
            "https://api.example.com",
            "https://api.example.com/",
            "https://api.example.com/v1",
            "https://api.example.com/v1/",
            "https://api.example.com/v1/customer",
            "https://api.example.com/v1/computing/",
            " HTTPS://api.example.com/v1 ",
        ],
    )
    def test_it_is_read(self, written):
        """With or without a slash, a version, a segment."""
        assert "https://api.example.com/v1" == read_root("bytenite", written)

    @pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "127.3.4.5"])
    def test_this_machine_may_be_asked_in_clear_text(self, host):
        """Any loopback address."""
        assert f"http://{host}/v1" == read_root("bytenite", f"http://{host}/v1")

    @pytest.mark.parametrize(
        "written", ["http://api.example.com/v1", "http://192.168.1.5:8080", "http://127.0.0.1.nip.io"]
    )
    def test_nobody_else_may(self, written):
        """The key would be readable on the way."""
        with pytest.raises(RejectedError, match="clear text"):
            read_root("bytenite", written)

    @pytest.mark.parametrize(
        "written", ["api.example.com", "ftp://x.example.com", "https://", "https://x:99999999", "https://[::1"]
    )
    def test_nonsense_is_refused(self, written):
        """With what would be right, or that it is none."""
        with pytest.raises(RejectedError, match="api_url"):
            read_root("bytenite", written)

    @pytest.mark.parametrize(
        "written", ["https://u:SECRET@api.example.com/v1", "https://api.example.com/v1?key=SECRET"]
    )
    def test_credentials_do_not_belong_there(self, written):
        """And are not told."""
        with pytest.raises(RejectedError, match="api_key") as raised:
            read_root("bytenite", written)
        assert "SECRET" not in str(raised.value)


def test_a_body_is_json(net, time):
    """With its type, so that a server takes it for one."""
    tokens(net, "T1")
    net.post(f"{ROOT}/customer/jobs", json=JOB)
    api(time).create("rc-name", "video-transcoding@v0.2", "j1", "{}")
    request = net.calls[-1].request
    sent = {"name": "rc-name", "templateId": "video-transcoding@v0.2", "jobId": "j1", "description": "{}"}
    assert sent == json.loads(request.body)
    assert "application/json" == request.headers["Content-Type"]


@pytest.mark.parametrize(
    ("step", "job_id"),
    [("a%2Fb%3Fc", "a/b?c"), ("..%2F..%2Fetc", "../../etc"), ("-", ".."), ("8c9f-1_x", "8c9f-1_x")],
)
def test_an_id_is_one_step_of_a_path(net, time, step, job_id):
    """Whatever somebody calls an id, only jobs are asked for."""
    tokens(net, "T1")
    net.get(f"{ROOT}/customer/jobs/{step}", json=JOB)
    assert api(time).get(job_id) is not None
    assert f"{ROOT}/customer/jobs/{step}" == net.calls[-1].request.url
