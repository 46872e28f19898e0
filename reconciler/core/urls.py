"""What a source URL is called: the same however it is signed, escaped or ordered.

The groups of signature parameters are those of the signers' own code (botocore, python-storage, azure-sdk,
EdgeAuth, oss2, the COS SDK). A parameter is dropped only with its whole group: a lone `Expires`, `token` or
`sig` may choose content.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote_to_bytes, urlsplit

SCHEMES = ("http", "https")
_PORTS = {"http": 80, "https": 443}
_SAFE_URL = re.compile(r"https?://[a-z0-9.-]+/[A-Za-z0-9._~/!$&'()*+,;=:@-]*")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH = "!$&'()*+,;=:@/%"
_QUERY = _PATH + "?"

_RESPONSE = frozenset(
    {
        "response-content-type",
        "response-content-language",
        "response-expires",
        "response-cache-control",
        "response-content-disposition",
        "response-content-encoding",
    }
)
_OSS = frozenset({"x-oss-date", "x-oss-expires", "x-oss-signature-version", "x-oss-credential"}) | {
    "x-oss-additional-headers",
    "x-oss-security-token",
    "x-oss-signature",
    "x-oss-access-key-id",
}


@dataclass(frozen=True, slots=True)
class Signer:
    """A way of signing: present if all `markers` are, and then `strip` (and all of `prefixes`) says nothing."""

    name: str
    markers: frozenset[str]
    strip: frozenset[str]
    prefixes: tuple[str, ...] = ()


# Names of parameters whose values are kept secret, whoever signs with them.
_CREDENTIAL = re.compile(r"token|sig|secret|passw|pwd|auth|key|jwt|hmac|hdn|credential|policy|session|ticket|md5|hash")


def _signer(name: str, markers: str, strip: str, *more: Iterable[str], prefixes: tuple[str, ...] = ()) -> Signer:
    marking = frozenset(markers.lower().split())
    return Signer(name, marking, marking.union(strip.lower().split(), *more), prefixes)


SIGNERS = (
    _signer(
        "AWS SigV4",
        "X-Amz-Signature",
        "X-Amz-Algorithm X-Amz-Credential X-Amz-Date X-Amz-Expires X-Amz-SignedHeaders X-Amz-Security-Token "
        "X-Amz-S3session-Token X-Amz-Content-Sha256 X-Amz-Region-Set x-amz-checksum-mode x-id",
        _RESPONSE,
    ),
    _signer("AWS SigV2", "AWSAccessKeyId Signature Expires", "", _RESPONSE, prefixes=("x-amz-",)),
    _signer("CloudFront canned policy", "Key-Pair-Id Signature Expires", "Hash-Algorithm"),
    _signer("CloudFront custom policy", "Key-Pair-Id Signature Policy", "Hash-Algorithm"),
    _signer(
        "Google Cloud Storage V4",
        "X-Goog-Signature",
        "X-Goog-Algorithm X-Goog-Credential X-Goog-Date X-Goog-Expires X-Goog-SignedHeaders X-Goog-Content-Sha256 "
        "userProject response-content-type response-content-disposition",
    ),
    _signer("Google Cloud Storage V2", "GoogleAccessId Signature Expires", "", _RESPONSE),
    _signer(
        "Azure SAS",
        "sig sv",
        "sp st se sr si sip spr rscc rscd rsce rscl rsct spk srk epk erk srt ss skoid sktid skt ske sks skv ses srh "
        "srq skdutid sduoid saoid suoid scid sdd sst scr",
    ),
    _signer("Alibaba OSS V4 and V2", "x-oss-signature-version x-oss-signature", "", _OSS),
    _signer("Alibaba OSS V1", "OSSAccessKeyId Signature Expires", "security-token"),
    _signer(
        "Tencent COS",
        "q-signature",
        "q-sign-algorithm q-ak q-sign-time q-key-time q-header-list q-url-param-list x-cos-security-token",
    ),
)

# Akamai's token is one parameter, known by its value; only these names are looked at.
_AKAMAI_NAMES = frozenset({"hdnts", "hdnea", "hdntl", "__token__", "token"})
_AKAMAI_VALUE = re.compile(r"(?=.*(?:^|~|%7E)exp=)(?=.*(?:^|~|%7E)hmac=)", re.IGNORECASE)


def url_error(url: str) -> tuple[str, str] | None:
    """Why a URL cannot be a source, and what to do; None if it can."""
    if _SAFE_URL.fullmatch(url):
        return None
    if any(letter <= " " or letter == "\x7f" for letter in url):
        return "a URL cannot hold spaces or control characters", "Write a space as %20."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "this is not a URL", "Write  https://HOST/PATH"
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        advice = 'Sign the URL and keep it in the environment:  {id: NAME, url: "${env.NAME_URL}"}'
        return "a URL with a user name or password: credentials never stand in specs", advice
    if not parts.hostname or port == 0:
        return "this URL names no host", "Write  https://HOST/PATH"
    return None


def without_query(url: str) -> str:
    """A URL as it may be recorded and shown: without the query, in which signatures stand, and without a user."""
    parts = urlsplit(url)
    return parts._replace(query="", fragment="", netloc=parts.netloc.rpartition("@")[2]).geturl()


def identity(url: str, ignore_query: Iterable[str] = ()) -> str:
    """The name of what an http(s) URL leads to.

    Scheme and host in lower case, no default port, one spelling of escapes, the query sorted, without
    signatures, without the parameters named in `ignore_query`, without a fragment. What looks like a credential
    of a signer that nobody knows is there as a digest: it may choose content, and it must not be told.
    """
    if _SAFE_URL.fullmatch(url):
        return url
    parts = urlsplit(url)
    path = _escaped(parts.path, _PATH) or "/"
    query = "&".join(sorted(_kept(parts.query, frozenset(name.lower() for name in ignore_query))))
    return f"{parts.scheme.lower()}://{_host(parts)}{path}" + (f"?{query}" if query else "")


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    port = parts.port
    return host if port is None or port == _PORTS.get(parts.scheme.lower()) else f"{host}:{port}"


def _kept(query: str, ignored: frozenset[str]) -> list[str]:
    """The parameters that may choose content, each with one spelling of its escapes."""
    pairs = [(_name(part), part) for part in query.split("&") if part]
    names = {name for name, _ in pairs}
    signers = [signer for signer in SIGNERS if signer.markers <= names]
    return [
        _untold(name, _escaped(part, _QUERY))
        for name, part in pairs
        if name not in ignored
        and not _akamai(name, part)
        and not any(name in signer.strip or name.startswith(signer.prefixes or "\0") for signer in signers)
    ]


def _untold(name: str, part: str) -> str:
    """A parameter as it is, or with a digest for a value that looks like a credential."""
    spelled, equals, value = part.partition("=")
    if not value or not _CREDENTIAL.search(name):
        return part
    return f"{spelled}{equals}sha256-{hashlib.sha256(value.encode()).hexdigest()[:12]}"


def _name(part: str) -> str:
    return unquote_to_bytes(part.partition("=")[0]).decode("utf-8", "replace").lower()


def _akamai(name: str, part: str) -> bool:
    return name in _AKAMAI_NAMES and _AKAMAI_VALUE.match(part.partition("=")[2]) is not None


def _escaped(text: str, safe: str) -> str:
    """Unreserved characters plain, all others escaped, in upper case; reserved ones as they are."""
    return _ESCAPE.sub(_normal_escape, quote(text, safe=safe))


def _normal_escape(match: re.Match[str]) -> str:
    byte = int(match[0][1:], 16)
    return chr(byte) if byte in _UNRESERVED else match[0].upper()
