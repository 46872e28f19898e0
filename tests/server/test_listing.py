"""Pages of jobs, filters, and the account."""

from __future__ import annotations

from decimal import Decimal

import pytest

from builders_http import Page, serving
from builders_server import TEMPLATE, document, serving_api

URL = "https://example.com/master.mp4"
MANY = 250


@pytest.fixture(scope="module")
def api(tmp_path_factory, clips):
    """A server with 250 drafts."""
    with serving_api(tmp_path_factory.mktemp("many"), instant=clips.plain()) as running:
        client = running.client()
        for number in range(MANY):
            client.ask("POST", "/jobs", {"name": f"job number {number:03}", "templateId": TEMPLATE})
        yield running


@pytest.fixture(scope="module")
def client(api):
    """A client of it."""
    return api.client()


def filtered(client, *filters, **fields):
    """The names that a filter gives."""
    given = [{"field": field, "condition": condition, "value": value} for field, condition, value in filters]
    return [job["name"] for job in client.ask("POST", "/jobs/filter", {"filters": given, **fields})["data"]]


@pytest.mark.parametrize("names", [("pagination.limit", "pagination.offset"), ("limit", "offset")])
def test_all_jobs_come_page_by_page(client, names):
    """250 jobs at 20 a page: thirteen pages, each job once, the newest first; the last one says that it is the last."""
    seen, pages = [], 0
    while True:
        answer = client.ask("GET", f"/jobs?{names[0]}=20&{names[1]}={len(seen)}")
        pages += 1
        assert (MANY, len(seen), bool(seen)) == tuple(
            answer["pagination"][key] for key in ("total", "offset", "hasPrevious")
        )
        seen += [job["name"] for job in answer["data"]]
        if not answer["pagination"]["hasNext"]:
            break
    assert 13 == pages
    assert [f"job number {number:03}" for number in reversed(range(MANY))] == seen


def test_a_page_is_bounded(client):
    """Twenty unless asked, a hundred at most; beyond the end it is empty and has no next."""
    assert 20 == len(client.ask("GET", "/jobs")["data"])
    assert 100 == len(client.ask("GET", "/jobs?pagination.limit=5000")["data"])
    beyond = client.ask("GET", "/jobs?pagination.offset=1000")
    assert ([], False) == (beyond["data"], beyond["pagination"]["hasNext"])
    assert 3 == client.ask("GET", "/jobs?limit=abc", status=400)["code"]
    assert 3 == client.ask("GET", "/jobs?offset=-1", status=400)["code"]


@pytest.mark.parametrize(
    ("order", "first"), [("createdAt", 0), ("-createdAt", 249), ("name desc", 249), ("name asc", 0), ("created_at", 0)]
)
def test_an_order_can_be_asked_for(client, order, first):
    """By a field, forwards and backwards."""
    assert f"job number {first:03}" == client.ask("GET", f"/jobs?limit=1&orderBy={order}")["data"][0]["name"]


@pytest.mark.parametrize("order", ["password", "name; DROP TABLE jobs", "name up", "body"])
def test_an_order_by_something_else_is_refused(client, order):
    """Only fields of a job, never anything of the database's."""
    assert "orderBy" in client.ask("GET", f"/jobs?orderBy={order}", status=400)["message"]


def test_filters_choose_jobs(client):
    """All the conditions, their long names, values bare and packed as protobuf does it."""
    text = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "job number 007"}
    assert ["job number 007"] == filtered(client, ("name", "FILTER_CONDITION_EQ", text))
    assert ["job number 007"] == filtered(client, ("name", "EQ", "job number 007"))
    assert 100 == len(filtered(client, ("name", "NEQ", "job number 007"), pagination={"limit": 100}))
    assert 10 == len(filtered(client, ("name", "LIKE", "job number 00%")))
    assert ["job number 249"] == filtered(client, ("name", "GT", "job number 248"))
    assert ["job number 001", "job number 000"] == filtered(client, ("name", "LTE", "job number 001"))
    pair = ["job number 003", "job number 004"]
    listed = {"@type": "x", "values": [{"stringValue": name} for name in pair]}
    assert list(reversed(pair)) == filtered(client, ("name", "IN", pair))
    assert pair == filtered(client, ("name", "FILTER_CONDITION_IN", listed), orderBy="name")
    assert ["job number 249"] == filtered(client, ("name", "NOT_IN", pair), pagination={"limit": "1"})
    assert 20 == len(filtered(client, ("state", "EQ", "JOB_STATE_NEW")))
    assert [] == filtered(client, ("state", "EQ", "JOB_STATE_COMPLETE"))
    assert [] == filtered(client, ("createdAt", "LT", "2020-01-01T00:00:00Z"))
    assert ["job number 005"] == filtered(
        client, ("name", "LIKE", "job number 00%"), ("name", "LIKE", "%5"), ("createdAt", "GTE", "2020-01-01T00:00:00Z")
    )


