"""The JSON of the API, in both dialects and with all that servers do to it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from builders_bodies import BODIES, body
from reconciler.bytenite.wire import (
    STATES,
    Job,
    Result,
    WireError,
    has_ended,
    is_draft,
    read_balance,
    read_estimation,
    read_job,
    read_page,
    read_results,
    read_token,
)

SECRET = "s3cr3t-s3cr3t"
JOBS = sorted(
    path.stem for path in BODIES.glob("*.json") if path.stem.startswith(("create_job.resp", "params.resp", "get_job"))
)


def job(**fields):
    """A job in the smallest body that there is."""
    return read_job({"job": {"id": "one", "state": "JOB_STATE_NEW", **fields}})


@pytest.mark.parametrize("name", JOBS)
def test_every_seen_job_is_read(name):
    """Bare or under `job`, it is the same."""
    seen = body(name)
    read = read_job(seen)
    assert read == read_job(seen["job"])
    assert seen["job"]["id"] == read.id
    assert seen["job"]["name"] == read.name
    assert seen["job"]["templateId"] == read.template_id
    assert seen["job"]["state"] == read.raw_state == f"JOB_STATE_{read.state}"
    assert (seen["job"]["params"], seen["job"]["dataSource"]) == (read.params, read.data_source)
    assert datetime.fromisoformat(seen["job"]["createdAt"]) == read.created_at


def test_a_job_that_runs():
    """What the notebook printed right after the start."""
    read = read_job(body("get_job.response.partitioning.2023-06"))
    assert "PARTITIONING" == read.state
    assert datetime(2023, 6, 22, 8, 0, 8, 563491, tzinfo=UTC) == read.started_at
    assert Decimal(28) == read.payment
    assert (False, False, False) == (read.deleted, is_draft(read), has_ended(read))
    assert {"dataSourceDescriptor": "bucket", "params": {}} == read.data_destination


def test_a_job_of_the_current_generation():
    """Other names, and numbers that are numbers; this one is deleted."""
    read = read_job(body("get_job.response.current.openapi_example"))
    assert ("text", "text", Decimal(1), True) == (read.description, read.error, read.payment, read.deleted)
    assert datetime(2025, 8, 26, 17, 51, 34, 707000, tzinfo=UTC) == read.ended_at


def test_both_spellings_are_one():
    """Gateways of gRPC write either."""
    camel = {"templateId": "t", "createdAt": "2026-01-02T03:04:05Z", "paymentAmount": 2, "errorMessage": "no"}
    snake = {"template_id": "t", "created_at": "2026-01-02T03:04:05Z", "payment_amount": "2", "error_message": "no"}
    assert job(**camel) == job(**snake)


@pytest.mark.parametrize(
    ("fields", "ended"),
    [
        ({"endedAt": "2026-01-01T00:00:00Z", "completedAt": "2026-01-02T00:00:00Z"}, datetime(2026, 1, 1, tzinfo=UTC)),
        (
            {"endedAt": None, "completedAt": "2026-01-02T00:00:00.5Z"},
            datetime(2026, 1, 2, microsecond=500_000, tzinfo=UTC),
        ),
        ({"endedAt": "2026-01-02T03:00:00.123456789+03:00"}, datetime(2026, 1, 2, 0, 0, 0, 123456, tzinfo=UTC)),
        ({"endedAt": "0001-01-01T00:00:00Z"}, None),
        ({"endedAt": "1970-01-01T00:00:00Z"}, None),
        ({"endedAt": "yesterday"}, None),
        ({"endedAt": 5}, None),
        ({}, None),
    ],
)
def test_the_end_of_a_job(fields, ended):
    """Of either generation; the zero times of Go and protobuf are none."""
    assert ended == job(**fields).ended_at


@pytest.mark.parametrize("state", STATES)
def test_the_eleven_states(state):
    """With the prefix of the wire and without, in any case."""
    assert {state} == {job(state=text).state for text in (f"JOB_STATE_{state}", state, state.lower())}


@pytest.mark.parametrize("raw", ["JOB_STATE_WARMING_UP", "RUNNING", "", None, 7])
def test_any_other_state_is_running(raw):
    """It is neither a draft, which might be started twice, nor the end; what came is kept."""
    read = job(state=raw)
    assert ("RUNNING", str(raw or "")) == (read.state, read.raw_state)
    assert (False, False) == (is_draft(read), has_ended(read))


def test_the_states_are_in_order():
    """From the draft to the ends."""
    assert ("NEW", "STARTED", "COMPLETE", "FAILED") == (STATES[0], STATES[1], STATES[-2], STATES[-1])
    assert 11 == len(STATES)


def test_a_draft_that_was_started_is_none():
    """A run may show in the time before it shows in the state."""
    assert is_draft(job())
    assert not is_draft(job(startedAt="2026-01-01T00:00:00Z"))
    assert not is_draft(job(deletedAt="2026-01-01T00:00:00Z"))


def test_a_deleted_job_has_ended():
    """Whatever its state was."""
    assert has_ended(job(deletedAt="2026-01-01T00:00:00Z"))
    assert not has_ended(job(deletedAt="0001-01-01T00:00:00Z"))


@pytest.mark.parametrize("given", [None, [], "job", {}, {"job": None}, {"job": {}}, {"job": {"id": ""}}, {"ok": True}])
def test_what_is_no_job_is_an_error(given):
    """Never an index error."""
    with pytest.raises(WireError):
        read_job(given)


@pytest.mark.parametrize("amount", ["", None, True, "many", "NaN", [1]])
def test_an_amount_that_is_none(amount):
    """No amount is not zero."""
    assert job(paymentAmount=amount).payment is None


def test_amounts_are_exact():
    """Money is never a float."""
    assert Decimal("19.05518337") == job(paymentAmount=19.05518337).payment
    assert Decimal("19.05518337") == job(paymentAmount="19.05518337").payment


def test_nothing_secret_stands_in_a_jobs_text():
    """Servers echo storage keys in the clear, and links are signed."""
    source = {"params": {"secretKey": SECRET}}
    read = job(dataSource=source, dataDestination=source, params=source)
    assert source == read.data_source
    page = read_page({"data": [{"id": "a", "params": source}]})
    assert SECRET not in repr([read, page, Result("a", SECRET), read_token({"token": SECRET})])


def test_the_seen_results():
    """One entry a file."""
    assert [Result("out_0/Example_job_480p.mp4", "..."), Result("out_1/Example_job_720p.mp4", "...")] == read_results(
        body("results.response.two_outputs")
    )
    (folder,) = read_results(body("reconstructed/results.response.hls_folder"))
    assert "out_0/360p @365kbps/" == folder.name


@pytest.mark.parametrize(
    "given", [None, {}, {"results": None}, {"results": []}, {"results": {}}, {"results": [None, {}, "a"]}]
)
def test_no_results(given):
    """However a server says so."""
    assert [] == read_results(given)


def test_a_link_may_be_called_url():
    """As some clients read it."""
    assert [Result("a", "https://x.example/a")] == read_results(
        {"results": [{"name": "a", "url": "https://x.example/a"}]}
    )


def test_a_page_of_jobs():
    """With what it says of the others."""
    page = read_page(body("jobs_list.response.current.openapi_example"))
    assert (["text"], True, 1) == ([one.id for one in page.jobs], page.has_next, page.total)


@pytest.mark.parametrize("given", [{}, {"data": None}, {"data": [], "pagination": None}, {"data": [{}, None, 3]}])
def test_an_empty_page(given):
    """Is the last one."""
    page = read_page(given)
    assert ((), False, None) == (page.jobs, page.has_next, page.total)


def test_a_page_that_counts_in_text():
    """int64 is text on this wire."""
    page = read_page({"data": [{"id": "a"}], "pagination": {"total": "250", "has_next": True}})
    assert (True, 250) == (page.has_next, page.total)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        ({"expiresIn": "3600"}, 3600),
        ({"expiresIn": 5}, 5),
        ({"expires_in": "2"}, 2),
        ({"expiresIn": "0"}, 3600),
        ({"expiresIn": "soon"}, 3600),
        ({"expiresIn": 1.5}, 3600),
        ({}, 3600),
    ],
)
def test_the_life_of_a_token(answer, seconds):
    """Text in the documentation; an hour where nothing is said."""
    assert seconds == read_token({"token": "t", **answer}).lifetime_seconds


def test_the_documented_token():
    """And an answer without one."""
    assert "<ACCESS_TOKEN>" == read_token(body("auth_access_token.response.openapi_example")).token
    with pytest.raises(WireError):
        read_token({"ok": True})


def test_balances_of_both_generations():
    """Text in one, numbers in the other."""
    old, new = read_balance(body("wallet_balance.response.2023")), read_balance(body("wallet_balance.response.2025"))
    assert (Decimal(18335), Decimal(18335)) == (old.total, old.available)
    assert (Decimal("10019.4719491"), Decimal("10019.4719491")) == (new.total, new.available)
    assert (None, None) == (read_balance(None).total, read_balance({"totalBalance": ""}).available)


def test_an_estimation():
    """Or none."""
    assert Decimal(124) == read_estimation(body("estimation.response.partial"))
    assert None is read_estimation({"estimation": None})
    assert None is read_estimation([])


def test_a_job_is_a_value():
    """Others build them, too."""
    assert Job("one", state="NEW", raw_state="JOB_STATE_NEW") == job()
