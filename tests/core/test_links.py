"""When a signed link dies is read from the link; what a link leads to is called the same however it is signed."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core import links, signers
from reconciler.core.links import link_expires_at, link_problem
from reconciler.core.urls import identity, without_query

BASE = "https://host.example/m/a.mp4"
GOT = "2026-01-01T00:00:00Z"
ENDS = "2026-01-01T04:00:00Z"
EPOCH = 1767240000  # ENDS
V4 = "Date=20260101T000000Z&{0}Expires=14400&{0}Signature=beef"


def b64(value):
    """JSON in the base64 of the web, without padding."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def policy(*ends):
    """A custom policy of CloudFront, in its own base64."""
    statement = [{"Resource": BASE, "Condition": {"DateLessThan": {"AWS:EpochTime": end}}} for end in ends]
    text = base64.b64encode(json.dumps({"Statement": statement}).encode()).decode()
    return text.replace("+", "-").replace("=", "_").replace("/", "~")


DYING = [
    f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-{V4.format('X-Amz-')}",
    f"AWSAccessKeyId=A&Signature=s%3D&Expires={EPOCH}",
    f"Expires={EPOCH}&Signature=s~&Key-Pair-Id=K",
    f"Policy={policy(EPOCH)}&Signature=s&Key-Pair-Id=K",
    f"Policy={policy(EPOCH + 60, EPOCH)}&Signature=s&Key-Pair-Id=K&Hash-Algorithm=SHA256",
    f"X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-{V4.format('X-Goog-')}",
    f"GoogleAccessId=a&Expires={EPOCH}&Signature=s",
    f"URLPrefix=aHR0cA&Expires={EPOCH}&KeyName=k&Signature=s",
    "sv=2024-11-04&sr=b&sp=r&se=2026-01-01T04%3A00%3A00Z&sig=s%3D",
    "sv=2024-11-04&sr=b&sp=r&se=2026-01-01T04:00Z&sig=s%3D",
    "sv=2024-11-04&sr=b&sp=r&se=2026-01-01T04:00:00.0000000Z&sig=s%3D",
    "sv=2024-11-04&sr=b&se=2026-01-05&ske=2026-01-01T04%3A00%3A00Z&sig=s%3D",
    f"x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-{V4.format('x-oss-')}",
    f"x-oss-signature-version=OSS2&x-oss-access-key-id=a&x-oss-expires={EPOCH}&x-oss-signature=s",
    f"OSSAccessKeyId=a&Expires={EPOCH}&Signature=s",
    f"q-sign-algorithm=sha1&q-ak=a&q-sign-time=1;{EPOCH}&q-key-time=1;{EPOCH + 60}&q-signature=s",
    f"q-sign-algorithm=sha1&q-ak=a&q-sign-time=1%3B{EPOCH + 60}&q-key-time=1%3B{EPOCH}&q-signature=s",
    f"AccessKeyId=a&Expires={EPOCH}&Signature=s",
    f"token={'a' * 43}&expires={EPOCH}",
    f"hdnts=st={EPOCH - 60}~exp={EPOCH}~acl=/*~hmac=beef",
    f"__token__=exp%3D{EPOCH}%7Eacl%3D%2F*%7Ehmac%3Dbeef",
    f"__gda__={EPOCH}_{'0' * 32}",
    f"Edge-Cache-Token=URLPrefix=aHR0~Expires={EPOCH}~KeyName=k~Signature=s",
    f"token={b64({'alg': 'HS256'})}.{b64({'exp': EPOCH})}.c2lnbmF0dXJl",
]


@pytest.mark.parametrize("query", DYING)
def test_every_signature_tells_when_it_dies(query):
    """Each in its own way: a moment, a lifetime after a date, a policy, a field of a token."""
    assert ENDS == link_expires_at(f"{BASE}?{query}", GOT)
    assert BASE == identity(f"{BASE}?{query}")


def test_every_signer_has_a_reader():
    """No signature that is known is without an end."""
    assert {signer.name for signer in signers.SIGNERS} == set(links._READERS)


def test_a_token_may_stand_in_the_path():
    """Akamai and Media CDN put theirs there."""
    assert ENDS == link_expires_at(f"https://host.example/hdnts=exp={EPOCH}~acl=*~hmac=1/m/a.mp4", GOT)
    token = f"edge-cache-token=Expires={EPOCH}&KeyName=k&Signature=s"
    assert ENDS == link_expires_at(f"https://host.example/{token}/m/a.mp4", GOT)
    assert BASE == identity(f"https://host.example/{token}/m/a.mp4")