@pytest.mark.parametrize(
    "wrong",
    [
        ("password", "EQ", "x"),
        ("name", "REGEX", "x"),
        ("name", "IN", "x"),
        ("name", "EQ", {"@type": "@type"}),
        ("createdAt", "GT", "yesterday"),
        ("name", "ARRAY_CONTAINS", "x"),
        ("paymentAmount", "GT", "much"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(client, wrong):
    """400 with the place of it."""
    given = {"filters": [dict(zip(("field", "condition", "value"), wrong, strict=True))]}
    refused = client.ask("POST", "/jobs/filter", given, status=400)
    assert "filters[0]" in refused["message"]


def test_templates_and_presets_are_told(client):
    """There is one template, and the preset of the guide's documents."""
    assert [TEMPLATE] == [each["id"] for each in client.ask("GET", "/jobs/templates")["data"]]
    assert ["unpackaged"] == [
        each["id"] for each in client.ask("GET", f"/jobs/templates/{TEMPLATE}/presets")["presets"]
    ]
    client.ask("GET", "/jobs/templates/thumbnails/presets", status=404)


def test_a_source_can_be_tested(clips, client):
    """Its name and its size, by one byte; one that is not there is refused."""
    with serving({"/dir/master.mp4": Page(clips.plain())}) as site:
        given = {"dataSource": {"dataSourceDescriptor": "url", "params": {"url": site.url("/dir/master.mp4", "a=b")}}}
        told = client.ask("POST", "/datasource/test", given)
        assert ("master.mp4", str(clips.plain().stat().st_size)) == (told["filename"], told["size"])
        assert told == client.ask("POST", "/jobs/datasource/info", given)
        given["dataSource"]["params"]["url"] = site.url("/gone.mp4")
        assert "404" in client.ask("POST", "/datasource/test", given, status=400)["message"]


def test_a_free_server_has_an_account_that_never_matters(client, body):
    """Without a rate all is 0, and nothing is refused for want of money."""
    balance = client.ask("GET", "/wallet/balance")
    assert set(body("wallet_balance.response.2025")) == set(balance)
    assert (0.0, 0.0) == (balance["totalBalance"], balance["availableBalance"])


def test_a_job_is_estimated_paid_and_listed(tmp_path, clips, body):
    """Two outputs of 60 s at 5 ByteChips a minute are 10: as an estimate, as a payment, and off the balance."""
    clip = clips.plain("minute.mp4", seconds=60, rate=1, size="64x48")
    with (
        serving({"/minute.mp4": Page(clip)}) as site,
        serving_api(tmp_path, instant=clip, rate=Decimal(5), balance=Decimal("25.5"), dialect="current") as api,
    ):
        client = api.client()
        job_id = client.draft(site.url("/minute.mp4"), document(60, 80))
        assert 10 == pytest.approx(
            float(client.ask("GET", f"/jobs/estimation/{job_id}")["estimation"]["totalEstimation"]), abs=0.1
        )
        client.run(job_id)
        job, _ = client.ended(job_id)
        assert 10 == pytest.approx(job["paymentAmount"], abs=0.1)
        balance = client.ask("GET", "/wallet/balance")
        assert 25.5 - job["paymentAmount"] == pytest.approx(balance["totalBalance"])
        told = client.ask("GET", "/wallet/transactions")
        assert [(job_id, job["paymentAmount"], balance["totalBalance"])] == [
            (each["relatedEntityData"]["jobId"], each["amount"], each["balance"]) for each in told["data"]
        ]
        example = body("wallet_transactions.response.openapi_example")["data"][0]
        assert set(example) == set(told["data"][0])
        assert told == client.ask("POST", "/wallet/transactions/filter", {"pagination": {"limit": 20}})
        assert job_id in client.ask("GET", "/wallet/transactions/csv")["csv"]
        old = client.session.get(f"{api.api_url}/customer/wallet/balance", timeout=10).json()
        assert balance["totalBalance"] == float(old["totalBalance"])


def test_a_package_is_paid_like_a_file(tmp_path, clips):
    """By its length, though it is a folder."""
    asked = document(60)
    asked["data"]["outputs"][0]["output_type"] = "hls"
    with (
        serving({"/one.mp4": Page(clips.plain("one.mp4", seconds=3))}) as site,
        serving_api(tmp_path, rate=Decimal(60), balance=Decimal(100), dialect="current") as api,
    ):
        client = api.client()
        job_id = client.draft(site.url("/one.mp4"), asked)
        client.run(job_id)
        job, _ = client.ended(job_id)
    assert ("", 3) == (job["errorMessage"], pytest.approx(job["paymentAmount"], abs=0.3))


def test_an_empty_account_starts_nothing(tmp_path, clips):
    """Neither without money, nor where the estimate is more than is left; what is estimated is set aside."""
    clip = clips.plain("minute.mp4", seconds=60, rate=1, size="64x48")
    options = {"instant": clip, "instant_seconds": 3600, "rate": Decimal(10)}
    with serving({"/minute.mp4": Page(clip)}) as site:
        with serving_api(tmp_path / "empty", **options) as api:
            client = api.client()
            job_id = client.draft(site.url("/minute.mp4"), document(60))
            assert "insufficient balance" in client.run(job_id, status=400)["message"]
            assert 0 == api.starts(job_id)
        with serving_api(tmp_path / "small", balance=Decimal(15), **options) as api:
            client = api.client()
            first, second = (client.draft(site.url("/minute.mp4"), document(60)) for _ in range(2))
            for job_id in (first, second):
                client.ask("GET", f"/jobs/estimation/{job_id}")
            client.run(first)
            assert "insufficient balance" in client.run(second, status=400)["message"]
            balance = client.ask("GET", "/wallet/balance")
            assert 10 == pytest.approx(balance["totalBalance"] - balance["availableBalance"], abs=0.1)


def test_the_exchange_rate_goes_both_ways(client):
    """ByteChips to dollars and back."""
    rate = client.ask("GET", "/wallet/exchange_rate?currency=USD&amount=200")
    assert rate["exchangeRate"] * 200 == pytest.approx(rate["currencyAmount"])
    back = client.ask("GET", f"/wallet/exchange_rate?currency=USD&currencyAmount={rate['currencyAmount']}")
    assert 200 == pytest.approx(back["amount"])
    client.ask("GET", "/wallet/exchange_rate?currency=USD&amount=x", status=400)
