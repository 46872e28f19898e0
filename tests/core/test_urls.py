"""What a source URL is called: re-signing and re-spelling it is no change."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.signers import SIGNERS
from reconciler.core.urls import identity, url_error, without_query

BASE = "https://host.example/m/a.mp4"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (BASE, BASE),
        ("HTTPS://Host.Example/m/a.mp4", BASE),
        ("https://host.example:443/m/a.mp4", BASE),
        ("http://host.example:80/x", "http://host.example/x"),
        ("https://host.example:8443/x", "https://host.example:8443/x"),
        ("https://host.example", "https://host.example/"),
        ("https://host.example/a#t=10", "https://host.example/a"),
        ("https://host.example/%7Euser/%c3%a9", "https://host.example/~user/%C3%A9"),
        ("https://host.example/é", "https://host.example/%C3%A9"),
        ("https://host.example/a%2fb", "https://host.example/a%2Fb"),
        ("https://host.example/a?b=2&a=1", "https://host.example/a?a=1&b=2"),
        ("https://host.example/a?x=%41", "https://host.example/a?x=A"),
        ("https://host.example/a?", "https://host.example/a"),
        ("https://[::1]:8080/a", "https://[::1]:8080/a"),
        ("https://host.example/100%", "https://host.example/100%"),
    ],
)
def test_one_name(url, name):
    """Scheme, host, port, escapes, query order and fragment have one spelling."""
    assert name == identity(url)
    assert name == identity(name)


SIGNED = {
    "AWS SigV4": "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20260101&X-Amz-Date=20260101T000000Z"
    "&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=beef&x-id=GetObject"
    "&response-content-disposition=attachment",
    "AWS SigV2": "AWSAccessKeyId=A&Signature=s%3D&Expires=1700000000&x-amz-security-token=t",
    "CloudFront canned policy": "Expires=1700000000&Signature=s~&Key-Pair-Id=K",
    "CloudFront custom policy": "Policy=eyJ&Signature=s&Key-Pair-Id=K&Hash-Algorithm=SHA1",
    "Google Cloud Storage V4": "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=a&X-Goog-Date=20260101T000000Z"
    "&X-Goog-Expires=900&X-Goog-SignedHeaders=host&X-Goog-Signature=beef",
    "Google Cloud Storage V2": "GoogleAccessId=a&Expires=1700000000&Signature=s",
    "Azure SAS": "sv=2024-11-04&ss=b&srt=o&sp=r&se=2026-01-01T00%3A00%3A00Z&st=2025-01-01&spr=https&sig=s%3D",
    "Alibaba OSS V4 and V2": "x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-date=d&x-oss-expires=9&x-oss-credential=c"
    "&x-oss-signature=s",
    "Alibaba OSS V1": "OSSAccessKeyId=a&Expires=1700000000&Signature=s&security-token=t",
    "Tencent COS": "q-sign-algorithm=sha1&q-ak=a&q-sign-time=1;2&q-key-time=1;2&q-header-list=host&q-url-param-list="
    "&q-signature=s",
    "Google Cloud CDN": "URLPrefix=aHR0cA&Expires=1700000000&KeyName=k&Signature=s",
    "Huawei OBS": "AccessKeyId=a&Expires=1700000000&Signature=s&x-obs-security-token=t",
    "Bunny": f"token={'a' * 43}&expires=1700000000&token_path=%2Fm%2F",
}


def test_every_signer_is_tried():
    """The table and this test know the same signers."""
    assert sorted(signer.name for signer in SIGNERS) == sorted(SIGNED)


@pytest.mark.parametrize("signer", SIGNED)
def test_a_signature_is_no_part_of_the_name(signer):
    """A signed URL is called like the unsigned one; what chooses content stays."""
    assert BASE == identity(f"{BASE}?{SIGNED[signer]}")
    assert BASE == identity(f"{BASE}?{re.sub('([^&=]*)=', lambda name: name[0].swapcase(), SIGNED[signer])}")
    assert f"{BASE}?partNumber=2&versionId=7" == identity(f"{BASE}?versionId=7&{SIGNED[signer]}&partNumber=2")


@pytest.mark.parametrize("name", ["hdnts", "hdnea", "__token__", "token"])
def test_akamai_tokens(name):
    """Akamai's token is one parameter, known by what is in it."""
    assert BASE == identity(f"{BASE}?{name}=st=1~exp=2~acl=/*~hmac=beef")
    assert BASE == identity(f"{BASE}?{name}=exp%3D2%7Eacl%3D%2F*%7Ehmac%3Dbeef")
    assert BASE == identity(f"https://host.example/{name}=exp=2~acl=%2f*~hmac=beef/m/a.mp4")
    assert BASE == identity(f"https://host.example/m/{name}%3Dexp=2~acl=*~hmac=beef/a.mp4")


