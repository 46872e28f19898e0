"""Credentials and query strings do not get into any text."""

from __future__ import annotations

import logging
import time

import pytest

from reconciler.io.redact import RedactingFilter, redact, shown

SECRET = "SECRET"


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("get https://cdn.example.com/a.mp4?... now", "get https://cdn.example.com/a.mp4?X-Amz-Signature=SECRET now"),
        ("https://h/a?...", "https://h/a?one=1&sig=SECRET#part"),
        ("https://h/a?...", "https://h/a#SECRET"),
        ("https://h/a?...", "https://h/a?sig='SECRET'"),
        ('"https://h/a?..." and "https://g/b"', '"https://h/a?sig=SECRET" and "https://g/b"'),
        ("https://h/a", "https://user:SECRET@h/a"),
        ("https://h/a", "https://SECRET@h/a"),
        ("https://h:8080/a", "https://user:SECRET@h:8080/a"),
        ("https://h/a", "https://user:SEC@RET@h/a"),
        ("https://h/a", "https://user:SEC/RET@h/a"),
        ("s3://bucket/key", "s3://id:SECRET@bucket/key"),
        ("http://h:8080/@user/clip.mp4", "http://h:8080/@user/clip.mp4"),
        ("GET /a.mp4?... HTTP/1.1", "GET /a.mp4?X-Amz-Signature=SECRET HTTP/1.1"),
        ("with url: /a?... (Caused by x)", "with url: /a?sig=SECRET (Caused by x)"),
        ("https://h/r/.../a.m3u8?...", "https://h/r/hdnts=exp=1~hmac=SECRET/a.m3u8?sig=SECRET"),
        ("GET /r/.../a.m3u8 206", "GET /r/hdnts%3Dexp%3D1~hmac%3DSECRET/a.m3u8 206"),
        ("https://h/.../m.m3u8", "https://h/eyJhbGciOiJI.eyJzdWIiOiJ4.SECRETSECRET/m.m3u8"),
        ("https://h/eyJ.no.token/a.mp4", "https://h/eyJ.no.token/a.mp4"),
        ("https://h/title=x/hmac/a.mp4", "https://h/title=x/hmac/a.mp4"),
        ("what is a=b? nothing", "what is a=b? nothing"),
        ("mail@example.com", "mail@example.com"),
    ],
)
def test_texts_lose_what_is_secret(expected, text):
    """Queries, fragments and user information go; hosts, paths and the words around them stay."""
    assert expected == redact(text)


@pytest.mark.parametrize(
    ("expected", "url"),
    [
        ("https://cdn.example.com/a.mp4", "https://cdn.example.com/a.mp4?sig=SECRET#SECRET"),
        ("https://cdn.example.com:8443/a.mp4", "https://user:SECRET@CDN.example.com:8443/a.mp4"),
        ("http://[::1]:8080/a", "http://[::1]:8080/a?b"),
        ("http://h:99999/a?...", "http://h:99999/a?sig=SECRET"),
        ("http://[::1/a?...", "http://[::1/a?sig=SECRET"),
        ("masters/keynote", "masters/keynote"),
    ],
)
def test_a_url_is_shown_without_its_secrets(expected, url):
    """Scheme, host, port and path; also of what is hardly a URL, and of a source that only has a name."""
    assert expected == shown(url)


def filtered(message, *arguments, exc_info=None):
    """What a log handler would write."""
    record = logging.LogRecord("urllib3", logging.DEBUG, __file__, 1, message, arguments, exc_info)
    assert RedactingFilter().filter(record)
    return logging.Formatter("%(message)s").format(record)


def test_log_records_are_redacted_with_their_arguments():
    """What a library puts into a message's arguments is cut as well."""
    line = '%s://%s:%s "%s %s %s" %s'
    expected = 'https://h:443 "GET /a.mp4?... HTTP/1.1" 206'
    assert expected == filtered(line, "https", "h", 443, "GET", f"/a.mp4?sig={SECRET}", "HTTP/1.1", 206)
    assert "100 % of https://h/a?..." == filtered(f"100 % of https://h/a?sig={SECRET}")


def test_tracebacks_in_the_log_are_redacted():
    """An exception's text often holds the URL that failed."""
    error = OSError(f"no answer from https://h/a?sig={SECRET}")
    text = filtered("it failed", exc_info=(type(error), error, None))

    assert "no answer from https://h/a?..." in text
    assert SECRET not in text


def test_a_broken_log_call_is_written_and_ends_nothing():
    """Arguments that do not fit their message are a mistake of whoever logs, and no reason to stop."""
    assert "%d of https://h/a?..." == filtered(f"%d of https://h/a?sig={SECRET}", "many")


@pytest.mark.parametrize("unit", ["a", "a://", "://", "?", "a:"])
def test_endless_text_is_redacted_at_once(unit):
    """The time grows with the length of a text, not with its square."""
    start = time.monotonic()
    redact(unit * (1_000_000 // len(unit)))

    assert time.monotonic() - start < 1