def web_token(**payload):
    """A JSON Web Token as video hosts sign with it."""
    head, said = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "RS256", "kid": "1"}, payload)
    )
    return f"{head}.{said}.{'s' * 40}"


def test_a_web_token_may_stand_in_the_path_for_the_clip():
    """Signed anew it is the same clip; two clips are two; the token itself is told nowhere."""
    host = "https://customer.example-stream.com"
    first, again, other, nameless, forever = (
        f"{host}/{web_token(**said)}/manifest/video.m3u8"
        for said in (
            {"sub": "clip1", "exp": 1_795_651_200},
            {"sub": "clip1", "exp": 1_795_699_999},
            {"sub": "clip2", "exp": 1_795_651_200},
            {"exp": 1_795_651_200},
            {"sub": "clip1"},
        )
    )
    assert "2026-11-26T00:00:00Z" == link_expires_at(first, "2026-11-25T00:00:00Z")
    assert f"{host}/clip1/manifest/video.m3u8" == identity(first) == identity(again) == identity(forever)
    assert f"{host}/clip2/manifest/video.m3u8" == identity(other) == without_query(other)
    assert f"{host}/sha256-" in identity(nameless)
    assert not any("eyJ" in told(url) for told in (identity, without_query) for url in (first, nameless, forever))
    plain = f"{host}/eyJ.no.token/eyJustaname.mp4"
    assert (plain, None) == (identity(plain), link_expires_at(plain, "2026-11-25T00:00:00Z"))


def test_a_lifetime_without_a_date_counts_from_when_the_link_was_got():
    """The least that is known."""
    assert ENDS == link_expires_at(f"{BASE}?X-Amz-Expires=14400&X-Amz-Signature=s", GOT)


def test_the_first_of_several_signatures_counts():
    """A link behind two doors dies with the first that closes."""
    query = f"X-Amz-Date=20260101T000000Z&X-Amz-Expires=99999&X-Amz-Signature=s&__gda__={EPOCH}_{'0' * 32}"
    assert ENDS == link_expires_at(f"{BASE}?{query}", GOT)


def test_no_lifetime_is_longer_than_its_signer_allows():
    """A week, whatever the link claims."""
    query = "X-Goog-Date=20260101T000000Z&X-Goog-Expires=99999999&X-Goog-Signature=s"
    assert "2026-01-08T00:00:00Z" == link_expires_at(f"{BASE}?{query}", GOT)


@pytest.mark.parametrize(
    "query",
    [
        "",
        f"Expires={EPOCH}",
        f"Expires={EPOCH}&Signature=s",
        f"token=7&expires={EPOCH}",
        f"exp={EPOCH}&hmac=1",
        "se=2026-01-01T00%3A00%3A00Z&sv=2024",
        "sv=2024-11-04&si=stored-policy&sr=b&sig=s",
        f"token=exp={EPOCH}",
        f"hdnts=x~expire={EPOCH}~hmac=1",
        f"q-sign-time=1;{EPOCH}",
        "token=one.two.three",
        f"token={b64({'alg': 'HS256'})}.{b64({'sub': 'a clip'})}.c2lnbmF0dXJl",
        "AWSAccessKeyId=A&Signature=s&Expires=soon",
        f"AWSAccessKeyId=A&Signature=s&Expires={'9' * 40}",
        "X-Amz-Date=20261301T000000Z&X-Amz-Expires=900&X-Amz-Signature=s",
        "X-Amz-Date=20260101T000000Z&X-Amz-Expires=-9&X-Amz-Signature=s",
        "X-Amz-Date=99991231T235959Z&X-Amz-Expires=900&X-Amz-Signature=s",
        "Policy=%25%25&Signature=s&Key-Pair-Id=K",
        f"Policy={'W1tb' * 3000}&Signature=s&Key-Pair-Id=K",
        "sv=2024-11-04&se=2026-99-99&sig=s",
    ],
)
def test_what_says_nothing(query):
    """A link without a signature that is known, or with a broken one, has no end that anybody knows."""
    assert link_expires_at(f"{BASE}?{query}", GOT) is None


@pytest.mark.parametrize(
    ("now", "needed", "words"),
    [
        ("2026-01-01T00:00:00Z", 0, None),
        ("2026-01-01T03:50:00Z", 0, None),
        ("2026-01-01T03:50:01Z", 0, "its link dies in 9 min, at 2026-01-01T04:00:00Z"),
        ("2026-01-01T03:59:30Z", 0, "its link dies in 30 s, at"),
        ("2026-01-01T00:00:00Z", 7201, "its link dies in 4 h 0 min, at"),
        ("2026-01-01T04:00:00Z", 0, "its link died at 2026-01-01T04:00:00Z; sign it anew"),
    ],
)
def test_a_link_that_dies_before_it_could_be_fetched(now, needed, words):
    """Is told with the time that is left: ten minutes, or twice what a fetch takes, are the least."""
    said = link_problem(f"{BASE}?GoogleAccessId=a&Expires={EPOCH}&Signature=s", now, needed)
    assert (said is None) if words is None else said.startswith(words)
    assert link_problem(BASE, now, needed) is None