@pytest.mark.parametrize(
    "query",
    [
        f"__gda__=1700000000_{'0' * 32}",
        "Edge-Cache-Token=URLPrefix=aHR0~Expires=1700000000~KeyName=k~Signature=s",
        # {"alg":"HS256"} . {"exp":1700000000}
        "token=eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3MDAwMDAwMDB9.c2lnbmF0dXJl",
    ],
)
def test_signatures_that_are_one_parameter(query):
    """They are known by their value."""
    assert BASE == identity(f"{BASE}?{query}")


@pytest.mark.parametrize("step", ["a=b", "token=7", "exp=1~hmac=2", "hdnts=exp=1", "clip~hmac=1"])
def test_a_step_of_a_path_that_is_no_token_stays(step):
    """What merely looks like a token is a folder."""
    assert f"https://host.example/{step}/a.mp4" == identity(f"https://host.example/{step}/a.mp4")


@pytest.mark.parametrize("query", ["Expires=1", "sv=1", "X-Amz-Date=d", "page=3", "v=20240101"])
def test_a_lone_parameter_may_choose_content(query):
    """Without the rest of its group a parameter is kept."""
    assert f"{BASE}?{'&'.join(sorted(query.split('&')))}" == identity(f"{BASE}?{query}")


@pytest.mark.parametrize("name", ["token", "sig", "Signature", "access_token", "api-key", "password", "__auth__"])
def test_a_credential_of_nobody_knows_whom_is_never_told(name):
    """It may choose content, so two of them are two sources; what it is stands nowhere."""
    one, other = identity(f"{BASE}?{name}=hunter2&v=1"), identity(f"{BASE}?{name}=hunter3&v=1")

    assert one != other
    assert "hunter" not in one + other
    assert one.startswith(f"{BASE}?{name}=sha256-")
    assert one.endswith("&v=1")


def test_parameters_of_ones_own_are_ignored_by_name():
    """`ignore_query` drops exactly what it names, in any case."""
    assert f"{BASE}?v=2" == identity(f"{BASE}?v=2&MD5=x&expires=9", ["md5", "Expires"])


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://me:secret@host.example/a", "credentials never stand in specs"),
        ("https://me@host.example/a", "credentials never stand in specs"),
        ("https:///a", "names no host"),
        ("https://host.example:99999/a", "not a URL"),
        ("https://[::1/a", "not a URL"),
        ("https://host.example/a b", "spaces"),
        ("https://host.example/a\tb", "control characters"),
    ],
)
def test_what_is_no_source(url, words):
    """A URL that cannot be opened, or carries a password, is refused with what to do."""
    message, advice = url_error(url)
    assert words in message
    assert advice


_TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=0x17F, blacklist_characters="&#"), max_size=12)


@settings(deadline=None)
@given(st.lists(st.tuples(_TEXT, _TEXT), max_size=5), st.sampled_from(sorted(SIGNED)), st.randoms())
def test_order_and_signature_never_matter(pairs, signer, random):
    """However a query is ordered and signed, the name is that of the plain URL, and naming is idempotent."""
    parts = [f"{name}={value}" for name, value in pairs if not name.lower().startswith(("x-", "response-"))]
    known = {name.lower() for each in SIGNERS for name in (*each.strip, *each.markers)} | {"hdnts", "token"}
    parts = [part for part in parts if part.partition("=")[0].lower() not in known and "%" not in part]
    plain = identity(f"{BASE}?{'&'.join(parts)}")
    mixed = [*parts, *SIGNED[signer].split("&")]
    random.shuffle(mixed)
    assert plain == identity(f"{BASE}?{'&'.join(mixed)}")
    assert plain == identity(plain)


@pytest.mark.parametrize(
    ("expected", "link"),
    [
        ("https://h/a%20b.mp4", "https://me:secret@h/a%20b.mp4?X-Goog-Signature=5ec3e7#t=1"),
        (
            "http://h:8080/f/job/master.m3u8",
            "http://h:8080/f/hdnts%3Dexp%3D1795639518~hmac%3D5ec3e7/job/master.m3u8?a=b",
        ),
        ("https://h/hdnts=plain/a.mp4", "https://h/hdnts=plain/a.mp4"),
    ],
)
def test_a_recorded_link_opens_nothing(expected, link):
    """Neither the query of a link nor a signature that is a step of its path is recorded."""
    assert expected == without_query(link)
