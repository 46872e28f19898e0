"""Errors of the API, in every shape that they have."""

from __future__ import annotations

import json

import pytest

from builders_bodies import BODIES, text
from reconciler.bytenite.wire import error_of

RESPONSES = sorted(
    path.stem
    for path in BODIES.glob("*.json")
    if (".response" in path.stem and "error" not in path.stem) or path.stem == "generic_response.ok.run"
)


@pytest.mark.parametrize("name", RESPONSES)
def test_a_seen_answer_is_no_error(name):
    """Not one of them."""
    assert None is error_of(200, text(name))


@pytest.mark.parametrize("body", ["", "  ", "{}", "[]", "null", '{"ok": null, "error": {"code": 0, "message": ""}}'])
def test_an_answer_that_says_little_is_no_error(body):
    """A 2xx counts, unless it says otherwise."""
    assert None is error_of(200, body)


def generic(**fields):
    """A GenericResponse that says no."""
    return json.dumps({"ok": False, "requestId": "x", **fields})


def error(code=0, message="", description=""):
    """What stands under `error` in it."""
    return {"code": code, "message": message, "description": description}


# status, body -> what it amounts to, the words
SHAPES = {
    "the documented no in a 200": (
        200,
        text("generic_response.error.openapi_example"),
        404,
        "The requested resource was not found",
    ),
    "a no without an error": (200, generic(message="job already started"), 400, "job already started"),
    "a no without a word": (200, generic(), 400, "Bad Request"),
    "a message in the error": (
        200,
        generic(message="Request failed", error=error(5, "no such job")),
        404,
        "no such job",
    ),
    "an error without a no": (200, '{"ok": true, "error": {"code": 503, "message": "later"}}', 503, "later"),
    "a text as error": (200, '{"error": "it broke"}', 400, "it broke"),
    "a status of gRPC in a 200": (200, '{"code": 14, "message": "try later", "details": []}', 503, "try later"),
    "unauthenticated": (401, text("reconstructed/error.401.rpc_status"), 401, "unauthenticated"),
    "not found": (404, text("reconstructed/error.404.rpc_status"), 404, "job not found"),
    "invalid": (400, text("reconstructed/error.400.rpc_status"), 400, "invalid argument"),
    "a detail": (422, '{"detail": "name is too short"}', 422, "name is too short"),
    "JSON text": (500, '"it broke"', 500, "it broke"),
    "plain text": (502, "upstream connect error", 502, "upstream connect error"),
    "HTML": (
        502,
        "<html><head><title>502</title><style>b{}</style></head><h1>502 Bad&nbsp;Gateway</h1><hr>nginx</html>",
        502,
        "502 Bad Gateway nginx",
    ),
    "a title alone": (503, "<html><title>Try later</title><body></body></html>", 503, "Try later"),
    "XML of a store": (
        403,
        "<Error><Code>ExpiredToken</Code><Message>Too old</Message></Error>",
        403,
        "ExpiredToken Too old",
    ),
    "nothing": (503, "", 503, "Service Unavailable"),
    "nothing, and no known status": (599, "{}", 599, "status 599"),
    "broken JSON": (500, '{"message": "secret', 500, "an answer that breaks off"),
    "broken JSON in a 200": (200, '{"job": {"id": "a', 502, "an answer that breaks off"),
    "a page in a 200": (200, "<html><body>Welcome</body></html>", 502, "Welcome"),
    "a redirect": (301, "", 301, "Moved Permanently"),
    "JSON without an end": (500, "[" * 5_000, 500, "an answer that breaks off"),
}


@pytest.mark.parametrize("case", SHAPES)
def test_every_shape_has_words(case):
    """The most exact that there are, and the status that it amounts to."""
    status, body, amounts_to, words = SHAPES[case]
    found = error_of(status, body)
    assert (amounts_to, words) == (found.status, found.message)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_temporary(status):
    """Trying again may help."""
    assert error_of(status, "").temporary


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 405, 409, 422, 501])
def test_what_will_not_pass_is_not(status):
    """Trying again would say the same."""
    assert not error_of(status, "").temporary


def test_broken_answers_are_temporary():
    """The next one may be whole."""
    assert error_of(200, '{"job": ').temporary
    assert error_of(200, "<html></html>").temporary


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, text("reconstructed/results.not_ready.rpc_status")),
        (400, '{"message": "the job has not yet been completed"}'),
        (200, generic(message="Job not completed")),
        (404, '{"message": "results are not ready"}'),
    ],
)
def test_results_that_are_not_there_yet(status, body):
    """Whatever number it has, it will pass."""
    found = error_of(status, body)
    assert (True, True, False) == (found.not_ready, found.temporary, found.balance)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, '{"message": "insufficient funds"}'),
        (200, generic(error=error(9, "failed", "account balance too low"))),
        (403, '{"message": "not enough ByteChips"}'),
        (402, ""),
        (500, '{"message": "balance check failed"}'),
    ],
)
def test_an_empty_wallet(status, body):
    """Has a class of its own, and no patience."""
    found = error_of(status, body)
    assert (True, False, False) == (found.balance, found.temporary, found.not_ready)


@pytest.mark.parametrize("message", ["load balancer is down", "job not found", "rebalanced"])
def test_other_words_are_no_empty_wallet(message):
    """A word in a word is not meant."""
    assert not error_of(503, json.dumps({"message": message})).balance


@pytest.mark.parametrize(
    "message",
    [
        "cannot open https://me:hunter2@x.example/a.mp4?X-Goog-Signature=hunter2",
        "GET /a.mp4?X-Amz-Signature=hunter2 failed",
        "X-Goog-Signature=hunter2 is wrong",
        'bad source {"accessKey":"hunter2","secretKey":"hunter2"}',
        "bad source: secret_key: hunter2",
        "apiKey = hunter2 was revoked",
        "password=hunter2",
        "Authorization: Bearer hunter2",
        "token eyJhbGciOiJIUzI1.hunter2.hunter2 is old",
        "invalid token hunter2hunter2hunter2",
        "key AKIAHUNTER2HUNTER2 is unknown".replace("HUNTER2", "HUNTERHUNTER2HUNTER"),
    ],
)
def test_nothing_secret_is_told(message):
    """However a server puts it into its words."""
    told = error_of(400, json.dumps({"message": message})).message
    assert "hunter" not in told.lower()
    assert "..." in told


@pytest.mark.parametrize(
    "message", ["invalid token: expired", "the api key was revoked", "unknown secret_id my_aws_secret"]
)
def test_plain_words_are_told(message):
    """Hiding everything would help nobody."""
    assert message == error_of(400, json.dumps({"message": message})).message


def test_words_are_short_and_on_one_line():
    """A terminal shows them as they are."""
    told = error_of(400, json.dumps({"message": "a\x1b[31m\n\tb " + "x" * 1000})).message
    assert told.startswith("a [31m b xxx")
    assert 300 == len(told)
