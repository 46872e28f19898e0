"""Who signs URLs, and by what their signatures are known.

The groups of parameters are those of the signers' own code (botocore, python-storage, azure-sdk, EdgeAuth, oss2,
the COS SDK) and documentation. A parameter belongs to a signature only with its whole group: a lone `Expires`,
`token` or `sig` may choose content.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

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
    """A way of signing: present if all `markers` are, with `values` like these, and then `strip` says nothing.

    Nor do parameters whose names begin with one of `prefixes`.
    """

    name: str
    markers: frozenset[str]
    strip: frozenset[str]
    prefixes: tuple[str, ...] = ()
    values: Mapping[str, re.Pattern[str]] = field(default_factory=dict)

    def signs(self, said: Mapping[str, str]) -> bool:
        """Whether a URL with these parameters (names in lower case, values unescaped) is signed so."""
        if not self.markers <= said.keys():
            return False
        return all(pattern.fullmatch(said[name]) for name, pattern in self.values.items())

    def drops(self, name: str) -> bool:
        """Whether a parameter of a URL that is signed so belongs to the signature."""
        return name in self.strip or name.startswith(self.prefixes or "\0")


def _signer(name: str, markers: str, strip: str, *more: Iterable[str], prefixes: tuple[str, ...] = ()) -> Signer:
    marking = frozenset(markers.lower().split())
    return Signer(name, marking, marking.union(strip.lower().split(), *more), prefixes)


SIGV4, SIGV2 = "AWS SigV4", "AWS SigV2"
CLOUDFRONT_CANNED, CLOUDFRONT_CUSTOM = "CloudFront canned policy", "CloudFront custom policy"
GOOGLE_V4, GOOGLE_V2, GOOGLE_CDN = "Google Cloud Storage V4", "Google Cloud Storage V2", "Google Cloud CDN"
AZURE, BUNNY, COS, OBS = "Azure SAS", "Bunny", "Tencent COS", "Huawei OBS"
OSS, OSS_V1 = "Alibaba OSS V4 and V2", "Alibaba OSS V1"

SIGNERS = (
    _signer(
        SIGV4,
        "X-Amz-Signature",
        "X-Amz-Algorithm X-Amz-Credential X-Amz-Date X-Amz-Expires X-Amz-SignedHeaders X-Amz-Security-Token "
        "X-Amz-S3session-Token X-Amz-Content-Sha256 X-Amz-Region-Set x-amz-checksum-mode x-id",
        _RESPONSE,
    ),
    _signer(SIGV2, "AWSAccessKeyId Signature Expires", "", _RESPONSE, prefixes=("x-amz-",)),
    _signer(CLOUDFRONT_CANNED, "Key-Pair-Id Signature Expires", "Hash-Algorithm"),
    _signer(CLOUDFRONT_CUSTOM, "Key-Pair-Id Signature Policy", "Hash-Algorithm"),
    _signer(
        GOOGLE_V4,
        "X-Goog-Signature",
        "X-Goog-Algorithm X-Goog-Credential X-Goog-Date X-Goog-Expires X-Goog-SignedHeaders X-Goog-Content-Sha256 "
        "userProject response-content-type response-content-disposition",
    ),
    _signer(GOOGLE_V2, "GoogleAccessId Signature Expires", "", _RESPONSE),
    _signer(GOOGLE_CDN, "KeyName Signature Expires", "URLPrefix"),
    _signer(
        AZURE,
        "sig sv",
        "sp st se sr si sip spr rscc rscd rsce rscl rsct spk srk epk erk srt ss skoid sktid skt ske sks skv ses srh "
        "srq skdutid sduoid saoid suoid scid sdd sst scr",
    ),
    _signer(OSS, "x-oss-signature-version x-oss-signature", "", _OSS),
    _signer(OSS_V1, "OSSAccessKeyId Signature Expires", "security-token"),
    _signer(
        COS,
        "q-signature",
        "q-sign-algorithm q-ak q-sign-time q-key-time q-header-list q-url-param-list x-cos-security-token",
    ),
    _signer(OBS, "AccessKeyId Signature Expires", "x-obs-security-token"),
    # Two names that anybody may use: only a hash beside a moment makes them a signature.
    Signer(
        BUNNY,
        frozenset({"token", "expires"}),
        frozenset({"token", "expires", "token_path", "bcdn_token"}),
        values={
            "token": re.compile(r"(?:HS256-)?(?:[A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{22})"),
            "expires": re.compile(r"\d{10}"),
        },
    ),
)

# Signatures that are one parameter, or one step of a path, known by its value; only these names are looked at.
AKAMAI, AKAMAI_OLD, MEDIA_CDN, JWT = "Akamai EdgeAuth", "Akamai", "Media CDN", "JWT"
_AKAMAI_NAMES = frozenset({"hdnts", "hdnea", "hdntl", "__token__", "token"})
_AKAMAI = re.compile(r"(?=.*(?:^|~)exp=\d)(?=.*(?:^|~)hmac=)", re.IGNORECASE)
_AKAMAI_OLD = re.compile(r"\d{10}_[0-9a-f]{32}", re.IGNORECASE)
_MEDIA_CDN = re.compile(r"(?=.*(?:^|[~&])Expires=\d)(?=.*(?:^|[~&])(?:Signature|hmac)=)", re.IGNORECASE)
# How the JSON of a token's head begins, in base64: `{"`.
_BEGIN_OF_JWT = "eyJ"
_SUBJECT = re.compile(r"[A-Za-z0-9_-]{1,200}")
_THREE_PARTS = re.compile(r"([A-Za-z0-9_-]{8,})\.([A-Za-z0-9_-]{8,})\.[A-Za-z0-9_-]{8,}")


def token_kind(name: str, value: str) -> str | None:
    """Which signature a parameter is by itself, by its name in lower case and its value unescaped; None if none."""
    if name in _AKAMAI_NAMES and _AKAMAI.match(value):
        return AKAMAI
    if name == "__gda__" and _AKAMAI_OLD.fullmatch(value):
        return AKAMAI_OLD
    if name == "edge-cache-token" and _MEDIA_CDN.match(value):
        return MEDIA_CDN
    if name in {"token", "jwt"} and jwt_expiry(value) is not None:
        return JWT
    return None


def step_kind(step: str) -> tuple[str, str] | None:
    """Which signature one step of a path is, and its value: `.../hdnts=exp=1~hmac=2/clip.mp4`; None if none.

    A JSON Web Token is one without a name.
    """
    if step.startswith(_BEGIN_OF_JWT):
        return (JWT, step) if _payload(step) else None
    name, equals, value = unescaped(step).partition("=")
    kind = token_kind(name.lower(), value) if equals else None
    return None if kind is None else (kind, value)


def may_hold_steps(path: str) -> bool:
    """Whether a path can have steps that are signatures at all: a quick look before a thorough one."""
    return "=" in path or "%3" in path or f"/{_BEGIN_OF_JWT}" in path


def step_meant(step: str) -> str | None:
    """What stands in a path in place of a step that is a signature; None where nothing does.

    A token may be all that says which clip is meant: `/eyJ.../manifest/video.m3u8` is `/CLIP/manifest/video.m3u8`,
    signed. One that names none stays as a digest.
    """
    if not step.startswith(_BEGIN_OF_JWT):
        return None
    subject = _payload(step).get("sub")
    if isinstance(subject, str) and _SUBJECT.fullmatch(subject):
        return subject
    return f"sha256-{hashlib.sha256(step.encode()).hexdigest()[:12]}"


def jwt_expiry(token: str) -> float | None:
    """The `exp` of a JSON Web Token, in seconds since the epoch; None if it is none, or never dies."""
    expiry = _payload(token).get("exp")
    return float(expiry) if isinstance(expiry, int | float) and not isinstance(expiry, bool) else None


def _payload(token: str) -> Mapping[str, object]:
    """What a JSON Web Token says; nothing if it is none."""
    match = _THREE_PARTS.fullmatch(token)
    if match is None:
        return {}
    try:
        head, payload = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in match.groups())
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return payload if isinstance(head, dict) and "alg" in head and isinstance(payload, dict) else {}


def unescaped(text: str) -> str:
    """Text without its percent escapes; a `+` stays one, since signers that mean a space escape it."""
    return unquote_to_bytes(text).decode("utf-8", "replace")


def said_by(query: str) -> dict[str, str]:
    """The parameters of a query: names in lower case, values unescaped; of a repeated name the first."""
    said: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if part:
            said.setdefault(unescaped(name).lower(), unescaped(value))
    return said