def test_what_is_no_url_has_no_end():
    """Nor does it raise."""
    assert link_expires_at("https://[::1/a?Expires=1", GOT) is None


_SECRET = st.text("ABCdef019-_", min_size=1, max_size=20)
_WHEN = st.integers(1_500_000_000, 4_000_000_000)


@st.composite
def signed(draw):
    """A signature of a random signer: its parameters, and when it dies."""
    end, life, secret = draw(_WHEN), draw(st.integers(1, 604_800)), draw(_SECRET)
    date = (datetime.fromtimestamp(end, UTC) - timedelta(seconds=life)).strftime("%Y%m%dT%H%M%SZ")
    moment = datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = draw(
        st.sampled_from(
            [
                *(
                    {
                        f"{v4}-Date": date,
                        f"{v4}-Expires": str(life),
                        f"{v4}-Signature": secret,
                        f"{v4}-Credential": f"{secret}/20260101/auto",
                    }
                    for v4 in ("X-Amz", "X-Goog")
                ),
                {
                    "x-oss-signature-version": "OSS4-HMAC-SHA256",
                    "x-oss-date": date,
                    "x-oss-expires": str(life),
                    "x-oss-signature": secret,
                },
                *(
                    {who: secret, "Signature": secret, "Expires": str(end)}
                    for who in ("AWSAccessKeyId", "GoogleAccessId", "OSSAccessKeyId", "Key-Pair-Id", "KeyName")
                ),
                {"Key-Pair-Id": secret, "Signature": secret, "Policy": policy(end)},
                {"sv": "2024-11-04", "sig": secret, "se": moment, "sp": "r", "sr": "b"},
                {"q-signature": secret, "q-sign-time": f"1;{end}", "q-key-time": f"1;{end}", "q-ak": secret},
                {"hdnts": f"st=1~exp={end}~acl=/*~hmac={secret}"},
            ]
        )
    )
    return found, moment


def query(draw, said):
    """Parameters in any order, with any case of their names and any spelling of their values."""
    parts = []
    for name, value in said:
        spelled = "".join(draw(st.sampled_from([letter.lower(), letter.upper()])) for letter in name)
        parts.append(f"{spelled}={quote(value, safe=draw(st.sampled_from(['', ':/;~*=', '~'])))}")
    return "&".join(draw(st.permutations(parts)))


_OTHERS = st.lists(
    st.sampled_from(
        [
            *(("versionId", "7"), ("partNumber", "2"), ("generation", "9"), ("snapshot", "s"), ("v", "20260101")),
            *(("x-oss-process", "video/snapshot"), ("ci-process", "cover"), ("expiry", "5"), ("page", "3")),
            *(("quality", "hd"), ("start", "1700000000"), ("x-id-of-mine", "1"), ("response-type", "a")),
        ]
    ),
    unique=True,
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_however_it_is_signed_it_is_the_same_and_dies_when_it_says(data):
    """Any signer, moment, order, case and spelling: one name, the right end; what chooses content stays."""
    (signature, ends), others = data.draw(signed()), data.draw(_OTHERS)
    plain = "&".join(f"{name}={quote(value, safe='/')}" for name, value in others)
    url = f"{BASE}?{query(data.draw, [*signature.items()])}" + (f"&{plain}" if plain else "")

    assert identity(f"{BASE}?{plain}") == identity(url)
    assert ends == link_expires_at(url, GOT)


MARKERS = ("x-amz-signature", "x-goog-signature", "x-oss-signature", "signature", "sig", "q-signature", "hdnts")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_only_looks_like_a_signature_is_kept(data):
    """Take the signature itself out of any signed URL: what is left may choose content, and ends never."""
    (signature, _), others = data.draw(signed()), data.draw(_OTHERS)
    left = [(name, value) for name, value in signature.items() if name.lower() not in MARKERS]
    text = query(data.draw, [*left, *others])
    kept = identity(f"{BASE}?{text}").partition("?")[2].split("&")

    assert sorted(part.partition("=")[0] for part in text.split("&")) == sorted(part.partition("=")[0] for part in kept)
    assert link_expires_at(f"{BASE}?{text}", GOT) is None
